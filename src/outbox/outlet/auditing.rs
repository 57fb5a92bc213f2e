//! When a stream is audited, and what follows from it.

use std::time::Duration;

use tokio::time::Instant;

use super::{AUDIT_EVERY, AuditDue, Outlet};
use crate::{
    outbox::audit::{Finding, audit},
    telemetry,
};

impl Outlet {
    pub(super) fn want_audit(&mut self, due: AuditDue) {
        self.must_reread |= due == AuditDue::OddAnswer;
        self.audit_due = self.audit_due.max(Some(due));
    }

    /// Whether an audit is due, and nothing is under way that it could take for a loss.
    pub(super) fn can_audit(&self) -> bool {
        let is_quiet = self.in_flight.is_empty() && self.acks.is_empty() && self.recording.is_none();
        self.audit_due.is_some() && is_quiet && self.paused_until.is_none() && self.link.borrow().is_up
    }

    pub(super) async fn audit(&mut self) {
        let Some(due) = self.audit_due else { return };
        let connects = self.connects;
        let result = async {
            if due == AuditDue::Connected {
                self.bus.check_server_version().await?;
            }
            audit(&self.store, &self.bus, self.js_stream).await
        };
        match result.await {
            // The connection is another one by now: once more, but what was found stays true.
            Ok((finding, _)) if self.link.borrow().connects != connects => {
                self.tell(&finding);
                self.must_reread |= finding != Finding::Intact;
            }
            Ok((finding, highest_ack)) => {
                metrics::counter!(telemetry::AUDITS, "finding" => finding.label()).increment(1);
                self.tell(&finding);
                self.audit_due = None;
                self.next_audit_at = Instant::now() + AUDIT_EVERY;
                self.highest_ack = highest_ack;
                if finding != Finding::Intact || std::mem::take(&mut self.must_reread) {
                    self.must_reread = false;
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

    pub(super) fn tell(&self, finding: &Finding) {
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
}
