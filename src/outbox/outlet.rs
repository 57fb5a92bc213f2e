//! Publishes the events of one JetStream stream: loads, sends, settles, audits. One task, no locks.

mod auditing;
mod publishing;
mod recording;

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use self::recording::Recording;
use super::{
    attempt::Attempt,
    standing::{Standing, Troubles},
    window::Window,
};
use crate::{
    ports::{
        Clock,
        bus::{Bus, JsStream, Link},
    },
    store::{LedgerEntry, Store},
    telemetry,
};

/// How many publishes may wait for their PubAck; both streams together have twice as many.
const IN_FLIGHT_MAX: usize = 128;
/// How many PubAcks are kept in one write.
const ACKS_MAX: usize = 256;
const AUDIT_EVERY: Duration = Duration::from_secs(15);
/// What only a person can change is not tried more often than this.
const DENIED_DELAY: Duration = Duration::from_secs(1);
/// How long an event rests that JetStream took for another one.
const SWALLOWED_DELAY: Duration = Duration::from_secs(30);
/// How long the store rests after a failed write.
const STORE_DELAY: Duration = Duration::from_secs(1);
/// A connection that is away no longer than this is not worth a word.
const LINK_GRACE: Duration = Duration::from_secs(1);
/// How long publishes in flight are waited for at the end.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Why the next audit is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum AuditDue {
    /// It is time.
    Regular,
    /// An answer was odd; what waits is read again in any case.
    OddAnswer,
    /// The connection is a new one, perhaps to another server.
    Connected,
}

pub(super) struct Outlet {
    js_stream: JsStream,
    store: Store,
    bus: Bus,
    clock: Arc<dyn Clock>,
    standing: Standing,
    troubles: Troubles,
    link: watch::Receiver<Link>,
    connects: u64,
    link_reported_at: Option<Instant>,
    newest_event: watch::Receiver<u64>,
    may_hold_more: bool,
    window: Window,
    in_flight: FuturesUnordered<BoxFuture<'static, Attempt>>,
    acks: Vec<LedgerEntry>,
    recording: Option<Recording>,
    highest_ack: u64,
    audit_due: Option<AuditDue>,
    /// Rows that were read already wait again.
    must_reread: bool,
    next_audit_at: Instant,
    delays: ExponentialBackoff,
    /// Nothing is published before; afterwards one event at a time, until the first PubAck.
    paused_until: Option<Instant>,
    is_probing: bool,
}

fn delays() -> ExponentialBackoff {
    let builder = ExponentialBuilder::default().with_min_delay(Duration::from_millis(100));
    builder.with_max_delay(Duration::from_secs(3)).without_max_times().with_jitter().build()
}

impl Outlet {
    pub(super) fn new(
        js_stream: JsStream,
        store: Store,
        bus: Bus,
        clock: Arc<dyn Clock>,
        standing: Standing,
    ) -> Self {
        let mut link = bus.link();
        // The state at the start is news as well.
        link.mark_changed();
        Self {
            js_stream,
            newest_event: store.newest_event_of(js_stream.is_playback()),
            store,
            link,
            bus,
            clock,
            standing,
            troubles: Troubles::default(),
            connects: 0,
            link_reported_at: None,
            may_hold_more: true,
            window: Window::default(),
            in_flight: FuturesUnordered::new(),
            acks: Vec::new(),
            recording: None,
            highest_ack: 0,
            audit_due: Some(AuditDue::Connected),
            must_reread: false,
            next_audit_at: Instant::now() + AUDIT_EVERY,
            delays: delays(),
            paused_until: None,
            is_probing: false,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            self.note_time(Instant::now());
            self.note_link();
            self.begin_recording();
            let step = async {
                if self.can_audit() {
                    self.audit().await;
                    return true;
                }
                if self.can_publish() {
                    return self.load().await;
                }
                false
            };
            // Dropping a step half way is harmless: what it did is in the store, the rest is done again.
            let is_busy = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                is_busy = step => is_busy,
            };
            if self.can_publish() {
                self.send();
            }
            if is_busy {
                self.settle_ready().await;
            } else {
                self.wait(&shutdown).await;
            }
        }
        self.finish().await;
    }

    /// Waits until there is something to do, and takes it in.
    async fn wait(&mut self, shutdown: &CancellationToken) {
        let recorded = async {
            match &mut self.recording {
                Some(recording) => recording.await,
                None => std::future::pending().await,
            }
        };
        let wake_at = [self.paused_until, self.link_reported_at, self.window.rest_ends_at()];
        let wake_at = wake_at.into_iter().flatten().fold(self.next_audit_at, Instant::min);
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            Some(attempt) = self.in_flight.next() => {
                self.settle(attempt).await;
                self.settle_ready().await;
            }
            (entries, result) = recorded => self.recorded(entries, result),
            // Looked at when the loop begins again.
            Ok(()) = self.link.changed() => self.link.mark_changed(),
            Ok(()) = self.newest_event.changed() => self.may_hold_more = true,
            () = sleep_until(wake_at) => {}
        }
    }

    fn note_time(&mut self, now: Instant) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        self.window.end_rests(now);
        if self.next_audit_at <= now {
            self.next_audit_at = now + AUDIT_EVERY;
            self.want_audit(AuditDue::Regular);
        }
        if self.link_reported_at.is_some_and(|at| at <= now) {
            self.link_reported_at = None;
            let link = self.link.borrow().clone();
            if !link.is_up {
                let why = link.trouble.map_or_else(String::new, |trouble| format!(": {trouble}"));
                self.troubles.link = Some(format!("no connection to the bus at {}{why}", self.bus.servers()));
                self.report();
            }
        }
    }

    fn note_link(&mut self) {
        if !self.link.has_changed().unwrap_or(false) {
            return;
        }
        let link = self.link.borrow_and_update().clone();
        if link.connects != self.connects {
            self.connects = link.connects;
            self.paused_until = None;
            self.want_audit(AuditDue::Connected);
        }
        if link.is_up {
            self.link_reported_at = None;
        } else {
            let grace = if self.troubles.link.is_some() { Duration::ZERO } else { LINK_GRACE };
            self.link_reported_at.get_or_insert(Instant::now() + grace);
        }
    }

    /// Waits for what is in flight and keeps its PubAcks.
    async fn finish(mut self) {
        let deadline = Instant::now() + DRAIN_TIME;
        while let Ok(Some(attempt)) = timeout_at(deadline, self.in_flight.next()).await {
            self.settle(attempt).await;
        }
        loop {
            self.begin_recording();
            let Some(recording) = &mut self.recording else { break };
            let (entries, result) = recording.await;
            let has_failed = result.is_err();
            self.recorded(entries, result);
            if has_failed {
                break; // They are published again, with the same ids.
            }
        }
    }

    fn report(&self) {
        self.standing.report(self.js_stream, self.troubles.first());
    }

    fn gauge_in_flight(&self) {
        let gauge = metrics::gauge!(telemetry::PUBLISH_IN_FLIGHT, "js_stream" => self.js_stream.as_str());
        gauge.set(self.in_flight.len() as f64);
    }
}
