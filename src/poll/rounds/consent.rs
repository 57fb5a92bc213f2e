//! What the poller makes of another access token, and of one that is refused.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Rounds, work::Work};
use crate::{
    access::{Access, AccessToken},
    platform::{ApiRequest, Bearer, Failure},
    poll::trouble::Trouble,
};

/// Which tokens were sent, accepted and refused, by version.
#[derive(Debug, Default)]
pub(super) struct Consent {
    /// There was this at the last look.
    seen: Option<u64>,
    /// The last request was sent with it.
    sent: Option<u64>,
    /// The newest that was accepted.
    accepted: Option<u64>,
    /// The newest for which another was asked.
    refused: Option<u64>,
}

impl Consent {
    pub(super) fn of(access: &AccessToken) -> Self {
        Self { seen: access.grant().map(|grant| grant.version), ..Self::default() }
    }

    /// The last request was answered, and not because its token was refused.
    pub(super) fn accept(&mut self) {
        self.accepted = self.accepted.max(self.sent);
    }

    /// The version to be refused; `None` if it is the answer to a refusal, and was never accepted: then another one
    /// would not help either.
    fn refuse(&mut self) -> Option<u64> {
        let sent = self.sent?;
        let is_the_answer = self.refused.is_some_and(|refused| sent == refused + 1);
        if is_the_answer && self.accepted < Some(sent) {
            return None;
        }
        self.refused = Some(sent);
        Some(sent)
    }
}

impl Rounds {
    /// With another token, what was given up for want of a good one is tried at once.
    pub(super) fn note_access(&mut self, now: Timestamp) {
        let version = self.account.access.grant().map(|grant| grant.version);
        if version.is_none() || version == self.consent.seen {
            return;
        }
        self.consent.seen = version;
        for watch in self.watches.iter_mut().filter(|watch| watch.is_lasting()) {
            watch.due = now;
            watch.standing.retry = None;
        }
    }

    /// The token to send with a request, if it takes one.
    ///
    /// # Errors
    /// [`Trouble::NoToken`] if it needs one and there is none.
    pub(super) fn token_for(&mut self, request: &ApiRequest) -> Result<Option<SecretString>, Trouble> {
        self.consent.sent = None;
        if !request.needs_access_token() && !matches!(request.bearer, Bearer::AccessTokenIfAny) {
            return Ok(None);
        }
        match self.account.access.now() {
            Access::Granted(grant) => {
                self.consent.sent = Some(grant.version);
                Ok(Some(grant.token))
            }
            Access::Missing(why) if request.needs_access_token() => Err(Trouble::NoToken(why)),
            Access::Renewing if request.needs_access_token() => {
                Err(Trouble::NoToken("the access token is being renewed".to_owned()))
            }
            Access::Missing(_) | Access::Renewing => Ok(None),
        }
    }

    /// Asks for another token if that can help: once for each, and never because something is forbidden. Then the
    /// sweep begins anew with it; returns whether it will.
    pub(super) fn asks_for_renewal(&mut self, work: Work, trouble: &Trouble, now: Timestamp) -> bool {
        let access = &self.account.access;
        if !matches!(trouble, Trouble::Platform(Failure::Unauthorized)) {
            return false;
        }
        let Some(version) = self.consent.refuse() else { return false };
        // Whoever keeps a token that cannot be renewed wants to know as well.
        access.refuse(version);
        if !access.is_renewable() {
            return false;
        }
        match work {
            Work::Routine(index) => self.watches[index].due = now,
            Work::Confirmation(index) => self.confirmations[index].not_before = now,
        }
        true
    }
}
