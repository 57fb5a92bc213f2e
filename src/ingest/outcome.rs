//! The one fate of a delivery.

/// How a delivery ended; also its metric label. Each delivery has exactly one.
#[must_use = "the platform waits for an answer"]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Committed; so many events came of it, perhaps none.
    Accepted {
        /// Number of events.
        events: usize,
    },
    /// Committed; an earlier delivery had said the same.
    Duplicate,
    /// An empty form: a platform's console tries the URL.
    Probe,
    /// Committed raw; it could not be understood.
    Quarantined,
    /// Not from the platform.
    Refused,
    /// Not committed; the platform should come again.
    Unavailable,
}

impl Outcome {
    /// The metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Accepted { .. } => "accepted",
            Outcome::Duplicate => "duplicate",
            Outcome::Probe => "probe",
            Outcome::Quarantined => "quarantined",
            Outcome::Refused => "refused",
            Outcome::Unavailable => "unavailable",
        }
    }
}
