//! A livehook, its nats-server and a directory: what every durability test begins with.

use std::{
    fs::{File, OpenOptions},
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::Write as _,
    path::Path,
    time::Duration,
};

use super::{
    load::{Fact, Fate, Load, Log, Plan, Step, live_state_body},
    nats::Nats,
    observer::{Observer, judge},
    remains::{TempDir, tempdir_in},
    service::{Service, Setup},
};

/// Both processes, on ports and in a directory of their own. No other test with a rig runs meanwhile.
pub struct Rig {
    pub service: Service,
    pub nats: Nats,
    pub home: TempDir,
    _alone: File,
}

impl Rig {
    /// Prepares both, starts none.
    pub fn new() -> Self {
        let alone = wait_until_alone();
        let home = tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let nats = Nats::new();
        let service = Service::new(Setup::new(home.path(), &nats.url()));
        Self { service, nats, home, _alone: alone }
    }

    /// Starts both.
    pub async fn running() -> Self {
        let mut rig = Self::new();
        rig.nats.restart();
        rig.service.start().await;
        rig
    }

    /// A load on the live-state callback: so many requests per second, or as many as are answered.
    pub fn load(&self, label: impl Into<String>, rate: Option<u32>) -> Load {
        Load::start(Plan {
            address: self.service.public,
            path: self.service.callback("acme", "live-state"),
            body: live_state_body,
            rate,
            connections: 32,
            requests: None,
            label: label.into(),
        })
    }

    /// An eye on this rig's bus.
    pub async fn observer(&self) -> Observer {
        Observer::connect(&self.nats.url()).await
    }

    /// Everything that was answered must come into the stream: once, in order, and nothing else.
    pub async fn assert_all_published(&self, log: &Log) {
        assert_all_published(&self.observer().await, log, &self.service).await;
    }
}

/// See [`Rig::assert_all_published`]; for tests whose observer needs credentials.
pub async fn assert_all_published(observer: &Observer, log: &Log, service: &Service) {
    let found = observer.settle(log, Duration::from_secs(90)).await;
    let verdict = judge(log, &found);
    eprintln!("{verdict}, not answered {}", log.not_answered());
    assert!(verdict.is_clean(), "{verdict}\n{}", service.log_tail());

    // The negative control of the judge: a loss in this very log is seen.
    let mut fates = log.fates.clone();
    let never_sent = Fact { broadcast: "never-sent".to_owned(), step: Step::Start };
    fates.insert(never_sent.clone(), Fate::Answered);
    let control = judge(&Log { fates, ..Log::default() }, &found);
    assert_eq!(control.lost, [never_sent], "the judge does not see a loss");
}

/// Rigs share two cores and a disk with their figures, so one runs at a time, over all test processes.
fn wait_until_alone() -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rig.lock");
    let file =
        OpenOptions::new().create(true).append(true).open(path).expect("the target directory is writable");
    file.lock().expect("the file system has locks");
    file
}

/// A setting of the test run, from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test run is no part of livehook's configuration"
)]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A number that sets the length of a test run.
pub fn setting_or(name: &str, default: u64) -> u64 {
    setting(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Says that a test cannot run here, where a person sees it and where the gate counts it.
pub fn skip(test: &str, why: &str) {
    let line = format!("{test}: {why}");
    eprintln!("SKIPPED {line}");
    if let Some(file) = setting("LIVEHOOK_SKIPPED") {
        let mut file =
            OpenOptions::new().create(true).append(true).open(file).expect("the gate's file is writable");
        writeln!(file, "{line}").expect("the gate's file is writable");
    }
}

/// Chance that can be repeated: `LIVEHOOK_SEED` gives the same moments again.
pub struct Chance(u64);

impl Chance {
    /// Seeded from the setting or at random; the seed is printed.
    pub fn new() -> Self {
        let seed = setting("LIVEHOOK_SEED").map(|_| setting_or("LIVEHOOK_SEED", 0));
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()).max(1);
        eprintln!("LIVEHOOK_SEED={seed}");
        Self(seed)
    }

    /// A time between the two, in milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_millis(from + self.0 % (to - from))
    }
}
