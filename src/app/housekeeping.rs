//! Every few seconds: measure the store, delete what need not be kept, tell how full it is.

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    health::{Condition, Health},
    ports::Clock,
    store::{Fullness, Store, StoreError},
    telemetry,
};

/// Time between two rounds.
const PAUSE: Duration = Duration::from_secs(3);

pub(super) async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    health: Health,
    metrics: PrometheusHandle,
    ending: CancellationToken,
) {
    loop {
        // Sums up what histograms have gathered; otherwise that grows until somebody reads /metrics.
        metrics.run_upkeep();
        match step(&store, clock.as_ref(), &health).await {
            // More may be left to delete.
            Ok(trimmed) if trimmed > 0 && !ending.is_cancelled() => continue,
            Ok(_) => {}
            Err(error) => {
                health.report("store", Condition::Degraded(format!("it could not be tidied: {error}")));
            }
        }
        tokio::select! {
            () = ending.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// One round; returns how many rows went.
async fn step(store: &Store, clock: &dyn Clock, health: &Health) -> Result<usize, StoreError> {
    let (usage, trimmed) = store.tidy(clock.now()).await?;
    metrics::gauge!(telemetry::STORE_USED_BYTES).set(usage.used_bytes as f64);
    metrics::gauge!(telemetry::STORE_BUDGET_BYTES).set(usage.budget_bytes as f64);
    metrics::gauge!(telemetry::QUARANTINED_DELIVERIES).set(store.quarantined_count().await? as f64);

    let share = format!("{} of {} MiB are used", usage.used_bytes >> 20, usage.budget_bytes >> 20);
    let remedy = "raise store.max_mib, free disk space, or bring the bus back so that events can go";
    health.report(
        "store",
        match usage.fullness() {
            Fullness::Fine => Condition::Ok,
            Fullness::Alarm => Condition::Degraded(format!("{share}: {remedy}")),
            Fullness::Shrinking => {
                Condition::Degraded(format!("{share}, rows are kept for 6 h only: {remedy}"))
            }
            Fullness::Shedding => {
                Condition::Degraded(format!("{share}, progress callbacks are refused: {remedy}"))
            }
            Fullness::Full => Condition::Down(format!("{share}, callbacks are refused: {remedy}")),
        },
    );
    Ok(trimmed)
}
