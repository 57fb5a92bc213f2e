//! As many requests as are answered, and what they cost.

use std::{
    fmt,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::net::TcpStream;

use crate::{
    support::{nats::Nats, observer::Observer, rig::Rig, service::free_address},
    usage,
    wrk::{self, Seen},
};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A bare axum server.
    Bare,
    /// livehook with a bus.
    Livehook,
    /// A server that publishes in the handler, to a bus with default settings.
    Direct,
    /// The same, to a bus that fsyncs each message.
    DirectAlways,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "(a) bare axum",
            Self::Livehook => "(b) livehook",
            Self::Direct => "(c) direct publish, default sync",
            Self::DirectAlways => "(c) direct publish, `sync_interval: always`",
        })
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub seen: Seen,
    /// CPU of the gateway until everything was published.
    pub gateway_cpu_seconds: f64,
    /// CPU of the bus in that time.
    pub bus_cpu_seconds: f64,
    pub peak_rss_bytes: u64,
}

impl Figures {
    /// CPU of gateway and bus for 10,000 requests, in seconds.
    pub fn cpu_per_10_000(&self) -> f64 {
        (self.gateway_cpu_seconds + self.bus_cpu_seconds) * 10_000.0 / self.seen.requests as f64
    }
}

/// Long enough for caches, pools and connections to settle.
const WARM_UP: Duration = Duration::from_secs(2);

/// One run against a fresh server.
pub async fn measure(subject: Subject, connections: usize, time: Duration) -> anyhow::Result<Figures> {
    let mut rig = Rig::new();
    let path = rig.service.callback("acme", "live-state");
    if subject == Subject::DirectAlways {
        rig.nats.configure_fsync_always();
    }
    let has_bus = subject != Subject::Bare;
    if has_bus {
        rig.nats.restart();
    }
    let bus = has_bus.then_some(&rig.nats);
    let (_server, address, pid) = match subject {
        Subject::Livehook => {
            rig.service.start().await;
            (None, rig.service.public, rig.service.pid())
        }
        Subject::Bare => start_baseline("bare", &[]).await?,
        Subject::Direct | Subject::DirectAlways => start_baseline("direct", &[rig.nats.url()]).await?,
    };

    wrk::run(address, &path, "warm", connections, WARM_UP).await?;
    settle(bus).await;
    let cpu = || (usage::cpu_seconds(pid), bus.map_or(0.0, |bus| usage::cpu_seconds(bus.pid())));
    let before = cpu();
    let seen = wrk::run(address, &path, "run", connections, time).await?;
    settle(bus).await;
    let after = cpu();
    Ok(Figures {
        seen,
        gateway_cpu_seconds: after.0 - before.0,
        bus_cpu_seconds: after.1 - before.1,
        peak_rss_bytes: usage::peak_rss_bytes(pid),
    })
}

/// Waits until the bus takes in nothing more.
async fn settle(bus: Option<&Nats>) {
    let Some(bus) = bus else { return };
    let observer = Observer::connect(&bus.url()).await;
    let mut messages = None;
    while messages != Some(observer.messages().await) {
        messages = Some(observer.messages().await);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A process that is killed when dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start_baseline(
    what: &str,
    arguments: &[String],
) -> anyhow::Result<(Option<Server>, SocketAddr, u32)> {
    let address = free_address();
    let child = Command::new(std::env::current_exe()?)
        .args([what, &address.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()?;
    let pid = child.id();
    let server = Server(child);
    for _ in 0..500 {
        if TcpStream::connect(address).await.is_ok() {
            return Ok((Some(server), address, pid));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("the baseline {what} did not start")
}
