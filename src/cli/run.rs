//! `livehook run`: the service.

use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::ConfigArgs;
use crate::{
    app::{App, Ports},
    config::Config,
    ports::{SystemClock, SystemEntropy, http::HttpClient},
    telemetry,
};

/// Receive callbacks, read APIs and publish events, until a signal.
///
/// The first SIGTERM or SIGINT drains: not ready at once, no new deliveries after http.drain_seconds, then up to ten
/// seconds for what is on its way to the bus; the rest waits in the store. The second signal ends the process at once;
/// nothing acknowledged is lost by that.
#[derive(Args)]
#[command(after_help = "Example:\n  livehook run --config /etc/livehook.toml")]
pub(super) struct Run {
    #[command(flatten)]
    config: ConfigArgs,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        telemetry::start_logs(&config.log_filter);
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(config))
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anything else, so that an early signal is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let metrics = telemetry::start_metrics()?;
    let app = App::start(config, Ports::real(), metrics).await?;
    let stop = app.stop();
    tokio::spawn(async move {
        for nth in 1.. {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if nth == 1 {
                tracing::info!("{name}: draining; a second signal ends at once");
                stop.cancel();
            } else {
                tracing::warn!("{name} again: ending at once");
                std::process::exit(1);
            }
        }
    });
    Ok(app.finish().await?)
}

impl Ports {
    /// The machine's own clock and randomness, and HTTP over the network.
    pub(super) fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            http: Arc::new(HttpClient::new()),
        }
    }
}
