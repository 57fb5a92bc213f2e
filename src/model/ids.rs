//! Names and identities. Each is a type of its own, so that none can stand in for another.

use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::vocabulary::Noun;

/// A platform's name in routes, subjects and configuration: `kollus`, `livedigital`, ...
pub type PlatformId = &'static str;

/// An account's name in the configuration; it is part of callback URLs and bus subjects.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Debug)]
#[serde(try_from = "String")]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Accepts `^[a-z0-9][a-z0-9-]{0,62}$`.
    pub fn parse(name: &str) -> Result<Self, BadAccountName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let well_formed =
            (1..=63).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('-');
        if well_formed { Ok(Self(name.into())) } else { Err(BadAccountName(name.to_owned())) }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountName {
    type Error = BadAccountName;

    fn try_from(name: String) -> Result<Self, BadAccountName> {
        Self::parse(&name)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that cannot be an account's.
#[derive(Debug, thiserror::Error)]
#[error(
    "account name {0:?} is not allowed: use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit"
)]
pub struct BadAccountName(String);

/// What an observation and an event are about, inside one account: `broadcast/20260114-w8r2n5ya`.
///
/// It is the CloudEvents `subject` and `partitionkey`: events of one entity are published in order.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EntityKey {
    /// The kind of thing.
    pub noun: Noun,
    /// The platform's id of it, unchanged; any text, never empty.
    pub id: String,
}

impl EntityKey {
    /// `id` is the platform's own and must not be empty.
    pub fn new(noun: Noun, id: impl Into<String>) -> Self {
        Self { noun, id: id.into() }
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.noun, self.id)
    }
}

/// What a delivery says, as 128 bits: equal for a platform's retry, whatever the order of its fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// Of decoded form fields: sorted by name and value, each with its length before it, because
    /// platforms promise no order on the wire.
    pub fn of_fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.sort_unstable();
        let mut hash = Sha256::new();
        for (name, value) in fields {
            for part in [name, value] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        Self::first_half(hash)
    }

    /// Of bytes whose order matters, such as a signed body or one that could not be decoded.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::first_half(Sha256::new_with_prefix(bytes))
    }

    fn first_half(hash: Sha256) -> Self {
        let digest: [u8; 32] = hash.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The identity of one change for ever: 32 hexadecimal digits. Opaque to consumers.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Debug)]
pub struct EventId(String);

impl EventId {
    /// The id as it stands in the envelope and in `Nats-Msg-Id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for EventId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key from which event ids are made, drawn when the store was created.
///
/// Keyed, so that nobody who can publish on the bus can predict an id and occupy it in JetStream's
/// duplicate window; drawn per store, so that a rebuilt store never repeats ids that consumers have seen.
#[derive(Clone)]
pub struct EventMark([u8; 32]);

impl EventMark {
    /// `key` is 32 random bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The id of the change that brought `entity` of `account` to `revision`.
    pub fn event_id(
        &self,
        platform: &str,
        account: &AccountName,
        entity: &EntityKey,
        revision: u64,
    ) -> EventId {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in [platform, account.as_str(), entity.noun.as_str(), &entity.id] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(&revision.to_be_bytes());
        EventId(hex::encode(&mac.finalize().into_bytes()[..16]))
    }

    /// 16 hexadecimal digits that are equal for equal secrets, and tell nothing of them without this key.
    pub fn fingerprint(&self, secret: &str) -> String {
        let mac = |key: &[u8], message: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
            mac.update(message);
            mac.finalize().into_bytes()
        };
        // A key of its own: what is fingerprinted can never look like an event.
        let key = mac(&self.0, b"livehook fingerprint");
        hex::encode(&mac(&key, secret.as_bytes())[..8])
    }
}
