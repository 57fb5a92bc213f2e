//! The service in this process, with its own clock, between two simulated platforms.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    app::{App, Ports},
    config,
    ports::{Clock, SystemClock, SystemEntropy, http::HttpClient},
    simulators::{Simulator, kollus, serve, soop},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;

use super::browser::{Browser, Page};
use crate::support::{
    canaries::{self, canary},
    program::{PATIENCE, client},
    remains::record,
    remains::{TempDir, tempdir},
};

pub const KOLLUS_USER: &str = "operator@acme.example";
pub const SOOP_USER: &str = "soop1234";

/// The machine's clock, moved on.
#[derive(Default)]
pub struct MovedClock(Mutex<SignedDuration>);

impl MovedClock {
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

/// A simulated platform that listens.
pub struct Place<W> {
    world: Arc<Mutex<W>>,
    server: serve::Server,
}

impl<W: Simulator + 'static> Place<W> {
    pub async fn open(world: W, clock: Arc<MovedClock>) -> Self {
        let world = Arc::new(Mutex::new(world));
        let server = serve::serve(Arc::clone(&world), 0, move || clock.now()).await.unwrap();
        Self { world, server }
    }

    pub fn world(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn token_calls(&self) -> usize {
        self.world().token_calls().len()
    }
}

/// Accounts `acme` and `second` (Kollus), `games` (SOOP), and `fixed`, whose token stands in the configuration.
pub struct Rig {
    pub public: String,
    pub admin: String,
    pub public_address: SocketAddr,
    pub clock: Arc<MovedClock>,
    pub kollus: Place<kollus::World>,
    pub soop: Place<soop::World>,
    pub app: App,
    _home: TempDir,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(canaries::soop()).await
    }

    pub async fn with(soop: soop::Options) -> Self {
        let clock = Arc::new(MovedClock::default());
        let begins_at = clock.now();
        let users = vec![KOLLUS_USER.to_owned(), "another@acme.example".to_owned()];
        let mut kollus = kollus::World::new(kollus::Options { begins_at, users, ..canaries::kollus() });
        kollus.add_channel("Main hall");
        let kollus = Place::open(kollus, Arc::clone(&clock)).await;
        let soop = soop::World::new(soop::Options { begins_at, ..soop });
        let soop = Place::open(soop, Arc::clone(&clock)).await;
        let home = tempdir();
        let public = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = configuration(&home, public, &kollus.url(), &soop.url());
        let environment = [
            ("VAULT", canary("oauth-vault-key").to_owned()),
            ("KOLLUS", secret(true)),
            ("FIXED", canary("oauth-fixed-token").to_owned()),
            ("SOOP", secret(false)),
        ];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let config = config::parse(&text, &environment).unwrap_or_else(|problems| panic!("{problems}"));
        let ports = Ports {
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            http: Arc::new(HttpClient::new()),
        };
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let app = App::start(config, ports, metrics).await.unwrap();
        let (public, admin) = (format!("http://{public}"), format!("http://{}", app.admin_addr));
        let public_address = app.public_addr;
        let rig = Self { public, admin, public_address, clock, kollus, soop, app, _home: home };
        rig.until("accounts are loaded", async |rig| rig.credentials().await.len() == 4).await;
        rig
    }

    /// A new address that begins a consent.
    pub async fn begin_url(&self, account: &str) -> String {
        let url = format!("{}/api/v1/credentials/{account}/connect", self.admin);
        let answer = client().post(url).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        answer["url"].as_str().unwrap().to_owned()
    }

    /// Begins a consent: where the platform asks.
    pub async fn sent(&self, browser: &mut Browser, account: &str) -> String {
        let begin = self.begin_url(account).await;
        browser.get(&begin).await.location().to_owned()
    }

    /// A consent up to the way back: where the platform sends the browser.
    pub async fn way_back(&self, browser: &mut Browser, account: &str, who: &str) -> String {
        let asked = self.sent(browser, account).await;
        browser.decide(&asked, who, true).await
    }

    /// The page that a step leads to, with the word in its address.
    pub async fn outcome(&self, browser: &mut Browser, step: &Page) -> (String, Page) {
        let location = step.location();
        let outcome = location.split_once("outcome=").unwrap_or_else(|| panic!("{step:?}")).1.to_owned();
        (outcome, browser.get(&format!("{}{location}", self.public)).await)
    }

    /// A consent to its end; says yes where livehook asks.
    pub async fn connect(&self, browser: &mut Browser, account: &str, who: &str) -> (String, Page) {
        let back = self.way_back(browser, account, who).await;
        let step = browser.get(&back).await;
        let (outcome, page) = self.outcome(browser, &step).await;
        if outcome != "confirm" {
            return (outcome, page);
        }
        let step = self.answer(browser, account, &page.field("form_key"), "yes").await;
        self.outcome(browser, &step).await
    }

    pub async fn answer(&self, browser: &mut Browser, account: &str, key: &str, answer: &str) -> Page {
        let url = format!("{}/oauth/{account}/confirm", self.public);
        browser.post(&url, &[("form_key", key), ("answer", answer)]).await
    }

    pub async fn credentials(&self) -> Vec<Value> {
        let text = client().get(format!("{}/api/v1/credentials", self.admin)).send().await.unwrap();
        let text = text.text().await.unwrap();
        record(&text);
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["credentials"].as_array().unwrap().clone()
    }

    pub async fn credential(&self, account: &str) -> Value {
        self.credentials().await.into_iter().find(|it| it["account"] == account).unwrap()
    }

    /// The log of events, as text and as values.
    pub async fn events(&self) -> (String, Vec<Value>) {
        let url = format!("{}/api/v1/events?limit=1000", self.admin);
        let text = client().get(url).send().await.unwrap().text().await.unwrap();
        record(&text);
        let answer: Value = serde_json::from_str(&text).unwrap();
        (text, answer["events"].as_array().unwrap().clone())
    }

    pub async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self).await {
            assert!(began.elapsed() < PATIENCE, "{what}: not so within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many requests came to both token endpoints.
    pub fn token_calls(&self) -> usize {
        self.kollus.token_calls() + self.soop.token_calls()
    }
}

fn secret(is_kollus: bool) -> String {
    if is_kollus { canaries::kollus().client_secret } else { canaries::soop().client_secret }
}

fn configuration(home: &TempDir, public: SocketAddr, kollus: &str, soop: &str) -> String {
    let data = home.path().join("data");
    let kollus_account = |name: &str, more: &str| {
        format!(
            "[accounts.{name}]\nplatform = \"kollus\"\nservice_account = \"acme\"\nallow_unknown_hosts = true\n\
             base_url = \"{kollus}/api/v1/live/service-accounts\"\nauth_url = \"{kollus}\"\n{more}\n"
        )
    };
    let application = "client_id = \"55\"\nclient_secret = { env = \"KOLLUS\" }\n";
    [
        format!("[http]\npublic_listen = \"{public}\"\nadmin_listen = \"127.0.0.1:0\"\n"),
        format!("public_url = \"http://{public}\"\ndrain_seconds = 0\n"),
        format!("[store]\ndir = {data:?}\n[vault]\nkey = {{ env = \"VAULT\" }}\n"),
        kollus_account("acme", &format!("{application}poll.channels = {{ every = \"10s\" }}")),
        kollus_account("second", &format!("{application}poll.channels = {{ every = \"10s\" }}")),
        kollus_account("fixed", "token = { env = \"FIXED\" }\npoll.channels = { every = \"10s\" }"),
        format!(
            "[accounts.games]\nplatform = \"soop\"\nbase_url = \"{soop}\"\nallow_unknown_hosts = true\n\
             client_id = \"client-id\"\nclient_secret = {{ env = \"SOOP\" }}\npoll.station = {{ every = \"10s\" }}\n"
        ),
    ]
    .concat()
}
