//! Set-up of logs and metrics, and the only list of metric names.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// A metric, as `/metrics` shows it.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: Kind,
    /// What it says.
    pub about: &'static str,
}

/// The kind of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
}

macro_rules! metrics {
    ($($ident:ident: $kind:ident = $name:literal, $about:literal;)+) => {
        $(#[doc = $about] pub const $ident: &str = $name;)+

        /// Every metric.
        pub const ALL: &[Metric] = &[$(Metric { name: $name, kind: Kind::$kind, about: $about }),+];
    };
}

metrics! {
    DELIVERIES: Counter = "livehook_deliveries_total",
        "Deliveries by platform, callback and outcome.";
    DELIVERY_SECONDS: Histogram = "livehook_delivery_seconds",
        "Time from a delivery's head to its outcome.";
    UNSIGNED_DELIVERIES: Counter = "livehook_unsigned_deliveries_total",
        "Deliveries whose sender is proven by a secret URL only, by platform.";
    QUIRKS: Counter = "livehook_quirks_total",
        "Oddities of platforms met in deliveries, by platform and quirk.";
    EVENTS: Counter = "livehook_events_total",
        "Events committed, by platform, type and via.";
    COMMIT_BATCH_JOBS: Histogram = "livehook_commit_batch_jobs",
        "Writes that shared one transaction.";
    STORE_USED_BYTES: Gauge = "livehook_store_used_bytes",
        "Bytes the store uses.";
    STORE_BUDGET_BYTES: Gauge = "livehook_store_budget_bytes",
        "Bytes the store could use.";
    QUARANTINED_DELIVERIES: Gauge = "livehook_quarantined_deliveries",
        "Deliveries that could not be understood and wait for a person.";
    OUTBOX_EVENTS: Gauge = "livehook_outbox_events",
        "Events that wait for the bus.";
    OUTBOX_OLDEST_SECONDS: Gauge = "livehook_outbox_oldest_seconds",
        "Age of the oldest event that waits for the bus.";
    PUBLISHED_EVENTS: Counter = "livehook_published_events_total",
        "PubAcks received, by JetStream stream.";
    PUBLISH_ERRORS: Counter = "livehook_publish_errors_total",
        "Publishes that were not acknowledged, by reason.";
    PUBLISH_IN_FLIGHT: Gauge = "livehook_publish_in_flight",
        "Publishes that wait for their PubAck.";
    AUDITS: Counter = "livehook_audits_total",
        "Comparisons of the ledger with the bus, by finding.";
    SWEEPS: Counter = "livehook_sweeps_total",
        "Sweeps and confirmations, by platform, watch, reason and outcome.";
    SWEEP_SECONDS: Histogram = "livehook_sweep_seconds",
        "Time from a sweep's first request to its commit, by platform and watch.";
    API_REQUESTS: Counter = "livehook_api_requests_total",
        "Requests to platforms' APIs, by platform and class of the answer.";
    WATCH_AGE_SECONDS: Gauge = "livehook_watch_age_seconds",
        "Time since the last sweep that succeeded, by platform, account and watch.";
    PARTIAL_LISTS: Gauge = "livehook_partial_lists",
        "Lists that the last ten sweeps or more saw only in part, by platform, account and watch.";
    RENEWALS: Counter = "livehook_renewals_total",
        "Requests for other access tokens, by platform and outcome.";
    CREDENTIAL_SECONDS: Gauge = "livehook_credential_seconds",
        "Time until an access token ends, by platform and account; negative when it has.";
    CONSENTS: Counter = "livehook_consents_total",
        "Browsers that came back from a consent, by platform and what became of that.";
    PASSED_OVER: Counter = "livehook_passed_over_total",
        "Things in sweeps that livehook could not compare with what it knows, by platform and watch.";
    BUDGET_WAIT_SECONDS: Histogram = "livehook_budget_wait_seconds",
        "Time that a request waited for its platform's limit, by platform.";
    WAKES: Counter = "livehook_wakes_total",
        "Callbacks that asked for confirmation, by platform and what became of that.";
    CURRENT_PUTS: Counter = "livehook_current_puts_total",
        "Entities put into the bucket of current state.";
    QUESTIONS: Counter = "livehook_questions_total",
        "Questions of players, by platform, question, decision, who decided, and why no service did.";
    QUESTION_SECONDS: Histogram = "livehook_question_seconds",
        "Time from the head of a delivery that asks to its answer, by platform and question.";
    BAD_REPLIES: Counter = "livehook_bad_replies_total",
        "Replies of decision services that cannot be signed, by platform, question and field.";
    STRAY_REPLIES: Counter = "livehook_stray_replies_total",
        "Replies of decision services that nobody waited for any more, by why.";
    EXCHANGES_DROPPED: Counter = "livehook_exchanges_dropped_total",
        "Answered deliveries that no event tells of, by why they were not committed.";
    CONNECTIONS: Gauge = "livehook_connections",
        "Open connections, by listener.";
    CONNECTIONS_REFUSED: Counter = "livehook_connections_refused_total",
        "Connections closed because of a limit, by listener and limit.";
}

/// Starts collecting metrics; call once.
///
/// # Errors
/// When a collector is installed already.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    const SECONDS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5];
    // A long list takes minutes to read.
    const LONG_SECONDS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0];
    const JOBS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full(SWEEP_SECONDS.to_owned()), LONG_SECONDS)?
        .set_buckets_for_metric(Matcher::Full(BUDGET_WAIT_SECONDS.to_owned()), LONG_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_jobs".to_owned()), JOBS)?
        .install_recorder()?;
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.about),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.about),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.about),
        }
    }
    Ok(handle)
}

/// Starts logging to standard error: for people on a terminal, as JSON otherwise. `filter` is a
/// `tracing` filter such as `info,livehook=debug`.
pub fn start_logs(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    std::panic::set_hook(Box::new(tell_panic));
    // A second start (in tests) keeps the first one.
    let _ = if std::io::stderr().is_terminal() {
        registry.with(layer.compact()).try_init()
    } else {
        registry
            .with(layer.json().flatten_event(true).with_current_span(false).with_span_list(false))
            .try_init()
    };
}

/// Says where it happened. A message that was put together at that moment may hold a piece of a platform's
/// request, so only a fixed one is shown.
fn tell_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message =
        panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("the message is not shown");
    tracing::error!(place, "a defect in livehook: panicked at {place}: {message}");
}

#[cfg(test)]
mod tests;
