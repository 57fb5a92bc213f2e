//! What we last believed of an entity.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    attributes::Attributes,
    ids::ContentHash,
    vocabulary::{Phase, Verb},
};

/// The belief that observations are compared with. One revision makes at most one event, so
/// (entity, revision) identifies an event for ever.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Known {
    /// Grows by one with each event; 0 before the first. One that was forgotten begins above all it had.
    #[serde(skip)]
    pub revision: u64,
    /// Where the entity stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Everything said of it so far.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The changes of phase that were already published in this life of the entity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub happened: Vec<Verb>,
    /// What was said by the delivery that made the latest revision, or by a retry that came after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<[u8; 16]>,
    /// When the latest revision was made; an answer that may be older than that undoes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// When this life of the entity began: by the platform's clock where it says so, else when we learned of it;
    /// `None` when only its end was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// The life before this one, if there was one: what began nearer to it, or ended with it, is not this life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Former>,
    /// The latest revision is one step of what a sweep showed at once; the next step comes out of the same answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_catching_up: bool,
    /// The phase was only told on a secret URL so far; the platform's API has not confirmed it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_unconfirmed: bool,
    /// It was removed, and may come back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_gone: bool,
}

/// When a life of an entity that comes back was, as far as we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Former {
    /// Its beginning: by the platform's clock where it says so, else when we learned of it.
    pub began_at: Timestamp,
    /// Its end, likewise.
    pub ended_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(is: &bool) -> bool {
    !is
}

impl Known {
    /// Whether the latest revision was made by a delivery that said exactly this.
    pub fn was_made_by(&self, content: Option<ContentHash>) -> bool {
        self.made_by.is_some() && self.made_by == content.map(|hash| hash.0)
    }
}
