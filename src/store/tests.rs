//! What every store must do, on real files: whatever engine stands behind [`Store`], these must pass.
//! Only [`writing`], [`migrating`] and the damage in [`opening`] know that it is SQLite.

mod absences;
mod commits;
mod current;
mod filling;
mod migrating;
mod opening;
mod outbox;
mod quarantine;
mod repeats;
mod sweeps;
mod unwatched;
mod watching;
mod windows;
mod writing;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use super::{DeliveryRecord, LedgerEntry, Store, StoreOptions, StoredEvent, WriterThread};
use crate::{
    model::{
        AccountName, Attributes, ContentHash, EntityKey, Noun, Observation, Phase, Proof, RetrySchedule,
        Rules, Verb, entities::Broadcast,
    },
    platform::Priority,
};

/// The answer counts if it leaves within 3 s; retries come after about 5, 10 and 15 minutes.
const RETRIES: RetrySchedule =
    RetrySchedule { answer_seconds: 3, windows: &[(270, 355), (570, 660), (870, 970)] };

/// A store in a directory that is deleted with it.
struct Rig {
    options: StoreOptions,
    store: Store,
    writer: WriterThread,
    _dir: TempDir,
}

impl Rig {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut StoreOptions)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(&dir);
        change(&mut options);
        let (store, writer) = Store::open(options.clone(), [7; 32]).unwrap();
        Self { options, store, writer, _dir: dir }
    }

    /// Ends it in order and opens it again; the new mark must not be used.
    fn reopened(self) -> Self {
        let Self { options, store, writer, _dir } = self;
        drop(store);
        writer.join();
        let (store, writer) = Store::open(options.clone(), [8; 32]).unwrap();
        Self { options, store, writer, _dir }
    }

    async fn events(&self) -> Vec<StoredEvent> {
        self.store.events_after(0, 100_000).await.unwrap()
    }

    async fn envelopes(&self) -> Vec<Value> {
        let events = self.events().await;
        events.iter().map(|event| serde_json::from_slice(&event.envelope).unwrap()).collect()
    }

    /// Commits `count` broadcasts; returns the rows of their events.
    async fn commit_broadcasts(&self, count: usize) -> Vec<u64> {
        let before = *self.store.newest_event().borrow();
        let commits = (0..count).map(|nth| self.store.commit(start(&format!("b{before}-{nth}"))));
        for durable in futures::future::join_all(commits).await {
            assert_eq!(durable.unwrap().event_types(), ["broadcast.started"]);
        }
        let events = self.store.events_after(before, count).await.unwrap();
        events.iter().map(|event| event.row).collect()
    }

    /// Commits a viewer's figures; returns the row of the event.
    async fn commit_playback(&self) -> u64 {
        let id = format!("p{}", *self.store.newest_event().borrow());
        let figures = Observation {
            told: Some(Verb::Progressed),
            ..Observation::of(EntityKey::new(Noun::Playback, id.as_str()))
        };
        self.store.commit(saying(&id, vec![figures])).await.unwrap().answered();
        *self.store.newest_event().borrow()
    }

    /// Rows of all events that no PubAck is kept for.
    async fn waiting(&self) -> Vec<u64> {
        let mut waiting = Vec::new();
        for is_playback in [false, true] {
            let events = self.store.unpublished(is_playback, 0, 100_000).await.unwrap();
            assert!(events.iter().all(|event| event.is_playback() == is_playback));
            waiting.extend(rows(&events));
        }
        waiting.sort_unstable();
        waiting
    }
}

fn options(dir: &TempDir) -> StoreOptions {
    StoreOptions { dir: dir.path().join("data"), bytes_max: 1 << 40, has_bus: true, unsafe_no_fsync: false }
}

fn rows(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.row).collect()
}

fn ack(row: u64, js_stream: &str, js_sequence: u64) -> LedgerEntry {
    LedgerEntry { js_stream: js_stream.to_owned(), js_sequence, row, event_id: format!("of {row}") }
}

fn noon() -> Timestamp {
    "2026-01-14T12:00:00Z".parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A delivery that says what `observations` say.
fn saying(body: &str, observations: Vec<Observation>) -> DeliveryRecord {
    DeliveryRecord {
        account: AccountName::parse("acme").unwrap(),
        platform: "kollus",
        callback: "live-state",
        content_type: Some("text/plain".to_owned()),
        body: Bytes::copy_from_slice(body.as_bytes()),
        received_at: noon(),
        proof: Proof::UrlToken,
        priority: Priority::High,
        content: ContentHash::of_bytes(body.as_bytes()),
        observations,
        retries: RETRIES,
        quarantined: None,
    }
}

fn broadcast(id: &str, phase: Phase) -> Observation {
    Observation {
        phase: Some(phase),
        rules: Rules::ONE_USE,
        ..Observation::of(EntityKey::new(Noun::Broadcast, id))
    }
}

fn titled(id: &str, title: &str) -> Observation {
    let attributes = Attributes::of(&Broadcast { title: Some(title.to_owned()), ..Default::default() });
    Observation { attributes, ..Observation::of(EntityKey::new(Noun::Broadcast, id)) }
}

/// A broadcast starts.
fn start(id: &str) -> DeliveryRecord {
    saying(&format!("start {id}"), vec![broadcast(id, Phase::Live)])
}

fn at(received_at: Timestamp, record: DeliveryRecord) -> DeliveryRecord {
    DeliveryRecord { received_at, ..record }
}

/// A delivery that nobody can understand.
fn unreadable(body: &str) -> DeliveryRecord {
    let mut record = saying(body, Vec::new());
    record.quarantine("the form has no field broadcast_key");
    record
}
