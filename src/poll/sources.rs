//! How the watches of all accounts fare: the component `sources` of `/readyz`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    health::{Condition, Health},
    model::{AccountName, PlatformId},
};

/// How many are named.
const NAMED_MAX: usize = 5;

/// Reports the component `sources`; a cheap handle that can be cloned.
#[derive(Clone)]
pub(super) struct Sources {
    health: Health,
    troubles: Arc<Mutex<BTreeMap<(AccountName, &'static str), String>>>,
}

impl Sources {
    pub(super) fn new(health: Health) -> Self {
        Self { health, troubles: Arc::default() }
    }

    /// Reports that there are sources, and nothing wrong with them yet.
    pub(super) fn begin(&self) {
        self.health.report("sources", Condition::Ok);
    }

    /// Reports what is wrong with a watch; `None` when it works.
    pub(super) fn report(
        &self,
        platform: PlatformId,
        account: &AccountName,
        watch: &'static str,
        trouble: Option<&str>,
    ) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account.clone(), watch);
        match trouble {
            Some(why) => troubles.insert(key, format!("{platform}/{account} {watch}: {why}")),
            None => troubles.remove(&key),
        };
        let mut named: Vec<_> = troubles.values().take(NAMED_MAX).cloned().collect();
        if troubles.len() > NAMED_MAX {
            named.push(format!("and {} more", troubles.len() - NAMED_MAX));
        }
        let condition = if named.is_empty() { Condition::Ok } else { Condition::Degraded(named.join("; ")) };
        self.health.report("sources", condition);
    }
}
