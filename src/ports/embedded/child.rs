//! The child process: starting it, watching it, ending it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{COMPONENT, EmbeddedError, files};
use crate::health::{Condition, Health};

/// How long a start may take: a server with much to recover accepts nobody before it has.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Who ran as long as this begins with short delays again.
const RAN_WELL: Duration = Duration::from_secs(60);
/// How often a process or a port is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const GREETING_BYTES_MAX: u64 = 64 << 10;

/// How to start it.
pub(super) struct Plan {
    pub(super) binary: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) port: u16,
    pub(super) server_name: String,
}

impl Plan {
    /// Starts the child and waits until it accepts connections.
    pub(super) async fn start(&self) -> Result<Child, EmbeddedError> {
        let log = files::log(&self.dir);
        let not_ready = |why: String| EmbeddedError::NotReady { why, log: log.clone() };
        let said = File::options().create(true).append(true).open(&log);
        let said =
            said.map_err(|error| EmbeddedError::Directory { path: log.clone(), why: error.to_string() })?;
        let mut child = Command::new(&self.binary)
            .arg("--config")
            .arg(files::configuration(&self.dir))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            // Ctrl-C in a terminal is for us alone: what is in flight is published before the server ends.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_ready(format!("cannot be run: {error}")))?;

        let is_accepting = async {
            while !self.is_accepting().await {
                sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            status = child.wait() => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                return Err(not_ready(format!("ended at once ({status}), perhaps because port {} is taken", self.port)));
            }
            accepts = timeout(READY_WITHIN, is_accepting) => {
                accepts.map_err(|_| not_ready(format!("accepted no connection within {READY_WITHIN:?}")))?;
            }
        }
        Ok(child)
    }

    /// Whether our server greets at the port: somebody else's could listen there.
    async fn is_accepting(&self) -> bool {
        let Ok(socket) = TcpStream::connect(("127.0.0.1", self.port)).await else { return false };
        let mut greeting = String::new();
        let read = BufReader::new(socket).take(GREETING_BYTES_MAX).read_line(&mut greeting).await;
        read.is_ok() && greeting.contains(&self.server_name)
    }

    /// Starts it again whenever it dies, until `stop`; then ends it.
    pub(super) async fn supervise(self, mut child: Child, health: Health, stop: CancellationToken) {
        let delays = || {
            let builder = ExponentialBuilder::default().with_min_delay(Duration::from_millis(100));
            builder.with_max_delay(Duration::from_secs(10)).without_max_times().build()
        };
        let mut next_delays = delays();
        loop {
            let began = Instant::now();
            let status = tokio::select! {
                biased;
                () = stop.cancelled() => return self.end(child).await,
                status = child.wait() => status,
            };
            if began.elapsed() > RAN_WELL {
                next_delays = delays();
            }
            let mut why = status.map_or_else(|error| error.to_string(), |status| format!("ended ({status})"));
            child = loop {
                let log = files::log(&self.dir);
                let trouble =
                    format!("the embedded server {why} and is started again; its log is {}", log.display());
                health.report(COMPONENT, Condition::Degraded(trouble));
                let started = async {
                    sleep(next_delays.next().unwrap_or_default()).await;
                    self.start().await
                };
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    started = started => match started {
                        Ok(child) => break child,
                        Err(error) => why = error.to_string(),
                    }
                }
            };
            health.report(COMPONENT, Condition::Ok);
        }
    }

    async fn end(&self, mut child: Child) {
        if let Some(pid) = child.id() {
            signal(&self.binary, "term", pid).await;
        }
        if timeout(END_WITHIN, child.wait()).await.is_err() {
            tracing::warn!("nats-server did not end within {END_WITHIN:?}, so it is killed");
            // It fails only when there is nothing left to kill.
            let _ = child.kill().await;
        }
        // nats-server leaves it when it is killed.
        let _ = fs::remove_file(files::pid(&self.dir));
    }
}

/// Ends a server that a livehook before us left behind, because it was killed itself. It is known by its
/// configuration file: a process that merely has got the same number is left alone.
pub(super) async fn end_leftover(binary: &Path, dir: &Path) {
    let Ok(text) = fs::read_to_string(files::pid(dir)) else { return };
    let Ok(pid) = text.trim().parse::<u32>() else { return };
    for how in ["term", "stop"] {
        if !is_ours(pid, dir).await {
            return;
        }
        tracing::warn!(pid, "a nats-server that an earlier livehook left behind is ended");
        signal(binary, how, pid).await;
        let is_gone = async {
            while is_ours(pid, dir).await {
                sleep(LOOK_EVERY).await;
            }
        };
        // When it does not end, the next round is harsher; after the last one the taken port tells.
        let _ = timeout(END_WITHIN, is_gone).await;
    }
}

/// Whether that process runs with our configuration.
async fn is_ours(pid: u32, dir: &Path) -> bool {
    let arguments = if cfg!(target_os = "linux") {
        fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
    } else {
        let asked = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
        asked.await.map(|output| output.stdout).unwrap_or_default()
    };
    let configuration = files::configuration(dir).display().to_string();
    String::from_utf8_lossy(&arguments).contains(&configuration)
}

/// Sends a signal by way of the server's own program: `term` asks it to end, `stop` kills it.
async fn signal(binary: &Path, how: &str, pid: u32) {
    let sent = Command::new(binary)
        .args(["--signal", &format!("{how}={pid}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = sent.await {
        tracing::warn!(pid, "nats-server cannot be signalled: {error}");
    }
}
