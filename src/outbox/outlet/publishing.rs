//! Loading what waits, sending it, and taking in how that ended.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use tokio::time::Instant;

use super::{AuditDue, DENIED_DELAY, IN_FLIGHT_MAX, Outlet, STORE_DELAY, SWALLOWED_DELAY, delays};
use crate::{
    outbox::attempt::{Attempt, Failure, attempt},
    ports::bus::{PubAck, PublishError},
    store::{LedgerEntry, StoredEvent},
    telemetry,
};

impl Outlet {
    pub(super) fn can_publish(&self) -> bool {
        self.audit_due.is_none() && self.paused_until.is_none() && self.link.borrow().is_up
    }

    /// Reads what waits, if there is room; says whether it read anything.
    pub(super) async fn load(&mut self) -> bool {
        let rows_wanted = self.window.rows_wanted();
        if !self.may_hold_more || rows_wanted == 0 {
            return false;
        }
        let newest = *self.newest_event.borrow_and_update();
        match self.store.unpublished(self.js_stream.is_playback(), self.window.read_to(), rows_wanted).await {
            Ok(events) => {
                self.may_hold_more = events.len() == rows_wanted;
                // A read that was not cut short has seen everything up to the newest event.
                let read_to = events.last().map_or(0, |event| event.row);
                let read_to = if self.may_hold_more { read_to } else { read_to.max(newest) };
                self.window.take_in(events, read_to.max(self.window.read_to()));
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

    pub(super) fn send(&mut self) {
        let in_flight_max = if self.is_probing { 1 } else { IN_FLIGHT_MAX };
        while self.in_flight.len() < in_flight_max {
            let Some(event) = self.window.start_next() else { break };
            self.in_flight.push(attempt(self.bus.clone(), self.js_stream, event, self.highest_ack).boxed());
        }
        self.gauge_in_flight();
    }

    /// Settles what has an answer already, so that it shares the next write.
    pub(super) async fn settle_ready(&mut self) {
        while let Some(Some(attempt)) = self.in_flight.next().now_or_never() {
            self.settle(attempt).await;
        }
    }

    pub(super) async fn settle(&mut self, attempt: Attempt) {
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
                self.want_audit(AuditDue::Regular);
            }
        }
    }

    pub(super) fn acknowledged(&mut self, event: &StoredEvent, highest_before: u64, ack: &PubAck) {
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

    pub(super) async fn set_aside(&mut self, event: &Arc<StoredEvent>, error: &PublishError) {
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

    pub(super) fn publish_failed(&mut self, trouble: String, at_least: Duration) {
        // What was in flight beside it fails for the same reason, most likely: one pause is for all.
        if self.paused_until.is_none() {
            self.pause(at_least);
            self.troubles.publish = Some(trouble);
            self.report();
        }
    }

    /// Stops publishing for a while that grows each time until there is a PubAck.
    pub(super) fn pause(&mut self, at_least: Duration) {
        let delay = self.delays.next().unwrap_or(at_least).max(at_least);
        self.paused_until = Some(Instant::now() + delay);
        self.is_probing = true;
    }
}
