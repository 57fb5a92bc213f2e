//! The access of one account: what is due, and what was asked of it, one thing after the other.

pub mod commands;
mod consent;
mod load;
mod renew;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::commands::Command;
use super::{
    Account, CredentialProgress, CredentialState, Shared, Source,
    standing::{Intent, Standing},
    tell,
    vault::{Held, Purpose},
};
use crate::{
    access::{Access, Grant},
    model::{PlatformId, Verb},
    platform::{Grants, Tokens, Way},
    ports::jitter::after,
    store::{CredentialRecord, StoreError, StoredCredential},
};

/// Longest wait of the loop, so that a clock that was set is noticed.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Wait when the store cannot be read or written.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Days before the end at which is told that livehook cannot renew a token.
const NOTICES: [u32; 3] = [60, 30, 7];

/// See the module.
pub(super) struct Keeper {
    account: Account,
    grants: Option<&'static dyn Grants>,
    shared: Shared,
    commands: mpsc::Receiver<Command>,
    is_loaded: bool,
    standing: Standing,
    version: u64,
    /// What it is read with.
    held: Option<Held>,
    /// What the store has of `held` and of tokens that wait; kept as it is when the vault cannot open it.
    sealed: Option<Vec<u8>>,
    waiting: Option<(Tokens, Vec<u8>)>,
    /// Why the tokens in the store cannot be opened.
    stays_sealed: Option<String>,
    /// Tokens that came and could not be written down yet: nothing else may be done before.
    unkept: Option<(Tokens, Verb)>,
}

impl Keeper {
    pub(super) fn new(account: Account, commands: mpsc::Receiver<Command>, shared: Shared) -> Self {
        Self {
            grants: account.platform.grants(),
            account,
            shared,
            commands,
            is_loaded: false,
            standing: Standing::default(),
            version: 0,
            held: None,
            sealed: None,
            waiting: None,
            stays_sealed: None,
            unkept: None,
        }
    }

    /// Steps and waits until `ending`; then no step begins, but one that did goes on to its end: the platform may have
    /// answered with the only copy of a token.
    pub(super) async fn run(mut self, ending: CancellationToken) {
        while !ending.is_cancelled() {
            let until = self.step().await;
            let wait = Duration::try_from(until.duration_since(self.shared.clock.now())).unwrap_or_default();
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                () = self.account.keeping.refusal() => {}
                command = self.commands.recv(), if self.is_loaded => {
                    if let Some(command) = command {
                        self.obey(command).await;
                    }
                }
                () = tokio::time::sleep(wait.clamp(Duration::from_millis(1), WAIT_MAX)) => {}
            }
        }
    }

    /// Does what is due and what was asked; returns when there is more to do.
    pub(super) async fn step(&mut self) -> Timestamp {
        let now = self.shared.clock.now();
        let result = if self.is_loaded { self.work(now).await } else { self.load(now).await.map(|()| now) };
        let until = result.unwrap_or_else(|error| {
            let (platform, account) = (self.platform(), &self.account.settings.name);
            tracing::warn!(platform, %account, "the access of {account} cannot be kept: {error}");
            after(now, STORE_PAUSE)
        });
        self.show();
        until
    }

    async fn work(&mut self, now: Timestamp) -> Result<Timestamp, StoreError> {
        if let Some((tokens, verb)) = self.unkept.take() {
            self.take_up(tokens, verb).await?;
        }
        while let Ok(command) = self.commands.try_recv() {
            self.obey(command).await;
        }
        self.forget_waiting(now).await?;
        match &self.account.source {
            Source::Personal(_) => self.watch_over(now).await,
            Source::Obtained(way) => self.keep_up(*way, now).await,
        }
    }

    /// A token that stands in the configuration: livehook can only tell of its end.
    async fn watch_over(&mut self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let name = &self.account.settings.name;
        let has_ended = self.standing.is_end_certain && self.standing.is_over(now);
        let is_refused = self.account.keeping.is_refused(0);
        let before = self.standing.clone();
        if (has_ended || is_refused) && !self.standing.is_end_told {
            let why = if has_ended { "the token has ended" } else { "the platform refuses the token" };
            let why = format!("{why}: make another one for accounts.{name}.token and restart");
            self.standing.needs_person = Some(why.clone());
            self.standing.trouble = Some(why);
            self.standing.is_end_told = true;
            self.keep_or(before, &[Verb::Revoked], now).await?;
        } else if self.standing.is_end_told && !has_ended && self.account.keeping.is_accepted(0) {
            // It was accepted again: the refusal was not about the token. Notices of its end begin anew.
            self.standing.clear_trouble();
            self.standing.noticed_days = None;
            self.keep_or(before, &[Verb::Authorized], now).await?;
            return Ok(now);
        } else if let Some(days) = self.standing.notice(&NOTICES, now).filter(|_| !has_ended) {
            let why = format!(
                "the token ends within {days} days and cannot be renewed: make another one for accounts.{name}.token"
            );
            self.standing.needs_person = Some(why.clone());
            self.standing.trouble = Some(why);
            self.standing.noticed_days = Some(days);
            self.keep_or(before, &[Verb::Expiring], now).await?;
        }
        if has_ended && !matches!(self.account.keeping.now(), Access::Missing(_)) {
            self.account.keeping.put(Access::Missing(self.remedy()));
        }
        let end = self.standing.sent_until().filter(|at| self.standing.is_end_certain && *at > now);
        let dues = [end, self.standing.next_notice_at(&NOTICES, now)];
        Ok(dues.into_iter().flatten().min().unwrap_or(Timestamp::MAX))
    }

    /// Tokens that are obtained: renews them in time.
    async fn keep_up(&mut self, way: Way, now: Timestamp) -> Result<Timestamp, StoreError> {
        let is_refused = self.held.is_some() && self.account.keeping.is_refused(self.version);
        let is_over = self.held.is_some() && (is_refused || self.standing.is_over(now));
        let is_doubtful = self.standing.intent == Some(Intent::Renewal);
        let is_due = match self.held {
            None => way != Way::Browser,
            Some(_) => is_over || is_doubtful || self.standing.renew_at.is_some_and(|at| at <= now),
        };
        let can_help_itself = !self.standing.needs_consent;
        if is_due && can_help_itself && self.standing.may_try(now) {
            self.renew(way, now).await?;
            return Ok(now);
        }
        self.tell_of_the_end(is_over, now).await?;
        self.publish(is_over);
        let standing = &self.standing;
        let renewal = standing.renew_at.filter(|_| can_help_itself);
        let dues = [
            renewal.max(standing.retry_at),
            standing.sent_until(),
            self.next_notice_at(now),
            self.waits_until(),
        ];
        Ok(dues.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(Timestamp::MAX))
    }

    /// Whether livehook cannot renew the tokens by itself, as far as it knows.
    fn is_at_an_end(&self) -> bool {
        let cannot = |held: &Held| {
            held.refresh.is_none() && matches!(self.account.source, Source::Obtained(Way::Browser))
        };
        self.standing.needs_person.is_some() || self.held.as_ref().is_some_and(cannot)
    }

    fn next_notice_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.standing.next_notice_at(&NOTICES, now).filter(|_| self.is_at_an_end())
    }

    async fn tell_of_the_end(&mut self, is_over: bool, now: Timestamp) -> Result<(), StoreError> {
        if self.held.is_none() || !self.is_at_an_end() || self.standing.is_end_told {
            return Ok(());
        }
        let name = &self.account.settings.name;
        let before = self.standing.clone();
        if is_over {
            let why = format!("access is over: connect the account again with `livehook connect {name}`");
            self.standing.needs_person.get_or_insert(why);
            self.standing.is_end_told = true;
            return self.keep_or(before, &[Verb::Revoked], now).await;
        }
        let Some(days) = self.standing.notice(&NOTICES, now) else { return Ok(()) };
        let why = format!(
            "access ends and cannot be renewed: connect the account again with `livehook connect {name}`"
        );
        self.standing.needs_person.get_or_insert(why);
        self.standing.noticed_days = Some(days);
        self.keep_or(before, &[Verb::Expiring], now).await
    }

    /// Lets users have what may be sent now.
    fn publish(&self, is_over: bool) {
        let access = match &self.held {
            Some(held) if !is_over => {
                Access::Granted(Grant { token: held.access.clone(), version: self.version })
            }
            // Nothing went wrong; the next one is only not due yet.
            Some(_) if self.standing.trouble.is_none() && self.standing.needs_person.is_none() => {
                Access::Renewing
            }
            _ => Access::Missing(self.remedy()),
        };
        let is_same = match (&access, self.account.keeping.now()) {
            (Access::Granted(new), Access::Granted(old)) => new.version == old.version,
            (Access::Missing(new), Access::Missing(old)) => *new == old,
            (Access::Renewing, Access::Renewing) => true,
            _ => false,
        };
        if !is_same {
            self.account.keeping.put(access);
        }
    }

    /// Why there is no token, and what to do.
    fn remedy(&self) -> String {
        let name = &self.account.settings.name;
        let standing = &self.standing;
        match (
            self.stays_sealed.as_ref().or(standing.needs_person.as_ref()),
            &standing.trouble,
            &self.account.source,
        ) {
            (Some(needs), ..) => needs.clone(),
            (None, Some(trouble), _) => format!("there is no access token at the moment: {trouble}"),
            (None, None, Source::Obtained(Way::Browser)) => {
                format!("nobody has connected this account yet: run `livehook connect {name}`")
            }
            (None, None, _) => "there is no access token yet".to_owned(),
        }
    }

    /// Writes down how it stands, and tells of it.
    async fn keep(&self, verbs: &[Verb], now: Timestamp) -> Result<(), StoreError> {
        let (platform, account) = (self.platform(), &self.account.settings.name);
        let reason = self.standing.needs_person.as_deref().or(self.standing.trouble.as_deref());
        let told = verbs.iter().map(|verb| {
            let reason = reason.filter(|_| !matches!(verb, Verb::Authorized | Verb::Refreshed));
            tell::told(account, &self.standing, *verb, reason, now)
        });
        let standing = serde_json::to_value(&self.standing);
        let record = CredentialRecord {
            account: account.clone(),
            platform,
            credential: StoredCredential {
                version: self.version,
                standing: standing.map_err(|error| StoreError(error.to_string()))?,
                sealed: self.sealed.clone(),
                waiting: self.waiting.as_ref().map(|(_, sealed)| sealed.clone()),
            },
            told: told.collect(),
        };
        let event_types = self.shared.store.keep_credential(record).await?;
        tell::count(platform, account, &self.standing, &event_types);
        Ok(())
    }

    /// As [`Keeper::keep`]; if that fails all is as `before`, or what was to be told would be taken for told.
    async fn keep_or(&mut self, before: Standing, verbs: &[Verb], now: Timestamp) -> Result<(), StoreError> {
        let kept = self.keep(verbs, now).await;
        if kept.is_err() {
            self.standing = before;
        }
        kept
    }

    fn seal(&self, held: &Held, version: u64, is_waiting: bool) -> Result<Vec<u8>, StoreError> {
        let vault = self.shared.vault.as_ref().ok_or_else(|| StoreError("there is no vault".to_owned()))?;
        Ok(vault.seal(held, self.purpose(version, is_waiting), &*self.shared.entropy))
    }

    fn purpose(&self, version: u64, is_waiting: bool) -> Purpose<'_> {
        Purpose { platform: self.platform(), account: &self.account.settings.name, version, is_waiting }
    }

    fn show(&self) {
        let (account, standing) = (&self.account.settings.name, &self.standing);
        tell::show(self.platform(), account, standing, self.shared.clock.now());
        let state = match (&self.held, &self.account.source) {
            _ if standing.intent == Some(Intent::Renewal) => CredentialState::InDoubt,
            (_, Source::Personal(_)) if !standing.is_end_told => CredentialState::Connected,
            (None, Source::Obtained(_)) if standing.needs_person.is_none() && self.stays_sealed.is_none() => {
                CredentialState::Unconnected
            }
            (Some(_), _) if !standing.is_end_told && standing.failures == 0 => CredentialState::Connected,
            (Some(_), _) if !standing.is_end_told => CredentialState::Failing,
            _ => CredentialState::Lost,
        };
        let is_unconnected = state == CredentialState::Unconnected;
        let is_browser = matches!(self.account.source, Source::Obtained(Way::Browser));
        let needs_person = self.stays_sealed.clone().or_else(|| standing.needs_person.clone());
        let needs_person = needs_person
            .or_else(|| (is_unconnected && is_browser && self.account.is_needed).then(|| self.remedy()));
        let descriptor = self.account.platform.descriptor();
        let number = descriptor.grant.as_ref().and_then(|grant| grant.number).filter(|_| is_browser);
        let progress = CredentialProgress {
            account: account.to_string(),
            platform: descriptor.id.to_owned(),
            kind: standing.kind.clone(),
            state,
            identity: standing.identity.clone(),
            scopes: standing.scopes.clone(),
            expires_at: standing.expires_at,
            renew_at: standing.renew_at,
            failures: standing.failures,
            retry_at: standing.retry_at,
            trouble: standing.trouble.clone(),
            needs_person,
            is_connectable: is_browser && self.account.redirect_uri.is_some(),
            number: number.map(str::to_owned),
            waiting: standing.waiting.as_ref().map(|it| (it.link.clone(), it.identity.clone())),
            authorized: standing.authorized,
        };
        self.shared.board.put(account, progress);
    }

    fn platform(&self) -> PlatformId {
        self.account.platform.descriptor().id
    }
}
