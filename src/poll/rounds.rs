//! The reading of one account: picks what to read next, asks for a place in the budget, sends one request.

mod consent;
mod partial;
mod reading;
mod settle;
mod work;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use self::{
    consent::Consent,
    work::{Breaker, Confirmation, Watch},
};
use super::{
    Account, Shared,
    board::AccountProgress,
    budget::{Pass, Purpose, SharedBudget, Wait},
    wakes::Inbox,
};
use crate::{
    platform::{Api, Poll, retry_after},
    ports::jitter::after,
    store::{Fullness, StoreError},
    telemetry,
};

/// Longest wait of the loop, so that a clock that was set and a store that has space again are noticed.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Wait when the store cannot be read or written.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Wait for somebody else's request, if nobody says when it is over.
const TURN_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// There may be more to do.
    Worked,
    /// There is nothing to do before this time, unless a callback says something.
    Idle {
        /// Not before.
        until: Timestamp,
    },
}

/// A place at a shared budget.
pub(super) struct Seat {
    pub(super) budget: Arc<SharedBudget>,
    pub(super) number: usize,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Seat {
    fn ask(&self, purpose: Purpose, deadline: Timestamp) -> Result<Pass, Wait> {
        self.budget.ask(self.number, purpose, deadline)
    }

    fn withdraw(&self) {
        self.budget.withdraw(self.number, Purpose::Confirmation);
        self.budget.withdraw(self.number, Purpose::Routine);
    }
}

/// See the module.
pub(super) struct Rounds {
    account: Account,
    consent: Consent,
    poll: &'static dyn Poll,
    api: &'static Api,
    seat: Seat,
    inbox: Arc<Inbox>,
    shared: Shared,
    watches: Vec<Watch>,
    confirmations: Vec<Confirmation>,
    breaker: Breaker,
    rests_until: Option<Timestamp>,
    is_started: bool,
    /// The last step was put off because somebody else goes first.
    waits_for_turn: bool,
    seen_at: Timestamp,
}

impl Rounds {
    pub(super) fn new(
        account: Account,
        poll: &'static dyn Poll,
        api: &'static Api,
        seat: Seat,
        inbox: Arc<Inbox>,
        shared: Shared,
    ) -> Self {
        let seen_at = shared.clock.now();
        let descriptor = account.platform.descriptor();
        let settings = account.settings.watches.iter();
        let watches = settings.filter_map(|(name, settings)| {
            Some(Watch::new(descriptor.watch(name)?, settings.every, seen_at))
        });
        Self {
            watches: watches.collect(),
            consent: Consent::of(&account.access),
            account,
            poll,
            api,
            seat,
            inbox,
            shared,
            confirmations: Vec::new(),
            breaker: Breaker::default(),
            rests_until: None,
            is_started: false,
            waits_for_turn: false,
            seen_at,
        }
    }

    /// Steps and waits until `ending`. Dropping a step half way is harmless: what it committed is in the store,
    /// the rest is read again.
    pub(super) async fn run(mut self, ending: CancellationToken) {
        let inbox = Arc::clone(&self.inbox);
        let mut access = self.account.access.clone();
        let mut freed = self.seat.budget.freed();
        loop {
            freed.mark_unchanged();
            let progress = tokio::select! {
                biased;
                () = ending.cancelled() => return,
                progress = self.step() => progress,
            };
            let Progress::Idle { until } = progress else { continue };
            let wait = Duration::try_from(until.duration_since(self.shared.clock.now())).unwrap_or_default();
            tokio::select! {
                biased;
                () = ending.cancelled() => return,
                () = inbox.news() => {}
                () = access.changed() => {}
                Ok(()) = freed.changed(), if self.waits_for_turn => {}
                () = tokio::time::sleep(wait.clamp(Duration::from_millis(1), WAIT_MAX)) => {}
            }
        }
    }

    /// Does the next thing: sends at most one request and takes its answer.
    pub(super) async fn step(&mut self) -> Progress {
        let now = self.note_time();
        let progress = if self.is_started { self.work(now).await } else { self.start(now).await };
        self.show();
        progress
    }

    /// Reads how the watches fared before the start, and decides when each begins.
    async fn start(&mut self, now: Timestamp) -> Progress {
        match self.read_standings(now).await {
            Ok(()) => {
                self.is_started = true;
                Progress::Worked
            }
            Err(error) => {
                tracing::warn!("how watches of {} fared cannot be read: {error}", self.account.settings.name);
                Progress::Idle { until: after(now, STORE_PAUSE) }
            }
        }
    }

    async fn read_standings(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let account = &self.account.settings.name;
        let asked_as = self.asked_as();
        self.seat.budget.load(&self.shared.store).await?;
        for watch in &mut self.watches {
            let standing = self.shared.store.watch_standing(account, watch.kind.name).await?;
            watch.restore(account, standing, &asked_as, now);
        }
        // As at a budget: if the clock was set back since, nobody knows how much of it is over.
        let longest = after(now, retry_after::LONGEST);
        let rests = self.shared.store.budget(&self.rest_key()).await?;
        self.rests_until =
            rests.into_iter().map(|until| until.min(longest)).filter(|until| *until > now).max();
        for index in 0..self.watches.len() {
            self.report(index);
        }
        Ok(())
    }

    async fn work(&mut self, now: Timestamp) -> Progress {
        self.waits_for_turn = false;
        let fullness = self.shared.store.fullness();
        if fullness >= Fullness::Full {
            self.seat.withdraw();
            return Progress::Idle { until: after(now, STORE_PAUSE) };
        }
        if let Some(until) = self.rests_until {
            self.seat.withdraw();
            return Progress::Idle { until };
        }
        self.note_access(now);
        if self.waits_for_access() {
            self.seat.withdraw();
            return Progress::Idle { until: after(now, TURN_PAUSE) };
        }
        let mut until = after(now, SignedDuration::try_from(WAIT_MAX).unwrap_or_default());
        let confirmation = if fullness < Fullness::Shedding { self.pick_confirmation(now) } else { None };
        for (purpose, work) in
            [(Purpose::Confirmation, confirmation), (Purpose::Routine, self.pick_routine(now))]
        {
            let Some(work) = work else {
                self.seat.budget.withdraw(self.seat.number, purpose);
                continue;
            };
            match self.seat.ask(purpose, self.deadline(work)) {
                Ok(pass) => return self.advance(work, pass).await,
                Err(Wait::Until(free_at)) => until = until.min(free_at),
                Err(Wait::Turn) => {
                    self.waits_for_turn = true;
                    until = until.min(after(now, TURN_PAUSE));
                }
            }
        }
        Progress::Idle { until: self.next_due(now).map_or(until, |due| until.min(due)) }
    }

    /// The time; if the clock was set back, everything that is planned moves back with it.
    fn note_time(&mut self) -> Timestamp {
        let now = self.shared.clock.now();
        let back = self.seen_at.duration_since(now);
        if back.is_positive() {
            let moved = |at: &mut Timestamp| *at = after(*at, -back);
            self.watches.iter_mut().for_each(|watch| moved(&mut watch.due));
            self.confirmations.iter_mut().for_each(|confirmation| moved(&mut confirmation.not_before));
            self.rests_until.iter_mut().for_each(moved);
            moved(&mut self.breaker.probe_at);
        }
        self.seen_at = now;
        self.rests_until = self.rests_until.filter(|until| *until > now);
        now
    }

    /// Brings the board and the gauges up to date.
    fn show(&self) {
        let (account, now) = (&self.account.settings.name, self.seen_at);
        for watch in &self.watches {
            if let Some(success_at) = watch.standing.last_success_at {
                let age = metrics::gauge!(
                    telemetry::WATCH_AGE_SECONDS,
                    "platform" => self.platform(), "account" => account.to_string(), "watch" => watch.kind.name
                );
                age.set(now.duration_since(success_at).as_secs_f64().max(0.0));
            }
            let partial = metrics::gauge!(
                telemetry::PARTIAL_LISTS,
                "platform" => self.platform(), "account" => account.to_string(), "watch" => watch.kind.name
            );
            partial.set(watch.partial.len() as f64);
        }
        let progress = AccountProgress {
            account: account.to_string(),
            platform: self.platform().to_owned(),
            rests_until: self.rests_until,
            confirmations_waiting: self.confirmations.len() + self.inbox.len(),
            watches: self.watches.iter().map(Watch::progress).collect(),
            ..AccountProgress::default()
        };
        self.shared.board.put(account, progress, &self.seat.budget);
    }

    /// The key under which the time is kept until which the account rests.
    fn rest_key(&self) -> String {
        format!("{}/{} rests", self.platform(), self.account.settings.name)
    }

    /// Fingerprint of where and with which credentials is asked.
    fn asked_as(&self) -> String {
        let credential = self.account.access.credential().map(ExposeSecret::expose_secret);
        let credentials = [self.account.settings.client_id.as_deref(), credential];
        self.shared.store.fingerprint(&format!("{} {credentials:?}", self.account.base_url))
    }

    fn platform(&self) -> &'static str {
        self.account.platform.descriptor().id
    }
}
