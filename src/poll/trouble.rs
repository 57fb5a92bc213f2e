//! Why a sweep failed, and what follows from it.

use jiff::{SignedDuration, Timestamp};

use super::budget::WINDOW;
use crate::{
    platform::{Descriptor, Failure, Status, retry_after},
    ports::{HttpError, Jitter, http::Unsendable},
    store::StoreError,
};

/// A credential that was refused is tried again after this: people mend it, not time.
const CREDENTIAL_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// The same, if there is none to try.
const NO_TOKEN_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// A service that is closed is looked at after this. Nothing is waited for longer.
pub(super) const CLOSED_PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// Why a sweep failed. Its text holds nothing out of an answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The answer says nothing.
    #[error(transparent)]
    Platform(#[from] Failure),
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Nothing was asked; the sentence says what to do.
    #[error("{0}")]
    NoToken(String),
    /// The request cannot be put into HTTP.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// What was read cannot be written down, again and again.
    #[error("livehook cannot keep what it reads: {0}")]
    NotKept(#[from] StoreError),
    /// See `sweep`.
    #[error("the platform never stops giving pages: 1,000 requests were not enough")]
    TooLong,
}

/// What follows from a trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reaction {
    /// When the same is tried again.
    pub(super) pause: SignedDuration,
    /// Who rests until then.
    pub(super) rests: Rests,
    /// Time does not mend it: it is told at once, and once.
    pub(super) is_lasting: bool,
}

/// Who asks nothing for the length of the pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rests {
    /// Only the watch.
    Watch,
    /// The whole account.
    Account,
    /// Everybody who shares the budget.
    Budget,
}

impl Trouble {
    /// What follows, after so many failures in a row, this one included.
    pub(super) fn reaction(
        &self,
        failures: u32,
        descriptor: &Descriptor,
        now: Timestamp,
        jitter: &Jitter,
    ) -> Reaction {
        let backoff_max = descriptor.api.as_ref().map_or(0, |api| api.limits.backoff_max_seconds);
        let backoff = || jitter.backoff(failures, SignedDuration::from_secs(i64::from(backoff_max)));
        let told = |header: &Option<String>| retry_after::read(header.as_deref(), now);
        let is_closed = matches!(descriptor.status, Status::Closed(_));
        let lasting = |pause| Reaction { pause, rests: Rests::Watch, is_lasting: true };
        let passing = |pause, rests| Reaction { pause, rests, is_lasting: false };
        match self {
            Self::Platform(Failure::RateLimited { retry_after }) => {
                // Limits are counted over a minute: what is asked before it is over may be too much again.
                passing(told(retry_after).unwrap_or_else(|| backoff().max(WINDOW)), Rests::Budget)
            }
            // Without a word of when to come back it may be this one thing that the platform cannot answer.
            Self::Platform(Failure::Unavailable { retry_after, .. }) => match told(retry_after) {
                Some(pause) => passing(pause, Rests::Account),
                None => passing(backoff(), Rests::Watch),
            },
            Self::Platform(Failure::Unauthorized | Failure::Forbidden) => lasting(CREDENTIAL_PAUSE),
            Self::Platform(Failure::Gone) => lasting(CLOSED_PAUSE),
            Self::Http(HttpError::Unreachable) if is_closed => lasting(CLOSED_PAUSE),
            Self::NoToken(_) | Self::Unsendable(_) => lasting(NO_TOKEN_PAUSE),
            Self::Platform(_) | Self::Http(_) | Self::NotKept(_) | Self::TooLong => {
                passing(backoff(), Rests::Watch)
            }
        }
    }

    /// Whether the platform was asked, and it was its answer that failed.
    pub(super) fn is_of_the_platform(&self) -> bool {
        !matches!(self, Self::NoToken(_) | Self::Unsendable(_) | Self::NotKept(_))
    }

    /// Its name on metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Platform(Failure::RateLimited { .. }) => "rate-limited",
            Self::Platform(Failure::Unavailable { .. }) => "unavailable",
            Self::Platform(Failure::Unauthorized | Failure::Forbidden) => "unauthorized",
            Self::Platform(Failure::NotFound | Failure::Refused { .. }) => "refused",
            Self::Platform(Failure::Gone) => "gone",
            Self::Platform(Failure::Stale) => "stale",
            Self::Platform(Failure::Malformed(_)) | Self::TooLong => "malformed",
            Self::Http(_) => "no-answer",
            Self::NotKept(_) => "not-kept",
            Self::NoToken(_) | Self::Unsendable(_) => "no-token",
        }
    }
}

#[cfg(test)]
mod tests;
