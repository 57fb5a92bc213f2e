//! How an observation came to us: what it may change depends on that.

use jiff::{SignedDuration, Timestamp};

use super::{
    event::{Proof, Via},
    ids::ContentHash,
    repeat::Seen,
};

/// How and when something was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hearing {
    /// A platform called.
    Delivery {
        /// When its head was read.
        received_at: Timestamp,
        /// How far to trust it.
        proof: Proof,
        /// What was said, equal for a retry.
        content: ContentHash,
        /// Whether earlier deliveries said the same.
        seen: Seen,
    },
    /// We read the platform's API.
    Sweep {
        /// When the request was sent. The answer may be older, by `stale_for`.
        asked_at: Timestamp,
        /// How old an answer can be because of the platform's caches.
        stale_for: SignedDuration,
        /// Since when the list it stands in has been known as a whole; `None` during the first sweep, in which
        /// everything was there before.
        known_since: Option<Timestamp>,
    },
    /// The platform gave livehook tokens.
    Grant {
        /// When.
        at: Timestamp,
    },
    /// livehook itself says so.
    Own {
        /// When.
        at: Timestamp,
    },
}

impl Hearing {
    /// When we learned of it.
    pub fn at(&self) -> Timestamp {
        match *self {
            Self::Delivery { received_at: at, .. }
            | Self::Sweep { asked_at: at, .. }
            | Self::Grant { at }
            | Self::Own { at } => at,
        }
    }

    /// How it came.
    pub fn via(&self) -> Via {
        match self {
            Self::Delivery { .. } => Via::Callback,
            Self::Sweep { .. } => Via::Poll,
            Self::Grant { .. } => Via::Oauth,
            Self::Own { .. } => Via::Internal,
        }
    }

    /// How far to trust it.
    pub fn proof(&self) -> Proof {
        match self {
            Self::Delivery { proof, .. } => *proof,
            Self::Sweep { .. } | Self::Grant { .. } => Proof::Api,
            Self::Own { .. } => Proof::Internal,
        }
    }
}
