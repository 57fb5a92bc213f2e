//! Callbacks that come at a steady rate, whatever else the store is doing, and how long each waits.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use livehook::{
    model::{AccountName, ContentHash, EntityKey, Noun, Observation, Phase, Proof, RetrySchedule, Rules},
    platform::Priority,
    store::{DeliveryRecord, Store},
};
use tokio::{sync::oneshot, task::JoinHandle, task::JoinSet, time::MissedTickBehavior};

/// Between two callbacks.
const GAP: Duration = Duration::from_millis(5);

/// How long callbacks waited.
#[derive(Clone, Copy, Default, Debug)]
pub struct Waits {
    pub count: usize,
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Waits {
    pub fn of(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        let Some(&max) = waits.last() else { return Self::default() };
        let at = |percent: usize| waits[(waits.len() * percent / 100).min(waits.len() - 1)];
        Self { count: waits.len(), p50: at(50), p99: at(99), max }
    }
}

/// Callbacks on their way, until they are stopped.
pub struct Callbacks {
    stop: oneshot::Sender<()>,
    waits: JoinHandle<Vec<Duration>>,
}

impl Callbacks {
    /// Begins; `label` makes them different from all others.
    pub fn begin(store: &Store, label: String) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, waits: tokio::spawn(deliver(store.clone(), label, stopped)) }
    }

    /// Sends no more, and returns how long each waited.
    pub async fn stop(self) -> anyhow::Result<Vec<Duration>> {
        // It ends only when it is told to.
        let _ = self.stop.send(());
        Ok(self.waits.await?)
    }
}

async fn deliver(store: Store, label: String, mut stopped: oneshot::Receiver<()>) -> Vec<Duration> {
    let mut ticks = tokio::time::interval(GAP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut on_the_way = JoinSet::new();
    for nth in 0.. {
        tokio::select! {
            _ = &mut stopped => break,
            _ = ticks.tick() => {}
        }
        let (store, record) = (store.clone(), callback(&format!("{label}-{nth}")));
        on_the_way.spawn(async move {
            let began = Instant::now();
            store.commit(record).await.unwrap().answered();
            began.elapsed()
        });
    }
    on_the_way.join_all().await
}

/// A broadcast begins.
fn callback(id: &str) -> DeliveryRecord {
    let body = format!(
        "version=2018-11-01&service_account_key=acme&channel_key=k7q2m9x4b1z8t5ra&broadcast_key={id}&broadcast_state=start"
    );
    DeliveryRecord {
        account: AccountName::parse("acme").unwrap(),
        platform: "kollus",
        callback: "live-state",
        content_type: Some("application/x-www-form-urlencoded".to_owned()),
        received_at: Timestamp::UNIX_EPOCH,
        proof: Proof::UrlToken,
        priority: Priority::High,
        content: ContentHash::of_bytes(body.as_bytes()),
        body: Bytes::from(body),
        observations: vec![Observation {
            phase: Some(Phase::Live),
            rules: Rules::ONE_USE,
            ..Observation::of(EntityKey::new(Noun::Broadcast, id))
        }],
        retries: RetrySchedule { answer_seconds: 3, windows: &[] },
        quarantined: None,
    }
}
