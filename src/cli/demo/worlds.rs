//! The four platforms, simulated on loopback ports; what they push is posted to livehook as they would.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;

use crate::{
    cli::send,
    config::Environment,
    ports::{Clock, SystemClock},
    simulators::{Push, Simulator, Violation, kollus, livedigital, openfresh, serve, soop},
};

/// The program of the demo's OpenFRESH world.
pub(super) const PROGRAM: u64 = 92_823;
/// The streamer of the demo's SOOP world.
pub(super) const STREAMER: &str = "gamja";

/// The platforms, each served by real HTTP.
pub(super) struct Worlds {
    pub(super) kollus: Arc<Mutex<kollus::World>>,
    pub(super) soop: Arc<Mutex<soop::World>>,
    pub(super) openfresh: Arc<Mutex<openfresh::World>>,
    pub(super) livedigital: Arc<Mutex<livedigital::World>>,
    servers: [serve::Server; 4],
    /// The channel in which a broadcast will start.
    pub(super) channel: String,
    /// The space, and the room in which people will meet.
    pub(super) space: String,
    pub(super) room: String,
}

impl Worlds {
    /// Makes them and begins to serve them.
    pub(super) async fn open(secrets: &Environment) -> anyhow::Result<Self> {
        let secret = |name: &str| secrets.get(name).cloned().unwrap_or_default();
        let now = SystemClock.now();

        let mut kollus = kollus::World::new(kollus::Options {
            client_secret: secret("KOLLUS_SECRET"),
            latest_has_key: true,
            begins_at: now,
            ..kollus::Options::default()
        });
        let channel = kollus.add_channel("Main hall");
        kollus.add_channel("강의실 1");

        let mut soop = soop::World::new(soop::Options {
            client_id: secret("SOOP_CLIENT_ID"),
            client_secret: secret("SOOP_SECRET"),
            accounts: vec![soop::Account::new(STREAMER, "")],
            varies: false,
            begins_at: now,
            ..soop::Options::default()
        });
        soop.advance(now);
        soop.start("bada", "배그 스쿼드 🎮", "00040066");

        let mut openfresh = openfresh::World::new(openfresh::Options {
            username: "broadcaster".to_owned(),
            password: secret("OPENFRESH_PASSWORD"),
            late_max: jiff::SignedDuration::ZERO,
            begins_at: now,
            ..openfresh::Options::default()
        });
        openfresh.advance(now);
        openfresh.announce_program(PROGRAM, jiff::SignedDuration::from_hours(1));

        let mut livedigital = livedigital::World::new(livedigital::Options {
            client_id: "demo".to_owned(),
            client_secret: secret("LIVEDIGITAL_CLIENT_SECRET"),
            username: "owner@example.test".to_owned(),
            password: secret("LIVEDIGITAL_PASSWORD"),
            webhook_secret: secret("LIVEDIGITAL_SECRET"),
            shows_active_calls: true,
            begins_at: now,
            ..livedigital::Options::default()
        });
        livedigital.advance(now);
        let space = livedigital.add_space("Team");
        livedigital.set_webhook(&space, Some("https://hooks.example.com"), true);
        let room = livedigital.add_room(&space, "Weekly demo").context("the space is there")?;

        let (kollus, soop) = (Arc::new(Mutex::new(kollus)), Arc::new(Mutex::new(soop)));
        let (openfresh, livedigital) = (Arc::new(Mutex::new(openfresh)), Arc::new(Mutex::new(livedigital)));
        let servers = [
            serve::serve(Arc::clone(&kollus), 0, || SystemClock.now()).await?,
            serve::serve(Arc::clone(&soop), 0, || SystemClock.now()).await?,
            serve::serve(Arc::clone(&openfresh), 0, || SystemClock.now()).await?,
            serve::serve(Arc::clone(&livedigital), 0, || SystemClock.now()).await?,
        ];
        // What made the worlds is no news.
        let worlds = Self { kollus, soop, openfresh, livedigital, servers, channel, space, room };
        worlds.take_pushes();
        Ok(worlds)
    }

    /// Where each is, in the order kollus, soop, openfresh, livedigital.
    pub(super) fn urls(&self) -> [String; 4] {
        self.servers.each_ref().map(serve::Server::url)
    }

    /// Lets every world's clock run up to now.
    pub(super) fn advance(&self) {
        let now = SystemClock.now();
        lock(&self.kollus).advance(now);
        lock(&self.soop).advance(now);
        lock(&self.openfresh).advance(now);
        lock(&self.livedigital).advance(now);
    }

    /// The callbacks that are due, with the account they belong to.
    pub(super) fn take_pushes(&self) -> Vec<(&'static str, Push)> {
        self.advance();
        let kollus = lock(&self.kollus).take_pushes().into_iter().map(|push| ("acme", push));
        let livedigital = lock(&self.livedigital).take_pushes().into_iter().map(|push| ("meetings", push));
        kollus.chain(livedigital).collect()
    }

    /// Requests of livehook that broke a platform's limits.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let mut violations = lock(&self.kollus).violations().to_vec();
        violations.extend_from_slice(lock(&self.soop).violations());
        violations.extend_from_slice(lock(&self.openfresh).violations());
        violations.extend_from_slice(lock(&self.livedigital).violations());
        violations
    }

    pub(super) async fn close(self) {
        for server in self.servers {
            server.stop().await;
        }
    }
}

/// Delivers a push; returns the status.
pub(super) async fn deliver(url: &str, push: Push) -> anyhow::Result<u16> {
    send::deliver(url, Some(push.content_type), push.body).await
}

pub(super) fn lock<W>(world: &Mutex<W>) -> MutexGuard<'_, W> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
