//! What is wrong right now, by component: what `/readyz` tells.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How well a component works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// As it should.
    Ok,
    /// Something is wrong that platforms do not notice: callbacks are still accepted.
    Degraded(String),
    /// Callbacks cannot be accepted.
    Down(String),
}

/// The conditions of all components; a cheap handle that can be cloned.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Condition>>>);

impl Health {
    /// Reports the condition of a component; logs when it changes.
    pub fn report(&self, component: &'static str, condition: Condition) {
        let mut conditions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if conditions.get(component) == Some(&condition) {
            return;
        }
        match &condition {
            Condition::Ok if conditions.contains_key(component) => {
                tracing::info!(component, "{component} is well again")
            }
            Condition::Ok => {}
            Condition::Degraded(why) => tracing::warn!(component, "{component}: {why}"),
            Condition::Down(why) => tracing::error!(component, "{component}: {why}"),
        }
        conditions.insert(component, condition);
    }

    /// Every component that reported, in alphabetical order.
    pub fn conditions(&self) -> Vec<(&'static str, Condition)> {
        let conditions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        conditions.iter().map(|(component, condition)| (*component, condition.clone())).collect()
    }

    /// Whether callbacks can be accepted.
    pub fn is_ready(&self) -> bool {
        self.conditions().iter().all(|(_, condition)| !matches!(condition, Condition::Down(_)))
    }
}
