//! The members of one object: what has a meaning here is taken, the rest becomes `extra`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::values;
use crate::{
    model::Attributes,
    platform::{Failure, form::IDENTITY_BYTES_MAX},
};

/// How many unknown members are published.
const EXTRA_MAX: usize = 20;
/// The longest of their values, and of their names.
const EXTRA_BYTES_MAX: usize = 256;

/// A member with one of these in its name is never published.
const SECRET_WORDS: [&str; 9] =
    ["key", "token", "secret", "passw", "pwd", "authoriz", "oauth", "credential", "ticket"];
/// Nor is a value with one of these: an address that lets in whoever has it.
const SECRET_PARAMETERS: [&str; 4] = ["key=", "token=", "secret=", "passw"];

/// Names of oddities, each once.
#[derive(Default, Debug)]
pub struct Quirks(Vec<&'static str>);

impl Quirks {
    /// Notes one.
    pub fn note(&mut self, quirk: &'static str) {
        if !self.0.contains(&quirk) {
            self.0.push(quirk);
        }
    }

    /// Notes all of another.
    pub fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|quirk| self.note(quirk));
    }

    /// For the findings.
    pub fn into_names(self) -> Vec<&'static str> {
        self.0
    }
}

/// An object that is being read. A member that was taken is gone from it.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    quirks: Quirks,
}

impl Fields {
    /// Begins to read.
    pub fn of(members: Map<String, Value>) -> Self {
        Self { members, quirks: Quirks::default() }
    }

    /// The rows of a list; `None` when it is not there.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn rows(&mut self, name: &'static str) -> Result<Option<Vec<Value>>, Failure> {
        match self.members.shift_remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(rows)) => Ok(Some(rows)),
            Some(_) => Err(Failure::malformed(format!("{name} is no list"))),
        }
    }

    /// The object below the first of these names that is there: itself, or the first of a list.
    pub fn object(&mut self, names: &[&str]) -> Option<Self> {
        names.iter().find_map(|name| match self.members.shift_remove(*name)? {
            Value::Object(members) => Some(Self::of(members)),
            Value::Array(rows) => match rows.into_iter().next()? {
                Value::Object(members) => {
                    self.quirks.note("object-in-a-list");
                    Some(Self::of(members))
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// A text; empty text says nothing.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.text_or_empty(name).filter(|text| !text.is_empty())
    }

    /// A text that may be empty on purpose.
    pub fn text_or_empty(&mut self, name: &str) -> Option<String> {
        let value = self.members.shift_remove(name).filter(|value| !value.is_null())?;
        let text = values::scalar(&value);
        if text.is_none() {
            self.quirks.note("unreadable-text");
        }
        text
    }

    /// A text that says which thing is meant.
    pub fn identity(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let fits = text.len() <= IDENTITY_BYTES_MAX && !text.chars().any(char::is_control);
        if !fits {
            self.quirks.note("unreadable-id");
        }
        fits.then_some(text)
    }

    /// A number that says which thing is meant, as text; 0 is none.
    pub fn number_id(&mut self, name: &str) -> Option<String> {
        let text = self.identity(name)?;
        if text.bytes().any(|b| !b.is_ascii_digit()) {
            self.quirks.note("unreadable-id");
            return None;
        }
        text.bytes().any(|b| b != b'0').then_some(text)
    }

    /// A whole number.
    pub fn whole(&mut self, name: &str) -> Option<u64> {
        self.parsed(name, "unreadable-number", |text| text.parse().ok())
    }

    /// A whole number that is not large.
    pub fn small(&mut self, name: &str) -> Option<u32> {
        self.parsed(name, "unreadable-number", |text| text.parse().ok())
    }

    /// Yes or no.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, "unreadable-flag", values::flag)
    }

    /// The number of a category, eight digits.
    pub fn category(&mut self, name: &str) -> Option<String> {
        self.parsed(name, "unreadable-category", values::category)
    }

    /// A time by the clock of Korea.
    pub fn moment(&mut self, name: &str) -> Option<Timestamp> {
        self.parsed(name, "unreadable-time", values::moment)
    }

    /// Host and path of an address.
    pub fn place(&mut self, name: &str) -> Option<String> {
        self.parsed(name, "unreadable-address", values::place)
    }

    /// Whether any of these is there, whatever it says.
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.members.contains_key(*name))
    }

    /// What is not worth telling.
    pub fn skip(&mut self, names: &[&str]) {
        for name in names {
            self.members.shift_remove(*name);
        }
    }

    /// Scalars that were not taken, under their own names and within limits, without what may be a secret.
    pub fn rest(self, quirks: &mut Quirks) -> Attributes {
        quirks.extend(self.quirks);
        let members = self.members.into_iter().filter(|(name, value)| {
            let text = values::scalar(value).unwrap_or_default();
            let fits = (1..=EXTRA_BYTES_MAX).contains(&text.len()) && name.len() <= EXTRA_BYTES_MAX;
            let has = |text: &str, words: &[&str]| {
                let text = text.to_ascii_lowercase();
                words.iter().any(|word| text.contains(word))
            };
            fits && !has(name, &SECRET_WORDS) && !has(&text, &SECRET_PARAMETERS)
        });
        members.take(EXTRA_MAX).collect()
    }

    fn parsed<T>(&mut self, name: &str, quirk: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.members.shift_remove(name).filter(|value| !value.is_null())?;
        let text = values::scalar(&value);
        if text.as_deref() == Some("") {
            return None;
        }
        let parsed = text.and_then(|text| parse(&text));
        if parsed.is_none() {
            self.quirks.note(quirk);
        }
        parsed
    }
}
