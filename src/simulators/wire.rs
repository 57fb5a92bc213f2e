//! JSON written straight into text: a page of a hundred rows must cost next to nothing, even unoptimised.

use jiff::{Timestamp, tz::TimeZone};

/// A JSON object that is being written.
#[derive(Debug)]
pub struct Object {
    text: String,
}

impl Object {
    /// Nothing in it yet.
    pub fn new() -> Self {
        let mut text = String::with_capacity(512);
        text.push('{');
        Self { text }
    }

    /// A member whose value is JSON already.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self.text.push_str(json);
        self
    }

    /// A string.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(name, "");
        push_quoted(&mut self.text, value);
        self
    }

    /// A string, or `null`.
    pub fn text_or_null(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// A number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.raw(name, &value.to_string())
    }

    /// The whole object.
    pub fn end(&mut self) -> String {
        self.text.push('}');
        std::mem::take(&mut self.text)
    }
}

/// A JSON string.
fn push_quoted(json: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        json.push_str(&serde_json::Value::from(text).to_string());
    } else {
        json.push('"');
        json.push_str(text);
        json.push('"');
    }
}

/// What PHP writes unless told otherwise: slashes and everything outside ASCII escaped.
pub fn with_php_escapes(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() * 2);
    for letter in json.chars() {
        match letter {
            '/' => escaped.push_str("\\/"),
            letter if letter.is_ascii() => escaped.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

/// A time and how the platform writes it. Writing is slow, so it is done once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The time.
    pub at: Timestamp,
    /// As the platform writes it.
    pub text: String,
}

impl Moment {
    /// `2026-01-14T04:30:11+00:00`
    pub fn with_offset(at: Timestamp) -> Self {
        Self { at, text: at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string() }
    }

    /// `2023-08-08T07:05:59.369Z`
    pub fn with_millis(at: Timestamp) -> Self {
        Self { at, text: at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string() }
    }
}

/// A time in a query: with an offset or `Z`, or a day, which begins when it begins in `zone`.
pub fn asked_time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if text.len() != "2018-12-01".len() {
        return text.parse().ok();
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}
