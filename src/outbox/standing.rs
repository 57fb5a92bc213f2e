//! How the bus fares, put together from both of its streams.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    health::{Condition, Health},
    ports::bus::JsStream,
};

/// Reports the component `bus`; a cheap handle that can be cloned.
#[derive(Clone)]
pub(super) struct Standing {
    health: Health,
    troubles: Arc<Mutex<BTreeMap<JsStream, Option<String>>>>,
}

impl Standing {
    pub(super) fn new(health: Health) -> Self {
        Self { health, troubles: Arc::default() }
    }

    /// Reports what is wrong with a stream; `None` when it works.
    pub(super) fn report(&self, js_stream: JsStream, trouble: Option<&str>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.insert(js_stream, trouble.map(str::to_owned));
        let mut reasons: Vec<&str> = troubles.values().flatten().map(String::as_str).collect();
        reasons.dedup();
        let condition = match reasons.as_slice() {
            [] => Condition::Ok,
            reasons => Condition::Degraded(reasons.join("; ")),
        };
        self.health.report("bus", condition);
    }
}

/// What is wrong with one stream, by where it was seen: each clears only what it saw itself.
#[derive(Default, Debug)]
pub(super) struct Troubles {
    pub(super) link: Option<String>,
    pub(super) audit: Option<String>,
    pub(super) store: Option<String>,
    pub(super) publish: Option<String>,
}

impl Troubles {
    /// The one that explains the others.
    pub(super) fn first(&self) -> Option<&str> {
        let Self { link, audit, store, publish } = self;
        [link, store, audit, publish].into_iter().find_map(Option::as_deref)
    }
}
