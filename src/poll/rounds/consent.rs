//! What the poller makes of another access token, and of one that is refused.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{Rounds, work::Work};
use crate::{
    access::{Access, AccessToken, Grant},
    platform::{ApiRequest, Bearer, Failure},
    poll::trouble::Trouble,
};

/// A watch that no token helped asks for another one after this: by then it may be for another reason.
const ASKS_AGAIN: SignedDuration = SignedDuration::from_hours(6);

/// Which tokens were sent and refused, by version.
#[derive(Debug, Default)]
pub(super) struct Consent {
    /// There was this at the last look.
    seen: Option<u64>,
    /// The last request was sent with it.
    sent: Option<u64>,
    /// The newest for which another was asked.
    refused: Option<u64>,
    /// When watches asked for another token that have not been read to their end since: what one may not read says
    /// nothing of the others.
    asked_at: HashMap<usize, Timestamp>,
}

impl Consent {
    pub(super) fn of(access: &AccessToken) -> Self {
        Self { seen: access.grant().map(|grant| grant.version), ..Self::default() }
    }

    /// The version to be refused; `None` if the watch asked for another token before and could not be read with that
    /// either: then one more would not help.
    fn refuse(&mut self, watch: usize, now: Timestamp) -> Option<u64> {
        let sent = self.sent?;
        if self.asked_at.get(&watch).is_some_and(|at| now.duration_since(*at) < ASKS_AGAIN) {
            return None;
        }
        self.asked_at.insert(watch, now);
        self.refused = self.refused.max(Some(sent));
        Some(sent)
    }

    /// Whether the token that there is was refused, and whoever keeps it has yet to hear of it.
    fn waits_for(&self, access: &AccessToken) -> bool {
        let is_refused = |grant: Grant| Some(grant.version) <= self.refused;
        access.is_renewable() && access.grant().is_some_and(is_refused)
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

    /// Whether nothing may be sent for a moment, because another token is on its way.
    pub(super) fn waits_for_access(&self) -> bool {
        self.account.access.is_renewing() || self.consent.waits_for(&self.account.access)
    }

    /// Version of the token in the last request.
    pub(super) fn sent_version(&self) -> Option<u64> {
        self.consent.sent
    }

    /// A sweep was read to its end, and with a token of this version if it needed one. One answer alone says little: a
    /// token may be good for a list and not for what is in it.
    pub(super) fn note_acceptance(&mut self, work: Work, version: Option<u64>) {
        let Some(version) = version else { return };
        let watch = self.watch_of(work);
        self.consent.asked_at.remove(&watch);
        if !self.account.access.is_renewable() {
            self.account.access.accept(version);
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
        let watch = self.watch_of(work);
        let access = &self.account.access;
        if !matches!(trouble, Trouble::Platform(Failure::Unauthorized)) {
            return false;
        }
        let Some(version) = self.consent.refuse(watch, now) else { return false };
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
