//! JSON as we take it from strangers: strict, and small in depth, nodes and strings.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::delivery::Malformed;

/// Arrays and objects inside each other.
const DEPTH_MAX: usize = 32;
/// Values of any kind in one document.
const NODES_MAX: usize = 10_000;
/// Values in one answer of an API.
const ANSWER_NODES_MAX: usize = 500_000;
/// UTF-8 bytes of one string or one key, after its escapes are resolved.
const STRING_BYTES_MAX: usize = 64 * 1024;

/// Reads exactly one JSON document.
///
/// # Errors
/// [`Malformed`] when `bytes` are not UTF-8 JSON, go on behind the document, exceed a limit (depth 32,
/// 10,000 values, 64 KiB per string), hold a key twice in one object, or a number that 64 bits cannot
/// hold: an id must not lose digits. The sentence holds no value of the document.
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    parse_within(bytes, NODES_MAX)
}

/// [`parse`] for what an API answers: lists are long there, so it may hold 500,000 values.
///
/// # Errors
/// As [`parse`].
pub fn parse_answer(bytes: &[u8]) -> Result<Value, Malformed> {
    parse_within(bytes, ANSWER_NODES_MAX)
}

fn parse_within(bytes: &[u8], nodes_max: usize) -> Result<Value, Malformed> {
    let nodes = Cell::new(0);
    let mut document = serde_json::Deserializer::from_slice(bytes);
    Bounded { depth: 0, nodes: &nodes, nodes_max }
        .deserialize(&mut document)
        .and_then(|value| document.end().map(|()| value))
        .map_err(|error| Malformed::because(format!("the JSON cannot be read: {error}")))
}

/// Reads one value; the limits travel with it.
#[derive(Clone, Copy)]
struct Bounded<'n> {
    depth: usize,
    nodes: &'n Cell<usize>,
    nodes_max: usize,
}

impl Bounded<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format_args!("it is nested deeper than {DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > self.nodes_max {
            return Err(D::Error::custom(format_args!("it holds more than {} values", self.nodes_max)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // An integer that fits neither i64 nor u64 arrives here, already rounded.
        const I64_END: f64 = 9_223_372_036_854_775_808.0;
        if value.abs() >= I64_END {
            return Err(E::custom("it holds a number that needs more than 64 bits"));
        }
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        check_length(value)?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            check_length(&key)?;
            let value = entries.next_value_seed(inside)?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("an object holds the same key twice"));
            }
        }
        Ok(object.into())
    }
}

fn check_length<E: Error>(text: &str) -> Result<(), E> {
    if text.len() > STRING_BYTES_MAX {
        return Err(E::custom(format_args!("it holds a string of more than {STRING_BYTES_MAX} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
