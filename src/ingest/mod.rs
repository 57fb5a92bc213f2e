//! Accept a delivery: find whose it is, verify, decode, commit; answer only after that.

mod outcome;
mod quarantine;
mod route;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use jiff::Timestamp;

pub use outcome::Outcome;
pub use quarantine::RetryError;
pub use route::{Receiver, Receivers, Route};

use crate::{
    model::{AccountName, ContentHash, Observation, Proof},
    platform::{Decoded, Delivery, Malformed, Unverified, Wake},
    ports::Clock,
    store::{DeliveryRecord, Store},
    telemetry,
};

/// Where it is said that a callback could be confirmed by the platform's API. Must not block.
pub type WakeSink = Arc<dyn Fn(&AccountName, Wake) + Send + Sync>;

/// Accepts deliveries; cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    receivers: Arc<Receivers>,
    store: Store,
    clock: Arc<dyn Clock>,
    wake: Option<WakeSink>,
}

impl Ingest {
    /// For the callbacks of `receivers`, committed to `store`.
    pub fn new(receivers: Receivers, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { receivers: Arc::new(receivers), store, clock, wake: None }
    }

    /// Tells `wake` of each committed callback that the platform's API could confirm.
    #[must_use]
    pub fn waking(self, wake: WakeSink) -> Self {
        Self { wake: Some(wake), ..self }
    }

    /// Whose callback this is; `None` if account, token or callback is wrong, taking equally long.
    pub fn route(&self, account: &str, url_token: &str, callback: &str) -> Option<Route<'_>> {
        self.receivers.route(account, url_token, callback)
    }

    /// Verifies, decodes and commits. The caller gives up waiting at the delivery deadline by dropping the
    /// future; a commit that was begun is carried through all the same.
    #[tracing::instrument(level = "debug", name = "delivery", skip_all, fields(account = %route.receiver.settings.name, callback = route.callback.name))]
    pub async fn accept(
        &self,
        route: Route<'_>,
        content_type: Option<String>,
        body: Bytes,
        received_at: Timestamp,
    ) -> Outcome {
        // Milliseconds are what the store keeps and events show.
        let received_at = Timestamp::from_millisecond(received_at.as_millisecond()).unwrap_or(received_at);
        let delivery = Delivery { callback: route.callback, content_type, body, received_at };
        let reading = read(route, &delivery);
        count(route, &reading);
        let fate = match reading {
            Reading::Unverified(Unverified(why)) => Fate::new(Outcome::Refused, why),
            Reading::Probe => Fate::new(Outcome::Probe, "an empty form: the URL was tried"),
            Reading::Understood { content, observations, proof, wakes, .. } => {
                let fate = self.commit(route, record(route, delivery, proof, content, observations)).await;
                self.wake(route, &fate.outcome, wakes);
                fate
            }
            Reading::Malformed { proof, reason } => {
                let content = ContentHash::of_bytes(&delivery.body);
                let mut record = record(route, delivery, proof, content, Vec::new());
                record.quarantine(reason.0);
                self.commit(route, record).await
            }
        };
        self.tell(route, &fate, received_at);
        fate.outcome
    }

    /// Counts and tells of a delivery that could not be committed in time.
    pub fn unavailable(&self, route: Route<'_>, received_at: Timestamp, why: &'static str) -> Outcome {
        self.tell(route, &Fate::new(Outcome::Unavailable, why), received_at);
        Outcome::Unavailable
    }

    /// Counts and tells of a request whose body could not be taken.
    pub fn rejected(&self, route: Route<'_>, received_at: Timestamp, why: &'static str) {
        self.tell(route, &Fate::new(Outcome::Rejected, why), received_at);
    }

    async fn commit(&self, route: Route<'_>, record: DeliveryRecord) -> Fate {
        let durable = match self.store.commit(record).await {
            Ok(durable) => durable,
            Err(error) => return Fate::new(Outcome::Unavailable, error.to_string()),
        };
        for event_type in durable.event_types() {
            let platform = route.receiver.platform.descriptor().id;
            metrics::counter!(telemetry::EVENTS, "platform" => platform, "type" => event_type.clone(), "via" => "callback")
                .increment(1);
        }
        let detail = match (durable.quarantined(), durable.event_types()) {
            (Some(reason), _) => reason.to_owned(),
            (None, []) => "nothing new".to_owned(),
            (None, event_types) => event_types.join(", "),
        };
        let outcome = match (durable.quarantined(), durable.is_repeat()) {
            (_, true) => Outcome::Duplicate(durable),
            (Some(_), false) => Outcome::Quarantined(durable),
            (None, false) => Outcome::Accepted(durable),
        };
        Fate { outcome, detail }
    }

    /// A repeat was confirmed when it was news, or will be by the next sweep.
    fn wake(&self, route: Route<'_>, outcome: &Outcome, wakes: Vec<Wake>) {
        if let (Some(wake), Outcome::Accepted(_)) = (&self.wake, outcome) {
            wakes.into_iter().for_each(|it| wake(&route.receiver.settings.name, it));
        }
    }

    /// The delivery's log line and metrics.
    fn tell(&self, route: Route<'_>, fate: &Fate, received_at: Timestamp) {
        let platform = route.receiver.platform.descriptor().id;
        let (account, callback) = (&route.receiver.settings.name, route.callback.name);
        let (outcome, detail) = (fate.outcome.as_str(), &fate.detail);
        let ms = self.milliseconds_since(received_at);

        metrics::counter!(telemetry::DELIVERIES, "platform" => platform, "callback" => callback, "outcome" => outcome)
            .increment(1);
        metrics::histogram!(telemetry::DELIVERY_SECONDS, "platform" => platform)
            .record(f64::from(ms) / 1000.0);

        let delivery = fate.outcome.delivery();
        match fate.outcome {
            Outcome::Accepted(_) | Outcome::Duplicate(_) | Outcome::Probe => tracing::info!(
                platform, %account, callback, outcome, delivery, ms,
                "{platform}/{account} {callback}: {outcome}, {detail} ({ms} ms)"
            ),
            Outcome::Quarantined(_) | Outcome::Refused | Outcome::Rejected | Outcome::Unavailable => {
                tracing::warn!(
                    platform, %account, callback, outcome, delivery, ms,
                    "{platform}/{account} {callback}: {outcome}, {detail} ({ms} ms)"
                )
            }
        }
    }

    fn milliseconds_since(&self, received_at: Timestamp) -> u32 {
        u32::try_from(self.clock.now().duration_since(received_at).as_millis()).unwrap_or(0)
    }
}

/// An outcome and what an operator wants to know of it; never a value out of the body.
struct Fate {
    outcome: Outcome,
    detail: String,
}

impl Fate {
    fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }
}

/// What became of the bytes.
enum Reading {
    Unverified(Unverified),
    Probe,
    Understood {
        content: ContentHash,
        observations: Vec<Observation>,
        proof: Proof,
        quirks: Vec<&'static str>,
        wakes: Vec<Wake>,
    },
    Malformed {
        proof: Proof,
        reason: Malformed,
    },
}

/// Counts what is odd about a delivery.
fn count(route: Route<'_>, reading: &Reading) {
    let platform = route.receiver.platform.descriptor().id;
    if let Reading::Understood { proof: Proof::UrlToken, .. }
    | Reading::Malformed { proof: Proof::UrlToken, .. } = reading
    {
        metrics::counter!(telemetry::UNSIGNED_DELIVERIES, "platform" => platform).increment(1);
    }
    if let Reading::Understood { quirks, .. } = reading {
        for quirk in quirks {
            metrics::counter!(telemetry::QUIRKS, "platform" => platform, "quirk" => *quirk).increment(1);
        }
    }
}

fn read(route: Route<'_>, delivery: &Delivery) -> Reading {
    let Receiver { platform, settings, .. } = route.receiver;
    let callbacks = platform.callbacks().expect("only platforms with callbacks have routes");
    let verified = match callbacks.verify(delivery, settings) {
        Ok(verified) => verified,
        Err(unverified) => return Reading::Unverified(unverified),
    };
    let proof = verified.proof();
    match catch_unwind(AssertUnwindSafe(|| callbacks.decode(&verified, settings))) {
        Ok(Ok(Decoded::Probe)) => Reading::Probe,
        Ok(Ok(Decoded::Observed { content, observations, quirks, wakes })) => {
            Reading::Understood { content, observations, proof, quirks, wakes }
        }
        Ok(Err(reason)) => Reading::Malformed { proof, reason },
        Err(_) => {
            Reading::Malformed { proof, reason: Malformed::because("livehook panicked while decoding it") }
        }
    }
}

fn record(
    route: Route<'_>,
    delivery: Delivery,
    proof: Proof,
    content: ContentHash,
    observations: Vec<Observation>,
) -> DeliveryRecord {
    let descriptor = route.receiver.platform.descriptor();
    DeliveryRecord {
        account: route.receiver.settings.name.clone(),
        platform: descriptor.id,
        callback: route.callback.name,
        content_type: delivery.content_type,
        body: delivery.body,
        received_at: delivery.received_at,
        proof,
        priority: route.callback.priority,
        content,
        observations,
        retries: descriptor.retries,
        quarantined: None,
    }
}

#[cfg(test)]
mod tests;
