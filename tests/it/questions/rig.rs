//! A desk with its listener, its store and a bus, in this process and on this thread, so that its log and its metrics
//! can be read.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use livehook::{
    config,
    grants::Grants,
    health::Health,
    ingest::{Ingest, Receiver, Receivers},
    outbox::Publisher,
    ports::{Bus, BusOptions, SystemClock, SystemEntropy, http::HttpClient},
    questions::{AskingAccount, Desk, Teller},
    store::{Store, StoreOptions, WriterThread},
    web::{self, AllowedHosts, Limits, PublicContext},
};
use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::player::Player;
use crate::support::{
    canaries::canary,
    nats::Nats,
    remains::record,
    remains::{TempDir, tempdir},
};

pub const URL_TOKEN: &str = canary("questions-url-token");
pub const MUTE_URL_TOKEN: &str = canary("questions-mute-token");
pub const SECURITY_KEY: &str = canary("questions-security-key");
pub const USER_KEY: &str = "EXAMPLE_CUSTOM_KEY";
/// What is waited for comes within this, or never. The store alone waits 5 s for another program, more than once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What differs between tests.
pub struct Setup {
    /// Where to ask; `None` for no bus.
    pub bus: Option<BusOptions>,
    /// `on_no_answer`, as it stands in the configuration.
    pub on_no_answer: &'static str,
    /// Lines of the table `questions`.
    pub questions: &'static str,
    /// Questions that may wait at once.
    pub questions_max: usize,
    /// Further accounts.
    pub receivers: Vec<Receiver>,
}

impl Setup {
    /// Denies when nobody decides, after 400 ms.
    pub fn on(nats: &Nats) -> Self {
        Self { bus: Some(nats.options()), ..Self::without_bus() }
    }

    pub fn without_bus() -> Self {
        Self {
            bus: None,
            on_no_answer: "\"deny\"",
            questions: "deadline = \"400ms\"",
            questions_max: 2048,
            receivers: Vec::new(),
        }
    }

    pub fn policy(self, on_no_answer: &'static str) -> Self {
        Self { on_no_answer, ..self }
    }

    pub fn questions(self, questions: &'static str) -> Self {
        Self { questions, ..self }
    }

    pub async fn start(self) -> Rig {
        Rig::start(self).await
    }
}

/// A running desk: account `acme` asks, account `mute` must not.
pub struct Rig {
    pub address: SocketAddr,
    pub store: Store,
    pub health: Health,
    pub draining: CancellationToken,
    pub dir: TempDir,
    pub recording: Option<JoinHandle<()>>,
    pub ending: CancellationToken,
    metrics: PrometheusHandle,
    log: Log,
    publisher: Option<CancellationToken>,
    _guards: (DefaultGuard, LocalRecorderGuard<'static>),
    _writer: WriterThread,
}

impl Rig {
    async fn start(setup: Setup) -> Self {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        let recorder: &'static _ = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let guards =
            (tracing::subscriber::set_default(subscriber), metrics::set_default_local_recorder(recorder));

        let dir = tempdir();
        let options = StoreOptions {
            dir: dir.path().join("data"),
            bytes_max: 1 << 30,
            has_bus: setup.bus.is_some(),
            unsafe_no_fsync: false,
        };
        let (store, writer) = Store::open(options, [7; 32]).unwrap();
        let (health, draining, ending) = <(Health, CancellationToken, CancellationToken)>::default();
        let mut receivers = receivers(&setup);
        receivers.extend(setup.receivers);
        let teller = Teller::new(health.clone());
        let asker = match setup.bus {
            Some(options) => {
                let bus = Bus::connect(options).await.unwrap();
                let teller = teller.clone();
                let asker = bus.asker(move |stray| teller.stray(&stray)).await.unwrap();
                // One that cannot connect is what the test wants.
                let mut link = bus.link();
                let _ = tokio::time::timeout(Duration::from_secs(1), link.wait_for(|link| link.is_up)).await;
                Some(asker)
            }
            None => None,
        };
        let accounts = receivers.iter().filter_map(|it| AskingAccount::new(it.platform, &it.settings));
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let accounts: Vec<_> = accounts.collect();
        let (desk, recording) = Desk::with_places(
            setup.questions_max,
            accounts,
            asker,
            store.clone(),
            clock.clone(),
            entropy,
            teller,
        );
        let recording = tokio::spawn(recording.run(ending.clone()));
        let limits = Limits { linger: Duration::from_millis(100), ..Limits::default() };
        let http = Arc::new(HttpClient::new());
        let grants = Grants::new(
            Vec::new(),
            None,
            store.clone(),
            http,
            clock.clone(),
            Arc::new(SystemEntropy),
            health.clone(),
        );
        let router = web::public::router(PublicContext {
            ingest: Ingest::new(Receivers::new(receivers), store.clone(), clock.clone()),
            desk,
            grant_desk: grants.desk(),
            public_url: None,
            limits: limits.clone(),
            hosts: AllowedHosts::public([]),
            draining: draining.clone(),
            clock,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(web::serve(listener, router, limits, draining.clone()));
        Self {
            address,
            store,
            health,
            draining,
            dir,
            recording: Some(recording),
            ending,
            metrics: recorder.handle(),
            log,
            publisher: None,
            _guards: guards,
            _writer: writer,
        }
    }

    /// A player of account `acme`.
    pub fn player(&self) -> Player {
        Player::of(self.address, "acme")
    }

    /// Publishes what is committed.
    pub async fn publish(&mut self, options: BusOptions) {
        let bus = Bus::connect(options).await.unwrap();
        let publisher = Publisher::new(self.store.clone(), bus, Arc::new(SystemClock), self.health.clone());
        let stop = CancellationToken::new();
        tokio::spawn(publisher.run(stop.clone()));
        self.publisher = Some(stop);
    }

    /// A counter with at least these labels, summed up.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let wanted: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let text = self.metrics.render();
        let lines = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && wanted.iter().all(|label| line.contains(label))
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Questions that were decided like this, by whom and, by policy, why.
    pub fn decided(&self, question: &str, decision: &str, by: &str, why: &str) -> u64 {
        let labels = [("question", question), ("decision", decision), ("decided_by", by), ("why", why)];
        self.count("livehook_questions_total", &labels)
    }

    /// All that was logged.
    pub fn log(&self) -> String {
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }

    /// How many lines of the log hold all of these.
    pub fn lines_with(&self, words: &[&str]) -> usize {
        self.log().lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    /// Types of all events, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.store.events_after(0, 1000).await.unwrap();
        events.into_iter().map(|event| event.route.splitn(3, '.').nth(2).unwrap().to_owned()).collect()
    }

    /// The envelopes of all events, oldest first.
    pub async fn events(&self) -> Vec<Value> {
        let events = self.store.events_after(0, 1000).await.unwrap();
        events.iter().map(|event| serde_json::from_slice(&event.envelope).unwrap()).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        record(&self.log());
        record(&self.metrics.render());
        self.ending.cancel();
        self.draining.cancel();
        if let Some(publisher) = &self.publisher {
            publisher.cancel();
        }
    }
}

/// Waits until it is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never happens that {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

fn receivers(setup: &Setup) -> Vec<Receiver> {
    let text = format!(
        r#"
        [accounts.acme]
        platform = "kollus"
        callback_tokens = [{{ env = "URL_TOKEN" }}]
        security_key = {{ env = "SECURITY_KEY" }}
        user_key = {{ env = "USER_KEY" }}
        on_no_answer = {}
        [accounts.acme.questions]
        {}
        [accounts.mute]
        platform = "kollus"
        callback_tokens = [{{ env = "MUTE_URL_TOKEN" }}]
        "#,
        setup.on_no_answer, setup.questions
    );
    let environment = [
        ("URL_TOKEN", URL_TOKEN.to_owned()),
        ("MUTE_URL_TOKEN", MUTE_URL_TOKEN.to_owned()),
        ("SECURITY_KEY", SECURITY_KEY.to_owned()),
        ("USER_KEY", USER_KEY.to_owned()),
    ];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    config::parse(&text, &environment).unwrap().receivers
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
