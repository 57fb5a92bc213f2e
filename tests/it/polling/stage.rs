//! Simulated platforms on loopback ports, and how to ask the program what came of them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures::StreamExt as _;
use jiff::Timestamp;
use livehook::{
    ports::{Clock as _, SystemClock},
    simulators::{Push, Simulator, kollus, serve},
};
use serde_json::Value;
use tokio::sync::watch;

use crate::support::{
    canaries::canary,
    nats::Nats,
    program::{PATIENCE, PUBLIC_HOST, Program, client},
};

/// A simulated platform that listens.
pub struct Place<W> {
    world: Arc<Mutex<W>>,
    server: serve::Server,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    asked: watch::Receiver<u64>,
}

impl<W: Simulator + 'static> Place<W> {
    pub async fn open(world: W) -> Self {
        Self::open_at(world, now).await
    }

    /// At the times of another clock.
    pub async fn open_at(world: W, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let world = Arc::new(Mutex::new(world));
        let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(clock);
        let (count, asked) = watch::channel(0);
        let time = Arc::clone(&clock);
        // The server asks for the time once for each request, right before it answers.
        let counted = move || {
            count.send_modify(|count| *count += 1);
            time()
        };
        let server = serve::serve(Arc::clone(&world), 0, counted).await.unwrap();
        Self { world, server, clock, asked }
    }

    /// Changes with each request that came.
    pub fn asked(&self) -> watch::Receiver<u64> {
        self.asked.clone()
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Does something to the world, now.
    pub fn with<T>(&self, act: impl FnOnce(&mut W) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance((self.clock)());
        act(&mut world)
    }

    pub fn pushes(&self) -> Vec<Push> {
        self.with(W::take_pushes)
    }

    /// Fails if a request broke a limit of the platform.
    #[track_caller]
    pub fn assert_no_violation(&self) {
        let violations = self.with(|world| world.violations().to_vec());
        assert!(violations.is_empty(), "{}: {violations:#?}", self.with(|world| world.platform()));
    }
}

/// The machine's time.
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// A Kollus with some channels.
pub fn kollus_with(channels: usize, options: kollus::Options) -> kollus::World {
    let mut world =
        kollus::World::new(kollus::Options { access_token: ACCESS.to_owned(), begins_at: now(), ..options });
    for number in 0..channels {
        world.add_channel(&format!("Channel {number}"));
    }
    world
}

/// The section of an account at a Kollus, with the watches that are given.
pub fn kollus_account(name: &str, place: &Place<kollus::World>, watches: &str) -> String {
    format!(
        "[accounts.{name}]\nplatform = \"kollus\"\nservice_account = \"acme\"\ntoken = {{ env = \"ACCESS\" }}\n\
         base_url = \"{}/api/v1/live/service-accounts\"\nallow_unknown_hosts = true\n{watches}\n",
        place.url()
    )
}

/// Reads `ACCESS`.
pub const ACCESS: &str = canary("polling-access");
/// Of `acme`'s callback URLs; `callback_tokens = [{ env = "ACME_TOKEN" }]`.
pub const ACME_TOKEN: &str = canary("polling-acme-token");

pub fn environment() -> Vec<(&'static str, &'static str)> {
    vec![("ACCESS", ACCESS), ("ACME_TOKEN", ACME_TOKEN)]
}

/// Delivers a callback as the platform does; `None` if nobody answered.
pub async fn deliver(program: &Program, push: Push) -> Option<u16> {
    let url = format!("http://{}/callbacks/acme/{ACME_TOKEN}/{}", program.public, push.callback);
    let request = client().post(url).header("host", PUBLIC_HOST).header("content-type", push.content_type);
    let answer = request.body(push.body).timeout(Duration::from_secs(3)).send().await;
    Some(answer.ok()?.status().as_u16())
}

/// The whole log of events.
pub async fn events(program: &Program) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let page = program.ask(&format!("/api/v1/events?limit=1000&after={after}")).await;
        let mut page: Value = serde_json::from_str(&page).unwrap();
        let next = page["next"].as_str().unwrap().to_owned();
        events.append(page["events"].as_array_mut().unwrap());
        if next == after {
            return events;
        }
        after = next;
    }
}

/// Everything that the JetStream stream of events holds, in order; nothing if there is none.
pub async fn published(nats: &Nats) -> Vec<Value> {
    let client = async_nats::connect(nats.url()).await.unwrap();
    let Ok(mut stream) = jetstream::new(client).get_stream("LIVE").await else { return Vec::new() };
    let last = stream.info().await.unwrap().state.last_sequence;
    let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut events = Vec::new();
    while (events.len() as u64) < last {
        let message = tokio::time::timeout(PATIENCE, messages.next()).await.unwrap().unwrap().unwrap();
        events.push(serde_json::from_slice(&message.payload).unwrap());
    }
    events
}

/// Those of one entity; `broadcast/1`.
pub async fn events_of(program: &Program, subject: &str) -> Vec<Value> {
    let mut events = events(program).await;
    events.retain(|event| event["subject"] == subject);
    events
}

/// `broadcast.started` and the like.
pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap().trim_start_matches("live.")).collect()
}

/// What `GET /api/v1/watches` says of a watch, with what it says of its account.
pub async fn watch(program: &Program, account: &str, watch: &str) -> Option<(Value, Value)> {
    let answer: Value = serde_json::from_str(&program.ask("/api/v1/watches").await).unwrap();
    let accounts = answer["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|it| it["account"] == account)?.clone();
    let watch = account["watches"].as_array().unwrap().iter().find(|it| it["watch"] == watch)?.clone();
    Some((watch, account))
}

/// When a watch was last read well.
pub async fn last_success(program: &Program, account: &str, name: &str) -> Option<Timestamp> {
    watch(program, account, name).await?.0["last_success_at"].as_str()?.parse().ok()
}

/// Waits until a watch was read well so many times, from now on.
pub async fn sweeps(program: &Program, account: &str, name: &str, times: usize) {
    let mut last = now();
    for _ in 0..times {
        last = until(&format!("{account} {name} is read"), SWEEP_PATIENCE, async || {
            last_success(program, account, name).await.filter(|at| *at > last)
        })
        .await;
    }
}

/// A budget may be spent for a minute.
pub const SWEEP_PATIENCE: Duration = Duration::from_secs(120);

/// Waits for something; nobody waits for ever.
pub async fn until<T>(what: &str, patience: Duration, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < patience, "{what}: not so within {patience:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
