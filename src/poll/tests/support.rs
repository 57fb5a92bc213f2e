//! A platform that lists pages, a network that answers as it is told, and a loop that needs no time.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    access::AccessToken,
    health::{Condition, Health},
    model::{
        AccountName, ContentHash, EntityKey, EventType, Noun, Observation, Phase, Proof, RetrySchedule,
        Rules, Verb,
    },
    platform::{
        AccountSettings, Api, ApiRequest, ApiResponse, BudgetScope, Coverage, Descriptor, Failure, Findings,
        Limits, Listing, Platform, Poll, Priority, Sighting, Status, SweepTask, Walk, WatchKind,
        WatchSettings,
    },
    poll::{
        Account, Board, Poller, Wakes,
        rounds::{Progress, Rounds},
    },
    ports::{Clock, Entropy, Http, HttpError, HttpRequest, HttpResponse, ManualClock},
    store::{DeliveryRecord, Store, StoreOptions, WriterThread},
};

pub const LIMITS: Limits = Limits {
    scope: BudgetScope::Host,
    gap_ms: 1_000,
    per_minute: 60,
    routine_per_minute: 40,
    confirmations_per_minute: 18,
    backoff_max_seconds: 600,
};

/// Limits that are hard to reach.
pub const WIDE: Limits = Limits {
    gap_ms: 10,
    per_minute: 3_000,
    routine_per_minute: 2_000,
    confirmations_per_minute: 500,
    ..LIMITS
};

/// Chance that repeats itself.
pub struct Seeded(Mutex<u64>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for byte in bytes {
            // SplitMix64.
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            *byte = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB).to_be_bytes()[0];
        }
    }
}

const DISCOVERED: &[EventType] = &[EventType::of(Noun::Broadcast, Verb::Discovered)];

const fn watch(name: &'static str, every_seconds: u32) -> WatchKind {
    WatchKind { name, about: "a list", every_seconds, needs: &[], options: &[], emits: DISCOVERED }
}

static WATCHES: &[WatchKind] =
    &[watch("short", 60), watch("long", 10_800), watch("third", 60), watch("fourth", 60), watch("fifth", 60)];

pub fn descriptor(limits: Limits) -> &'static Descriptor {
    describe(limits, Status::Working)
}

pub fn closed() -> &'static Descriptor {
    describe(LIMITS, Status::Closed("since yesterday"))
}

fn describe(limits: Limits, status: Status) -> &'static Descriptor {
    let api =
        Api { base_url: "https://api.example.com", hosts: &["api.example.com"], limits, stale_seconds: 30 };
    Box::leak(Box::new(Descriptor {
        id: "library",
        name: "Library",
        docs: "",
        status,
        callbacks: &[],
        retries: RetrySchedule { answer_seconds: 5, windows: &[] },
        api: Some(api),
        grant: None,
        watches: WATCHES,
        settings: &[],
    }))
}

/// A platform with lists of broadcasts: `GET /<watch>?page=1` and `GET /<watch>/<id>`. Its answers are
/// `{"rows": ["id", ...], "pages": 3}`, with `panic` where it shall have a defect, and `is_partial` if there is more.
struct Library(&'static Descriptor);

impl Platform for Library {
    fn descriptor(&self) -> &'static Descriptor {
        self.0
    }

    fn poll(&self) -> Option<&dyn Poll> {
        Some(self)
    }
}

impl Poll for Library {
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk> {
        Box::new(Pages {
            watch: task.watch.name,
            target: task.target.map(str::to_owned),
            cursor: task.cursor.and_then(Value::as_u64).unwrap_or(0),
            needs_token: task.account.service_account == "needs a token",
            page: 1,
            pages: 1,
            is_partial: false,
            findings: Findings::default(),
        })
    }
}

struct Pages {
    watch: &'static str,
    target: Option<String>,
    cursor: u64,
    needs_token: bool,
    page: u64,
    pages: u64,
    is_partial: bool,
    findings: Findings,
}

impl Walk for Pages {
    fn ask(&mut self) -> Option<ApiRequest> {
        let request = match &self.target {
            Some(target) => ApiRequest::get([self.watch, target]),
            None => ApiRequest::get([self.watch]).query("page", self.page),
        };
        let request = if self.needs_token { request.bearer() } else { request };
        (self.page <= self.pages).then_some(request)
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let answered: Value = serde_json::from_slice(answer.success()?).map_err(|_| Failure::Gone)?;
        assert!(answered.get("panic").is_none(), "a defect");
        for row in answered["rows"].as_array().ok_or_else(|| Failure::malformed("there are no rows"))? {
            let observation = Observation {
                phase: Some(Phase::Live),
                rules: Rules::ONE_USE,
                ..Observation::of(EntityKey::new(Noun::Broadcast, row.as_str().unwrap_or("?")))
            };
            self.findings.sightings.push(match &self.target {
                Some(_) => Sighting::of(observation, answer.asked_at),
                None => Sighting::in_list(observation, "all", answer.asked_at),
            });
        }
        self.is_partial |= answered["is_partial"] == true;
        self.findings.has_more = answered["has_more"] == true;
        self.pages = answered["pages"].as_u64().unwrap_or(1);
        self.page += 1;
        Ok(())
    }

    fn findings(mut self: Box<Self>) -> Findings {
        if self.target.is_none() {
            self.findings.listings.push(Listing {
                scope: "all".to_owned(),
                noun: Noun::Broadcast,
                rules: Rules::ONE_USE,
                coverage: if self.is_partial { Coverage::Partial } else { Coverage::Whole },
                from: None,
            });
        }
        self.findings.cursor = Some(json!(self.cursor + 1));
        self.findings
    }
}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Seconds since the rig's beginning.
    pub at: f64,
    /// Path and query.
    pub path: String,
    pub host: String,
}

/// How a platform answers a path.
pub type Answering = dyn FnMut(&str) -> Result<HttpResponse, HttpError> + Send;

/// A network without wires: each request takes 200 ms of the manual clock.
pub struct Scripted {
    clock: Arc<ManualClock>,
    answers: Mutex<Box<Answering>>,
    sent: Mutex<Vec<Sent>>,
}

impl Http for Scripted {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let query = request.url.query().map_or_else(String::new, |query| format!("?{query}"));
        let path = format!("{}{query}", request.url.path());
        let at = self.clock.now().duration_since(Timestamp::UNIX_EPOCH + BEGINNING).as_secs_f64();
        let host = request.url.host_str().unwrap().to_owned();
        self.sent.lock().unwrap().push(Sent { at, path: path.clone(), host });
        self.clock.advance(SignedDuration::from_millis(200));
        let answer = (self.answers.lock().unwrap())(&path);
        Box::pin(async move { answer })
    }
}

const BEGINNING: SignedDuration = SignedDuration::from_hours(24 * 365 * 50);

/// An answer with rows, on one of so many pages.
pub fn rows(rows: &[&str], pages: u64) -> Result<HttpResponse, HttpError> {
    body(json!({ "rows": rows, "pages": pages }))
}

pub fn body(body: Value) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse { status: 200, retry_after: None, body: body.to_string().into() })
}

pub fn status(status: u16, retry_after: Option<&str>) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse { status, retry_after: retry_after.map(str::to_owned), body: Bytes::new() })
}

/// A page that is none of the API.
pub fn html() -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse { status: 200, retry_after: None, body: "<html>log in</html>".into() })
}

/// The most of these times, in seconds, that fall into one minute.
pub fn most_in_a_minute(at: &[f64]) -> usize {
    let until = |end: &f64| at.iter().filter(|at| (0.0..60.0).contains(&(end - **at))).count();
    at.iter().map(until).max().unwrap_or(0)
}

/// A store in a directory.
pub fn store(dir: &Path, bytes_max: u64) -> (Store, WriterThread) {
    let options = StoreOptions { dir: dir.to_owned(), bytes_max, has_bus: true, unsafe_no_fsync: true };
    Store::open(options, [7; 32]).unwrap()
}

/// An account of the test platform that watches something.
pub fn account(name: &str, descriptor: &'static Descriptor, watches: &[(&str, u64)]) -> Account {
    let mut settings = AccountSettings::new(AccountName::parse(name).unwrap(), name);
    for (watch, every_seconds) in watches {
        let every = std::time::Duration::from_secs(*every_seconds);
        let watch = descriptor.watch(watch).unwrap().name;
        settings.watches.insert(watch, WatchSettings { every, ..WatchSettings::default() });
    }
    Account {
        platform: Box::leak(Box::new(Library(descriptor))),
        settings,
        base_url: "https://api.example.com".parse().unwrap(),
        access: AccessToken::fixed(None, "no access token: set accounts.acme.token"),
    }
}

/// The engine in a world that stands still unless it waits.
pub struct Rig {
    pub clock: Arc<ManualClock>,
    pub http: Arc<Scripted>,
    pub health: Health,
    pub store: Store,
    pub rounds: Vec<Rounds>,
    pub wakes: Wakes,
    pub board: Board,
    _writer: WriterThread,
    dir: TempDir,
}

impl Rig {
    pub fn new(
        accounts: Vec<Account>,
        answers: impl FnMut(&str) -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let opened = store(dir.path(), 1 << 30);
        Self::with_store(accounts, Box::new(answers), opened, dir)
    }

    /// With a store that is filled by so many percent.
    pub async fn filled(
        accounts: Vec<Account>,
        percent: u64,
        answers: impl FnMut(&str) -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes_max = 1 << 30;
        // What it uses is known when it was opened and measured once.
        let opened = loop {
            let (store, writer) = store(dir.path(), bytes_max);
            let (usage, _) = store.tidy(Timestamp::UNIX_EPOCH).await.unwrap();
            if (usage.used_bytes * 100 / usage.budget_bytes).abs_diff(percent) <= 1 {
                break (store, writer);
            }
            bytes_max = usage.used_bytes * 100 / percent;
            drop(store);
            writer.join();
        };
        Self::with_store(accounts, Box::new(answers), opened, dir)
    }

    fn with_store(
        accounts: Vec<Account>,
        answers: Box<Answering>,
        (store, writer): (Store, WriterThread),
        dir: TempDir,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH + BEGINNING));
        let answers = Mutex::new(answers);
        let http = Arc::new(Scripted { clock: Arc::clone(&clock), answers, sent: Mutex::default() });
        let mut rig = Self {
            clock,
            http,
            health: Health::default(),
            store,
            rounds: Vec::new(),
            wakes: Wakes::default(),
            board: Board::default(),
            _writer: writer,
            dir,
        };
        rig.restart(accounts);
        rig
    }

    /// Begins again with the same store, as another process would.
    pub fn restart(&mut self, accounts: Vec<Account>) {
        self.rounds.clear();
        let poller = Poller::new(
            accounts,
            self.store.clone(),
            Arc::clone(&self.http) as _,
            Arc::clone(&self.clock) as _,
            Arc::new(Seeded::new(3)),
            self.health.clone(),
        );
        (self.rounds, self.wakes, self.board) = (poller.rounds, poller.wakes, poller.board);
    }

    pub fn answer(&self, answers: impl FnMut(&str) -> Result<HttpResponse, HttpError> + Send + 'static) {
        *self.http.answers.lock().unwrap() = Box::new(answers);
    }

    /// Steps everybody until `seconds` have passed; the clock moves when nobody has anything to do.
    pub async fn run(&mut self, seconds: i64) {
        let end = self.clock.now() + SignedDuration::from_secs(seconds);
        while self.clock.now() < end {
            let mut wait_until = Some(end);
            for rounds in &mut self.rounds {
                match rounds.step().await {
                    Progress::Worked => wait_until = None,
                    Progress::Idle { until } => wait_until = wait_until.map(|earliest| earliest.min(until)),
                }
            }
            if let Some(until) = wait_until {
                let wait = until.duration_since(self.clock.now());
                self.clock.advance(wait.max(SignedDuration::from_millis(1)));
            }
        }
    }

    /// What was sent since the last time.
    pub fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.http.sent.lock().unwrap())
    }

    /// A callback on a secret URL says where a broadcast stands.
    pub async fn told(&self, id: &str, phase: Phase) {
        let observation = Observation {
            phase: Some(phase),
            rules: Rules::ONE_USE,
            ..Observation::of(EntityKey::new(Noun::Broadcast, id))
        };
        let record = DeliveryRecord {
            account: AccountName::parse("acme").unwrap(),
            platform: "library",
            callback: "event",
            content_type: None,
            body: Bytes::new(),
            received_at: self.clock.now(),
            proof: Proof::UrlToken,
            priority: Priority::High,
            content: ContentHash::of_bytes(id.as_bytes()),
            observations: vec![observation],
            retries: RetrySchedule { answer_seconds: 5, windows: &[] },
            quarantined: None,
        };
        self.store.commit(record).await.unwrap().answered();
    }

    /// Types of all events, in their order.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.store.events_after(0, 10_000).await.unwrap();
        let event_type = |route: &str| route.splitn(3, '.').nth(2).unwrap().to_owned();
        events.iter().map(|event| event_type(&event.route)).collect()
    }

    /// Changes the store's file behind its back, with an SQL statement.
    pub fn tamper(&self, sql: &str) {
        let file = self.dir.path().join("livehook.sqlite");
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }

    /// What `/readyz` says of the sources.
    pub fn sources(&self) -> Option<Condition> {
        let conditions = self.health.conditions().into_iter();
        conditions.filter(|(component, _)| *component == "sources").map(|(_, condition)| condition).next()
    }

    /// Seconds since the rig's beginning.
    pub fn seconds(&self) -> f64 {
        self.seconds_at(self.clock.now())
    }

    pub fn seconds_at(&self, at: Timestamp) -> f64 {
        at.duration_since(Timestamp::UNIX_EPOCH + BEGINNING).as_secs_f64()
    }

    /// Paths and queries of what was sent since the last time.
    pub fn paths(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.path).collect()
    }
}
