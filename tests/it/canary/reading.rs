//! What happens while platforms are read that put secrets into their answers, and send back those of ours.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures::{StreamExt as _, TryStreamExt as _};
use livehook::{
    ports::{Clock as _, SystemClock},
    simulators::{Simulator as _, kollus, livedigital, serve, soop},
};
use serde_json::{Value, json};

use super::{
    leaky::{Echo, Leaky},
    search::Haystack,
    story::{Secret, Secrets},
};
use crate::support::{nats::Nats, program::Program};

/// The secrets, and everything that was written, answered, published or printed.
pub struct Reading {
    pub secrets: Vec<Secret>,
    pub haystack: Haystack,
    pub database: Haystack,
}

const WATCHES: [(&str, &[&str]); 3] = [
    ("acme", &["channels", "broadcasts"]),
    ("games", &["broadcasts", "live_status", "station", "categories", "filters", "settings", "vods"]),
    ("talks", &["spaces", "rooms", "records", "calls", "webhook"]),
];

/// Twelve watches of three platforms, whose limits allow about a request in a second, are read in far less.
const PATIENCE: Duration = Duration::from_secs(180);

impl Reading {
    /// Tells it from the beginning to the end.
    pub async fn told() -> Self {
        let mut secrets = Secrets::default();
        let nats = Nats::start();
        let worlds = Worlds::open(&mut secrets).await;
        let environment = worlds.credentials();
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        let program = Program::new(&worlds.sections(&nats), &environment);
        let mut telling = Telling { program, haystack: Haystack::default() };

        let running = telling.program.run().await;
        telling.all_is_read().await;
        worlds.change(&mut secrets);
        for sign in ["live.stream_key.rotated", "live.space.updated", "live.broadcast.started"] {
            telling
                .until(sign, async |it| it.program.ask("/api/v1/events?limit=1000").await.contains(sign))
                .await;
        }
        worlds.echo();
        telling
            .until("each account failed", async |it| {
                let watches = it.watches().await;
                WATCHES.iter().all(|(account, _)| {
                    watches.iter().any(|(name, watch)| name == account && watch["last_failure"].is_string())
                })
            })
            .await;
        telling.look(&nats).await;
        telling.haystack.add("log", &running.log());
        assert!(running.ended_by("TERM").await.success());

        telling.with_other_credentials(&mut secrets).await;
        telling.misconfigured(&mut secrets).await;
        worlds.assert_planted();

        let mut database = Haystack::default();
        for file in ["livehook.sqlite", "livehook.sqlite-wal"] {
            let bytes = fs::read(telling.program.home.path().join("data").join(file)).unwrap_or_default();
            database.add("database", &String::from_utf8_lossy(&bytes));
        }
        Self { secrets: secrets.0, haystack: telling.haystack, database }
    }
}

/// The platforms.
struct Worlds {
    kollus: Arc<Mutex<Leaky<kollus::World>>>,
    soop: Arc<Mutex<Leaky<soop::World>>>,
    livedigital: Arc<Mutex<Leaky<livedigital::World>>>,
    servers: [serve::Server; 3],
    channel: String,
    space: String,
}

fn lock<W>(world: &Mutex<W>) -> std::sync::MutexGuard<'_, W> {
    world.lock().unwrap()
}

fn now() -> jiff::Timestamp {
    SystemClock.now()
}

impl Worlds {
    async fn open(secrets: &mut Secrets) -> Self {
        let mut world = kollus::World::new(kollus::Options {
            access_token: secrets.elsewhere("an access token of Kollus"),
            shows_ingest: true,
            latest_has_key: true,
            begins_at: now(),
            ..kollus::Options::default()
        });
        let channel = world.add_channel("Main hall");
        world.add_channel("Side room");
        let key = secrets.elsewhere("the stream key of a channel");
        let planted = [
            ("stream_key", json!(key)),
            ("ingest_url", json!(format!("rtmp://ingest.example.com/live/{key}?auth=1"))),
            (
                "idle_screen_url",
                json!(format!("https://me:{key}@img.example.com/a.jpg?signature={key}#{key}")),
            ),
            ("streamKey", json!(secrets.elsewhere("a stream key in other letters"))),
            ("ingest", json!({ "primary": { "key": secrets.elsewhere("a nested key") } })),
            ("access_token", json!(secrets.elsewhere("an access token in a channel"))),
            ("srt", json!(["srt://ingest.example.com", secrets.elsewhere("a passphrase in a list")])),
        ];
        let kollus = Arc::new(Mutex::new(Leaky::new(world, planted)));

        let mut account = soop::Account::new("soop1234", &secrets.elsewhere("a streamer's access token"));
        account.stream_key = secrets.elsewhere("a streamer's stream key");
        let mut world = soop::World::new(soop::Options {
            client_secret: secrets.elsewhere("the secret of an application"),
            accounts: vec![account],
            varies: false,
            begins_at: now(),
            ..soop::Options::default()
        });
        world.advance(now());
        world.start("soop1234", "Game", "00040019");
        world.add_filter(soop::FilterKind::Keyword, "spam", "bad");
        world.add_vod(1, "Video", "soop1234님", "soop1234");
        let planted = [
            ("broad_password", json!(secrets.elsewhere("the password of a broadcast"))),
            ("access_token", json!(secrets.elsewhere("an access token in a row"))),
            ("stream", json!({ "rtmp": format!("rtmp://x/{}", secrets.elsewhere("a key in an address")) })),
        ];
        let soop = Arc::new(Mutex::new(Leaky::new(world, planted)));

        let mut world = livedigital::World::new(livedigital::Options {
            access_token: secrets.elsewhere("a personal token of livedigital"),
            shows_active_calls: true,
            begins_at: now(),
            ..livedigital::Options::default()
        });
        world.advance(now());
        let space = world.add_space("Team");
        world.set_webhook(&space, Some(&webhook(secrets, "the address of a webhook")), true);
        let room = world.add_room(&space, "Weekly").unwrap();
        world.start_call(&room);
        let record = world.start_record(&room).unwrap();
        world.finish_record(&record);
        let link = secrets.elsewhere("the link of a recording");
        let planted = [
            ("downloadUrl", json!(format!("https://files.example.com/{link}.mp4"))),
            ("url", json!(format!("https://files.example.com/file?signature={link}"))),
            ("link", json!({ "href": link })),
            ("guestToken", json!(secrets.elsewhere("a guest's token"))),
            ("pin", json!(secrets.elsewhere("the pin of a room"))),
        ];
        let livedigital = Arc::new(Mutex::new(Leaky::new(world, planted)));

        let servers = [
            serve::serve(Arc::clone(&kollus), 0, now).await.unwrap(),
            serve::serve(Arc::clone(&soop), 0, now).await.unwrap(),
            serve::serve(Arc::clone(&livedigital), 0, now).await.unwrap(),
        ];
        // Where a webhook leads is what that watch is for.
        lock(&livedigital).planted.shift_remove("url");
        Self { kollus, soop, livedigital, servers, channel, space }
    }

    /// By the names that the configuration gives them.
    fn credentials(&self) -> [(&'static str, String); 4] {
        let kollus = lock(&self.kollus).world.options().access_token.clone();
        let soop = lock(&self.soop).world.options().clone();
        let livedigital = lock(&self.livedigital).world.options().access_token.clone();
        [
            ("ACME_ACCESS", kollus),
            ("GAMES_ACCESS", soop.accounts[0].access_token.clone()),
            ("GAMES_SECRET", soop.client_secret),
            ("TALKS_ACCESS", livedigital),
        ]
    }

    fn sections(&self, nats: &Nats) -> String {
        let [kollus, soop, livedigital] = self.servers.each_ref().map(serve::Server::url);
        let watches = |account: &str| {
            let (_, watches) = WATCHES.iter().find(|(name, _)| *name == account).unwrap();
            let options = |watch: &str| match watch {
                "settings" => ", stream_key = true",
                "vods" => ", ids = [\"1\"]",
                _ => "",
            };
            let lines = watches
                .iter()
                .map(|watch| format!("poll.{watch} = {{ every = \"10s\"{} }}\n", options(watch)));
            lines.collect::<String>() + "allow_unknown_hosts = true\n"
        };
        format!(
            "[bus]\nservers = [\"{}\"]\n[log]\nfilter = \"debug\"\n\
             [accounts.acme]\nplatform = \"kollus\"\ntoken = {{ env = \"ACME_ACCESS\" }}\n\
             base_url = \"{kollus}/api/v1/live/service-accounts\"\n{}\
             [accounts.games]\nplatform = \"soop\"\nclient_id = \"client-id\"\n\
             client_secret = {{ env = \"GAMES_SECRET\" }}\ntoken = {{ env = \"GAMES_ACCESS\" }}\nbase_url = \"{soop}\"\n{}\
             [accounts.talks]\nplatform = \"livedigital\"\ntoken = {{ env = \"TALKS_ACCESS\" }}\nbase_url = \"{livedigital}\"\n{}",
            nats.url(),
            watches("acme"),
            watches("games"),
            watches("talks"),
        )
    }

    /// What was seen changes, so that it is compared and told.
    fn change(&self, secrets: &mut Secrets) {
        {
            let mut kollus = lock(&self.kollus);
            kollus.advance(now());
            kollus.planted.insert(
                "stream_key".to_owned(),
                json!(secrets.elsewhere("the next stream key of a channel")),
            );
            kollus.world.start(&self.channel, "Show");
        }
        lock(&self.soop).world.options().accounts[0].stream_key =
            secrets.elsewhere("the next stream key of a streamer");
        let mut livedigital = lock(&self.livedigital);
        livedigital.world.set_webhook(
            &self.space,
            Some(&webhook(secrets, "the next address of a webhook")),
            true,
        );
    }

    fn echo(&self) {
        lock(&self.kollus).echoes.extend([Echo::Redirected, Echo::Said(500)]);
        lock(&self.soop).echoes.extend([
            Echo::Listed,
            Echo::Said(500),
            Echo::Redirected,
            Echo::Said(404),
            Echo::Listed,
        ]);
        lock(&self.livedigital).echoes.extend([Echo::Said(400), Echo::Listed]);
    }

    fn assert_planted(&self) {
        let answered =
            [lock(&self.kollus).answered, lock(&self.soop).answered, lock(&self.livedigital).answered];
        assert!(answered.iter().all(|count| *count >= 3), "{answered:?}");
        let left = [lock(&self.kollus).echoes.len(), lock(&self.livedigital).echoes.len()];
        assert!(left.iter().all(|count| *count <= 1), "{left:?}");
    }
}

/// With secrets where such addresses have them.
fn webhook(secrets: &mut Secrets, what: &'static str) -> String {
    let secret = secrets.elsewhere(what);
    format!("https://user:{secret}@hooks.example.com/callbacks/talks/{secret}/webhook?key={secret}")
}

/// The program, and what was heard of it.
struct Telling {
    program: Program,
    haystack: Haystack,
}

impl Telling {
    /// Each watch with the name of its account.
    async fn watches(&self) -> Vec<(String, Value)> {
        let answer: Value = serde_json::from_str(&self.program.ask("/api/v1/watches").await).unwrap();
        let accounts = answer["accounts"].as_array().unwrap().iter();
        let watches = accounts.flat_map(|account| {
            let name = account["account"].as_str().unwrap();
            account["watches"].as_array().unwrap().iter().map(move |watch| (name.to_owned(), watch.clone()))
        });
        watches.collect()
    }

    async fn all_is_read(&self) {
        self.until("all is read", async |it| {
            let watches = it.watches().await;
            watches.len() == 14 && watches.iter().all(|(_, watch)| watch["last_success_at"].is_string())
        })
        .await;
    }

    async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self).await {
            assert!(began.elapsed() < PATIENCE, "{what}: not so: {:#?}", self.watches().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// All that operators and consumers can look at.
    async fn look(&mut self, nats: &Nats) {
        let events = self.program.ask("/api/v1/events?limit=1000").await;
        let count = events.matches("specversion").count();
        self.haystack.add("events", &events);
        let stream = self.program.follow(0, |stream| stream.matches("specversion").count() >= count).await;
        self.haystack.add("event stream", &stream);
        for (part, target) in
            [("metrics", "/metrics"), ("readiness", "/readyz"), ("watches", "/api/v1/watches")]
        {
            let answer = self.program.ask(target).await;
            self.haystack.add(part, &answer);
        }
        let all = count.to_string();
        let tail = ["tail", "--all", "--count", &all];
        for arguments in [&["watch"][..], &["watch", "--json"], &["check"], &["check", "--json"], &tail] {
            self.print(arguments).await;
        }

        let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
        let bus = jetstream.get_stream("LIVE").await.unwrap();
        let consumer = bus.create_consumer(OrderedConfig::default()).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        for _ in 0..count {
            let message = tokio::time::timeout(PATIENCE, messages.next()).await.unwrap().unwrap().unwrap();
            self.haystack.add("bus", &format!("{} {:?}", message.subject, message.headers));
            self.haystack.add("bus", &String::from_utf8_lossy(&message.payload));
        }
        let bucket = jetstream.get_key_value("LIVE_STATE").await.unwrap();
        for key in bucket.keys().await.unwrap().try_collect::<Vec<_>>().await.unwrap() {
            let value = bucket.get(&key).await.unwrap().unwrap_or_default();
            self.haystack.add("bucket", &format!("{key} {}", String::from_utf8_lossy(&value)));
        }
    }

    /// Tokens that no platform accepts, and such that cannot even be sent.
    async fn with_other_credentials(&mut self, secrets: &mut Secrets) {
        for (part, end, sign) in [
            ("log with another credential", "", "does not accept the credential"),
            ("log with an odd credential", " x", "cannot be sent"),
        ] {
            for name in ["ACME_ACCESS", "GAMES_ACCESS", "TALKS_ACCESS"] {
                let wrong = secrets.elsewhere("a token that no platform accepts") + end;
                self.program.environment.insert(name.to_owned(), wrong);
            }
            fs::remove_file(self.program.home.path().join("log")).unwrap();
            let running = self.program.run().await;
            self.until(sign, async |_| running.log().contains(sign)).await;
            for target in ["/readyz", "/api/v1/watches", "/metrics", "/api/v1/events?limit=1000"] {
                let answer = self.program.ask(target).await;
                self.haystack.add("answers", &answer);
            }
            self.print(&["watch"]).await;
            self.haystack.add(part, &running.log());
            assert!(running.ended_by("TERM").await.success());
        }
    }

    /// Secrets where they do not belong.
    async fn misconfigured(&mut self, secrets: &mut Secrets) {
        let literal = secrets.elsewhere("a secret written into the configuration of a watch");
        for wrong in [
            format!("[accounts.a]\nplatform = \"kollus\"\ntoken = \"{literal}\"\npoll.channels = {{}}\n"),
            format!(
                "[accounts.a]\nplatform = \"kollus\"\ntoken = {{ env = \"X\", value = \"{literal}\" }}\n"
            ),
            format!(
                "[accounts.a]\nplatform = \"soop\"\nclient_id = \"c\"\nclient_secret = \"{literal}\"\npoll.filters = {{}}\n"
            ),
            format!(
                "[accounts.a]\nplatform = \"kollus\"\ntoken = {{ env = \"ACME_ACCESS\" }}\nbase_url = \"https://me:{literal}@api.example.com\"\npoll.channels = {{}}\n"
            ),
            format!(
                "[accounts.a]\nplatform = \"kollus\"\ntoken = {{ env = \"ACME_ACCESS\" }}\nbase_url = \"https://api.example.com/?token={literal}\"\npoll.channels = {{}}\n"
            ),
            format!(
                "[accounts.a]\nplatform = \"kollus\"\ntoken = {{ env = \"ACME_ACCESS\" }}\nbase_url = \"//{literal}@api.example.com\"\npoll.channels = {{}}\n"
            ),
        ] {
            self.program.sections = wrong;
            for arguments in [&["check", "--offline"][..], &["check", "--json"], &["run"]] {
                self.print(arguments).await;
            }
        }
    }

    async fn print(&mut self, arguments: &[&str]) {
        let printed = self.program.print(arguments).await;
        self.haystack.add("commands", &format!("{} {printed:?}", arguments.join(" ")));
    }
}
