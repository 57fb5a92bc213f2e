//! `LIVEHOOK_<SECTION>__<KEY>` in the environment: which key that is, and what its text means there.
//!
//! The schema of the file says what a key takes, so nothing is guessed from the text: an id of digits stays text.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Problem, Problems, secret::Environment};

const PREFIX: &str = "LIVEHOOK_";
const SEPARATOR: &str = "__";

/// The variables that set a key, by that key.
pub(super) struct Overrides(BTreeMap<String, String>);

impl Overrides {
    /// Lays what the environment says over `file`. Where two variables meet, the longer name wins.
    ///
    /// # Errors
    /// A problem for each variable that names no key, or holds what its key cannot take. What a variable holds is not
    /// shown: it may be a secret.
    pub(super) fn lay_over(
        file: &mut Value,
        schema: &Value,
        environment: &Environment,
    ) -> Result<Self, Problems> {
        // In order, so that a section is set before the keys in it.
        let ours: BTreeMap<_, _> = environment
            .iter()
            .filter_map(|(name, text)| Some((name, (name.strip_prefix(PREFIX)?, text))))
            .filter(|(_, (key, _))| key.contains(SEPARATOR))
            .collect();
        let (mut overrides, mut problems) = (BTreeMap::new(), Vec::new());
        for (name, (key, text)) in ours {
            match (Place { schema, root: schema }).find(key) {
                Ok(Found { keys, place, is_one_of }) => match place.read(text) {
                    Ok(value) => {
                        overrides.insert(keys.join("."), name.clone());
                        match keys.split_last().filter(|_| is_one_of) {
                            // Only one can be there, so the other goes.
                            Some((way, keys)) => set(file, keys, json!({ way: value })),
                            None => set(file, &keys, value),
                        }
                    }
                    Err(why) => {
                        let message = format!("sets {}, which {why}", keys.join("."));
                        problems.push(Problem { key: name.clone(), message });
                    }
                },
                Err(message) => problems.push(Problem { key: name.clone(), message }),
            }
        }
        if problems.is_empty() { Ok(Self(overrides)) } else { Err(Problems(problems)) }
    }

    /// Says of each problem from which variable its key comes, if it comes from one.
    pub(super) fn attribute(&self, mut problems: Problems) -> Problems {
        for problem in &mut problems.0 {
            let within = |key: &str| {
                problem
                    .key
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            if let Some((_, variable)) = self.0.iter().find(|(key, _)| within(key)) {
                problem.message += &format!(" ({variable} sets it)");
            }
        }
        problems
    }
}

/// What a variable means.
struct Found<'s> {
    keys: Vec<String>,
    place: Place<'s>,
    /// The last key is one of several ways to say the same.
    is_one_of: bool,
}

/// A place in the file, by the schema of what can stand there.
#[derive(Clone, Copy)]
struct Place<'s> {
    schema: &'s Value,
    root: &'s Value,
}

impl<'s> Place<'s> {
    /// The key that a variable means, and its place.
    fn find(self, variable: &str) -> Result<Found<'s>, String> {
        let mut keys: Vec<String> = Vec::new();
        let (mut place, mut is_one_of) = (self.resolved(), false);
        for part in variable.split(SEPARATOR) {
            let key = match keys.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                // Names of accounts have hyphens, which a variable cannot have, and no underscores.
                ["accounts"] => part.to_ascii_lowercase().replace('_', "-"),
                // Names that a platform gives: their case matters.
                [.., "progress_fields" | "next_episode_fields"] => part.to_owned(),
                _ => part.to_ascii_lowercase(),
            };
            is_one_of = place.schema.get("oneOf").is_some();
            place = place.below(&key).map_err(|known| {
                let section = if keys.is_empty() { "the file".to_owned() } else { keys.join(".") };
                match known.is_empty() {
                    true => format!("{section} has no keys below it: take away the part after {SEPARATOR}"),
                    false => format!(
                        "{section} has no key {key:?}, only {}. A variable that is not meant as a key needs a name without {SEPARATOR}",
                        known.join(", ")
                    ),
                }
            })?;
            keys.push(key);
        }
        Ok(Found { keys, place, is_one_of })
    }

    /// What stands below a key; else the keys there are.
    fn below(self, key: &str) -> Result<Self, Vec<&'s str>> {
        let alternatives = self.schema["oneOf"].as_array().into_iter().flatten();
        let known: Vec<_> = alternatives
            .chain([self.schema])
            .filter_map(|schema| schema["properties"].as_object())
            .flatten()
            .collect();
        let any_name = self.schema.get("additionalProperties").filter(|schema| schema.is_object());
        let found = known.iter().find(|(name, _)| *name == key).map(|(_, schema)| *schema).or(any_name);
        let found = found.map(|schema| Place { schema, ..self }.resolved());
        found.ok_or_else(|| known.iter().map(|(name, _)| name.as_str()).collect())
    }

    /// The same without references and without "or nothing".
    fn resolved(self) -> Self {
        let or_nothing = |schema: &&Value| schema["type"] != "null";
        let target = match (self.schema["$ref"].as_str(), self.schema["anyOf"].as_array()) {
            (Some(reference), _) => self.root.pointer(reference.trim_start_matches('#')),
            (None, Some(alternatives)) => alternatives.iter().find(or_nothing),
            (None, None) => None,
        };
        target.map_or(self, |schema| Place { schema, ..self }.resolved())
    }

    fn is_a(self, name: &str) -> bool {
        let kind = &self.schema["type"];
        kind == name || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name))
    }

    /// One of a few words, each with its own description.
    fn is_a_word(self) -> bool {
        let words = self.schema["oneOf"].as_array();
        words.is_some_and(|words| words.iter().all(|word| word["const"].is_string()))
    }

    /// A variable's text as what can stand here; else what that would be.
    fn read(self, text: &str) -> Result<Value, &'static str> {
        let trimmed = text.trim();
        if self.is_a_word() && trimmed.starts_with('{') {
            // No word begins so: it is one for each of several things.
            toml(trimmed).filter(Value::is_object).ok_or("is neither a word nor { name = \"word\" }")
        } else if self.is_a_word() {
            Ok(trimmed.into())
        } else if self.is_a("string") {
            Ok(text.into())
        } else if self.is_a("boolean") {
            trimmed.parse().map(Value::Bool).map_err(|_| "is a switch: write true or false")
        } else if self.is_a("integer") {
            trimmed.parse::<u64>().map(Value::from).map_err(|_| "is a number: write digits only, such as 60")
        } else if self.is_a("array") {
            let items = self.schema.get("items").map(|schema| Place { schema, ..self }.resolved());
            let is_words = items.is_some_and(|items| items.is_a("string"));
            match trimmed {
                "" => Ok(json!([])),
                _ if trimmed.starts_with('[') || !is_words => {
                    toml(trimmed).filter(Value::is_array).ok_or(match is_words {
                        true => r#"is a list: write a,b or ["a", "b"]"#,
                        false => {
                            r#"is a list of secrets, which are never written here: write [{ env = "NAME" }]"#
                        }
                    })
                }
                words => Ok(words.split(',').map(str::trim).collect()),
            }
        } else {
            toml(trimmed).filter(Value::is_object).ok_or(match self.schema.get("oneOf") {
                Some(_) => {
                    r#"is a secret, which is never written here: write { env = "NAME" } or { file = "path" }"#
                }
                None => {
                    "is a section: write it like { key = \"value\" }, or add the key to the variable's name"
                }
            })
        }
    }
}

fn toml(text: &str) -> Option<Value> {
    serde_json::to_value(text.parse::<toml::Value>().ok()?).ok()
}

/// Puts `new` at a key, and makes the sections above it.
fn set(value: &mut Value, keys: &[String], new: Value) {
    let Some((key, rest)) = keys.split_first() else {
        *value = new;
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    set(&mut value[key.as_str()], rest, new);
}

#[cfg(test)]
mod tests;
