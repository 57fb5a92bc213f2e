//! A store, a publisher, a server, and a second client that looks at what arrived.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::jetstream;
use livehook::{
    health::{Condition, Health},
    model::{AccountName, Attributes, ContentHash, EntityKey, Noun, Observation, Proof, RetrySchedule, Verb},
    outbox::Publisher,
    platform::Priority,
    ports::{Bus, BusOptions, SystemClock, bus::JsStream},
    store::{DeliveryRecord, Store, StoreOptions, StoredEvent, WriterThread},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{
    nats::Nats,
    remains::{TempDir, tempdir},
};

pub struct Rig {
    pub nats: Nats,
    pub store: Store,
    pub health: Health,
    committed: AtomicU64,
    publisher: Option<(CancellationToken, JoinHandle<()>)>,
    _writer: WriterThread,
    _dir: TempDir,
}

impl Rig {
    /// A store and a server; nothing is published yet.
    pub fn new(nats: Nats) -> Self {
        let dir = tempdir();
        let options = StoreOptions {
            dir: dir.path().join("store"),
            bytes_max: 1 << 30,
            has_bus: true,
            unsafe_no_fsync: false,
        };
        let (store, writer) = Store::open(options, [7; 32]).unwrap();
        Self {
            nats,
            store,
            health: Health::default(),
            committed: AtomicU64::new(0),
            publisher: None,
            _writer: writer,
            _dir: dir,
        }
    }

    /// The same, publishing.
    pub async fn publishing() -> Self {
        let mut rig = Self::new(Nats::start());
        rig.publish().await;
        rig
    }

    pub async fn publish(&mut self) {
        self.publish_with(self.nats.options()).await;
    }

    pub async fn publish_with(&mut self, options: BusOptions) {
        let bus = Bus::connect(options).await.unwrap();
        let publisher = Publisher::new(self.store.clone(), bus, Arc::new(SystemClock), self.health.clone());
        let stop = CancellationToken::new();
        self.publisher = Some((stop.clone(), tokio::spawn(publisher.run(stop))));
    }

    pub async fn stop_publishing(&mut self) {
        let (stop, publisher) = self.publisher.take().unwrap();
        stop.cancel();
        publisher.await.unwrap();
    }

    /// Commits one event about an entity.
    pub async fn commit(&self, noun: Noun, id: &str) {
        self.commit_with(noun, id, "").await;
    }

    pub async fn commit_with(&self, noun: Noun, id: &str, text: &str) {
        let number = self.committed.fetch_add(1, Ordering::Relaxed);
        let mut attributes = Attributes::default();
        attributes.set("title", format!("{number} {text}").into());
        let verb = if noun == Noun::Playback { Verb::Progressed } else { Verb::Updated };
        let observation =
            Observation { told: Some(verb), attributes, ..Observation::of(EntityKey::new(noun, id)) };
        let record = DeliveryRecord {
            account: AccountName::parse("acme").unwrap(),
            platform: "loopback",
            callback: "event",
            content_type: None,
            body: number.to_string().into(),
            received_at: "2026-01-14T04:30:12Z".parse().unwrap(),
            proof: Proof::UrlToken,
            priority: Priority::High,
            content: ContentHash::of_bytes(&number.to_le_bytes()),
            observations: vec![observation],
            retries: RetrySchedule { answer_seconds: 3, windows: &[] },
            quarantined: None,
        };
        let durable = self.store.commit(record).await.unwrap();
        assert_eq!(durable.event_types().len(), 1);
    }

    /// Commits `count` events about `lanes` channels, in turn.
    pub async fn commit_many(&self, count: usize, lanes: usize) {
        for number in 0..count {
            self.commit(Noun::Channel, &format!("lane-{}", number % lanes)).await;
        }
    }

    pub async fn waiting(&self) -> u64 {
        self.store.backlog().await.unwrap().0
    }

    /// Waits until no event waits for the bus.
    pub async fn all_published(&self) {
        self.until("all is published", async || self.waiting().await == 0).await;
    }

    /// Waits until the streams hold so many again and nothing waits; returns the most that waited, as far as was
    /// seen: a short loss may be mended between two looks.
    pub async fn all_held_again(&self, count: u64) -> u64 {
        let most = Cell::new(0);
        self.until("what was lost is there again", async || {
            let waiting = self.waiting().await;
            most.set(most.get().max(waiting));
            waiting == 0 && {
                let live = self.held_or_none(JsStream::Live).await;
                live + self.held_or_none(JsStream::LivePlayback).await == count
            }
        })
        .await;
        most.get()
    }

    /// Waits until the component `bus` says something with this text.
    pub async fn bus_says(&self, text: &str) {
        self.until(&format!("the bus says {text:?}"), async || {
            self.bus_condition().is_some_and(|condition| format!("{condition:?}").contains(text))
        })
        .await;
    }

    pub fn bus_condition(&self) -> Option<Condition> {
        let mut conditions = self.health.conditions().into_iter();
        conditions.find(|(component, _)| *component == "bus").map(|(_, condition)| condition)
    }

    pub async fn until(&self, what: &str, is_true: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_true().await {
            assert!(
                Instant::now() < deadline,
                "{what}: not so within 20 s; health {:?}",
                self.health.conditions()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Every committed event, in the order of commits.
    pub async fn committed(&self) -> Vec<StoredEvent> {
        self.store.events_after(0, 100_000).await.unwrap()
    }

    /// Everything that a stream holds: `(event id, payload)`, in order.
    pub async fn held(&self, js_stream: JsStream) -> Vec<(String, Vec<u8>)> {
        let stream = client(&self.nats.options()).await.get_stream(js_stream).await.unwrap();
        let state = stream.cached_info().state.clone();
        let mut held = Vec::new();
        for js_sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(js_sequence).await.unwrap();
            let id = message.headers.get("Nats-Msg-Id").unwrap().to_string();
            held.push((id, message.payload.to_vec()));
        }
        held
    }

    /// Fails unless both streams hold exactly what was committed: once, whole, in order per entity.
    pub async fn assert_published(&self) {
        let committed = self.committed().await;
        let mut held = self.held(JsStream::Live).await;
        held.extend(self.held(JsStream::LivePlayback).await);
        assert_eq!(held.len(), committed.len(), "how many events the streams hold");
        let by_id: BTreeMap<&str, &StoredEvent> =
            committed.iter().map(|event| (event.event_id.as_str(), event)).collect();
        assert_eq!(by_id.len(), committed.len(), "ids are unique");
        let mut last_rows: BTreeMap<&str, u64> = BTreeMap::new();
        for (id, payload) in &held {
            let event = by_id[id.as_str()];
            assert_eq!(payload, &event.envelope, "{id}");
            let last = last_rows.insert(&event.entity, event.row).unwrap_or(0);
            assert!(last < event.row, "{} is out of order", event.entity);
        }
    }
}

/// A client beside livehook, that may do everything.
pub async fn client(options: &BusOptions) -> jetstream::Context {
    jetstream::new(async_nats::connect(&options.servers[0]).await.unwrap())
}

impl Rig {
    /// How many messages a stream holds; 0 when there is none.
    pub async fn held_or_none(&self, js_stream: JsStream) -> u64 {
        let stream = client(&self.nats.options()).await.get_stream(js_stream).await;
        stream.map_or(0, |stream| stream.cached_info().state.messages)
    }
}
