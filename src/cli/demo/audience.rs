//! Who watches the demo: a NATS subscriber that prints what it gets, and remembers it.

use futures::StreamExt;
use tokio::sync::mpsc;

use crate::{
    cli::{print, say},
    model::Event,
    ports::{Bus, BusOptions},
};

/// What was read back from the bus, as types and accounts: `broadcast.started acme`.
pub(super) struct Audience {
    arriving: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Audience {
    /// Subscribes, and prints events as they come from now on.
    pub(super) async fn seated(options: BusOptions) -> anyhow::Result<Self> {
        let bus = Bus::connect(options).await?;
        bus.check_server_version().await?;
        let mut received = bus.subscribe("live.>").await?;
        let (events, arriving) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = received.next().await {
                let Ok(event) = serde_json::from_slice::<Event>(&message.payload) else { continue };
                say(format!("  NATS  {}", print::line(&event)));
                let account = event.source.rsplit('/').next().unwrap_or_default();
                let seen = format!("{} {account}", event.event_type.trim_start_matches("live."));
                if events.send(seen).is_err() {
                    return;
                }
            }
        });
        Ok(Self { arriving, seen: Vec::new() })
    }

    /// Everything so far.
    pub(super) fn seen(&mut self) -> &[String] {
        while let Ok(event) = self.arriving.try_recv() {
            self.seen.push(event);
        }
        &self.seen
    }

    pub(super) fn has_seen(&mut self, event: &str) -> bool {
        self.seen().iter().any(|seen| seen == event)
    }
}
