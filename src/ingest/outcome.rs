//! The one fate of a delivery.

use crate::store::Durable;

/// How a delivery ended; also its metric label. Each delivery has exactly one.
///
/// The fates that are answered with 200 hold the proof that the bytes are on disk; only the committer
/// makes such a proof. A probe has no bytes to keep.
#[must_use = "the platform waits for an answer"]
#[derive(Debug)]
pub enum Outcome {
    /// Committed; events may have come of it.
    Accepted(Durable),
    /// Committed; an earlier delivery had said the same.
    Duplicate(Durable),
    /// An empty form: a platform's console tries the URL.
    Probe,
    /// Committed raw; it could not be understood.
    Quarantined(Durable),
    /// Not from the platform.
    Refused,
    /// Not a request that can be taken, whoever sent it: too long, too late, compressed, broken off.
    Rejected,
    /// Not committed; the platform should come again.
    Unavailable,
}

impl Outcome {
    /// The metric label.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Accepted(_) => "accepted",
            Outcome::Duplicate(_) => "duplicate",
            Outcome::Probe => "probe",
            Outcome::Quarantined(_) => "quarantined",
            Outcome::Refused => "refused",
            Outcome::Rejected => "rejected",
            Outcome::Unavailable => "unavailable",
        }
    }

    /// Number of the delivery in the store, if it was committed.
    pub fn delivery(&self) -> Option<u64> {
        match self {
            Outcome::Accepted(durable) | Outcome::Duplicate(durable) | Outcome::Quarantined(durable) => {
                Some(durable.delivery())
            }
            Outcome::Probe | Outcome::Refused | Outcome::Rejected | Outcome::Unavailable => None,
        }
    }
}
