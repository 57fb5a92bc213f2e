//! Where an event is published: `live.<platform>.<account>.<noun>.<verb>` (contract §2).

use std::fmt;

use super::{ids::AccountName, vocabulary::EventType};

/// A NATS subject that is safe by construction: every part is from a closed alphabet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Subject(String);

impl Subject {
    /// `prefix` is `bus.prefix`, checked by [`is_prefix`] when the configuration is read.
    pub fn of(prefix: &str, platform: &str, account: &AccountName, event_type: EventType) -> Self {
        Self(format!("{prefix}.{platform}.{account}.{event_type}"))
    }

    /// As NATS wants it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `prefix` may begin a subject: `^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`, at most 64 bytes.
pub fn is_prefix(prefix: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    prefix.len() <= 64 && prefix.split('.').all(is_part)
}

/// Whether `subject` is matched by `filter`, with NATS's wildcards: `*` is one part, a final `>` is one
/// or more. Used where the store stands in for the bus.
pub fn matches(filter: &str, subject: &str) -> bool {
    let mut parts = subject.split('.');
    let mut wanted = filter.split('.').peekable();
    while let Some(want) = wanted.next() {
        match (want, parts.next()) {
            (">", Some(_)) => return wanted.peek().is_none(),
            ("*", Some(_)) => {}
            (want, Some(part)) if want == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests;
