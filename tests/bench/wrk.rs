//! The load generator.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use tokio::process::Command;

use crate::support::{load::PUBLIC_HOST, rig::setting};

/// What wrk saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Requests that were answered.
    pub requests: u64,
    pub took: Duration,
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
    /// Answers with another status than 200 (or any of its class).
    pub refused: u64,
    /// Connections that failed, broke or timed out.
    pub broken: u64,
}

impl Seen {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }
}

/// Sends unique callbacks as fast as they are answered.
pub async fn run(
    address: SocketAddr,
    path: &str,
    label: &str,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Seen> {
    let program = setting("LIVEHOOK_WRK").unwrap_or_else(|| "wrk".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/live_state.lua");
    let output = Command::new(&program)
        .args(["--threads", "2", "--connections", &connections.to_string(), "--timeout", "10s"])
        .args(["--duration", &format!("{}s", time.as_secs()), "--script", script])
        .arg(format!("http://{address}{path}"))
        .args(["--", label, PUBLIC_HOST])
        .output()
        .await
        .with_context(|| {
            format!("{program} cannot be run: `make bench` gets it, LIVEHOOK_WRK names another")
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
    let result =
        result.with_context(|| format!("wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let figures: Vec<u64> = result.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, took, p50, p99, max, refused, broken] = figures[..] else {
        anyhow::bail!("wrk's script printed {result:?}")
    };
    let [took, p50, p99, max] = [took, p50, p99, max].map(Duration::from_micros);
    Ok(Seen { requests, took, p50, p99, max, refused, broken })
}
