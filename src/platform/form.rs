//! Strict decoding of `application/x-www-form-urlencoded` bodies: bytes first, then one charset for the
//! whole body, never a replacement character.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, Encoding, UTF_8};
use percent_encoding::percent_decode;

use super::delivery::Malformed;
use crate::model::ContentHash;

/// Most pairs in one form.
pub const PAIRS_MAX: usize = 256;
/// Longest name, in bytes after percent-decoding.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest value, in bytes after percent-decoding.
pub const VALUE_BYTES_MAX: usize = 16 * 1024;
/// Longest value of a field that identifies something, in bytes of UTF-8.
pub const IDENTITY_BYTES_MAX: usize = 256;

/// The fields of a form, decoded, in the order of the wire. Names may repeat, values may be empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    fields: Vec<(String, String)>,
    charset_source: CharsetSource,
}

/// What decided the charset of a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CharsetSource {
    /// The account's configuration.
    Configured,
    /// The header `Content-Type`.
    Declared,
    /// Nobody; the bytes are UTF-8.
    Utf8,
    /// Nobody; the bytes are not UTF-8, but CP949 (EUC-KR with Microsoft's additions).
    Cp949,
}

impl Form {
    /// Decodes a body. `content_type` is read for its charset only: the URL decides what a body is.
    ///
    /// The charset is decided once, over all names and values together: `configured`, else the declared
    /// one, else UTF-8 if all of them are, else CP949 if all of them are. A charset somebody named is
    /// not second-guessed. Escapes that are none stay as they are; `;` separates nothing.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes do not fit the charset, fit none, or the form is too large.
    pub fn decode(
        body: &[u8],
        content_type: Option<&str>,
        configured: Option<&'static Encoding>,
    ) -> Result<Self, Malformed> {
        Self::decode_within(VALUE_BYTES_MAX, body, content_type, configured)
    }

    /// [`Self::decode`] for a form in which a value may have `value_bytes_max` bytes, such as one that holds a
    /// document.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_within(
        value_bytes_max: usize,
        body: &[u8],
        content_type: Option<&str>,
        configured: Option<&'static Encoding>,
    ) -> Result<Self, Malformed> {
        let pairs = split(body, value_bytes_max)?;
        let declared = content_type.and_then(declared_charset);
        let named = configured
            .map(|charset| (charset, CharsetSource::Configured))
            .or(declared.map(|charset| (charset, CharsetSource::Declared)));
        if let Some((charset, charset_source)) = named {
            let fields = decode_all(&pairs, charset).ok_or_else(|| misfit(charset, charset_source))?;
            return Ok(Self { fields, charset_source });
        }
        for (charset, charset_source) in [(UTF_8, CharsetSource::Utf8), (EUC_KR, CharsetSource::Cp949)] {
            if let Some(fields) = decode_all(&pairs, charset) {
                return Ok(Self { fields, charset_source });
            }
        }
        Err(Malformed::because(
            "the form is neither UTF-8 nor CP949 as a whole: set `charset` of the account if it has another one",
        ))
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// All fields, in the order of the wire.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of this name that is not empty: platforms send `name=` for what they do not know.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name).find(|value| !value.is_empty())
    }

    /// The value of a field that identifies something; `None` if it is absent or empty. `name` is one
    /// that we expect, not one that a form brought: it stands in the error.
    ///
    /// # Errors
    /// [`Malformed`] when the field is repeated with different values (whoever reads the first and
    /// whoever reads the last would not mean the same thing), is too long, or holds control characters.
    pub fn identity_if_any(&self, name: &str) -> Result<Option<&str>, Malformed> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.any(|other| other != value) {
            return Err(Malformed(format!(
                "the form has the field {name} several times with different values"
            )));
        }
        if value.len() > IDENTITY_BYTES_MAX {
            return Err(Malformed(format!("the field {name} is longer than {IDENTITY_BYTES_MAX} bytes")));
        }
        if value.chars().any(char::is_control) {
            return Err(Malformed(format!("the field {name} has control characters in it")));
        }
        Ok((!value.is_empty()).then_some(value))
    }

    /// The value of a field that identifies something and must be there.
    ///
    /// # Errors
    /// As [`Self::identity_if_any`], and when the field is absent or empty.
    pub fn identity(&self, name: &str) -> Result<&str, Malformed> {
        self.identity_if_any(name)?.ok_or_else(|| Malformed(format!("the form has no field {name}")))
    }

    /// Equal for forms with the same fields, whatever their order.
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of_fields(self.fields())
    }

    /// What decided the charset.
    pub fn charset_source(&self) -> CharsetSource {
        self.charset_source
    }

    /// The name of the oddity in how the form was encoded, for a metric.
    pub fn quirk(&self) -> Option<&'static str> {
        (self.charset_source == CharsetSource::Cp949).then_some("charset-cp949-undeclared")
    }

    fn values(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.fields().filter_map(move |(name, value)| (name == wanted).then_some(value))
    }
}

/// A name and a value whose charset is not known yet.
type RawPair = (Vec<u8>, Vec<u8>);

fn split(body: &[u8], value_bytes_max: usize) -> Result<Vec<RawPair>, Malformed> {
    let mut pairs = Vec::new();
    for pair in body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == PAIRS_MAX {
            return Err(Malformed(format!("the form has more than {PAIRS_MAX} fields")));
        }
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let name = unescape(halves.next().unwrap_or_default());
        let value = unescape(halves.next().unwrap_or_default());
        if name.len() > NAME_BYTES_MAX {
            return Err(Malformed(format!("the form has a name longer than {NAME_BYTES_MAX} bytes")));
        }
        if value.len() > value_bytes_max {
            return Err(Malformed(format!("the form has a value longer than {value_bytes_max} bytes")));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn unescape(escaped: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = escaped.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    Cow::from(percent_decode(&spaced)).into_owned()
}

/// `None` unless every name and every value fits. Each is decoded alone: a character that begins in one
/// and ends in the next is none.
fn decode_all(pairs: &[RawPair], charset: &'static Encoding) -> Option<Vec<(String, String)>> {
    let text =
        |bytes| charset.decode_without_bom_handling_and_without_replacement(bytes).map(Cow::into_owned);
    pairs.iter().map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

/// The charset in a `Content-Type`, if there is one that has a meaning on the web.
fn declared_charset(content_type: &str) -> Option<&'static Encoding> {
    content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .and_then(|(_, label)| Encoding::for_label(label.trim().trim_matches('"').as_bytes()))
}

fn misfit(charset: &'static Encoding, source: CharsetSource) -> Malformed {
    let charset = charset.name();
    Malformed(match source {
        CharsetSource::Configured => {
            format!("the form is not {charset}, which `charset` of the account says")
        }
        _ => format!(
            "the form is not {charset}, which its Content-Type says: `charset` of the account overrules that"
        ),
    })
}

#[cfg(test)]
mod tests;
