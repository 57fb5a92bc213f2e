//! `livehook demo`: the main job, for whoever has a minute.
//!
//! Everything is real: a nats-server, livehook with its store, consents, callbacks and polls over HTTP, a NATS
//! subscriber that prints what it gets. Only the platforms are simulated, on loopback.

mod audience;
mod person;
mod samples;
mod setting;
mod story;
mod theatre;
mod worlds;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use owo_colors::{OwoColorize, Stream::Stdout};
use tokio::time::Instant;
use tracing_subscriber::EnvFilter;

use self::{audience::Audience, samples::Samples, theatre::Theatre, worlds::Worlds};
use super::say;
use crate::{
    app::{App, Ports},
    config,
    poll::Board,
    simulators::Violation,
    telemetry,
};

/// Show what livehook does: an embedded bus, simulated platforms, events as they are published.
///
/// Needs a nats-server program (2.10.27 or newer) and nothing else. Everything it makes is temporary, unless you want to
/// keep it. It ends by itself after half a minute, with a summary.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook demo
  livehook demo --follow                             goes on until Ctrl-C
  livehook demo --keep demo --log debug              shows livehook's own log, and keeps its store and the bus's data
  livehook demo --nats-server /opt/nats-server       with a program that is not on PATH")]
pub(super) struct Demo {
    /// Go on until Ctrl-C, with new broadcasts all the time.
    #[arg(long)]
    follow: bool,
    /// The nats-server program; default: the one on PATH.
    #[arg(long, value_name = "FILE", env = "LIVEHOOK_NATS_SERVER")]
    nats_server: Option<PathBuf>,
    /// Leave the store and the bus's data in this directory, which must be new or empty. Tokens in it are sealed with
    /// LIVEHOOK_DEMO_VAULT_KEY, 64 hexadecimal digits; without that variable with a key that nobody knows.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Which lines of livehook's own log to print, as a tracing filter.
    #[arg(long, value_name = "FILTER", default_value = "warn", value_parser = is_filter)]
    log: String,
}

/// Longest time until every watch was read once.
const FIRST_SWEEPS: Duration = Duration::from_secs(20);
/// How often that is looked for.
const TICK: Duration = Duration::from_millis(100);

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<()> {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(self.play())
    }

    async fn play(self) -> anyhow::Result<()> {
        if let Some(dir) = &self.keep {
            let dir = std::path::absolute(dir)?;
            is_free(&dir)
                .with_context(|| format!("--keep {}: name a new or empty directory", dir.display()))?;
            let result = self.play_in(&dir).await;
            say(format!("The store and the bus's data are in {}.", dir.display()));
            return result;
        }
        let dir = std::env::temp_dir().join(format!("livehook-demo-{}", std::process::id()));
        let result = self.play_in(&dir).await;
        // Best effort: the system cleans its temporary directory as well.
        let _ = std::fs::remove_dir_all(&dir);
        result
    }

    async fn play_in(&self, dir: &Path) -> anyhow::Result<()> {
        let ports = Ports::real();
        let nats_server = self.nats_server.as_deref();
        let mut environment = setting::environment(dir, nats_server, ports.entropy.as_ref());
        let worlds = Worlds::open(&environment).await?;
        setting::point_at(&worlds, &mut environment)?;
        environment.insert("LIVEHOOK_LOG__FILTER".to_owned(), self.log.clone());
        let config = config::parse(setting::CONFIG, &environment)?;

        let samples = Samples::of(&config);
        telemetry::start_logs(&config.log_filter);
        let app = App::start(config, ports, telemetry::start_metrics()?).await?;
        let options = app.bus_options.clone().context("the demo has an embedded bus")?;
        heading(&format!(
            "nats-server runs at {}; livehook accepts callbacks at http://{}, shows http://{}/connect and /metrics, and reads four simulated platforms",
            options.servers.join(", "),
            app.public_addr,
            app.admin_addr
        ));
        let mut audience = Audience::seated(options).await?;
        let admin = format!("http://{}", app.admin_addr);
        for (platform, account) in [("Kollus", "acme"), ("SOOP", "games")] {
            dimmed(&format!("{platform}: somebody connects the account {account}, with a browser"));
            person::connects(&admin, account).await?;
        }
        let theatre = Theatre { worlds, samples, base: format!("http://{}", app.public_addr) };
        let mut told = 0;
        let playing = async {
            first_sweeps(&app.board()).await?;
            for round in 0.. {
                told += theatre.play(round).await?;
                if !self.follow {
                    break;
                }
            }
            told += theatre.settle(&mut audience).await?;
            anyhow::Ok(())
        };
        tokio::select! {
            result = playing => result?,
            _ = tokio::signal::ctrl_c() => say(""),
        }
        app.stop().cancel();
        app.finish().await?;
        let violations = theatre.worlds.violations();
        theatre.worlds.close().await;
        summary(told, audience.seen(), &violations)
    }
}

fn is_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Nothing is there, or an empty directory.
fn is_free(dir: &Path) -> anyhow::Result<()> {
    match dir.read_dir() {
        Ok(mut entries) => {
            ensure!(entries.next().is_none(), "something is in there");
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What is there before the story begins is discovered first, so that what begins in it is news.
async fn first_sweeps(board: &Board) -> anyhow::Result<()> {
    let until = Instant::now() + FIRST_SWEEPS;
    loop {
        let accounts = board.snapshot();
        let mut watches = accounts.iter().flat_map(|account| &account.watches);
        if watches.all(|watch| watch.last_success_at.is_some()) {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("not every platform could be read: {}", serde_json::to_string(&accounts)?);
        }
        tokio::time::sleep(TICK).await;
    }
}

fn summary(told: usize, seen: &[String], violations: &[Violation]) -> anyhow::Result<()> {
    if seen.is_empty() {
        bail!("no event came back from the bus");
    }
    heading(&format!(
        "{told} callbacks and what the polls saw became {} events, read back from NATS",
        seen.len()
    ));
    let started = seen.iter().filter(|event| *event == "broadcast.started acme").count();
    say(format!(
        "Kollus's callback and its API both told of the broadcast's start: {started} broadcast.started.
Requests that broke a limit of the platforms: {}.
The last form had no broadcast key, so its bytes are in quarantine. Try next, with livehook on your PATH:
  livehook simulate --random 7                    simulated platforms, and a configuration to read them
  livehook check --config deploy/livehook.toml    a configuration for real, and what is wrong with it
  livehook schema broadcast.started               what your consumers can rely on
  livehook demo --follow                          the same until Ctrl-C",
        violations.len()
    ));
    match violations.first() {
        Some(Violation { at, what }) => bail!("a platform's limit was broken at {at}: {what}"),
        None => Ok(()),
    }
}

fn dimmed(text: &str) {
    say(text.if_supports_color(Stdout, |text| text.dimmed()));
}

fn heading(text: &str) {
    say(format!("\n{}\n", text.if_supports_color(Stdout, |text| text.bold())));
}
