//! `livehook simulate`: the simulated platforms by hand, for trying a configuration or one's own client.

mod section;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;

pub(super) use self::section::KOLLUS_PATH;
use self::section::section;
use super::{block_on, say};
use crate::{
    ports::{Clock, SystemClock},
    simulators::{Simulator, dice::Dice, kollus, livedigital, openfresh, serve, soop},
};

/// Serve simulated platforms on loopback: their wire formats, their limits, a world in which something happens.
///
/// Needs no configuration, and prints what a configuration needs to read them. Then it tells what happens, and each
/// request that breaks a limit of the platform: your own with curl count as livehook's do. Without --random a story of
/// 12 seconds begins with the first request, and nothing happens after it. Ends with Ctrl-C.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook simulate                            all four, on ports of the system's choice
  livehook simulate soop --port 9001           one of them
  livehook simulate kollus --random 7          things happen at random, the same for the same number
  curl -s 'http://127.0.0.1:9001/broad/list?client_id=client-id'")]
pub(super) struct Simulate {
    /// kollus, soop, openfresh, livedigital; default: all.
    platforms: Vec<String>,
    /// The first one's port; the others get the next ones. 0: any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Instead of a short story: a change every two seconds, drawn from this number.
    #[arg(long, value_name = "SEED")]
    random: Option<u64>,
}

/// Time between two changes of a world that changes at random.
const CHANGE_EVERY: Duration = Duration::from_secs(2);
/// How often violations and news are looked for.
const TICK: Duration = Duration::from_millis(200);

/// A world, and how it changes at random.
struct Stage {
    world: Arc<Mutex<dyn Simulator>>,
    change: Box<dyn FnMut(&mut Dice)>,
    /// Its story begins when somebody looks.
    was_asked: Arc<AtomicBool>,
    told: usize,
    violations: usize,
}

impl Simulate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.serve())
    }

    async fn serve(self) -> anyhow::Result<()> {
        let all = ["kollus", "soop", "openfresh", "livedigital"].map(str::to_owned);
        let platforms = if self.platforms.is_empty() { all.to_vec() } else { self.platforms.clone() };
        let mut stages = Vec::new();
        let mut servers = Vec::new();
        say("# Simulated platforms. To read them, put this into livehook.toml:");
        for (platform, offset) in platforms.iter().zip(0..) {
            let stage = stage(platform)?;
            let port = if self.port == 0 { 0 } else { self.port.saturating_add(offset) };
            let was_asked = Arc::clone(&stage.was_asked);
            let clock = move || {
                was_asked.store(true, Ordering::Relaxed);
                SystemClock.now()
            };
            let server = serve::serve(Arc::clone(&stage.world), port, clock).await;
            let server =
                server.with_context(|| format!("port {port} cannot be had: choose another --port"))?;
            say(section(platform, &server.url()));
            servers.push(server);
            stages.push(stage);
        }
        say("# What happens there:");
        let playing = async {
            let mut dice = Dice::new(self.random.unwrap_or_default());
            let mut ticks = tokio::time::interval(TICK);
            let ticks_per_change = CHANGE_EVERY.as_millis() / TICK.as_millis();
            for tick in 0.. {
                ticks.tick().await;
                for stage in &mut stages {
                    if self.random.is_some() && tick % ticks_per_change == 0 {
                        (stage.change)(&mut dice);
                    }
                    stage.tell();
                }
            }
        };
        tokio::select! {
            () = playing => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        for server in servers {
            server.stop().await;
        }
        Ok(())
    }
}

impl Stage {
    fn tell(&mut self) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        if self.was_asked.load(Ordering::Relaxed) {
            world.advance(SystemClock.now());
        }
        let platform = world.platform();
        for transition in world.journal().iter().skip(self.told) {
            say(format!("{}  {platform}  {} {}", hour(transition.at), transition.subject, transition.verb));
        }
        self.told = world.journal().len();
        for violation in world.violations().iter().skip(self.violations) {
            say(format!("{}  {platform}  VIOLATION: {}", hour(violation.at), violation.what));
        }
        self.violations = world.violations().len();
    }
}

fn hour(at: Timestamp) -> impl std::fmt::Display {
    at.strftime("%H:%M:%S%.3f").to_string()
}

fn stage(platform: &str) -> anyhow::Result<Stage> {
    Ok(match platform {
        "kollus" => set(kollus::World::demo(), kollus::World::play),
        "soop" => set(soop::World::demo(), soop::World::play),
        "openfresh" => set(openfresh::World::demo(), openfresh::World::play),
        "livedigital" => set(livedigital::World::demo(), livedigital::World::play),
        other => bail!("{other:?} is not simulated: use kollus, soop, openfresh or livedigital"),
    })
}

fn set<W: Simulator + 'static>(world: W, play: fn(&mut W, &mut Dice)) -> Stage {
    // What made the world is no news.
    let told = world.journal().len();
    let world = Arc::new(Mutex::new(world));
    let played = Arc::clone(&world);
    let change = Box::new(move |dice: &mut Dice| {
        let mut world = played.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(SystemClock.now());
        play(&mut world, dice);
    });
    Stage { world, change, was_asked: Arc::default(), told, violations: 0 }
}
