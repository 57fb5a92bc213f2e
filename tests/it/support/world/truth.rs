//! What is true of a world, and what has been.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Everything that is there, by `<noun>/<id>`, with what must be said of it. An attribute that is `null` must not be
/// said; one that is missing may be anything.
pub type Truth = BTreeMap<String, Map<String, Value>>;

type Since = (Timestamp, Map<String, Value>);

/// What was true from when on.
#[derive(Clone, Default, Debug)]
pub struct Truths {
    now: Truth,
    was: BTreeMap<String, Vec<Since>>,
}

impl Truths {
    /// Notes what is true at `now`.
    pub fn note(&mut self, now: Timestamp, truth: Truth) {
        for (subject, attributes) in &truth {
            if self.now.get(subject) != Some(attributes) {
                let was = self.was.entry(subject.clone()).or_default();
                was.push((now, attributes.clone()));
            }
        }
        self.now = truth;
    }

    /// What is there now.
    pub fn now(&self) -> &Truth {
        &self.now
    }

    /// Whether an attribute had this value at some moment up to `at`; `None` if that is not known.
    pub fn ever(&self, subject: &str, name: &str, value: &Value, at: Timestamp) -> Option<bool> {
        let was = self.was.get(subject)?;
        let mut values =
            was.iter().filter(|(since, _)| *since <= at).filter_map(|(_, it)| it.get(name)).peekable();
        values.peek()?;
        Some(values.any(|known| known == value))
    }
}
