//! One account: its keeper, its poller, its store, its platform, and a clock that tests move.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::{Access, AccessToken},
    grants::{self, CredentialProgress, Grants, Linked, Source, Vault, parse_key},
    health::Health,
    model::AccountName,
    platform::{AccountSettings, Platform, WatchSettings, Way},
    poll::{self, Poller},
    ports::{Clock, ManualClock, SystemEntropy},
    simulators::Simulator,
};
use url::Url;

use super::person;
use crate::support::{
    canaries::canary,
    remains::TempDir,
    simulated::DirectHttp,
    world::{Books, Told, of_account, tempdir},
};

pub const ACCOUNT: &str = "kept";
const REDIRECT_URI: &str = "https://hooks.example.com/oauth/kept/callback";

/// An account at a simulated platform.
pub struct Case<S> {
    pub world: S,
    pub begins_at: Timestamp,
    pub platform: &'static dyn Platform,
    pub source: Source,
    /// With whatever the platform wants to know.
    pub settings: AccountSettings,
}

pub struct Rig<S: Simulator + 'static> {
    pub world: Arc<Mutex<S>>,
    pub clock: Arc<ManualClock>,
    pub http: Arc<DirectHttp<S>>,
    pub books: Option<Books>,
    pub dir: TempDir,
    pub process: Option<Process>,
    pub keys: Vec<&'static str>,
    case: (&'static dyn Platform, Source, AccountSettings),
}

/// What ends when livehook ends.
pub struct Process {
    pub grants: Grants,
    pub poller: Poller,
    pub access: AccessToken,
}

impl Process {
    /// Lets the poller take a step; returns when there is more to do. The poller itself looks around every half a
    /// minute, which in four hundred days is often.
    async fn next_sweep(&mut self) -> Timestamp {
        let now = self.poller.step().await;
        let board = self.poller.board().snapshot();
        let due = board.iter().flat_map(|account| &account.watches).filter_map(|watch| watch.due_at).min();
        due.filter(|due| *due > now).unwrap_or(now)
    }
}

pub fn name() -> AccountName {
    AccountName::parse(ACCOUNT).unwrap()
}

/// Settings with a watch that is read so often.
pub fn settings(service_account: &str, watch: &'static str, every: Duration) -> AccountSettings {
    let mut settings = AccountSettings::new(name(), service_account);
    settings.watches = BTreeMap::from([(watch, WatchSettings { every, ..WatchSettings::default() })]);
    settings
}

impl<S: Simulator + 'static> Rig<S> {
    pub fn new(case: Case<S>) -> Self {
        let Case { world, begins_at, platform, source, settings } = case;
        let world = Arc::new(Mutex::new(world));
        let clock = Arc::new(ManualClock::at(begins_at));
        let takes = SignedDuration::from_millis(40);
        let http = Arc::new(DirectHttp::new(Arc::clone(&world), Arc::clone(&clock), takes));
        let dir = tempdir();
        let (books, process) = (Some(Books::open(dir.path())), None);
        let keys = vec![canary("keeping-vault-key")];
        let mut rig =
            Self { world, clock, http, books, dir, process, keys, case: (platform, source, settings) };
        rig.start();
        rig
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn world<T>(&self, f: impl FnOnce(&mut S) -> T) -> T {
        f(&mut self.world.lock().unwrap())
    }

    pub fn start(&mut self) {
        let (platform, source, settings) = &self.case;
        let path = if platform.descriptor().id == "kollus" { "/api/v1/live/service-accounts" } else { "" };
        let base_url: Url = format!("https://api.example{path}").parse().unwrap();
        let credential = settings.client_id.clone().unwrap_or_default();
        let is_renewable = matches!(source, Source::Obtained(_));
        let (access, keeping) = AccessToken::kept(Some(credential.into()), is_renewable, Access::Renewing);
        let kept = grants::Account {
            platform: *platform,
            settings: settings.clone(),
            base_url: base_url.clone(),
            auth_url: "https://login.example".parse().unwrap(),
            source: source.clone(),
            keeping,
            redirect_uri: Some(REDIRECT_URI.to_owned()),
            is_needed: true,
        };
        let read = poll::Account {
            platform: *platform,
            settings: settings.clone(),
            base_url: base_url.clone(),
            access: access.clone(),
        };
        let keys: Vec<_> = self.keys.iter().map(|key| parse_key(&(*key).into()).unwrap()).collect();
        let (store, clock) = (self.books.as_ref().unwrap().store.clone(), Arc::clone(&self.clock) as Arc<_>);
        let (http, entropy) = (Arc::clone(&self.http) as Arc<_>, Arc::new(SystemEntropy));
        let vault = Some(Vault::new(&keys[0], &keys[1..]));
        let grants = Grants::new(
            vec![kept],
            vault,
            store.clone(),
            Arc::clone(&http),
            Arc::clone(&clock),
            Arc::clone(&entropy) as _,
            Health::default(),
        );
        let poller = Poller::new(vec![read], store, http, clock, entropy, Health::default());
        self.process = Some(Process { grants, poller, access });
    }

    /// The process ends, whatever it is doing, and another begins with the same store.
    pub fn restart(&mut self) {
        self.stop();
        self.books = Some(Books::open(self.dir.path()));
        self.start();
    }

    /// Somebody changes the configuration; it counts from the next start on.
    pub fn correct(&mut self, change: impl FnOnce(&mut AccountSettings)) {
        change(&mut self.case.2);
    }

    pub fn stop(&mut self) {
        self.process = None;
        self.books.take().into_iter().for_each(Books::close);
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Lets time pass and everybody do what is due.
    pub async fn run_until(&mut self, until: Timestamp) {
        while self.clock.now() < until {
            let process = self.process.as_mut().unwrap();
            let next = process.grants.step().await.min(process.next_sweep().await).min(until);
            let wait = next.duration_since(self.clock.now());
            if wait.is_positive() {
                self.clock.advance(wait);
            }
        }
    }

    pub async fn run_for(&mut self, time: SignedDuration) {
        self.run_until(self.now() + time).await;
    }

    /// As [`Rig::run_until`], but the process ends when it has waited so often, or at a request that is ordered to be
    /// the last. Returns whether it ended.
    pub async fn run_until_death(&mut self, until: Timestamp, waits_max: Option<u64>) -> bool {
        let http = Arc::clone(&self.http);
        let mut waits = 0;
        let mut running = pin!(self.run_until(until));
        let mut dying = pin!(http.death());
        poll_fn(|context| {
            if dying.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            match running.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(false),
                Poll::Pending => {
                    waits += 1;
                    if waits_max.is_some_and(|max| waits >= max) { Poll::Ready(true) } else { Poll::Pending }
                }
            }
        })
        .await
    }

    pub fn progress(&self) -> CredentialProgress {
        self.process.as_ref().unwrap().grants.desk().snapshot().remove(0)
    }

    pub async fn told(&self) -> Vec<Told> {
        let told = of_account(&self.books.as_ref().unwrap().store, ACCOUNT, 0).await;
        told.into_iter().filter(|told| told.noun() == "credential").collect()
    }

    pub async fn verbs(&self) -> Vec<String> {
        self.told().await.into_iter().map(|told| told.verb).collect()
    }

    /// An operator connects the account, and a person agrees and confirms.
    pub async fn connect(&mut self) {
        if let Some(link) = self.consent().await {
            self.accept(link).await;
        }
    }

    /// An operator connects the account, and a person agrees. Returns what is to be confirmed, if anything is.
    pub async fn consent(&mut self) -> Option<String> {
        let now = self.now();
        let process = self.process.as_mut().unwrap();
        process.grants.step().await;
        let desk = process.grants.desk();
        let ticket = desk.flows.begin(&name()).unwrap().ticket;
        let ticket = secrecy::ExposeSecret::expose_secret(&ticket).to_owned();
        let sent = desk.flows.send(&name(), Some(&ticket)).unwrap();
        let back = person::consents(&mut *self.world.lock().unwrap(), &sent.url, now);
        let cookie = secrecy::ExposeSecret::expose_secret(&sent.cookie).to_owned();
        let returned = desk.flows.take(&name(), Some(&cookie), &back).unwrap();
        let (linked, _) = tokio::join!(desk.exchange(returned), process.grants.step());
        match linked.unwrap() {
            Linked::Waiting { link, .. } => Some(link),
            Linked::Active { .. } => None,
        }
    }

    /// A person says yes.
    pub async fn accept(&mut self, link: String) {
        let process = self.process.as_mut().unwrap();
        let (desk, name) = (process.grants.desk(), name());
        let (accepted, _) = tokio::join!(desk.accept(&name, link), process.grants.step());
        assert!(matches!(accepted.unwrap(), Linked::Active { .. }));
    }
}

/// How an account is got at a platform.
pub fn obtained(way: Way) -> Source {
    Source::Obtained(way)
}
