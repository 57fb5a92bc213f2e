//! What is told of an exchange after its answer: a delivery like any other in the store, so that its events go the
//! way of all events. Nobody waits for it, and what cannot be committed is dropped and counted.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{account::AskingAccount, decide::Decided, tell::Teller};
use crate::{
    model::{ContentHash, Observation, Proof},
    platform::{Delivery, Exchange},
    store::{CommitError, DeliveryRecord, Store},
    telemetry,
};

/// What the exchanges that wait may take in memory.
const BYTES_MAX: usize = 32 << 20;
/// What a question takes, besides its delivery's body.
const QUESTION_BYTES: usize = 2048;
/// Exchanges handed to the store at once: enough to share its fsyncs, too few to crowd out callbacks.
const COMMITS_MAX: usize = 256;
/// How long to wait before trying again when another program holds the store.
const PAUSE: Duration = Duration::from_millis(250);

/// A delivery that was answered.
pub(super) struct Exchanged {
    pub(super) account: Arc<AskingAccount>,
    pub(super) delivery: Delivery,
    pub(super) proof: Proof,
    pub(super) latency: Duration,
    pub(super) said: Said,
}

/// What there is to tell of it.
pub(super) enum Said {
    /// At least one, all with a ruling.
    Decided(Vec<Decided>),
    /// Why it could not be read.
    Unreadable(String),
}

/// Where exchanges are handed in.
pub(super) struct Recorder {
    queue: mpsc::UnboundedSender<Queued>,
    bytes: Arc<Semaphore>,
    teller: Teller,
}

struct Queued {
    exchanged: Exchanged,
    _bytes: OwnedSemaphorePermit,
}

/// The work of committing exchanges.
#[must_use = "somebody must run it"]
pub struct Recording {
    queue: mpsc::UnboundedReceiver<Queued>,
    committer: Committer,
}

struct Committer {
    store: Store,
    teller: Teller,
}

pub(super) fn recorder(store: Store, teller: Teller) -> (Recorder, Recording) {
    let (queue, queued) = mpsc::unbounded_channel();
    let bytes = Arc::new(Semaphore::new(BYTES_MAX));
    let committer = Committer { store, teller: teller.clone() };
    (Recorder { queue, bytes, teller }, Recording { queue: queued, committer })
}

impl Recorder {
    /// Takes an exchange, or drops it when too much waits.
    pub(super) fn record(&self, exchanged: Exchanged) {
        let questions = match &exchanged.said {
            Said::Decided(decided) => decided.len(),
            Said::Unreadable(_) => 1,
        };
        let bytes = exchanged.delivery.body.len() + questions * QUESTION_BYTES;
        let place = Arc::clone(&self.bytes).try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
        let Ok(place) = place else {
            self.teller.dropped(&exchanged.account, "behind", "more is waiting than the disk can take");
            return;
        };
        if let Err(refused) = self.queue.send(Queued { exchanged, _bytes: place }) {
            self.teller.dropped(&refused.0.exchanged.account, "ended", "livehook is ending");
        }
    }
}

impl Recording {
    /// Commits until `ending`, then what is waiting.
    pub async fn run(self, ending: CancellationToken) {
        let Self { mut queue, committer } = self;
        let mut committing = FuturesUnordered::new();
        loop {
            tokio::select! {
                queued = queue.recv(), if committing.len() < COMMITS_MAX => match queued {
                    Some(queued) => committing.push(committer.commit(queued, &ending)),
                    None => break,
                },
                Some(()) = committing.next() => {}
                () = ending.cancelled(), if !queue.is_closed() => queue.close(),
            }
        }
        while committing.next().await.is_some() {}
    }
}

impl Committer {
    async fn commit(&self, Queued { exchanged, _bytes }: Queued, ending: &CancellationToken) {
        let account = Arc::clone(&exchanged.account);
        let record = record(exchanged);
        let committed = loop {
            match self.store.commit(record.clone()).await {
                // That passes, and what waits is bounded.
                Err(CommitError::Busy) if !ending.is_cancelled() => tokio::time::sleep(PAUSE).await,
                committed => break committed,
            }
        };
        match committed {
            Ok(durable) => {
                for event_type in durable.event_types() {
                    metrics::counter!(telemetry::EVENTS, "platform" => account.platform_id(), "type" => event_type.clone(), "via" => "callback")
                        .increment(1);
                }
                durable.answered();
            }
            Err(error) => {
                let why = match error {
                    CommitError::Busy => "busy",
                    CommitError::Full => "full",
                    CommitError::Failed(_) => "failed",
                };
                self.teller.dropped(&account, why, &error.to_string());
            }
        }
    }
}

fn record(exchanged: Exchanged) -> DeliveryRecord {
    let Exchanged { account, delivery, proof, latency, said } = exchanged;
    let descriptor = account.platform().descriptor();
    // Players ask again when they want to know again, so each exchange is one of its own, whatever it says.
    let content = match &said {
        Said::Decided(decided) => ContentHash::of_fields(decided.iter().map(|it| ("id", &*it.id))),
        Said::Unreadable(_) => ContentHash::of_bytes(&delivery.body),
    };
    let mut record = DeliveryRecord {
        account: account.name().clone(),
        platform: descriptor.id,
        callback: delivery.callback.name,
        content_type: delivery.content_type,
        body: delivery.body,
        received_at: delivery.received_at,
        proof,
        priority: delivery.callback.priority,
        content,
        observations: Vec::new(),
        retries: descriptor.retries,
        quarantined: None,
    };
    match said {
        Said::Decided(decided) => {
            record.observations = decided.iter().filter_map(|it| observe(&account, it, latency)).collect();
        }
        Said::Unreadable(reason) => record.quarantine(reason),
    }
    record
}

fn observe(account: &AskingAccount, decided: &Decided, latency: Duration) -> Option<Observation> {
    let Decided { question, id, ruling, by } = decided;
    let exchange = Exchange { id, ruling: ruling.as_ref()?, decided_by: *by, latency };
    account.observe(question, &exchange)
}
