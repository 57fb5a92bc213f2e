//! A store, a server, whoever keeps the bucket, and a consumer that knows nothing but the bucket.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, kv};
use futures::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use livehook::{
    current::{BUCKET, Mirroring},
    health::Health,
    model::{
        AccountName, Attributes, ContentHash, EntityKey, Noun, Observation, Phase, Proof, RetrySchedule,
        Rules, Verb,
    },
    outbox::Publisher,
    platform::{Coverage, Findings, Listing, Priority, Sighting},
    ports::{Bus, BusOptions, SystemClock},
    store::{ConfiguredAccount, DeliveryRecord, Store, StoreOptions, StoredEvent, SweepRecord, WriterThread},
};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{
    nats::Nats,
    remains::{TempDir, tempdir},
};

/// What a consumer finds: key and value.
pub type State = BTreeMap<String, Value>;

pub struct Rig {
    pub nats: Nats,
    pub store: Store,
    pub health: Health,
    minute: AtomicI64,
    deliveries: AtomicU64,
    keeping: Vec<(CancellationToken, JoinHandle<()>)>,
    _writer: WriterThread,
    _dir: TempDir,
}

impl Rig {
    /// Nobody keeps the bucket yet.
    pub async fn new(nats: Nats) -> Self {
        let dir = tempdir();
        let options = StoreOptions {
            dir: dir.path().join("store"),
            bytes_max: 1 << 30,
            has_bus: true,
            unsafe_no_fsync: true,
        };
        let (store, writer) = Store::open(options, [7; 32]).unwrap();
        store.register_accounts(vec![configured(acme())], noon()).await.unwrap();
        Self {
            nats,
            store,
            health: Health::default(),
            minute: AtomicI64::new(0),
            deliveries: AtomicU64::new(0),
            keeping: Vec::new(),
            _writer: writer,
            _dir: dir,
        }
    }

    /// With a server, and the bucket is kept.
    pub async fn keeping() -> Self {
        let mut rig = Self::new(Nats::start()).await;
        rig.keep().await;
        rig
    }

    pub async fn keep(&mut self) {
        self.keep_with(self.nats.options()).await;
    }

    pub async fn keep_with(&mut self, options: BusOptions) {
        let bus = Bus::connect(options).await.unwrap();
        let mirroring = Mirroring::new(self.store.clone(), bus, self.health.clone());
        let stop = CancellationToken::new();
        self.keeping.push((stop.clone(), tokio::spawn(mirroring.run(stop))));
    }

    /// Events are published too, as in the service over one connection.
    pub async fn keep_and_publish_with(&mut self, options: BusOptions) {
        let bus = Bus::connect(options).await.unwrap();
        let mirroring = Mirroring::new(self.store.clone(), bus.clone(), self.health.clone());
        let publisher = Publisher::new(self.store.clone(), bus, Arc::new(SystemClock), self.health.clone());
        let stop = CancellationToken::new();
        self.keeping.push((stop.clone(), tokio::spawn(mirroring.run(stop.clone()))));
        self.keeping.push((stop.clone(), tokio::spawn(publisher.run(stop))));
    }

    pub async fn stop_keeping(&mut self) {
        for (stop, task) in self.keeping.drain(..) {
            stop.cancel();
            task.await.unwrap();
        }
    }

    /// A sweep that read the whole list of these, a minute after the one before.
    pub async fn sweep(&self, noun: Noun, rows: &[Row<'_>]) {
        self.sweep_of(acme(), noun, rows).await;
    }

    pub async fn sweep_of(&self, account: AccountName, noun: Noun, rows: &[Row<'_>]) {
        let minute = self.minute.fetch_add(1, Ordering::Relaxed);
        let began_at = noon() + SignedDuration::from_mins(minute);
        let rules = if noun == Noun::Broadcast { Rules::ONE_USE } else { Rules::default() };
        let seen = rows.iter().map(|row| {
            let mut attributes = Attributes::default();
            attributes.set("title", row.title.into());
            let said = Observation {
                phase: row.phase,
                attributes,
                rules,
                ..Observation::of(EntityKey::new(noun, row.id))
            };
            Sighting::in_list(said, "all", began_at)
        });
        let listing = Listing { scope: "all".to_owned(), noun, rules, coverage: Coverage::Whole, from: None };
        let findings = Findings { sightings: seen.collect(), listings: vec![listing], ..Findings::default() };
        let record = SweepRecord {
            account,
            platform: "kollus",
            watch: noun.as_str(),
            is_confirmation: false,
            began_at,
            ended_at: began_at + SignedDuration::from_secs(1),
            requests: 1,
            stale_for: SignedDuration::ZERO,
            findings,
        };
        self.store.commit_sweep(record).await.unwrap();
    }

    /// A callback that tells of a change.
    pub async fn tell(&self, noun: Noun, id: &str, told: Verb) {
        let number = self.deliveries.fetch_add(1, Ordering::Relaxed);
        let mut attributes = Attributes::default();
        attributes.set("number", number.into());
        let observation =
            Observation { told: Some(told), attributes, ..Observation::of(EntityKey::new(noun, id)) };
        let record = DeliveryRecord {
            account: acme(),
            platform: "kollus",
            callback: "event",
            content_type: None,
            body: number.to_string().into(),
            received_at: noon(),
            proof: Proof::UrlToken,
            priority: Priority::High,
            content: ContentHash::of_bytes(&number.to_le_bytes()),
            observations: vec![observation],
            retries: RetrySchedule { answer_seconds: 3, windows: &[] },
            quarantined: None,
        };
        assert_eq!(self.store.commit(record).await.unwrap().event_types().len(), 1);
    }

    /// A consumer's view, that may do everything.
    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.nats.url()).await.unwrap())
    }

    pub async fn bucket(&self) -> kv::Store {
        self.jetstream().await.get_key_value(BUCKET).await.unwrap()
    }

    /// Every key with its value; nothing if there is no bucket or no server.
    pub async fn state(&self) -> State {
        let Ok(client) = async_nats::connect(self.nats.url()).await else { return State::new() };
        match jetstream::new(client).get_key_value(BUCKET).await {
            Ok(bucket) => state_of(&bucket).await,
            Err(_) => State::new(),
        }
    }

    pub async fn events(&self) -> Vec<StoredEvent> {
        self.store.events_after(0, 100_000).await.unwrap()
    }

    /// What the bucket must hold, but for the revisions, made of the log of events alone.
    pub async fn expected(&self) -> State {
        let mut expected = State::new();
        for event in self.events().await {
            let envelope: Value = serde_json::from_slice(&event.envelope).unwrap();
            let (noun, id) = event.entity.split_once('/').unwrap();
            if !SHOWN.contains(&noun) {
                continue;
            }
            let key = format!("kollus.{}.{noun}.{}", event.account, escaped(id));
            if event.route.ends_with(".removed") {
                expected.remove(&key);
                continue;
            }
            let mut attributes = envelope["data"][noun].as_object().unwrap().clone();
            attributes.remove("id");
            let state = attributes.remove("state").unwrap_or_default();
            // An event says of some things that they are not known.
            attributes.retain(|_, value| !value.is_null());
            let value = serde_json::json!({
                "attributes": attributes,
                "state": state,
                "event_id": event.event_id,
                "updated_at": envelope["recordedtime"],
            });
            expected.insert(key, value);
        }
        expected
    }

    /// Waits until the bucket holds what follows from the events: that, and nothing else.
    pub async fn is_right(&self) {
        let expected = self.expected().await;
        self.becomes(&expected).await;
    }

    pub async fn becomes(&self, expected: &State) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = without_revisions(self.state().await);
            if state == *expected {
                return;
            }
            let health = self.health.conditions();
            assert!(Instant::now() < deadline, "{state:#?}\nis not\n{expected:#?}\n{health:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a component says something with this text.
    pub async fn says(&self, component: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let conditions = self.health.conditions();
            let condition = conditions.iter().find(|(name, _)| *name == component);
            if condition.is_some_and(|(_, condition)| format!("{condition:?}").contains(text)) {
                return;
            }
            assert!(Instant::now() < deadline, "{component} does not say {text:?}: {conditions:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Nothing takes longer, unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The nouns of the contract.
const SHOWN: [&str; 7] = ["broadcast", "channel", "space", "recording", "content", "category", "filter"];

/// An entry of a list.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    pub id: &'r str,
    pub title: &'r str,
    pub phase: Option<Phase>,
}

/// A thing without phases.
pub fn thing<'r>(id: &'r str, title: &'r str) -> Row<'r> {
    Row { id, title, phase: None }
}

pub fn broadcast(id: &str, phase: Phase) -> Row<'_> {
    Row { id, title: id, phase: Some(phase) }
}

/// With all that these tests sweep.
pub fn configured(name: AccountName) -> ConfiguredAccount {
    ConfiguredAccount { name, platform: "kollus", watches: SHOWN.to_vec() }
}

pub fn acme() -> AccountName {
    AccountName::parse("acme").unwrap()
}

pub fn noon() -> Timestamp {
    "2026-01-14T12:00:00Z".parse().unwrap()
}

pub async fn state_of(bucket: &kv::Store) -> State {
    let Ok(keys) = bucket.keys().await else { return State::new() };
    let Ok(keys) = keys.try_collect::<Vec<_>>().await else { return State::new() };
    let mut state = State::new();
    for key in keys {
        // It may have been deleted meanwhile.
        if let Ok(Some(value)) = bucket.get(&key).await {
            state.insert(key, serde_json::from_slice(&value).unwrap());
        }
    }
    state
}

/// Revisions stand in no event.
pub fn without_revisions(mut state: State) -> State {
    for value in state.values_mut().filter_map(Value::as_object_mut) {
        value.remove("revision");
    }
    state
}

/// As the contract says: `[A-Za-z0-9_=-]`.
fn escaped(id: &str) -> String {
    id.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
            other => format!("={other:02X}"),
        })
        .collect()
}
