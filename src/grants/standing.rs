//! How an account's access stands: what is kept of it in the open, and what follows.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::vault::Held;
use crate::platform::Tokens;

/// A token is not sent any more so long before its end: a request takes time, and clocks differ.
pub(super) const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// Renewal begins when this share of a token's life is over, and at most that.
pub(super) const RENEWAL: std::ops::Range<f64> = 0.70..0.80;
/// No wait after a failure is longer.
pub(super) const RETRY_MAX: SignedDuration = SignedDuration::from_hours(6);
/// Tokens that nobody accepts are thrown away after this.
pub(super) const WAITING: SignedDuration = SignedDuration::from_mins(10);

/// How it stands. Never holds a token.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Standing {
    /// How it is obtained: a word of `Way`, or `personal`.
    pub(super) kind: String,
    /// Fingerprint of what it is obtained with; with something else everything begins anew.
    pub(super) configured_as: String,
    /// Whose it is at the platform.
    pub(super) identity: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    /// When the access token was asked for; of a personal one, when it was first seen.
    pub(super) obtained_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) renew_at: Option<Timestamp>,
    /// What is being asked of the platform; found at a start, it was asked and the answer is lost.
    pub(super) intent: Option<Intent>,
    /// Fingerprint of the secrets that it was last tried with: with others a refusal says nothing.
    pub(super) tried_with: String,
    /// How often access was given, renewals left out.
    pub(super) authorized: u64,
    /// The token itself says when it ends.
    pub(super) is_end_certain: bool,
    /// Only another consent helps.
    pub(super) needs_consent: bool,
    /// The platform does not know how to refresh, so the configured keys are used each time.
    pub(super) is_refresh_unknown: bool,
    /// Renewals that failed in a row.
    pub(super) failures: u32,
    /// When the next may be tried.
    pub(super) retry_at: Option<Timestamp>,
    /// Why the last one failed.
    pub(super) trouble: Option<String>,
    /// That was told.
    pub(super) is_failure_told: bool,
    /// What a person must do before the account can be read on, or will have to do soon.
    pub(super) needs_person: Option<String>,
    /// That access is over was told.
    pub(super) is_end_told: bool,
    /// Days before the end of the last notice.
    pub(super) noticed_days: Option<u32>,
    /// Tokens that a person has yet to accept.
    pub(super) waiting: Option<Waiting>,
}

/// What is being asked of the platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Intent {
    /// New tokens for old ones.
    Renewal,
    /// Tokens for a consent.
    Exchange,
}

/// Tokens that a person has yet to accept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Names this link, so that nobody accepts another one by mistake.
    pub(super) link: String,
    pub(super) identity: Option<String>,
    pub(super) until: Timestamp,
    pub(super) asked_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) scopes: Option<Vec<String>>,
}

impl Waiting {
    /// What of `tokens` may be kept in the open.
    pub(super) fn of(tokens: &Tokens, link: String, until: Timestamp) -> Self {
        let Tokens { asked_at, expires_at, scopes, identity, .. } = tokens.clone();
        Self { link, identity, until, asked_at, expires_at, scopes }
    }

    /// The tokens as they were, with those that were sealed.
    pub(super) fn tokens(&self, held: Held) -> Tokens {
        let Self { identity, asked_at, expires_at, scopes, .. } = self.clone();
        let Held { access, refresh } = held;
        Tokens { access, refresh, asked_at, expires_at, scopes, identity, quirks: Vec::new() }
    }
}

impl Standing {
    /// Whether a refresh token is worth offering.
    pub(super) fn is_refreshable(&self) -> bool {
        !self.is_refresh_unknown
    }

    /// Forgets what went wrong.
    pub(super) fn clear_trouble(&mut self) {
        self.failures = 0;
        self.retry_at = None;
        self.trouble = None;
        self.needs_person = None;
        self.needs_consent = false;
        (self.is_failure_told, self.is_end_told) = (false, false);
    }

    /// Whether another try is due after a failure. A wait that is longer than any was meant for another clock.
    pub(super) fn may_try(&self, now: Timestamp) -> bool {
        let longest = now.checked_add(RETRY_MAX).unwrap_or(Timestamp::MAX);
        self.retry_at.is_none_or(|at| at <= now || at > longest)
    }

    /// Whether the access token must not be sent any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.sent_until().is_some_and(|until| until <= now)
    }

    /// Until when the access token may be sent.
    pub(super) fn sent_until(&self) -> Option<Timestamp> {
        let (expires_at, obtained_at) = (self.expires_at?, self.obtained_at);
        // Of a token that lives for minutes only, a tenth.
        let life = obtained_at.map_or(SignedDuration::MAX, |at| expires_at.duration_since(at));
        expires_at.checked_sub(MARGIN.min(life / 10)).ok()
    }

    /// The notice that is due, in days before the end: one of these, and each once.
    pub(super) fn notice(&self, days: &[u32], now: Timestamp) -> Option<u32> {
        let left = self.expires_at?.duration_since(now);
        let due = days.iter().copied().filter(|days| left <= of_days(*days)).min()?;
        self.noticed_days.is_none_or(|noticed| due < noticed).then_some(due)
    }

    /// When the next notice is due.
    pub(super) fn next_notice_at(&self, days: &[u32], now: Timestamp) -> Option<Timestamp> {
        let expires_at = self.expires_at?;
        let notices = days.iter().filter_map(|days| expires_at.checked_sub(of_days(*days)).ok());
        notices.filter(|at| *at > now).min()
    }
}

fn of_days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

#[cfg(test)]
mod tests;
