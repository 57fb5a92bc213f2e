//! What goes into the store and comes out of it. No SQL here.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::write::Unanswered;

use crate::{
    model::{
        AccountName, Attributes, ContentHash, EntityKey, EventId, Hearing, Known, Noun, Observation,
        PlatformId, Proof, RetrySchedule, Verb, entities::QuarantinedDelivery,
    },
    platform::{Findings, Priority},
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

/// Any other trouble with the store. Its text holds nothing of what was to be written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
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

/// An account as it is configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfiguredAccount {
    /// Its name.
    pub name: AccountName,
    /// Its platform.
    pub platform: PlatformId,
    /// Its watches.
    pub watches: Vec<&'static str>,
}

/// An account that was configured once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormerAccount {
    /// Its name.
    pub name: String,
    /// The platform it was at.
    pub platform: String,
    /// When livehook first started without it.
    pub left_at: Timestamp,
}

/// A sweep to commit: what it found, compared and written in one transaction.
#[derive(Clone, Debug)]
pub struct SweepRecord {
    /// Whose.
    pub account: AccountName,
    /// That account's platform.
    pub platform: PlatformId,
    /// The watch.
    pub watch: &'static str,
    /// Whether one thing only was read, to confirm a callback: then it says nothing of how the watch fares.
    pub is_confirmation: bool,
    /// When the first request was sent.
    pub began_at: Timestamp,
    /// When the last answer was there.
    pub ended_at: Timestamp,
    /// Requests that it took.
    pub requests: u32,
    /// How old answers can be because of the platform's caches.
    pub stale_for: SignedDuration,
    /// What it found.
    pub findings: Findings,
}

/// What came of a sweep.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct SweepOutcome {
    /// Types of the events it led to, such as `broadcast.started`.
    pub event_types: Vec<String>,
    /// Things that contradict what was learned so recently that the answer may come from a cache, each with the
    /// time at which to ask again.
    pub doubts: Vec<(EntityKey, Timestamp)>,
    /// So much was absent that it is not believed before another sweep says the same.
    pub is_suspicious: bool,
    /// How many things were left out, because livehook could not compare them with what it knows.
    pub passed_over: u32,
}

/// Failures in a row after which a watch is degraded, which is told.
pub const DEGRADED_AFTER: u32 = 3;

/// A sweep that failed: nothing changes, but three in a row are told.
#[derive(Clone, Debug)]
pub struct FailedSweep {
    /// Whose.
    pub account: AccountName,
    /// That account's platform.
    pub platform: PlatformId,
    /// The watch.
    pub watch: &'static str,
    /// When it failed.
    pub at: Timestamp,
    /// Why, in a sentence that holds nothing out of an answer.
    pub reason: String,
    /// What the next process must know of the wait that follows; `None` if it need not wait.
    pub retry: Option<Retry>,
}

/// The wait after a failure. It outlives the process, or one that is started again and again would ask each time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// When the same may be asked again.
    pub at: Timestamp,
    /// Time does not mend the failure.
    pub is_lasting: bool,
    /// Fingerprint of where and with which credentials was asked: whoever changes them need not wait.
    pub asked_as: String,
}

/// How a watch fares.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct WatchStanding {
    /// What the last sweep left for the next.
    pub cursor: Option<serde_json::Value>,
    /// When the last sweep succeeded.
    pub last_success_at: Option<Timestamp>,
    /// Requests it took.
    pub last_requests: u32,
    /// When the last sweep failed.
    pub last_failure_at: Option<Timestamp>,
    /// Why.
    pub last_failure: Option<String>,
    /// Sweeps that failed in a row; 0 when the last one succeeded.
    pub failures: u32,
    /// The wait after the last failure; `None` when the last sweep succeeded.
    pub retry: Option<Retry>,
}

/// How an account's access stands, as it is kept.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct StoredCredential {
    /// Grows with each pair of tokens.
    pub version: u64,
    /// What may be shown of it.
    pub standing: serde_json::Value,
    /// The tokens, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Tokens that a person has yet to accept, sealed.
    pub waiting: Option<Vec<u8>>,
}

/// A change of an account's access, and what is to be told of it, in one transaction.
#[derive(Clone, Debug)]
pub struct CredentialRecord {
    /// Whose.
    pub account: AccountName,
    /// That account's platform.
    pub platform: PlatformId,
    /// How it stands now.
    pub credential: StoredCredential,
    /// What is told of it, and how we know.
    pub told: Vec<(Observation, Hearing)>,
}

/// An entity as the bucket of current state shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct CurrentEntity {
    /// Whose.
    pub account: String,
    /// That account's platform.
    pub platform: String,
    /// Whether that account is not configured any more.
    pub is_former: bool,
    /// What it is.
    pub entity: EntityKey,
    /// What is known of it, without the parts that only the reducer needs.
    pub known: Known,
    /// Id of the event that told of its latest revision.
    pub event_id: EventId,
    /// When that was.
    pub updated_at: Timestamp,
}

/// How far a bucket of current state has been brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mirror {
    /// Every event up to this row is in it.
    pub row: u64,
    /// When the bucket was created, RFC 3339.
    pub created: String,
    /// The highest sequence that the bucket gave to what was put into it.
    pub js_sequence: u64,
}
