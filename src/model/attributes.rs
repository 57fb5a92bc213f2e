//! What is known of an entity, attribute by attribute.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::said::Said;

/// Attributes by name. An absent one means "not said", never "empty"; `null` is never stored.
///
/// Platforms build them from the typed structs in [`super::entities`], whose definition is also the
/// published schema; comparing and merging need no types. A list, not a map: there are a dozen of them, and of
/// a hundred thousand broadcasts a map of each would take up more room than everything else.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Attributes(Vec<(SmolStr, Said)>);

impl Attributes {
    /// From a typed entity; absent fields are left out.
    ///
    /// # Panics
    /// When `entity` does not serialise to a JSON object: a struct of [`super::entities`] always does.
    pub fn of(entity: &impl Serialize) -> Self {
        // By way of text, which is quicker than by way of a tree.
        let text = serde_json::to_vec(entity);
        let mut attributes: Self = text
            .and_then(|text| serde_json::from_slice(&text))
            .unwrap_or_else(|error| panic!("an entity serialises to a JSON object: {error}"));
        for (_, value) in &mut attributes.0 {
            shorten(value);
        }
        attributes.0.shrink_to_fit();
        attributes
    }

    /// The names of all attributes that a typed entity can have.
    pub fn names_of(entity: &impl Serialize) -> Vec<String> {
        match serde_json::to_value(entity) {
            Ok(Value::Object(map)) => map.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// One attribute.
    pub fn get(&self, name: &str) -> Option<&Said> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Sets one attribute; `null` takes it away.
    pub fn set(&mut self, name: &str, value: Value) {
        let value = Said::from(value);
        let place = self.0.iter().position(|(known, _)| known == name);
        match place {
            Some(place) if value.is_null() => drop(self.0.swap_remove(place)),
            Some(place) => self.0[place].1 = value,
            None if value.is_null() => {}
            None => self.0.push((name.into(), value)),
        }
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attributes in the order in which they were first said.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Said)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Leaves those that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Said) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// Takes over everything `said`; returns what changed.
    pub fn merge(&mut self, said: &Attributes) -> Changes {
        self.merge_if(said, |_, _| true)
    }

    /// Takes over what differs in `said` as far as it `is_taken`, which is told its name and whether anything else
    /// was known under it; returns what changed.
    pub fn merge_if(&mut self, said: &Attributes, mut is_taken: impl FnMut(&str, bool) -> bool) -> Changes {
        let mut changes = Vec::new();
        for (name, to) in &said.0 {
            let known = self.0.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value);
            if known.as_deref() == Some(to) || !is_taken(name, known.is_some()) {
                continue;
            }
            let from = match known {
                Some(known) => Some(std::mem::replace(known, to.clone())),
                None => {
                    self.0.push((name.clone(), to.clone()));
                    None
                }
            };
            changes.push((name.clone(), from, to.clone()));
        }
        Changes(changes)
    }
}

/// What changed: names, what was known, and what is.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Changes(Vec<(SmolStr, Option<Said>, Said)>);

impl Changes {
    /// Whether nothing did.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As it is published: `{"name": {"from": …, "to": …}}`.
impl From<Changes> for Map<String, Value> {
    fn from(changes: Changes) -> Self {
        let changes = changes.0.into_iter();
        changes.map(|(name, from, to)| (name.to_string(), json!({ "from": from, "to": to }))).collect()
    }
}

/// Writes a whole number without a fraction: platforms send `121`, `121.0` and `"121"` alike.
fn shorten(value: &mut Said) {
    /// Beyond this a float skips whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Said::Number(number) = value else { return };
    if number.is_f64()
        && let Some(whole) = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT)
    {
        *number = (whole as i64).into();
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(map: Map<String, Value>) -> Self {
        map.into_iter().collect()
    }
}

impl FromIterator<(String, Value)> for Attributes {
    /// Names must differ.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        let said = members.into_iter().filter(|(_, value)| !value.is_null());
        Self(said.map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads an object member by member; `null` is left out.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Attributes, A::Error> {
        let mut attributes = Vec::new();
        while let Some((name, value)) = members.next_entry::<SmolStr, Option<Said>>()? {
            attributes.extend(value.map(|value| (name, value)));
        }
        Ok(Attributes(attributes))
    }
}

#[cfg(test)]
mod tests;
