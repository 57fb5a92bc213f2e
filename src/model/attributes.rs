//! What is known of an entity, attribute by attribute.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Attributes by name. An absent one means "not said", never "empty"; `null` is never stored.
///
/// Platforms build them from the typed structs in [`super::entities`], whose definition is also the
/// published schema; comparing and merging need no types.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// From a typed entity; absent fields are left out.
    ///
    /// # Panics
    /// When `entity` does not serialise to a JSON object: a struct of [`super::entities`] always does.
    pub fn of(entity: &impl Serialize) -> Self {
        match serde_json::to_value(entity) {
            Ok(Value::Object(mut map)) => {
                map.retain(|_, value| !value.is_null());
                Self(map)
            }
            other => panic!("an entity serialises to a JSON object, got {other:?}"),
        }
    }

    /// The names of all attributes that a typed entity can have.
    pub fn names_of(entity: &impl Serialize) -> Vec<String> {
        match serde_json::to_value(entity) {
            Ok(Value::Object(map)) => map.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// One attribute.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets one attribute; `null` takes it away.
    pub fn set(&mut self, name: &str, value: Value) {
        if value.is_null() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attributes in the order in which they were first said.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// Takes over everything `said`; returns `{"name": {"from": …, "to": …}}` of what changed.
    pub fn merge(&mut self, said: &Attributes) -> Map<String, Value> {
        let mut changes = Map::new();
        for (name, to) in &said.0 {
            let from = self.0.get(name);
            if from != Some(to) {
                changes.insert(name.clone(), serde_json::json!({ "from": from, "to": to }));
                self.0.insert(name.clone(), to.clone());
            }
        }
        changes
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(mut map: Map<String, Value>) -> Self {
        map.retain(|_, value| !value.is_null());
        Self(map)
    }
}
