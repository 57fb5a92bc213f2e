//! Runs an errand: asks what the platform says, hands it the answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use secrecy::SecretString;
use url::Url;

use super::Shared;
use crate::{
    platform::{ApiResponse, Denial, Errand, Failure},
    ports::{HttpError, HttpRequest, http::Unsendable},
};

/// Requests of one errand: more than any takes.
const REQUESTS_MAX: usize = 8;

/// Why an errand failed. Its text holds nothing out of an answer but an error code.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Denied(#[from] Denial),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    #[error("livehook panicked when it read the answer")]
    Defect,
}

impl Trouble {
    /// How long the platform says to wait, as it came.
    pub(super) fn retry_after(&self) -> Option<&str> {
        match self {
            Self::Denied(Denial::Passing(
                Failure::RateLimited { retry_after } | Failure::Unavailable { retry_after, .. },
            )) => retry_after.as_deref(),
            _ => None,
        }
    }

    /// Its name on metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Denied(Denial::Refused(_)) => "refused",
            Self::Denied(Denial::Application(_)) | Self::Unsendable(_) => "application",
            Self::Denied(Denial::Passing(Failure::RateLimited { .. })) => "rate-limited",
            Self::Denied(Denial::Passing(Failure::Unavailable { .. })) => "unavailable",
            Self::Denied(Denial::Passing(_)) => "malformed",
            Self::Http(_) => "no-answer",
            Self::Defect => "defect",
        }
    }
}

impl Shared {
    /// Runs an errand at `url`, with `access_token` where it asks for one.
    pub(super) async fn run<T>(
        &self,
        mut errand: Box<dyn Errand<T>>,
        url: &Url,
        access_token: Option<&SecretString>,
    ) -> Result<T, Trouble> {
        for _ in 0..REQUESTS_MAX {
            let Some(request) = unless_it_panics(|| errand.ask())? else {
                return Ok(unless_it_panics(|| errand.done())??);
            };
            let asked_at = self.clock.now();
            let answer = self.http.send(HttpRequest::of(url, &request, access_token)?).await?;
            let answer = ApiResponse {
                status: answer.status,
                retry_after: answer.retry_after,
                body: answer.body,
                asked_at,
            };
            unless_it_panics(|| errand.hear(&answer))??;
        }
        Err(Denial::Passing(Failure::malformed("the platform never comes to an end")).into())
    }
}

/// What a platform sends must never end the task that keeps an account's access.
fn unless_it_panics<T>(step: impl FnOnce() -> T) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Trouble::Defect)
}
