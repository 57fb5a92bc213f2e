//! Access to platforms: obtained once, kept sealed, renewed in time, until a person is needed.
//!
//! Its rules:
//! 1. One task for each account does all of its token requests, one after the other: nobody else ever has two tokens
//!    of one family.
//! 2. What is asked is written down before it is asked, and new tokens are on disk before they are used. An answer that
//!    is lost leaves a note of that.
//! 3. Renewal begins at 70 to 80 % of a token's life, or when the platform refuses it. What passes is tried again, at
//!    most once a minute after five failures; what does not pass needs a person, who is told as long as access lasts.
//! 4. A consent is asked for on the operator's side, given in one browser, used once, within ten minutes ([`flows`],
//!    [`redirect`]). Whose tokens they are is confirmed by a person unless it is known and proven.
//! 5. No token leaves this module but through [`AccessToken`](crate::access::AccessToken).

mod board;
mod errands;
pub mod flows;
mod keeper;
pub mod redirect;
mod standing;
mod tell;
mod vault;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::{
    board::{Board, CredentialProgress, CredentialState},
    keeper::commands::{LinkFailure, Linked},
    vault::{Vault, VaultKey, parse_key},
};
use self::{
    flows::Flows,
    keeper::{Keeper, commands::Command},
};
use crate::{
    access::Keeping,
    health::Health,
    model::AccountName,
    platform::{AccountSettings, Platform, Way},
    ports::{Clock, Entropy, Http, Jitter},
    store::Store,
};

/// An account whose access is kept.
pub struct Account {
    /// Its platform.
    pub platform: &'static dyn Platform,
    /// What the platform may know of it.
    pub settings: AccountSettings,
    /// Where its API is.
    pub base_url: Url,
    /// Where access is given.
    pub auth_url: Url,
    /// Where its tokens come from.
    pub source: Source,
    /// Where they are put for whoever uses them.
    pub keeping: Keeping,
    /// Where the platform sends a person after a consent; `None` if no public address is configured.
    pub redirect_uri: Option<String>,
    /// Whether something of it cannot be read without access.
    pub is_needed: bool,
}

/// Where an account's tokens come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// It stands in the configuration, made by hand.
    Personal(SecretString),
    /// It is obtained.
    Obtained(Way),
}

/// What the tasks of all accounts share.
#[derive(Clone)]
struct Shared {
    store: Store,
    vault: Option<Arc<Vault>>,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    jitter: Jitter,
    board: Board,
}

/// Keeps the access of all accounts that have or need any.
pub struct Grants {
    keepers: Vec<Keeper>,
    desk: Desk,
}

/// Where consents are begun and ended; a cheap handle that can be cloned.
#[derive(Clone)]
pub struct Desk {
    /// Consents under way.
    pub flows: Flows,
    board: Board,
    commands: Arc<BTreeMap<AccountName, mpsc::Sender<Command>>>,
}

/// Commands that may wait for an account's task.
const COMMANDS_MAX: usize = 16;

impl Grants {
    /// Does nothing until it is run. Accounts whose tokens are obtained need a vault.
    pub fn new(
        accounts: Vec<Account>,
        vault: Option<Vault>,
        store: Store,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        health: Health,
    ) -> Self {
        let board = Board::new(health);
        let shared = Shared {
            store,
            vault: vault.map(Arc::new),
            http,
            clock: Arc::clone(&clock),
            jitter: Jitter(Arc::clone(&entropy)),
            entropy: Arc::clone(&entropy),
            board: board.clone(),
        };
        let flows = Flows::new(&accounts, clock, entropy);
        let mut commands = BTreeMap::new();
        let mut keepers = Vec::new();
        for account in accounts {
            let (sender, waiting) = mpsc::channel(COMMANDS_MAX);
            commands.insert(account.settings.name.clone(), sender);
            keepers.push(Keeper::new(account, waiting, shared.clone()));
        }
        Self { keepers, desk: Desk { flows, board, commands: Arc::new(commands) } }
    }

    /// Where consents are begun and ended, and how access stands.
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// Lets each account do what is due, and what was asked of it; returns when there is more to do. [`Grants::run`]
    /// does this and waits; whoever moves the clock does it by hand.
    pub async fn step(&mut self) -> Timestamp {
        let mut next = Timestamp::MAX;
        for keeper in &mut self.keepers {
            next = next.min(keeper.step().await);
        }
        next
    }

    /// Keeps until `ending`. What is asked of a platform then is heard to its end.
    pub async fn run(self, ending: CancellationToken) {
        let mut tasks = JoinSet::new();
        for keeper in self.keepers {
            tasks.spawn(keeper.run(ending.clone()));
        }
        if tasks.is_empty() {
            ending.cancelled().await;
        }
        while tasks.join_next().await.is_some() && ending.is_cancelled() {}
    }
}

impl Desk {
    /// How the access of every account stands, by name.
    pub fn snapshot(&self) -> Vec<CredentialProgress> {
        self.board.snapshot()
    }

    /// Exchanges the code of a consent.
    ///
    /// # Errors
    /// [`LinkFailure`]: nothing was linked, and what there was before is as it was.
    pub async fn exchange(&self, consent: flows::Returned) -> Result<Linked, LinkFailure> {
        let account = consent.account.clone();
        self.order(&account, |answer| Command::Exchange { consent, answer }).await
    }

    /// Gets tokens for a number that a person read in the platform's own application.
    ///
    /// # Errors
    /// As [`Desk::exchange`].
    pub async fn by_number(
        &self,
        account: &AccountName,
        number: SecretString,
    ) -> Result<Linked, LinkFailure> {
        self.order(account, |answer| Command::Number { number, answer }).await
    }

    /// Accepts the tokens that wait under this name: from now on the account is read with them.
    ///
    /// # Errors
    /// [`LinkFailure`] if nothing, or something else, waits.
    pub async fn accept(&self, account: &AccountName, link: String) -> Result<Linked, LinkFailure> {
        self.order(account, |answer| Command::Accept { link, answer }).await
    }

    /// Throws away the tokens that wait under this name.
    ///
    /// # Errors
    /// As [`Desk::accept`].
    pub async fn discard(&self, account: &AccountName, link: String) -> Result<(), LinkFailure> {
        self.order(account, |answer| Command::Discard { link, answer }).await
    }

    async fn order<T>(
        &self,
        account: &AccountName,
        command: impl FnOnce(tokio::sync::oneshot::Sender<Result<T, LinkFailure>>) -> Command,
    ) -> Result<T, LinkFailure> {
        let commands = self.commands.get(account).ok_or(LinkFailure::NotConnectable)?;
        let (answer, answered) = tokio::sync::oneshot::channel();
        commands.try_send(command(answer)).map_err(|_| LinkFailure::Busy)?;
        answered.await.map_err(|_| LinkFailure::Busy)?
    }
}
