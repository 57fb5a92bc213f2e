//! The sweep engine: reads platforms' APIs by schedule, and sooner when a callback says something.
//!
//! Its rules:
//! 1. A sweep is committed when all of it was read, in one transaction; one that fails anywhere changes nothing.
//! 2. Requests come out of budgets, which outlive the process: one at a time, with a gap, so many in a minute.
//!    Confirmations of callbacks go first, within their share; then the sweep that must be done first.
//! 3. Each account has a task of its own, so that a slow platform holds up nobody else. Its work is a step, which
//!    sends one request at most; the loop around it only waits.
//! 4. What fails is tried again later, longer each time; a platform that says when is believed, for an hour at
//!    most. An account of which everything fails is probed, one sweep at a time.
//! 5. When the store fills, sweeps come half as often (85 %), then confirmations stop (95 %), then everything (99 %).

mod board;
mod budget;
mod pace;
mod rounds;
mod sources;
mod sweep;
mod trouble;
mod wakes;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::{
    board::{AccountProgress, Board, BudgetProgress, UnderWay, WatchProgress},
    wakes::Wakes,
};
use self::{
    budget::SharedBudget,
    rounds::{Progress, Rounds, Seat},
    sources::Sources,
    wakes::Inbox,
};
use crate::{
    access::AccessToken,
    health::Health,
    platform::{AccountSettings, Api, BudgetScope, Platform},
    ports::{Clock, Entropy, Http, Jitter},
    store::Store,
};

/// An account whose platform's API is read.
pub struct Account {
    /// Its platform.
    pub platform: &'static dyn Platform,
    /// What the platform may know of it, with what is watched and how often.
    pub settings: AccountSettings,
    /// Scheme, host and the beginning of every path.
    pub base_url: Url,
    /// Its access token, wherever that comes from.
    pub access: AccessToken,
}

/// Reads the APIs of all accounts that have watches.
pub struct Poller {
    rounds: Vec<Rounds>,
    wakes: Wakes,
    board: Board,
}

/// What the tasks of all accounts share.
#[derive(Clone)]
struct Shared {
    store: Store,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    board: Board,
    sources: Sources,
}

impl Poller {
    /// Does nothing until it is run; accounts without watches are left out. Only one poller may run on a store.
    pub fn new(
        accounts: Vec<Account>,
        store: Store,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        health: Health,
    ) -> Self {
        let board = Board::default();
        let sources = Sources::new(health);
        let shared = Shared { store, http, clock, jitter: Jitter(entropy), board: board.clone(), sources };
        let mut inboxes = BTreeMap::new();
        let mut budgets = HashMap::new();
        let mut rounds = Vec::new();
        for account in accounts {
            let descriptor = account.platform.descriptor();
            let (Some(poll), Some(api)) = (account.platform.poll(), &descriptor.api) else { continue };
            if account.settings.watches.is_empty() {
                continue;
            }
            // A platform without callbacks needs no share for confirming them.
            let watches = account.settings.watches.keys().copied();
            let watches = watches.filter(|_| api.limits.confirmations_per_minute > 0).collect();
            let inbox = Arc::new(Inbox::new(descriptor.id, watches));
            inboxes.insert(account.settings.name.clone(), Arc::clone(&inbox));
            let key = budget_key(&account, api, &shared.store);
            let budget = budgets.entry(key).or_insert_with_key(|key| {
                Arc::new(SharedBudget::new(key.clone(), api.limits, Arc::clone(&shared.clock)))
            });
            let seat = Seat { budget: Arc::clone(budget), number: rounds.len() };
            rounds.push(Rounds::new(account, poll, api, seat, inbox, shared.clone()));
        }
        if !rounds.is_empty() {
            shared.sources.begin();
        }
        Self { rounds, wakes: Wakes::new(inboxes), board }
    }

    /// Where callbacks ask for confirmation.
    pub fn wakes(&self) -> Wakes {
        self.wakes.clone()
    }

    /// What is being read, and how it fares.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Lets each account take one step, one request at most. Returns when there is more to do: at once if somebody
    /// has done something, else at that time, or earlier if a callback asks for confirmation. [`Poller::run`] does
    /// this and waits; whoever moves the clock itself does it by hand.
    pub async fn step(&mut self) -> Timestamp {
        let mut next = Timestamp::MAX;
        for rounds in &mut self.rounds {
            next = next.min(match rounds.step().await {
                Progress::Worked => Timestamp::MIN,
                Progress::Idle { until } => until,
            });
        }
        next
    }

    /// Reads until `ending`; what is half read then is dropped, and read again after the next start. Returns
    /// earlier only if a task has a defect.
    pub async fn run(self, ending: CancellationToken) {
        let mut tasks = JoinSet::new();
        for rounds in self.rounds {
            tasks.spawn(rounds.run(ending.clone()));
        }
        if tasks.is_empty() {
            ending.cancelled().await;
        }
        // Dropping the set ends the others when one of them ended by itself.
        while tasks.join_next().await.is_some() && ending.is_cancelled() {}
    }
}

/// The name of a budget: equal for those who share it, in this process and the next.
fn budget_key(account: &Account, api: &Api, store: &Store) -> String {
    let host = account.base_url.host_str().unwrap_or_default();
    let port = account.base_url.port().map_or_else(String::new, |port| format!(":{port}"));
    let key = format!("{} {host}{port}", account.platform.descriptor().id);
    let credential = account.access.credential().map(ExposeSecret::expose_secret);
    match (api.limits.scope, credential.or(account.settings.client_id.as_deref())) {
        (BudgetScope::Credential, Some(credential)) => format!("{key} {}", store.fingerprint(credential)),
        (BudgetScope::Credential, None) | (BudgetScope::Host, _) => key,
    }
}

#[cfg(test)]
mod tests;
