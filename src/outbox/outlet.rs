//! Publishes the events of one JetStream stream: loads, sends, settles, audits. One task, no locks.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    attempt::{Attempt, Failure, attempt},
    audit::{Finding, audit},
    standing::{Standing, Troubles},
    window::Window,
};
use crate::{
    ports::bus::{Bus, JsStream, Link, PubAck, PublishError},
    store::{LedgerEntry, Store, StoreError, StoredEvent},
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

type Recording = BoxFuture<'static, (Vec<LedgerEntry>, Result<(), StoreError>)>;

/// Why the next audit is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum AuditDue {
    /// It is time.
    Regular,
    /// An answer was odd: what waits is read again in any case.
    OddAnswer,
    /// The connection is a new one, perhaps to another server.
    Connected,
}

pub(super) struct Outlet {
    js_stream: JsStream,
    store: Store,
    bus: Bus,
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
    pub(super) fn new(js_stream: JsStream, store: Store, bus: Bus, standing: Standing) -> Self {
        let mut link = bus.link();
        // The state at the start is news as well.
        link.mark_changed();
        Self {
            js_stream,
            newest_event: store.newest_event(),
            store,
            link,
            bus,
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

    // Publishing.

    fn can_publish(&self) -> bool {
        self.audit_due.is_none() && self.paused_until.is_none() && self.link.borrow().is_up
    }

    /// Reads what waits, if there is room; says whether it read anything.
    async fn load(&mut self) -> bool {
        let rows_wanted = self.window.rows_wanted();
        if !self.may_hold_more || rows_wanted == 0 {
            return false;
        }
        self.newest_event.borrow_and_update();
        match self.store.unpublished(self.window.read_to(), rows_wanted).await {
            Ok(events) => {
                self.may_hold_more = events.len() == rows_wanted;
                let read_to = events.last().map_or(self.window.read_to(), |event| event.row);
                let is_playback = self.js_stream == JsStream::LivePlayback;
                let ours = events.into_iter().filter(|event| event.is_playback() == is_playback);
                self.window.take_in(ours, read_to);
                if self.troubles.store.take().is_some() {
                    self.report();
                }
                true
            }
            Err(error) => {
                self.pause(STORE_DELAY);
                self.troubles.store = Some(format!("the outbox cannot be read: {error}"));
                self.report();
                false
            }
        }
    }

    fn send(&mut self) {
        let in_flight_max = if self.is_probing { 1 } else { IN_FLIGHT_MAX };
        while self.in_flight.len() < in_flight_max {
            let Some(event) = self.window.start_next() else { break };
            self.in_flight.push(attempt(self.bus.clone(), self.js_stream, event, self.highest_ack).boxed());
        }
        self.gauge_in_flight();
    }

    /// Settles what has an answer already, so that it shares the next write.
    async fn settle_ready(&mut self) {
        while let Some(Some(attempt)) = self.in_flight.next().now_or_never() {
            self.settle(attempt).await;
        }
    }

    async fn settle(&mut self, attempt: Attempt) {
        self.gauge_in_flight();
        let Attempt { event, highest_before, outcome } = attempt;
        match outcome {
            Ok(ack) => self.acknowledged(&event, highest_before, &ack),
            Err(Failure::Publish(error)) => {
                metrics::counter!(telemetry::PUBLISH_ERRORS, "reason" => error.reason()).increment(1);
                if error.is_permanent() {
                    self.set_aside(&event, &error).await;
                    return;
                }
                self.window.try_again(&event);
                let at_least = match error {
                    // The link tells when to go on.
                    PublishError::Disconnected => return,
                    PublishError::PermissionDenied(_) | PublishError::WrongStream(_) => DENIED_DELAY,
                    _ => Duration::ZERO,
                };
                if error == PublishError::NoStream {
                    self.want_audit(AuditDue::OddAnswer);
                }
                self.publish_failed(error.to_string(), at_least);
            }
            Err(Failure::Check(error)) => {
                metrics::counter!(telemetry::PUBLISH_ERRORS, "reason" => "check").increment(1);
                self.window.try_again(&event);
                self.publish_failed(error.to_string(), Duration::ZERO);
            }
            Err(failure @ Failure::Swallowed { .. }) => {
                metrics::counter!(telemetry::PUBLISH_ERRORS, "reason" => "swallowed").increment(1);
                tracing::error!(row = event.row, "{failure}; it is published again in {SWALLOWED_DELAY:?}");
                self.window.rest(&event, Instant::now() + SWALLOWED_DELAY);
                self.want_audit(AuditDue::OddAnswer);
            }
        }
    }

    fn acknowledged(&mut self, event: &StoredEvent, highest_before: u64, ack: &PubAck) {
        metrics::counter!(telemetry::PUBLISHED_EVENTS, "js_stream" => self.js_stream.as_str()).increment(1);
        if ack.js_sequence <= highest_before && !ack.is_duplicate {
            tracing::warn!(
                js_stream = %self.js_stream, js_sequence = ack.js_sequence, highest_before,
                "JetStream stream {} gave away a sequence a second time", self.js_stream
            );
            self.want_audit(AuditDue::OddAnswer);
        }
        self.highest_ack = self.highest_ack.max(ack.js_sequence);
        self.acks.push(LedgerEntry {
            js_stream: self.js_stream.as_str().to_owned(),
            js_sequence: ack.js_sequence,
            row: event.row,
            event_id: event.event_id.clone(),
        });
        self.window.advance(event);
        self.delays = delays();
        self.is_probing = false;
        if self.troubles.publish.take().is_some() {
            self.report();
        }
    }

    async fn set_aside(&mut self, event: &Arc<StoredEvent>, error: &PublishError) {
        match self.store.set_aside(event.row, error.to_string()).await {
            Ok(()) => {
                tracing::error!(
                    row = event.row,
                    event_id = event.event_id,
                    "event set aside, the bus will never take it: {error}"
                );
                self.window.advance(event);
                self.window.forget(event.row);
            }
            Err(error) => {
                tracing::warn!(row = event.row, "event cannot be set aside: {error}");
                self.window.rest(event, Instant::now() + STORE_DELAY);
            }
        }
    }

    fn publish_failed(&mut self, trouble: String, at_least: Duration) {
        // What was in flight beside it fails for the same reason, most likely: one pause is for all.
        if self.paused_until.is_none() {
            self.pause(at_least);
            self.troubles.publish = Some(trouble);
            self.report();
        }
    }

    /// Stops publishing for a while that grows each time until there is a PubAck.
    fn pause(&mut self, at_least: Duration) {
        let delay = self.delays.next().unwrap_or(at_least).max(at_least);
        self.paused_until = Some(Instant::now() + delay);
        self.is_probing = true;
    }

    // Keeping PubAcks.

    /// Hands all PubAcks that are there to the store, if it has kept the ones before.
    fn begin_recording(&mut self) {
        if self.recording.is_some() || self.acks.is_empty() {
            return;
        }
        let entries: Vec<_> = self.acks.drain(..self.acks.len().min(ACKS_MAX)).collect();
        let store = self.store.clone();
        self.recording = Some(
            async move {
                let result = store.record_acks(entries.clone()).await;
                if result.is_err() {
                    tokio::time::sleep(STORE_DELAY).await;
                }
                (entries, result)
            }
            .boxed(),
        );
    }

    fn recorded(&mut self, mut entries: Vec<LedgerEntry>, result: Result<(), StoreError>) {
        self.recording = None;
        match result {
            Ok(()) => entries.iter().for_each(|entry| self.window.forget(entry.row)),
            Err(error) => {
                tracing::warn!("PubAcks cannot be kept: {error}");
                entries.append(&mut self.acks);
                self.acks = entries;
            }
        }
    }

    // Auditing.

    fn want_audit(&mut self, due: AuditDue) {
        self.audit_due = self.audit_due.max(Some(due));
    }

    /// Whether an audit is due, and nothing is under way that it could take for a loss.
    fn can_audit(&self) -> bool {
        let is_quiet = self.in_flight.is_empty() && self.acks.is_empty() && self.recording.is_none();
        self.audit_due.is_some() && is_quiet && self.paused_until.is_none() && self.link.borrow().is_up
    }

    async fn audit(&mut self) {
        let Some(due) = self.audit_due else { return };
        let connects = self.connects;
        let result = async {
            if due == AuditDue::Connected {
                self.bus.check_server_version().await?;
            }
            audit(&self.store, &self.bus, self.js_stream).await
        };
        match result.await {
            // The connection is another one by now: once more.
            Ok(_) if self.link.borrow().connects != connects => {}
            Ok((finding, highest_ack)) => {
                metrics::counter!(telemetry::AUDITS, "finding" => finding.label()).increment(1);
                self.tell(&finding);
                self.audit_due = None;
                self.next_audit_at = Instant::now() + AUDIT_EVERY;
                self.highest_ack = highest_ack;
                if finding != Finding::Intact || due == AuditDue::OddAnswer {
                    self.window.rewind();
                    self.may_hold_more = true;
                }
                self.troubles.link = None;
                self.troubles.audit = None;
                self.report();
            }
            Err(error) => {
                metrics::counter!(telemetry::AUDITS, "finding" => "failed").increment(1);
                self.pause(Duration::ZERO);
                self.troubles.audit = Some(error.to_string());
                self.report();
            }
        }
    }

    fn tell(&self, finding: &Finding) {
        let js_stream = self.js_stream;
        match finding {
            Finding::Intact | Finding::FirstSight => tracing::debug!(%js_stream, ?finding, "audit"),
            Finding::Replaced { waiting_again } => tracing::warn!(
                %js_stream, waiting_again,
                "JetStream stream {js_stream} is new: {waiting_again} events that the old one held are published again"
            ),
            Finding::RolledBack { js_sequence, waiting_again } => tracing::warn!(
                %js_stream, js_sequence, waiting_again,
                "JetStream stream {js_stream} lost what it had acknowledged above sequence {js_sequence}: \
                 {waiting_again} events are published again"
            ),
        }
    }

    // The end, and what is said.

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
