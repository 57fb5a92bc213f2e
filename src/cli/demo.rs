//! `livehook demo`: the main job, for whoever has a minute.
//!
//! Everything is real: a nats-server, livehook with its store, documented callbacks over HTTP, a NATS
//! subscriber that prints what it gets. Only the platforms are played.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use futures::StreamExt;
use owo_colors::{OwoColorize, Stream::Stdout};
use tokio::sync::mpsc;

use super::{print, say, send};
use crate::{
    app::{App, Ports},
    config::{self, Config, Environment},
    model::Event,
    platform::{AccountSettings, Platform},
    ports::{Bus, Entropy},
    telemetry,
};

/// Show what livehook does: an embedded bus, documented callbacks, events as they are published.
///
/// Needs a nats-server program (2.10.27 or newer) and nothing else. Everything it makes is temporary.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook demo
  livehook demo --follow                             goes on until Ctrl-C
  livehook demo --nats-server /opt/nats-server       with a program that is not on PATH")]
pub(super) struct Demo {
    /// Go on until Ctrl-C, with new broadcasts all the time.
    #[arg(long)]
    follow: bool,
    /// The nats-server program; default: the one on PATH.
    #[arg(long, value_name = "FILE", env = "LIVEHOOK_NATS_SERVER")]
    nats_server: Option<PathBuf>,
}

/// The accounts of the demo; the URL tokens are drawn anew each time.
const CONFIG: &str = r#"
[http]
public_listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
drain_seconds = 0
[bus]
embedded = true
[log]
filter = "warn"
[accounts.acme]
platform = "kollus"
callback_tokens = [{ env = "KOLLUS_TOKEN" }]
[accounts.meetings]
platform = "livedigital"
callback_tokens = [{ env = "LIVEDIGITAL_TOKEN" }]
webhook_secret = { env = "LIVEDIGITAL_SECRET" }
"#;

/// What the platforms report, in order: account, callback, sample.
const STORY: [(&str, &str, &str); 16] = [
    ("acme", "live-state", "start"),
    ("acme", "live-state", "start"),
    ("acme", "live-state", "pause"),
    ("acme", "live-state", "resume"),
    ("meetings", "webhook", "call-started"),
    ("meetings", "webhook", "record-started"),
    ("acme", "vod-upload", "upload"),
    ("acme", "vod-transcoding", "success"),
    ("acme", "vod-channel-join", "join"),
    ("acme", "vod-progress", "with-json"),
    ("acme", "bookmark", "bookmark"),
    ("acme", "live-state", "stop-misspelt"),
    ("acme", "live-recording", "transferred"),
    ("meetings", "webhook", "record-finished"),
    ("meetings", "webhook", "call-finished-alone"),
    ("acme", "live-state", "empty-broadcast-key"),
];

/// Time between two callbacks: slow enough to read along.
const PAUSE: Duration = Duration::from_millis(150);

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<()> {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(self.play())
    }

    async fn play(self) -> anyhow::Result<()> {
        let dir = std::env::temp_dir().join(format!("livehook-demo-{}", std::process::id()));
        let result = self.play_in(&dir).await;
        // Best effort: the system cleans its temporary directory as well.
        let _ = std::fs::remove_dir_all(&dir);
        result
    }

    async fn play_in(&self, dir: &std::path::Path) -> anyhow::Result<()> {
        let ports = Ports::real();
        let config = self.config(dir, ports.entropy.as_ref())?;
        let stage = Stage::of(&config);
        telemetry::start_logs(&config.log_filter);
        let app = App::start(config, ports, telemetry::start_metrics()?).await?;
        let options = app.bus_options.clone().context("the demo has an embedded bus")?;
        let server = options.servers.join(", ");
        heading(&format!(
            "nats-server runs at {server}; livehook accepts callbacks at http://{}",
            app.public_addr
        ));

        let bus = Bus::connect(options).await?;
        bus.check_server_version().await?;
        let mut received = bus.subscribe("live.>").await?;
        let (events, mut seen) = mpsc::unbounded_channel();
        let printing = tokio::spawn(async move {
            while let Some(message) = received.next().await {
                let Ok(event) = serde_json::from_slice::<Event>(&message.payload) else { continue };
                say(format!("  NATS  {}", print::line(&event)));
                if events.send(event.event_type).is_err() {
                    return;
                }
            }
        });

        let base = format!("http://{}", app.public_addr);
        let mut told = 0;
        let playing = async {
            for round in 0.. {
                told += stage.play(&base, round).await?;
                if !self.follow {
                    break;
                }
            }
            // The last events are on their way.
            tokio::time::sleep(Duration::from_millis(800)).await;
            anyhow::Ok(())
        };
        tokio::select! {
            result = playing => result?,
            _ = tokio::signal::ctrl_c() => say(""),
        }
        printing.abort();
        let mut types = Vec::new();
        while let Ok(event_type) = seen.try_recv() {
            types.push(event_type);
        }
        app.stop().cancel();
        app.finish().await?;
        summary(told, &types)
    }

    fn config(&self, dir: &std::path::Path, entropy: &dyn Entropy) -> anyhow::Result<Config> {
        let secret = || {
            let mut bytes = [0; 16];
            entropy.fill(&mut bytes);
            hex::encode(bytes)
        };
        let mut environment: Environment = ["KOLLUS_TOKEN", "LIVEDIGITAL_TOKEN", "LIVEDIGITAL_SECRET"]
            .into_iter()
            .map(|name| (name.to_owned(), secret()))
            .collect();
        environment.extend(config::environment().remove("PATH").map(|path| ("PATH".to_owned(), path)));
        environment.insert("LIVEHOOK_STORE__DIR".to_owned(), dir.display().to_string());
        if let Some(binary) = &self.nats_server {
            environment.insert("LIVEHOOK_BUS__NATS_SERVER".to_owned(), binary.display().to_string());
        }
        Ok(config::parse(CONFIG, &environment)?)
    }
}

/// What is needed to play the platforms.
struct Stage {
    accounts: Vec<(AccountSettings, &'static dyn Platform)>,
    urls: Vec<(String, String)>,
}

impl Stage {
    fn of(config: &Config) -> Self {
        let accounts = config.receivers.iter().map(|r| (r.settings.clone(), r.platform)).collect();
        let urls = config
            .url_tokens
            .keys()
            .filter_map(|name| Some((name.to_string(), send::url(config, name.as_str(), "", "").ok()?)))
            .collect();
        Self { accounts, urls }
    }

    /// Delivers the story once; returns how many callbacks that were.
    async fn play(&self, base: &str, round: u32) -> anyhow::Result<usize> {
        for (account, callback, case) in STORY {
            let find = |name: &AccountSettings| name.name.as_str() == account;
            let Some((settings, platform)) = self.accounts.iter().find(|(settings, _)| find(settings)) else {
                bail!("the demo has no account {account}")
            };
            let (content_type, body) = send::sample(*platform, settings, callback, Some(case))?;
            let body = match round {
                0 => body,
                _ => platform.callbacks().map_or(body.clone(), |c| c.stage(renew(&body, round), settings)),
            };
            let url = self.urls.iter().find(|(name, _)| name == account).map(|(_, url)| url.as_str());
            let url = format!("{base}{}{callback}", url.unwrap_or_default());
            let status = send::deliver(&url, content_type.as_deref(), body).await?;
            let name = platform.descriptor().name;
            let line = format!("POST  {name} calls {account}/{callback} ({case}): {status}");
            say(line.if_supports_color(Stdout, |text| text.dimmed()));
            tokio::time::sleep(PAUSE).await;
        }
        Ok(STORY.len())
    }
}

/// The sample with the ids of another broadcast, upload and recording: the same ones would be repeats.
fn renew(body: &[u8], round: u32) -> Vec<u8> {
    let day = format!("2026{:04}", 200 + round % 9000);
    let recording = format!("{:08x}", 0x64a1_f6d3 + round);
    String::from_utf8_lossy(body)
        .replace("20260114", &day)
        .replace("64a1f6d3", &recording)
        .replace("900000001", &format!("9{round:08}"))
        .into_bytes()
}

fn summary(told: usize, types: &[String]) -> anyhow::Result<()> {
    if types.is_empty() {
        bail!("no event came back from the bus");
    }
    heading(&format!("{told} callbacks became {} events, read back from NATS", types.len()));
    say("\
The second `start` said nothing new, so it made no event. The last form had no broadcast key, so its bytes
are in quarantine. Try next:
  livehook demo --follow                          goes on until Ctrl-C
  livehook check --config deploy/livehook.toml    what a configuration looks like, and what is wrong with it
  livehook schema broadcast.started               what your consumers can rely on
  nats sub 'live.*.*.broadcast.>'                 how any service subscribes");
    Ok(())
}

fn heading(text: &str) {
    say(format!("\n{}\n", text.if_supports_color(Stdout, |text| text.bold())));
}
