//! `livehook tail`: events from the bus, as any subscriber sees them.

use anyhow::{Context, bail};
use clap::Args;
use futures::StreamExt;

use super::{ConfigArgs, block_on, print, say};
use crate::{
    config::{self, Config},
    model::Event,
    ports::{Bus, BusOptions, bus::Received},
};

/// Print events from the bus as they are published.
///
/// Without a bus they are in the log: http://127.0.0.1:8081/api/v1/events, or wherever http.admin_listen is.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook tail                              everything from now on
  livehook tail 'live.*.*.broadcast.>'       broadcasts on every platform
  livehook tail --all --json | jq .type      also what the streams hold, one JSON document a line")]
pub(super) struct Tail {
    /// A NATS subject, with wildcards; default: all events.
    subject: Option<String>,
    /// Begin with what the JetStream streams hold.
    #[arg(long)]
    all: bool,
    /// End after so many events.
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Print each event as the JSON it is.
    #[arg(long)]
    json: bool,
    /// NATS server to read from; default: the one in the configuration.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl Tail {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.tail())
    }

    async fn tail(self) -> anyhow::Result<()> {
        let options = match &self.server {
            Some(server) => BusOptions::new(vec![server.clone()]),
            None => options(self.config.load()?)?,
        };
        let filter = self.subject.clone().unwrap_or_else(|| format!("{}.>", options.prefix));
        let bus = Bus::connect(options).await?;
        bus.check_server_version().await?;
        let count = self.count.unwrap_or(usize::MAX);
        if self.all {
            self.print(bus.replay(&filter).await?.take(count)).await;
        } else {
            self.print(bus.subscribe(&filter).await?.take(count)).await;
        }
        Ok(())
    }

    async fn print(&self, mut received: impl futures::Stream<Item = Received> + Unpin) {
        while let Some(message) = received.next().await {
            if self.json {
                say(String::from_utf8_lossy(&message.payload));
                continue;
            }
            match serde_json::from_slice::<Event>(&message.payload) {
                Ok(event) => say(print::line(&event)),
                Err(_) => say(format!("{}: not an event of livehook", message.subject)),
            }
        }
    }
}

fn options(config: Config) -> anyhow::Result<BusOptions> {
    match config.bus {
        config::Bus::Servers(options) => Ok(options),
        config::Bus::Embedded(embedded, options) => {
            embedded.running(options).context("the embedded server does not run; start `livehook run` first")
        }
        config::Bus::None => {
            bail!("no bus is configured: read http://{}/api/v1/events instead", config.http.admin_listen)
        }
    }
}
