//! One HTTP request that a platform sent us, and what it turned out to say.

use bytes::Bytes;
use jiff::Timestamp;

use super::{descriptor::CallbackKind, poll::Wake};
use crate::model::{ContentHash, Observation};

/// A request on a callback URL whose account and token were right. Nothing in it was parsed.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The callback of the URL; for some platforms the only thing that tells the meaning of the body.
    pub callback: &'static CallbackKind,
    /// The header `Content-Type`, as it came.
    pub content_type: Option<String>,
    /// The body, exactly as it came.
    pub body: Bytes,
    /// When the request's head was read.
    pub received_at: Timestamp,
}

/// What a delivery says.
#[derive(Clone, PartialEq, Debug)]
pub enum Decoded {
    /// The platform's console tries the URL: answered with 200, no event.
    Probe,
    /// Something happened.
    Observed {
        /// What was said, equal for a retry.
        content: ContentHash,
        /// What was said, in our words; may be empty.
        observations: Vec<Observation>,
        /// Names of the oddities met (a misspelt field, an undeclared charset), counted on a metric.
        quirks: Vec<&'static str>,
        /// What the platform's API could confirm or add.
        wakes: Vec<Wake>,
    },
}

/// A delivery that cannot be understood. The reason is a sentence for an operator and holds no value
/// out of the body.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    /// From a sentence like "the form has no field broadcast_key".
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
