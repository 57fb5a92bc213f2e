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
                map.values_mut().for_each(shorten);
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

/// Writes a whole number without a fraction: platforms send `121`, `121.0` and `"121"` alike.
fn shorten(value: &mut Value) {
    /// Beyond this a float skips whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(number) =
        value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < EXACT)
    {
        *value = Value::from(number as i64);
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(mut map: Map<String, Value>) -> Self {
        map.retain(|_, value| !value.is_null());
        Self(map)
    }
}
