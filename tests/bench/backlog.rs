//! Events that pile up while the bus is away, and how fast they leave when it is back.

use std::time::{Duration, Instant};

use crate::{support::rig::Rig, usage, wrk};

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub events: u64,
    /// From the server's start until the stream held all of them.
    pub took: Duration,
    pub refused: u64,
    pub peak_rss_bytes: u64,
}

impl Figures {
    pub fn per_second(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }
}

/// Lets at least so many events pile up, then starts the bus.
pub async fn measure(events: u64) -> anyhow::Result<Figures> {
    let mut rig = Rig::new();
    rig.service.start().await;
    let path = rig.service.callback("acme", "live-state");
    let (mut piled_up, mut refused) = (0, 0);
    for round in 0.. {
        let seen =
            wrk::run(rig.service.public, &path, &format!("fill{round}"), 64, Duration::from_secs(5)).await?;
        anyhow::ensure!(seen.requests > seen.refused, "livehook takes nothing without a bus: {seen:?}");
        piled_up += seen.requests - seen.refused;
        refused += seen.refused + seen.broken;
        if piled_up >= events {
            break;
        }
    }
    rig.nats.restart();
    let began = Instant::now();
    let observer = rig.observer().await;
    while observer.messages().await < piled_up {
        anyhow::ensure!(began.elapsed() < Duration::from_secs(600), "the backlog does not drain");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = began.elapsed();
    Ok(Figures { events: piled_up, took, refused, peak_rss_bytes: usage::peak_rss_bytes(rig.service.pid()) })
}
