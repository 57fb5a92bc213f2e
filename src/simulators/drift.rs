//! Answers whose shape is not the documented one, and refusals in every form that servers use.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// One way in which the shape of an answer drifts away from its documentation. A field is meant wherever it stands
/// in the answer, at every depth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drift {
    /// The field is not there.
    Missing(&'static str),
    /// Every object has fields that nobody has ever heard of.
    Unknown,
    /// The field has another name now.
    Renamed(&'static str, &'static str),
    /// The field is of another type: a scalar becomes an object, anything else a text.
    Retyped(&'static str),
    /// The field is `null`.
    Null(&'static str),
}

impl Drift {
    /// Bends an answer.
    pub fn bend(self, answer: &mut Value) {
        match answer {
            Value::Array(items) => items.iter_mut().for_each(|item| self.bend(item)),
            Value::Object(fields) => {
                fields.values_mut().for_each(|value| self.bend(value));
                match self {
                    Self::Missing(name) => drop(fields.shift_remove(name)),
                    Self::Unknown => {
                        fields.insert("brand_new".to_owned(), json!({ "since": "2026", "on": [true, null] }));
                    }
                    Self::Renamed(from, to) => {
                        if let Some(value) = fields.shift_remove(from) {
                            fields.insert(to.to_owned(), value);
                        }
                    }
                    Self::Retyped(name) => {
                        if let Some(value) = fields.get_mut(name) {
                            let is_scalar = !value.is_object() && !value.is_array();
                            *value = if is_scalar { json!({ "value": value }) } else { json!("(moved)") };
                        }
                    }
                    Self::Null(name) => {
                        if let Some(value) = fields.get_mut(name) {
                            *value = Value::Null;
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// Every form in which a server says `Retry-After`, the useless ones included; `None` is no header. The form is
/// chosen by `which`, so that counting up brings all of them.
pub fn retry_after(which: usize, now: Timestamp) -> Option<String> {
    let forms: [&dyn Fn() -> Option<String>; 10] = [
        &|| None,
        &|| Some("5".to_owned()),
        &|| Some(http_date(now, 20)),
        &|| Some("0".to_owned()),
        &|| Some("-30".to_owned()),
        &|| Some(http_date(now, -3_600)),
        &|| Some("86400".to_owned()),
        &|| Some("99999999999999999999".to_owned()),
        &|| Some("2.5".to_owned()),
        &|| Some("soon".to_owned()),
    ];
    forms[which % forms.len()]()
}

fn http_date(now: Timestamp, seconds_later: i64) -> String {
    let at = now.checked_add(SignedDuration::from_secs(seconds_later)).unwrap_or(now);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests;
