//! Key and value of one entity in the bucket.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    model::{Attributes, Phase},
    store::CurrentEntity,
};

/// What stands under a key.
#[derive(Serialize)]
struct Value<'e> {
    attributes: &'e Attributes,
    state: Option<Phase>,
    revision: u64,
    event_id: &'e str,
    updated_at: Timestamp,
}

/// `<platform>.<account>.`: how all keys of an account begin.
pub(super) fn prefix(platform: &str, account: &str) -> String {
    format!("{platform}.{account}.")
}

/// Longer keys are not put: servers end the connection of who sends a line of 4 KiB.
const KEY_BYTES_MAX: usize = 1024;

/// `<platform>.<account>.<noun>.<id>`. In the id each byte that is no letter, digit, `_` or `-` becomes `=` and two
/// hexadecimal digits, as in quoted-printable. `None` if that gets too long for a key.
pub(super) fn key(current: &CurrentEntity) -> Option<String> {
    use std::fmt::Write;
    let CurrentEntity { platform, account, entity, .. } = current;
    let mut key = format!("{platform}.{account}.{}.", entity.noun);
    for byte in entity.id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            key.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(key, "={byte:02X}");
        }
    }
    (key.len() <= KEY_BYTES_MAX).then_some(key)
}

pub(super) fn value(current: &CurrentEntity) -> Bytes {
    let value = Value {
        attributes: &current.known.attributes,
        state: current.known.phase,
        revision: current.known.revision,
        event_id: current.event_id.as_str(),
        updated_at: current.updated_at,
    };
    serde_json::to_vec(&value).expect("attributes are JSON").into()
}

#[cfg(test)]
mod tests;
