//! What is being read right now, and how each watch fares: for people.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::SharedBudget;
use crate::model::AccountName;

/// The progress of every account that is read; a cheap handle that can be cloned.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<AccountName, Entry>>>);

struct Entry {
    progress: AccountProgress,
    budget: Arc<SharedBudget>,
}

impl Board {
    /// How every account fares now, in alphabetical order.
    pub fn snapshot(&self) -> Vec<AccountProgress> {
        let entries = self.entries();
        let fresh =
            |entry: &Entry| AccountProgress { budget: entry.budget.progress(), ..entry.progress.clone() };
        entries.values().map(fresh).collect()
    }

    /// Replaces what is said of an account; its budget is looked at when the board is.
    pub(super) fn put(&self, account: &AccountName, progress: AccountProgress, budget: &Arc<SharedBudget>) {
        self.entries().insert(account.clone(), Entry { progress, budget: Arc::clone(budget) });
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<AccountName, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the reading of one account fares.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccountProgress {
    /// The account's name in the configuration.
    pub account: String,
    /// Its platform.
    pub platform: String,
    /// Nothing is asked before this time, because the platform said so or is in trouble.
    pub rests_until: Option<Timestamp>,
    /// Confirmations of callbacks that wait.
    pub confirmations_waiting: usize,
    /// How many requests are left.
    pub budget: BudgetProgress,
    /// What is watched.
    pub watches: Vec<WatchProgress>,
}

/// How one watch fares.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WatchProgress {
    /// Its name in the configuration.
    pub watch: String,
    /// Seconds between two sweeps.
    pub every_seconds: u64,
    /// The sweep that is under way.
    pub under_way: Option<UnderWay>,
    /// When the next one is due.
    pub due_at: Option<Timestamp>,
    /// When the last one succeeded.
    pub last_success_at: Option<Timestamp>,
    /// Requests it took.
    pub last_requests: u32,
    /// Events it led to.
    pub last_events: u64,
    /// When the last one failed.
    pub last_failure_at: Option<Timestamp>,
    /// Why.
    pub last_failure: Option<String>,
    /// How many failed in a row.
    pub failures: u32,
    /// Lists of which the last ten sweeps or more saw only a part: what goes away in them is not told. Ten at most.
    #[serde(default)]
    pub partial_lists: Vec<String>,
}

/// A sweep that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UnderWay {
    /// Since when.
    pub since: Timestamp,
    /// Requests so far.
    pub requests: u32,
}

/// How many requests may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BudgetProgress {
    /// In any minute.
    pub per_minute: u32,
    /// In this minute.
    pub left: u32,
    /// None before this time, because the platform said that there were too many.
    pub rests_until: Option<Timestamp>,
}
