//! The fields of one question while they are read, whether they came in a form or as an item of a JSON list.

use serde_json::{Map, Value};

use super::super::{progress, wire};
use crate::platform::{
    AccountSettings, Malformed,
    form::{Form, IDENTITY_BYTES_MAX},
    json,
};

/// Names that may be told when something is wrong with them; others are whatever a form brought.
const NAMES: [&str; 11] = [
    "kind",
    "client_user_id",
    "player_id",
    "hardware_id",
    "device_name",
    "media_content_key",
    "mck",
    "channel_key",
    "uservalues",
    "localtime",
    "items",
];

/// Fields by their name on the wire. What is read is taken out; the rest is `extra`.
pub struct Members {
    /// Where they stand, for errors: `items[2].`; empty for a form.
    place: String,
    fields: Map<String, Value>,
}

impl Members {
    /// Of a form.
    ///
    /// # Errors
    /// When a field says two things, or the form belongs to another service account.
    pub fn of_form(form: &Form, account: &AccountSettings) -> Result<Self, Malformed> {
        let mut fields = Map::new();
        for (name, value) in form.fields() {
            match fields.get(name).and_then(Value::as_str) {
                Some(earlier) if earlier == value || value.is_empty() => {}
                // A question whose answer depends on who reads it is none.
                Some(earlier) if !earlier.is_empty() => return Err(contradicts_itself(name)),
                _ => {
                    fields.insert(name.to_owned(), value.into());
                }
            }
        }
        Self { place: String::new(), fields }.owned_by(account)
    }

    /// Of entry `index` of a list.
    ///
    /// # Errors
    /// When it is no object, or belongs to another service account.
    pub fn of_item(
        list: &str,
        index: usize,
        item: Value,
        account: &AccountSettings,
    ) -> Result<Self, Malformed> {
        let place = format!("{list}[{index}]");
        let Value::Object(fields) = item else {
            return Err(Malformed(format!("{place} is not a JSON object")));
        };
        Self { place: format!("{place}."), fields }.owned_by(account)
    }

    fn owned_by(mut self, account: &AccountSettings) -> Result<Self, Malformed> {
        for name in wire::OWNER_FIELDS {
            if let Some(owner) = self.identity(name)? {
                wire::belongs_to(account, &owner)?;
            }
        }
        Ok(self)
    }

    /// Takes what is said under `name`; nothing if it is empty, which PHP also writes as `[]`.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !progress::is_empty(value))
    }

    fn wrong(&self, name: &str, what: &str) -> Malformed {
        Malformed(format!("the field {}{name} {what}", self.place))
    }

    /// Text that says which thing is meant. A number counts as its text.
    ///
    /// # Errors
    /// When it is of another type, too long, or has control characters.
    pub fn identity(&mut self, name: &str) -> Result<Option<String>, Malformed> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let text = wire::text(&value).ok_or_else(|| self.wrong(name, "is neither text nor a number"))?;
        if text.len() > IDENTITY_BYTES_MAX {
            return Err(self.wrong(name, &format!("is longer than {IDENTITY_BYTES_MAX} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(self.wrong(name, "has control characters in it"));
        }
        Ok(Some(text))
    }

    /// An identity without which nothing can be decided.
    ///
    /// # Errors
    /// As [`Self::identity`], and when it is not there.
    pub fn needed(&mut self, name: &str) -> Result<String, Malformed> {
        self.identity(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// Free text under the first of these names that says something.
    pub fn text(&mut self, names: &[&str]) -> Option<String> {
        names.iter().filter_map(|name| self.take(name)).filter_map(|value| wire::text(&value)).next()
    }

    /// A whole number, also written as text or with a fraction of zero.
    ///
    /// # Errors
    /// When it is something else.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, Malformed> {
        /// Beyond this a float skips whole numbers.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let Some(value) = self.take(name) else { return Ok(None) };
        let exact = match &value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_i64(),
        };
        let whole =
            || wire::number(&value).filter(|it| it.fract() == 0.0 && it.abs() < EXACT).map(|it| it as i64);
        let integer = exact.or_else(whole).ok_or_else(|| self.wrong(name, "is not a whole number"))?;
        Ok(Some(integer))
    }

    /// Yes or no, which Kollus writes as 1 and 0.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Malformed> {
        if let Some(&Value::Bool(flag)) = self.fields.get(name) {
            self.fields.remove(name);
            return Ok(Some(flag));
        }
        match self.integer(name)? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(self.wrong(name, "is neither 0 nor 1")),
        }
    }

    /// The kind of question, which must be one of `known`.
    ///
    /// # Errors
    /// When it is missing or another one.
    pub fn kind<const N: usize>(&mut self, known: [i64; N]) -> Result<i64, Malformed> {
        let kind = self.integer("kind")?.ok_or_else(|| self.wrong("kind", "is missing"))?;
        if known.contains(&kind) {
            return Ok(kind);
        }
        let known = known.map(|kind| kind.to_string()).join(", ");
        Err(self.wrong("kind", &format!("is none of {known}")))
    }

    /// What the customer attached: `uservalues` as an object or as JSON text, and `uservalue0` and the like.
    ///
    /// # Errors
    /// When `uservalues` cannot be read: a decision must not be made without them.
    pub fn user_values(&mut self) -> Result<Map<String, Value>, Malformed> {
        let said = match self.take("uservalues") {
            Some(Value::String(written)) => json::parse(written.as_bytes())
                .map_err(|Malformed(why)| self.wrong("uservalues", &format!("cannot be read: {why}")))?,
            said => said.unwrap_or_default(),
        };
        let mut values = match said {
            Value::Object(values) => values,
            said if progress::is_empty(&said) => Map::new(),
            _ => return Err(self.wrong("uservalues", "is not a JSON object")),
        };
        values.retain(|_, value| !progress::is_empty(value));
        let flat: Vec<_> =
            self.fields.keys().filter_map(|name| Some((name.clone(), user_value(name)?))).collect();
        for (name, key) in flat {
            if let Some(value) = self.take(&name) {
                values.entry(key).or_insert(value);
            }
        }
        Ok(values)
    }

    /// What nothing was read of, without secrets and empty fields.
    pub fn into_extra(self) -> Map<String, Value> {
        let mut extra = Value::Object(self.fields);
        wire::remove_secrets(&mut extra);
        let Value::Object(mut extra) = extra else { return Map::new() };
        extra.retain(|_, value| !progress::is_empty(value));
        extra
    }
}

fn contradicts_itself(name: &str) -> Malformed {
    let known = NAMES.iter().find(|known| **known == name);
    let field = known.map_or_else(|| "a field".to_owned(), |name| format!("the field {name}"));
    Malformed(format!("the form has {field} several times with different values"))
}

/// The common name of `uservalue0`, `uval0` and `uv0`.
fn user_value(name: &str) -> Option<String> {
    let number = ["uservalue", "uval", "uv"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    progress::is_index(number).then(|| format!("uservalue{number}"))
}
