//! One budget of requests, shared by whoever spends it: one request at a time, confirmations first, then
//! whoever must be done first.

mod meter;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OnceCell, watch};

use self::meter::Meter;
pub(super) use self::meter::{Purpose, WINDOW};
use super::board::BudgetProgress;
use crate::{
    platform::{Limits, retry_after},
    ports::{Clock, jitter::after},
    store::{Store, StoreError},
};

/// The budget of one host, or of one credential at one host.
pub(super) struct SharedBudget {
    key: String,
    clock: Arc<dyn Clock>,
    loaded: OnceCell<()>,
    state: Mutex<State>,
    /// Changes when a place becomes free.
    freed: watch::Sender<()>,
}

struct State {
    meter: Meter,
    /// A request is under way.
    is_busy: bool,
    /// Who would like to send something, by account and purpose.
    wishes: HashMap<(usize, Purpose), Wish>,
}

struct Wish {
    deadline: Timestamp,
    since: Timestamp,
}

/// Why nothing may be sent now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    /// Nobody may before this time.
    Until(Timestamp),
    /// Somebody else is sending, or goes first.
    Turn,
}

impl SharedBudget {
    pub(super) fn new(key: String, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let meter = Meter::new(limits, clock.now());
        let state = State { meter, is_busy: false, wishes: HashMap::new() };
        Self { key, clock, loaded: OnceCell::new(), state: Mutex::new(state), freed: watch::channel(()).0 }
    }

    /// Takes in what was spent before the last end of the process; the first call does it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read; to be tried again.
    pub(super) async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let load = async || {
            let routine = store.budget(&self.store_key(Purpose::Routine)).await?;
            let confirmations = store.budget(&self.store_key(Purpose::Confirmation)).await?;
            let rests = store.budget(&self.rest_key()).await?;
            self.with_time(|state, now| {
                state.meter.restore(&routine, &confirmations, now);
                // If the clock was set back since, nobody knows how much of it is over.
                let longest = after(now, retry_after::LONGEST);
                rests.iter().for_each(|until| state.meter.rest((*until).min(longest)));
            });
            Ok(())
        };
        self.loaded.get_or_try_init(load).await.copied()
    }

    /// Asks whether `account` may send a request now; the wish is remembered, and goes before later ones.
    pub(super) fn ask(
        self: &Arc<Self>,
        account: usize,
        purpose: Purpose,
        deadline: Timestamp,
    ) -> Result<Pass, Wait> {
        self.with_time(|state, now| {
            let wish = state.wishes.entry((account, purpose)).or_insert(Wish { deadline, since: now });
            wish.deadline = deadline;
            let waited = now.duration_since(wish.since);
            if state.is_busy {
                return Err(Wait::Turn);
            }
            let free_at = state.meter.free_at(purpose);
            if free_at > now {
                return Err(Wait::Until(free_at));
            }
            let mine = (purpose, deadline, account);
            let goes_first = |(&(other, purpose), wish): (&(usize, Purpose), &Wish)| {
                other != account
                    && (purpose, wish.deadline, other) < mine
                    && state.meter.free_at(purpose) <= now
            };
            if state.wishes.iter().any(goes_first) {
                return Err(Wait::Turn);
            }
            state.wishes.retain(|(other, _), _| *other != account);
            state.is_busy = true;
            Ok(Pass { budget: Arc::clone(self), purpose, waited, has_begun: false })
        })
    }

    /// Forgets what `account` wished for, for this purpose.
    pub(super) fn withdraw(&self, account: usize, purpose: Purpose) {
        if self.state().wishes.remove(&(account, purpose)).is_some() {
            self.freed.send_replace(());
        }
    }

    /// Sends nothing before `until`.
    pub(super) fn rest(&self, until: Timestamp) {
        self.with_time(|state, _| state.meter.rest(until));
    }

    /// Writes down that nothing is to be sent before `until`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; then it holds for this process only.
    pub(super) async fn keep_rest(&self, store: &Store, until: Timestamp) -> Result<(), StoreError> {
        store.spend(&self.rest_key(), until, until).await
    }

    /// How much is left, and until when nothing is sent.
    pub(super) fn progress(&self) -> BudgetProgress {
        self.with_time(|state, now| state.meter.progress(now))
    }

    /// Changes when somebody's turn may have come.
    pub(super) fn freed(&self) -> watch::Receiver<()> {
        self.freed.subscribe()
    }

    /// The key under which requests for this purpose are kept.
    fn store_key(&self, purpose: Purpose) -> String {
        match purpose {
            Purpose::Routine => self.key.clone(),
            Purpose::Confirmation => format!("{} confirmations", self.key),
        }
    }

    /// The key under which the time is kept at which the next request is to be sent.
    fn rest_key(&self) -> String {
        format!("{} rests", self.key)
    }

    fn with_time<T>(&self, f: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let mut state = self.state();
        // Read while nobody else can, so that time only goes back when the clock was set back.
        let now = self.clock.now();
        state.meter.note_time(now);
        f(&mut state, now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to send one request. Dropping it ends the request.
pub(super) struct Pass {
    budget: Arc<SharedBudget>,
    purpose: Purpose,
    /// How long it was waited for.
    pub(super) waited: SignedDuration,
    has_begun: bool,
}

impl Pass {
    /// To be called right before the request is sent; returns when that is.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written down; then nothing may be sent.
    pub(super) async fn begin(&mut self, store: &Store) -> Result<Timestamp, StoreError> {
        let began_at = self.budget.with_time(|state, now| {
            state.meter.begin(self.purpose, now);
            now
        });
        self.has_begun = true;
        let keep_from = after(began_at, -WINDOW);
        store.spend(&self.budget.store_key(self.purpose), began_at, keep_from).await?;
        Ok(began_at)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.budget.with_time(|state, now| {
            state.is_busy = false;
            if self.has_begun {
                state.meter.end(now);
            }
        });
        self.budget.freed.send_replace(());
    }
}

#[cfg(test)]
mod tests;
