//! What goes into the store and comes out of it. No SQL here.

use bytes::Bytes;
use jiff::Timestamp;

use super::write::Unanswered;

use crate::{
    model::{
        AccountName, Attributes, ContentHash, EntityKey, Noun, Observation, PlatformId, Proof, RetrySchedule,
        Verb, entities::QuarantinedDelivery,
    },
    platform::Priority,
};

/// A delivery to commit: the raw bytes, and what they say.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    /// Whose callback it is.
    pub account: AccountName,
    /// That account's platform.
    pub platform: PlatformId,
    /// The callback's name.
    pub callback: &'static str,
    /// Header `Content-Type`.
    pub content_type: Option<String>,
    /// The body, exactly as it came.
    pub body: Bytes,
    /// When its head was read.
    pub received_at: Timestamp,
    /// How far to trust it.
    pub proof: Proof,
    /// What is given up first when the store fills.
    pub priority: Priority,
    /// What was said, equal for a retry.
    pub content: ContentHash,
    /// What was said, in our words.
    pub observations: Vec<Observation>,
    /// How the platform retries.
    pub retries: RetrySchedule,
    /// Why it cannot be understood; then `observations` holds the `delivery.quarantined` only.
    pub quarantined: Option<String>,
}

impl DeliveryRecord {
    /// Makes it one that cannot be understood, for a reason that holds no value of its body: the bytes are
    /// kept, and `delivery.quarantined` is published instead of what it says.
    pub fn quarantine(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        self.content = ContentHash::of_bytes(&self.body);
        let attributes = QuarantinedDelivery {
            callback: Some(self.callback.to_owned()),
            reason: Some(reason.clone()),
            body_bytes: Some(self.body.len() as u64),
        };
        self.observations = vec![Observation {
            told: Some(Verb::Quarantined),
            attributes: Attributes::of(&attributes),
            ..Observation::of(EntityKey::new(Noun::Delivery, self.content.to_string()))
        }];
        self.quarantined = Some(reason);
    }
}

/// The proof that a delivery is on disk, fsynced. Only the committer can make one, and 200 is
/// answered only in exchange for it.
#[must_use = "a platform is answered 200 only because of this"]
#[derive(Debug)]
pub struct Durable {
    pub(super) delivery: u64,
    pub(super) event_types: Vec<String>,
    pub(super) is_repeat: bool,
    pub(super) quarantined: Option<String>,
    /// Taken when it is answered.
    pub(super) unanswered: Option<Unanswered>,
}

impl Durable {
    /// To be called when the platform is answered 200. A proof that is dropped without this is noted as
    /// unanswered: then the platform comes again, and its retry is told from the same thing happening twice.
    pub fn answered(mut self) {
        self.unanswered = None;
    }

    /// Number of the delivery in the store.
    pub fn delivery(&self) -> u64 {
        self.delivery
    }

    /// Types of the events it led to, such as `broadcast.started`.
    pub fn event_types(&self) -> &[String] {
        &self.event_types
    }

    /// Whether an earlier delivery said the same and nothing new came of it.
    pub fn is_repeat(&self) -> bool {
        self.is_repeat
    }

    /// Why it is in quarantine, if it is.
    pub fn quarantined(&self) -> Option<&str> {
        self.quarantined.as_deref()
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if let Some(unanswered) = self.unanswered.take() {
            unanswered.note(self.delivery);
        }
    }
}

/// Why a delivery was not committed. The platform is told to come again.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// More is waiting than can be committed in time.
    #[error("more deliveries are waiting than the disk can take")]
    Busy,
    /// The disk, or the store's share of it, is full.
    #[error("the store is full")]
    Full,
    /// The disk failed; nothing is acknowledged any more until livehook is started again.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Any other trouble with the store.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// An event that waits for the bus, or that was read back from the log.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its place in the log; grows by commit.
    pub row: u64,
    /// The account it belongs to.
    pub account: String,
    /// The bus subject without the prefix: `kollus.acme.broadcast.started`.
    pub route: String,
    /// `<noun>/<id>`; events with one account and one entity are published in order.
    pub entity: String,
    /// The event's id.
    pub event_id: String,
    /// The envelope, as it is published.
    pub envelope: Bytes,
}

impl StoredEvent {
    /// Whether it belongs into the stream of viewers' events.
    pub fn is_playback(&self) -> bool {
        let noun = self.route.split('.').nth(2).and_then(Noun::parse);
        noun.is_some_and(Noun::is_playback)
    }
}

/// A PubAck, to be kept: the JetStream stream says it holds this event at this sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerEntry {
    /// Name of the JetStream stream.
    pub js_stream: String,
    /// Sequence of the message in that stream.
    pub js_sequence: u64,
    /// Row of the event.
    pub row: u64,
    /// Id of the event.
    pub event_id: String,
}

/// A delivery that could not be understood, as it came.
#[derive(Clone, Debug)]
pub struct QuarantinedRow {
    /// Number of the delivery in the store.
    pub id: u64,
    /// Whose callback it was.
    pub account: String,
    /// The callback's name.
    pub callback: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Why it could not be understood.
    pub reason: String,
    /// How its sender was proven.
    pub proof: Proof,
    /// Header `Content-Type`.
    pub content_type: Option<String>,
    /// The body, exactly as it came.
    pub body: Bytes,
}
