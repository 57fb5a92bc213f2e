//! The line that tells how a delivery ended.

use super::{Visit, decide::Decided, tell::words};
use crate::telemetry;

impl Visit<'_> {
    /// It is answered with what was decided.
    pub(super) fn answered(&self, decided: &[Decided]) {
        let says = |it: &Decided| {
            let verdict = it.ruling.as_ref().map_or("refuse", |ruling| ruling.decision.as_str());
            match words(it.by) {
                (by, "") => format!("{} {verdict} by {by}", it.question.name),
                (by, why) => format!("{} {verdict} by {by} ({why})", it.question.name),
            }
        };
        let outcome = if decided.iter().all(|it| it.ruling.is_some()) { "answered" } else { "unavailable" };
        match decided {
            [] => self.ended(outcome, "nothing was asked"),
            [one] => self.ended(outcome, &says(one)),
            [first, ..] => {
                let detail = format!("{} questions, the first one: {}", decided.len(), says(first));
                self.ended(outcome, &detail);
            }
        }
    }

    /// The delivery's log line and metrics.
    pub(super) fn ended(&self, outcome: &'static str, detail: &str) {
        let callback = self.delivery.callback;
        let (platform, account, asks) = (self.account.platform_id(), self.account.name(), callback.asks);
        let callback = callback.name;
        let took = self.began.elapsed();
        metrics::counter!(telemetry::DELIVERIES, "platform" => platform, "callback" => callback, "outcome" => outcome)
            .increment(1);
        if let Some(question) = asks {
            metrics::histogram!(telemetry::QUESTION_SECONDS, "platform" => platform, "question" => question)
                .record(took.as_secs_f64());
        }
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match outcome {
            "answered" | "probe" => tracing::info!(
                platform, %account, callback, outcome, ms,
                "{platform}/{account} {callback}: {outcome}, {detail} ({ms} ms)"
            ),
            _ => tracing::warn!(
                platform, %account, callback, outcome, ms,
                "{platform}/{account} {callback}: {outcome}, {detail} ({ms} ms)"
            ),
        }
    }
}
