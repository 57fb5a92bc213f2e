//! Tokens for a consent: exchanged, asked whose they are, accepted by a person where that is not certain.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    Keeper,
    commands::{LinkFailure, Linked},
};
use crate::{
    grants::{
        Source,
        errands::Trouble,
        flows::Returned,
        standing::{Intent, WAITING, Waiting},
        vault::Held,
    },
    model::Verb,
    platform::{Denial, Obtain, Tokens, Way},
    ports::jitter::after,
    store::StoreError,
};

impl Keeper {
    pub(super) async fn exchange(&mut self, consent: Returned) -> Result<Linked, LinkFailure> {
        let Returned { code, verifier, redirect_uri, is_state_proven, .. } = consent;
        let with = Obtain::Code { code: &code, verifier: &verifier, redirect_uri: &redirect_uri };
        self.link(with, is_state_proven).await
    }

    /// The number came from whoever operates livehook, but not whose it is.
    pub(super) async fn exchange_number(&mut self, number: &SecretString) -> Result<Linked, LinkFailure> {
        self.link(Obtain::Number(number), false).await
    }

    async fn link(&mut self, with: Obtain<'_>, is_proven: bool) -> Result<Linked, LinkFailure> {
        let Source::Obtained(Way::Browser) = self.account.source else {
            return Err(LinkFailure::NotConnectable);
        };
        if self.unkept.is_some() {
            return Err(LinkFailure::Busy);
        }
        let errand = self.grants.and_then(|grants| grants.obtain(&self.account.settings, with));
        let errand = errand.ok_or(LinkFailure::NotConnectable)?;
        let doubt = self.standing.intent;
        let before = self.standing.clone();
        self.standing.intent = Some(Intent::Exchange);
        self.keep_or(before, &[], self.shared.clock.now()).await.map_err(not_kept)?;
        let result = self.shared.run(errand, &self.account.auth_url, None).await;
        self.standing.intent = doubt;
        let tokens = match result {
            Ok(tokens) => tokens,
            Err(trouble) => {
                self.keep(&[], self.shared.clock.now()).await.map_err(not_kept)?;
                return Err(failure(&trouble));
            }
        };
        self.put_aside(tokens).await.map_err(not_kept)?;
        self.identify().await;
        let Some((tokens, _)) = &self.waiting else { return Err(LinkFailure::NothingWaits) };
        let Some(waiting) = &mut self.standing.waiting else { return Err(LinkFailure::NothingWaits) };
        let (identity, former) = (tokens.identity.clone(), self.standing.identity.clone());
        waiting.identity.clone_from(&identity);
        let link = waiting.link.clone();
        let is_known = self.held.is_some() && identity.is_some() && identity == former;
        if is_known && is_proven {
            return self.accept(&link).await;
        }
        self.keep(&[], self.shared.clock.now()).await.map_err(not_kept)?;
        Ok(Linked::Waiting { link, identity, former })
    }

    /// On disk before they are used, even for asking whose they are.
    async fn put_aside(&mut self, tokens: Tokens) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let held = Held { access: tokens.access.clone(), refresh: tokens.refresh.clone() };
        let sealed = self.seal(&held, self.version + 1, true)?;
        let mut link = [0; 16];
        self.shared.entropy.fill(&mut link);
        let until = after(now, WAITING);
        self.standing.waiting = Some(Waiting::of(&tokens, hex::encode(link), until));
        self.waiting = Some((tokens, sealed));
        let kept = self.keep(&[], now).await;
        if kept.is_err() {
            // Nobody may accept what a crash would take away.
            (self.standing.waiting, self.waiting) = (None, None);
        }
        kept
    }

    /// Asks the API whose the tokens are, if they do not say so. Not knowing it is no failure.
    async fn identify(&mut self) {
        let Some((tokens, _)) = &self.waiting else { return };
        if tokens.identity.is_some() {
            return;
        }
        let errand = self.grants.and_then(|grants| grants.identify(&self.account.settings));
        let Some(errand) = errand else { return };
        let identity = self.shared.run(errand, &self.account.base_url, Some(&tokens.access)).await;
        if let (Ok(identity), Some((tokens, _))) = (identity, &mut self.waiting) {
            tokens.identity = identity;
        }
    }

    pub(super) async fn accept(&mut self, link: &str) -> Result<Linked, LinkFailure> {
        let now = self.shared.clock.now();
        if self.unkept.is_some() {
            return Err(LinkFailure::Busy);
        }
        let is_meant = |waiting: &Waiting| waiting.link == link && waiting.until > now;
        if !self.standing.waiting.as_ref().is_some_and(is_meant) {
            return Err(LinkFailure::NothingWaits);
        }
        let (tokens, sealed) = self.waiting.take().ok_or(LinkFailure::NothingWaits)?;
        let waiting = self.standing.waiting.take();
        // Whose and what it was before says nothing of what it is now.
        let before = (self.standing.identity.take(), self.standing.scopes.take());
        let identity = tokens.identity.clone();
        if let Err(error) = self.write_down(&tokens, Verb::Authorized).await {
            self.waiting = Some((tokens, sealed));
            self.standing.waiting = waiting;
            (self.standing.identity, self.standing.scopes) = before;
            return Err(not_kept(error));
        }
        Ok(Linked::Active { identity })
    }

    pub(super) async fn discard(&mut self, link: &str) -> Result<(), LinkFailure> {
        if self.standing.waiting.as_ref().is_none_or(|waiting| waiting.link != link) {
            return Err(LinkFailure::NothingWaits);
        }
        self.drop_waiting().await.map_err(not_kept)
    }

    /// Throws away tokens that nobody accepted in time.
    pub(super) async fn forget_waiting(&mut self, now: Timestamp) -> Result<(), StoreError> {
        match self.waits_until() {
            Some(until) if until <= now => self.drop_waiting().await,
            _ => Ok(()),
        }
    }

    pub(super) fn waits_until(&self) -> Option<Timestamp> {
        self.standing.waiting.as_ref().map(|waiting| waiting.until)
    }

    async fn drop_waiting(&mut self) -> Result<(), StoreError> {
        (self.standing.waiting, self.waiting) = (None, None);
        self.keep(&[], self.shared.clock.now()).await
    }
}

fn not_kept(error: StoreError) -> LinkFailure {
    LinkFailure::NotKept(error.to_string())
}

fn failure(trouble: &Trouble) -> LinkFailure {
    match trouble {
        Trouble::Denied(Denial::Refused(code)) => LinkFailure::Refused(code.clone()),
        Trouble::Denied(Denial::Application(code)) => LinkFailure::Application(code.clone()),
        trouble => LinkFailure::Unanswered(trouble.to_string()),
    }
}
