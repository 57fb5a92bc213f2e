//! The rows of one answer by their ids. An id that stands there twice is told as far as its rows agree.

use std::collections::HashMap;

use serde_json::Value;

use super::answer::{Fields, Quirks};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation},
    platform::Failure,
};

/// What a row says.
#[derive(Debug)]
pub struct Entry {
    /// The platform's id.
    pub id: String,
    /// What is said of it.
    pub attributes: Attributes,
    /// The platform's own fields.
    pub extra: Attributes,
}

impl Entry {
    /// The same, as what was said of a thing of this kind.
    pub fn observation(self, noun: Noun) -> Observation {
        Observation {
            attributes: self.attributes,
            extra: self.extra,
            ..Observation::of(EntityKey::new(noun, self.id))
        }
    }
}

/// The rows of one answer, in its order.
#[derive(Default, Debug)]
pub struct Entries {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
    ids: Vec<String>,
    has_unreadable: bool,
}

impl Entries {
    /// Reads every row; `entry` gives `None` for one without an id.
    ///
    /// # Errors
    /// When there are rows, and not one can be read.
    pub fn read(
        rows: Vec<Value>,
        quirks: &mut Quirks,
        entry: impl Fn(Fields, &mut Quirks) -> Option<Entry>,
    ) -> Result<Self, Failure> {
        let mut entries = Self::default();
        for row in rows {
            let read = match row {
                Value::Object(members) => entry(Fields::of(members), quirks),
                _ => None,
            };
            entries.add(read, quirks);
        }
        if entries.is_empty() && entries.has_unreadable {
            return Err(Failure::malformed("no row says what it is about"));
        }
        Ok(entries)
    }

    /// Takes in a row; `None` is one that cannot be read.
    pub fn add(&mut self, entry: Option<Entry>, quirks: &mut Quirks) {
        let Some(entry) = entry else {
            self.has_unreadable = true;
            quirks.note("unreadable-row");
            return;
        };
        self.ids.push(entry.id.clone());
        match self.places.get(&entry.id).and_then(|&place| self.entries.get_mut(place)) {
            Some(earlier) => {
                quirks.note("id-twice");
                earlier.attributes = agreed(&earlier.attributes, &entry.attributes);
                earlier.extra = agreed(&earlier.extra, &entry.extra);
            }
            None => {
                self.places.insert(entry.id.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    /// The ids of all rows, repeated ones as well.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether no row said what it is about.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether every row said what it is about.
    pub fn are_clear(&self) -> bool {
        !self.has_unreadable
    }
}

impl IntoIterator for Entries {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// What both say. Which of two different values is right would be a guess, and another one after each reordering.
fn agreed(one: &Attributes, other: &Attributes) -> Attributes {
    let mut common = one.clone();
    common.retain(|name, value| other.get(name) == Some(value));
    common
}
