//! Kollus's fields while they are read: what has a meaning here is taken, the rest becomes `extra`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Verb, entities},
    platform::{
        AccountSettings, Malformed,
        form::{Form, IDENTITY_BYTES_MAX},
    },
};

/// The two names of the service account's key: live callbacks say the first, the others the second.
pub const OWNER_FIELDS: [&str; 2] = ["service_account_key", "content_provider_key"];

/// A field or JSON member with one of these in its name is never published.
const SECRET_WORDS: [&str; 10] = [
    "stream_key",
    "session_key",
    "streamkey",
    "security_key",
    "user_key",
    "custom_key",
    "token",
    "secret",
    "passw",
    "authorization",
];

/// The fields of one callback, and which of them were taken.
pub struct Fields<'f> {
    form: &'f Form,
    taken: Vec<Cow<'f, str>>,
    kept: Vec<(String, Value)>,
    quirks: Vec<&'static str>,
}

impl<'f> Fields<'f> {
    /// Begins to read a form of this account.
    ///
    /// # Errors
    /// When the form says that it belongs to another service account.
    pub fn of(form: &'f Form, account: &AccountSettings) -> Result<Self, Malformed> {
        for (name, value) in form.fields() {
            if OWNER_FIELDS.contains(&name) {
                belongs_to(account, value)?;
            }
        }
        let taken = OWNER_FIELDS.map(Cow::from).to_vec();
        Ok(Self { form, taken, kept: Vec::new(), quirks: form.quirk().into_iter().collect() })
    }

    /// Looks at a value without taking it.
    pub fn peek(&self, name: &str) -> Option<&'f str> {
        self.form.get(name)
    }

    /// Takes a value; an empty one counts as absent.
    pub fn take(&mut self, name: impl Into<Cow<'f, str>>) -> Option<String> {
        let name = name.into();
        let value = self.form.get(&name).map(str::to_owned);
        self.taken.push(name);
        value
    }

    /// Takes a value that says which thing is meant, or what happened to it.
    ///
    /// # Errors
    /// As [`Form::identity`].
    pub fn identity(&mut self, name: &'static str) -> Result<String, Malformed> {
        self.taken.push(name.into());
        self.form.identity(name).map(str::to_owned)
    }

    /// Takes such a value if it is there.
    ///
    /// # Errors
    /// As [`Form::identity_if_any`].
    pub fn identity_if_any(&mut self, name: &'static str) -> Result<Option<String>, Malformed> {
        self.taken.push(name.into());
        Ok(self.form.identity_if_any(name)?.map(str::to_owned))
    }

    /// Refuses a field that is repeated with different values, without taking it.
    ///
    /// # Errors
    /// As [`Form::identity_if_any`].
    pub fn check_identity(&self, name: &str) -> Result<(), Malformed> {
        self.form.identity_if_any(name).map(|_| ())
    }

    /// Names of the fields, in the order of the wire.
    pub fn names(&self) -> impl Iterator<Item = &'f str> + use<'f> {
        self.form.fields().map(|(name, _)| name)
    }

    /// Puts something into `extra` although it was taken.
    pub fn keep(&mut self, name: &str, value: impl Into<Value>) {
        self.kept.push((name.to_owned(), value.into()));
    }

    /// Notes an oddity, for a metric.
    pub fn note(&mut self, quirk: &'static str) {
        if !self.quirks.contains(&quirk) {
            self.quirks.push(quirk);
        }
    }

    /// A callback that arrived, and that is all we know: everything goes into `extra`. `id` is the id of
    /// what it is about, if it says so; `name` is what Kollus calls it.
    pub fn notice(&mut self, callback: &str, id: Option<&str>, name: Option<String>) -> Observation {
        self.taken = OWNER_FIELDS.map(Cow::from).to_vec();
        let id = id.map_or_else(|| callback.to_owned(), |id| format!("{callback}/{id}"));
        Observation {
            told: Some(Verb::Received),
            attributes: Attributes::of(&entities::Notice { callback: Some(callback.to_owned()), name }),
            ..Observation::of(EntityKey::new(Noun::Notice, id))
        }
    }

    /// Everything that was not taken, secrets removed, and the oddities met. A repeated field becomes a
    /// list.
    pub fn into_rest(self) -> (Attributes, Vec<&'static str>) {
        let untaken = self.form.fields().filter(|(name, _)| !self.taken.iter().any(|taken| taken == name));
        let untaken = untaken.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let mut rest = Attributes::default();
        for (name, mut value) in untaken.chain(self.kept) {
            if is_secret(&name) {
                continue;
            }
            remove_secrets(&mut value);
            if value.is_null() {
                continue;
            }
            let value = match rest.get(&name).map(Value::from) {
                None => value,
                Some(Value::Array(earlier)) => Value::Array(earlier.into_iter().chain([value]).collect()),
                Some(earlier) => Value::Array(vec![earlier, value]),
            };
            rest.set(&name, value);
        }
        (rest, self.quirks)
    }
}

/// # Errors
/// When `owner` names another service account; an empty one names none.
pub fn belongs_to(account: &AccountSettings, owner: &str) -> Result<(), Malformed> {
    if owner.is_empty() || owner == account.service_account {
        return Ok(());
    }
    Err(Malformed::because(
        "the callback belongs to another service account: its URL was entered in the wrong console, or \
         `service_account` of the account is not the name that Kollus uses",
    ))
}

/// Whether a field of this name is never published.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Removes members with secret names, at any depth, and documents in text that mention such a name.
pub fn remove_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !is_secret(name));
            members.values_mut().for_each(remove_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_secrets),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) && is_secret(text) => {
            *value = Value::Null
        }
        _ => {}
    }
}

/// The key without the customer's id, which may follow behind the first hyphen.
pub fn base_key(media_content_key: &str) -> &str {
    media_content_key.split('-').next().unwrap_or_default()
}

/// An id made of several, joined by `/` so that no two lists give the same. Each part has its name.
///
/// # Errors
/// When a part is missing, too long, or has control characters.
pub fn joined_id<const N: usize>(parts: [(&str, Option<&str>); N]) -> Result<String, Malformed> {
    let mut id = Vec::with_capacity(N);
    for (name, part) in parts {
        let part = part.ok_or_else(|| Malformed(format!("the form says nothing of the {name}")))?;
        if part.len() > IDENTITY_BYTES_MAX || part.chars().any(char::is_control) {
            return Err(Malformed(format!("the {name} is too long or has control characters")));
        }
        id.push(part.to_owned());
    }
    Ok(joined(id))
}

/// Joins parts of an id by `/` so that no two lists give the same.
pub fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let escaped = parts.into_iter().map(|part| part.replace('%', "%25").replace('/', "%2F"));
    escaped.collect::<Vec<_>>().join("/")
}

/// Text that says something; Kollus's numbers may be text and its text numbers.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, also when it is written as text.
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number.filter(|number| number.is_finite())
}

/// An instant in Unix seconds.
pub fn instant(seconds: &str) -> Option<Timestamp> {
    let seconds = number(&Value::from(seconds))?;
    // Casting saturates, and what is out of range for a time is refused.
    Timestamp::from_second(seconds as i64).ok()
}

/// `1`, `1.0` and `"1"` are one number, written the shortest way. What is no number, or too large to be
/// exact, is left alone.
pub fn plain_number(written: &str) -> String {
    let exact = number(&Value::from(written)).filter(|number| number.abs() < 9e15);
    exact.map_or_else(|| written.to_owned(), |number| number.to_string())
}

/// The form with the names of its owner replaced; the rest byte for byte as it was.
pub fn owned_by(form: &[u8], service_account: &str) -> Vec<u8> {
    let owner = percent_encoding::utf8_percent_encode(service_account, percent_encoding::NON_ALPHANUMERIC);
    let owned = |pair: &[u8]| match pair.split(|&b| b == b'=').next() {
        Some(name @ (b"service_account_key" | b"content_provider_key")) => {
            [name, b"=", owner.to_string().as_bytes()].concat()
        }
        _ => pair.to_vec(),
    };
    form.split(|&b| b == b'&').map(owned).collect::<Vec<_>>().join(&b'&')
}
