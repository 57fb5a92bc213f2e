//! What is said under one name: a JSON value in a third of the room, because long lists are held in memory.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};
use smol_str::SmolStr;

/// A JSON value. Nearly all are flags, numbers and short texts, which take 24 bytes here and no allocation.
#[derive(Clone, PartialEq, Debug)]
pub enum Said {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(Number),
    /// A text; copies share it.
    Text(SmolStr),
    /// An array, an object, or nothing.
    Nested(Box<Value>),
}

impl Said {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Nested(value) if value.is_null())
    }
}

impl From<Value> for Said {
    fn from(value: Value) -> Self {
        match value {
            Value::Bool(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text.into()),
            nested => Self::Nested(Box::new(nested)),
        }
    }
}

impl From<&Said> for Value {
    fn from(said: &Said) -> Self {
        match said {
            Said::Flag(flag) => Self::Bool(*flag),
            Said::Number(number) => Self::Number(number.clone()),
            Said::Text(text) => Self::String(text.to_string()),
            Said::Nested(value) => Self::clone(value),
        }
    }
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => flag.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Nested(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}
