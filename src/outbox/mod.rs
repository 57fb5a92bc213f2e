//! The publisher: brings events from the store to the bus, and keeps watch that they stay there.
//!
//! Its rules:
//! 1. Events of one account and one entity are published in the order of their rows: one of them is in
//!    flight at a time. Others do not wait for them.
//! 2. Whether an event is on the bus is known from its PubAck alone, kept in the store's ledger. Without
//!    one it is published again, with the same id, for ever; JetStream drops what it has already.
//! 3. An event that the bus will never take, because it is too large, is set aside, so that those behind
//!    it can go on.
//! 4. Anything else that fails pauses the JetStream stream as a whole, longer each time, and is told as
//!    health of the component `bus`. Platforms notice nothing.
//! 5. A PubAck is not durability. After every reconnect, every 15 seconds, and when an answer is odd, a
//!    stream is compared with the ledger; what it lost is published again, in order, with the same ids.
//!
//! The two streams know nothing of each other: viewers' events that find their stream full keep no
//! broadcast waiting.

mod attempt;
mod audit;
mod outlet;
mod standing;
mod window;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use self::{outlet::Outlet, standing::Standing};
use crate::{
    health::Health,
    ports::{
        Clock,
        bus::{Bus, JsStream},
    },
    store::Store,
    telemetry,
};

const BACKLOG_EVERY: Duration = Duration::from_secs(5);

/// Publishes what waits in the store.
pub struct Publisher {
    store: Store,
    bus: Bus,
    clock: Arc<dyn Clock>,
    health: Health,
}

impl Publisher {
    /// Does nothing until it is run. Only one publisher may run on a store.
    pub fn new(store: Store, bus: Bus, clock: Arc<dyn Clock>, health: Health) -> Self {
        Self { store, bus, clock, health }
    }

    /// Publishes until `shutdown`; then begins nothing new, gives what is in flight up to 10 seconds,
    /// keeps the PubAcks and returns. What was not published waits in the store.
    pub async fn run(self, shutdown: CancellationToken) {
        let standing = Standing::new(self.health.clone());
        let outlet = |js_stream| {
            let clock = Arc::clone(&self.clock);
            Outlet::new(js_stream, self.store.clone(), self.bus.clone(), clock, standing.clone())
                .run(shutdown.clone())
        };
        tokio::join!(
            outlet(JsStream::Live),
            outlet(JsStream::LivePlayback),
            shutdown.run_until_cancelled(self.watch_backlog()),
        );
    }

    /// Measures what waits.
    async fn watch_backlog(&self) {
        let mut every = tokio::time::interval(BACKLOG_EVERY);
        loop {
            every.tick().await;
            match self.store.backlog().await {
                Ok((events, oldest)) => {
                    let age =
                        oldest.map_or(0.0, |oldest| self.clock.now().duration_since(oldest).as_secs_f64());
                    metrics::gauge!(telemetry::OUTBOX_EVENTS).set(events as f64);
                    metrics::gauge!(telemetry::OUTBOX_OLDEST_SECONDS).set(age.max(0.0));
                }
                Err(error) => tracing::warn!("the outbox cannot be measured: {error}"),
            }
        }
    }
}
