//! Where an event is published: `live.<platform>.<account>.<noun>.<verb>`.

use super::{ids::AccountName, vocabulary::EventType};

/// A subject without its prefix: `kollus.acme.broadcast.started`. Safe by construction: every part is from
/// a closed alphabet. The prefix may be configured anew before the event is published.
pub fn route(platform: &str, account: &AccountName, event_type: EventType) -> String {
    format!("{platform}.{account}.{event_type}")
}

/// The whole subject. `prefix` is `bus.prefix`, checked by [`is_prefix`] when the configuration is read.
pub fn of(prefix: &str, route: &str) -> String {
    format!("{prefix}.{route}")
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
