//! Keeps the key-value bucket `LIVE_STATE` equal to what the store knows, for consumers without a database.
//!
//! The store is the truth: after each event the entity's newest belief is put under its key, and what is removed
//! is deleted. A bucket that is new, or holds less than it once took, is filled again from the store. Once a day
//! the keys of what was forgotten are deleted, and the marks that deleted keys leave behind are removed, or the
//! bucket would grow for ever.

mod entry;
mod prune;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    health::{Condition, Health},
    ports::bus::{Bucket, Bus, BusError, StreamStanding},
    store::{CurrentEntity, Mirror, Store, StoreError},
    telemetry,
};

/// Name of the bucket.
pub const BUCKET: &str = "LIVE_STATE";

/// Entities read and put at a time.
const PAGE: usize = 500;
/// How many puts wait for their PubAck.
const IN_FLIGHT_MAX: usize = 64;
/// How often it is asked whether the bucket is still what it was.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Keeps the bucket.
pub struct Mirroring {
    store: Store,
    bus: Bus,
    health: Health,
}

#[derive(Debug, thiserror::Error)]
enum MirrorError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it lost what it had taken, and is filled again")]
    Lost,
}

/// The bucket as it was when it was last looked at.
struct Seen {
    bucket: Bucket,
    mirror: Mirror,
    /// On which connection, counted from the start.
    connects: u64,
    at: Instant,
}

/// What was put: the lowest and the highest sequence that was given to it; none if there was nothing.
type Sequences = Option<(u64, u64)>;

impl Mirroring {
    /// Does nothing until it is run. Only one may run on a store.
    pub fn new(store: Store, bus: Bus, health: Health) -> Self {
        Self { store, bus, health }
    }

    /// Keeps the bucket until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.keep()).await;
    }

    async fn keep(&self) {
        let mut link = self.bus.link();
        let mut newest_event = self.store.newest_event();
        let (mut delays, mut seen, mut pruned_at) = (delays(), None, None);
        loop {
            // The sender lives as long as the bus.
            let Ok(connects) = link.wait_for(|link| link.is_up).await.map(|link| link.connects) else {
                return;
            };
            newest_event.borrow_and_update();
            match self.round(connects, seen.take(), &mut pruned_at).await {
                Ok(looked) => {
                    seen = Some(looked);
                    delays = self::delays();
                    self.health.report("current state", Condition::Ok);
                }
                Err(error) => {
                    let why = format!("the bucket {BUCKET} is behind: {error}");
                    self.health.report("current state", Condition::Degraded(why));
                    tokio::time::sleep(delays.next().unwrap_or(LOOK_EVERY)).await;
                    continue;
                }
            }
            tokio::select! {
                _ = newest_event.changed() => {}
                _ = link.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Looks at the bucket now and then, fills it if it must be, and brings it up to date.
    async fn round(
        &self,
        connects: u64,
        seen: Option<Seen>,
        pruned_at: &mut Option<Instant>,
    ) -> Result<Seen, MirrorError> {
        let is_fresh = |seen: &Seen| seen.connects == connects && seen.at.elapsed() < LOOK_EVERY;
        let mut seen = match seen.filter(is_fresh) {
            Some(seen) => seen,
            None => self.look(connects, pruned_at).await?,
        };
        self.follow(&mut seen).await?;
        self.prune_in_time(&mut seen, pruned_at).await?;
        Ok(seen)
    }

    async fn look(&self, connects: u64, pruned_at: &mut Option<Instant>) -> Result<Seen, MirrorError> {
        let (bucket, standing) = self.bus.ensure_bucket(BUCKET).await?;
        let mirror = match self.store.mirror(BUCKET).await? {
            Some(mirror) if is_intact(&mirror, &standing) => mirror,
            _ => {
                *pruned_at = None;
                self.fill(&bucket, &standing).await?
            }
        };
        Ok(Seen { bucket, mirror, connects, at: Instant::now() })
    }

    /// Puts everything that is known. What is gone is left to the pruning that follows.
    async fn fill(&self, bucket: &Bucket, standing: &StreamStanding) -> Result<Mirror, MirrorError> {
        // Whatever happens meanwhile has a higher row, and is put again.
        let row = *self.store.newest_event().borrow();
        let mut mirror = Mirror { row, created: standing.created.clone(), js_sequence: 0 };
        let (mut after, mut count) = (None, 0);
        loop {
            let mut page = self.store.current_page(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.account.clone(), last.entity.to_string()));
            page.retain(|current| !current.known.is_gone && !current.is_former);
            count += page.len();
            raise(&mut mirror, put(bucket, page).await?);
        }
        tracing::info!("filled the bucket {BUCKET} with {count} entities");
        self.store.set_mirror(BUCKET, mirror.clone()).await?;
        Ok(mirror)
    }

    /// Puts what events told of since the last time.
    async fn follow(&self, Seen { bucket, mirror, .. }: &mut Seen) -> Result<(), MirrorError> {
        loop {
            let (entities, row) = self.store.changed_entities(mirror.row, PAGE).await?;
            if row == mirror.row {
                return Ok(());
            }
            // What is not configured any more is left as it is, and pruned when it is forgotten.
            let entities = entities.into_iter().filter(|current| !current.is_former).collect();
            let sequences = put(bucket, entities).await?;
            if sequences.is_some_and(|(lowest, _)| lowest <= mirror.js_sequence) {
                // It was set back, or made anew, under our hands: no look will show that any more.
                mirror.created.clear();
                self.store.set_mirror(BUCKET, mirror.clone()).await?;
                return Err(MirrorError::Lost);
            }
            raise(mirror, sequences);
            mirror.row = row;
            // Events of viewers move the row on, and need not be remembered one by one.
            if sequences.is_some() {
                self.store.set_mirror(BUCKET, mirror.clone()).await?;
            }
        }
    }
}

/// Puts or deletes each.
async fn put(bucket: &Bucket, entities: Vec<CurrentEntity>) -> Result<Sequences, BusError> {
    let puts = stream::iter(entities).map(|current| put_one(bucket.clone(), current));
    let span = async |span: Sequences, js_sequence: u64| {
        let (lowest, highest) = span.unwrap_or((js_sequence, js_sequence));
        Ok(Some((lowest.min(js_sequence), highest.max(js_sequence))))
    };
    puts.buffer_unordered(IN_FLIGHT_MAX).try_filter_map(async |it| Ok(it)).try_fold(None, span).await
}

async fn put_one(bucket: Bucket, current: CurrentEntity) -> Result<Option<u64>, BusError> {
    let Some(key) = entry::key(&current) else {
        let CurrentEntity { platform, account, entity, .. } = current;
        tracing::warn!("a {} of {platform}/{account} is not shown: its id is too long", entity.noun);
        return Ok(None);
    };
    if current.known.is_gone {
        return bucket.delete(&key).await.map(Some);
    }
    let value = entry::value(&current);
    if value.len() > bucket.value_bytes_max() {
        // One that is refused for ever must not hold up all others, and the former value is not true any more.
        let (bytes, bytes_max) = (value.len(), bucket.value_bytes_max());
        tracing::warn!("{key} is not shown: it has {bytes} bytes, and the bus takes {bytes_max}");
        return bucket.delete(&key).await.map(Some);
    }
    let js_sequence = bucket.put(&key, value).await?;
    metrics::counter!(telemetry::CURRENT_PUTS).increment(1);
    Ok(Some(js_sequence))
}

/// Notes the highest sequence that was given to something.
fn raise(mirror: &mut Mirror, sequences: Sequences) {
    mirror.js_sequence = mirror.js_sequence.max(sequences.map_or(0, |(_, highest)| highest));
}

/// Whether the bucket is the one that was filled, and has not lost its end.
fn is_intact(mirror: &Mirror, standing: &StreamStanding) -> bool {
    mirror.created == standing.created && standing.last_js_sequence >= mirror.js_sequence
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(LOOK_EVERY)
        .without_max_times()
        .with_jitter()
        .build()
}
