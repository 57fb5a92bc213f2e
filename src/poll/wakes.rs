//! Callbacks that the API can confirm: what is to be read soon, one queue for each account.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    model::{AccountName, PlatformId},
    platform::Wake,
    telemetry,
};

/// How many wait for one account; forged callbacks can fill it, and the routine sweeps see the rest.
const WAITING_MAX: usize = 256;

/// Takes the wakes of callbacks; a cheap handle that can be cloned. Never waits, never fails.
#[derive(Clone, Default)]
pub struct Wakes(Arc<BTreeMap<AccountName, Arc<Inbox>>>);

impl Wakes {
    pub(super) fn new(inboxes: BTreeMap<AccountName, Arc<Inbox>>) -> Self {
        Self(Arc::new(inboxes))
    }

    /// Asks for a confirmation. Forgotten if no watch that could confirm it is switched on for the account, if
    /// the same waits already, or if 256 others do.
    pub fn wake(&self, account: &AccountName, wake: Wake) {
        if let Some(inbox) = self.0.get(account) {
            inbox.put(wake);
        }
    }
}

/// One thing to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// The watch that can.
    pub(super) watch: &'static str,
    pub(super) target: String,
}

/// What waits for one account.
pub(super) struct Inbox {
    platform: PlatformId,
    /// The watches that are switched on.
    watches: Vec<&'static str>,
    waiting: Mutex<VecDeque<Asked>>,
    news: Notify,
}

impl Inbox {
    pub(super) fn new(platform: PlatformId, watches: Vec<&'static str>) -> Self {
        Self { platform, watches, waiting: Mutex::default(), news: Notify::new() }
    }

    fn put(&self, wake: Wake) {
        let Some(watch) = wake.watches.iter().find(|watch| self.watches.contains(watch)) else { return };
        let asked = Asked { watch, target: wake.target };
        let mut waiting = self.waiting();
        let outcome = if waiting.contains(&asked) {
            "waiting"
        } else if waiting.len() >= WAITING_MAX {
            "dropped"
        } else {
            waiting.push_back(asked);
            self.news.notify_one();
            "taken"
        };
        metrics::counter!(telemetry::WAKES, "platform" => self.platform, "outcome" => outcome).increment(1);
    }

    /// The one that waits longest.
    pub(super) fn take(&self) -> Option<Asked> {
        self.waiting().pop_front()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Returns when something came since the last time.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
