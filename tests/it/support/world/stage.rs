//! The real poller on a clock that tests move, asking a simulator.

use std::{
    collections::BTreeMap,
    future::{Future as _, poll_fn},
    path::Path,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    health::Health,
    poll::{Account, Poller},
    ports::{Clock, Entropy, ManualClock},
    simulators::{Simulator, dice::Dice},
    store::{OpenError, Store, StoreOptions, WriterThread},
};

use super::{
    super::simulated::DirectHttp,
    looks::{Look, within},
};

/// How long a store may be held by one that has ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// Chance that repeats itself.
struct Chance(Mutex<Dice>);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap();
        bytes.fill_with(|| dice.number().to_be_bytes()[0]);
    }
}

/// A store that is faster than it is safe.
pub struct Books {
    pub store: Store,
    writer: WriterThread,
}

impl Books {
    pub fn open(dir: &Path) -> Self {
        let options =
            StoreOptions { dir: dir.to_owned(), bytes_max: 4 << 30, has_bus: false, unsafe_no_fsync: true };
        let began = Instant::now();
        loop {
            match Store::open(options.clone(), [7; 32]) {
                Ok((store, writer)) => return Self { store, writer },
                // Nobody waits for what it was reading any more, but it still reads.
                Err(OpenError::InUse(_)) if began.elapsed() < PATIENCE => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Ends, as with the process: nobody else may hold the store.
    pub fn close(self) {
        drop(self.store);
        self.writer.join();
    }
}

/// See the module.
pub struct Stage<S: Simulator + 'static> {
    pub clock: Arc<ManualClock>,
    pub world: Arc<Mutex<S>>,
    pub http: Arc<DirectHttp<S>>,
    pub looks: Vec<Look>,
    accounts: Box<dyn Fn() -> Vec<Account>>,
    seed: u64,
    poller: Option<Poller>,
    seen: BTreeMap<(String, String), Timestamp>,
    begun_at: Timestamp,
    /// How often a step waited, and how often one may before the process ends.
    waits: u64,
    waits_max: Option<u64>,
}

impl<S: Simulator + 'static> Stage<S> {
    /// A world at `begins_at` and nobody who looks at it.
    pub fn new(
        world: S,
        begins_at: Timestamp,
        seed: u64,
        accounts: impl Fn() -> Vec<Account> + 'static,
    ) -> Self {
        let world = Arc::new(Mutex::new(world));
        let clock = Arc::new(ManualClock::at(begins_at));
        let takes = SignedDuration::from_millis(20 + (seed % 7).cast_signed() * 40);
        let http = Arc::new(DirectHttp::new(Arc::clone(&world), Arc::clone(&clock), takes));
        Self {
            clock,
            world,
            http,
            looks: Vec::new(),
            accounts: Box::new(accounts),
            seed,
            poller: None,
            seen: BTreeMap::new(),
            begun_at: begins_at,
            waits: 0,
            waits_max: None,
        }
    }

    /// Livehook begins, or begins again.
    pub fn start(&mut self, store: &Store) {
        self.seed = self.seed.wrapping_add(1);
        self.poller = Some(Poller::new(
            (self.accounts)(),
            store.clone(),
            Arc::clone(&self.http) as _,
            Arc::clone(&self.clock) as _,
            Arc::new(Chance::new(self.seed)),
            Health::default(),
        ));
    }

    /// Livehook ends, whatever it is doing.
    pub fn stop(&mut self) {
        self.poller = None;
    }

    /// The process ends when a step has to wait, for the store or an answer, for this time since the beginning.
    pub fn end_at_wait(&mut self, wait: u64) {
        self.waits_max = Some(wait);
    }

    /// How often a step had to wait.
    pub fn waits(&self) -> u64 {
        self.waits
    }

    pub fn poller(&self) -> &Poller {
        self.poller.as_ref().expect("it was started")
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn world<T>(&self, act: impl FnOnce(&mut S) -> T) -> T {
        self.world_at(self.clock.now(), act)
    }

    /// The world as it is at this time: while an answer was on its way, the clock may have gone past it.
    pub fn world_at<T>(&self, at: Timestamp, act: impl FnOnce(&mut S) -> T) -> T {
        let mut world = self.world.lock().unwrap();
        world.advance(at);
        act(&mut world)
    }

    /// One step of each account; if that was nothing, time passes, up to `until` at most. `false`: the process died.
    pub async fn step(&mut self, until: Timestamp) -> bool {
        let Some(next) = self.poll().await else { return false };
        if next == Timestamp::MIN {
            self.note_looks();
        } else {
            let wait = next.min(until).duration_since(self.clock.now());
            self.clock.advance(wait.max(SignedDuration::from_millis(1)));
        }
        true
    }

    /// One step of each account; `None`: the process died.
    async fn poll(&mut self) -> Option<Timestamp> {
        let mut step = pin!(self.poller.as_mut().expect("it was started").step());
        let counted = poll_fn(|context| {
            let progress = step.as_mut().poll(context).map(Some);
            self.waits += u64::from(progress.is_pending());
            let is_over = progress.is_pending() && self.waits_max == Some(self.waits);
            if is_over { Poll::Ready(None) } else { progress }
        });
        tokio::select! {
            biased;
            next = counted => next,
            () = self.http.death() => None,
        }
    }

    /// Steps until then; `false`: the process died before.
    pub async fn run_until(&mut self, until: Timestamp) -> bool {
        while self.now() < until {
            if !self.step(until).await {
                return false;
            }
        }
        true
    }

    /// Steps until each watch has looked so often, not counting looks that are less than `apart` from the one before.
    /// `Err` names one that did not within `patience`.
    pub async fn run_looks(
        &mut self,
        count: usize,
        apart: SignedDuration,
        patience: SignedDuration,
    ) -> Result<(), String> {
        let from = self.now();
        let until = from + patience;
        while self.now() < until {
            let watches = self.watches();
            let lags = |watch: &String| within(&self.looks, watch, from, self.now(), apart) < count;
            if !watches.is_empty() && !watches.iter().any(lags) {
                return Ok(());
            }
            // Looks do not come more often than this.
            let pause = (self.now() + SignedDuration::from_secs(20)).min(until);
            self.run_until(pause).await;
        }
        Err(format!(
            "{patience:#} were not enough for {count} sweeps: {:?}",
            self.poller().board().snapshot()
        ))
    }

    fn watches(&self) -> Vec<String> {
        let accounts = self.poller().board().snapshot();
        accounts
            .iter()
            .flat_map(|account| account.watches.iter().map(|watch| name(&account.account, &watch.watch)))
            .collect()
    }

    fn note_looks(&mut self) {
        for account in self.poller().board().snapshot() {
            for watch in account.watches {
                let Some(over_at) = watch.last_success_at else { continue };
                let key = (account.account.clone(), watch.watch.clone());
                let before = self.seen.insert(key, over_at);
                if before != Some(over_at) {
                    let after = before.unwrap_or(self.begun_at);
                    let watch = name(&account.account, &watch.watch);
                    self.looks.push(Look { watch, after, over_at });
                }
            }
        }
    }
}

/// `<account>/<watch>`.
fn name(account: &str, watch: &str) -> String {
    format!("{account}/{watch}")
}
