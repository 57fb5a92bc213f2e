//! Limits that are never broken, under any load and any number of restarts; and whose turn it is.

mod meter;

use super::*;
use crate::{
    poll::tests::support::LIMITS,
    ports::ManualClock,
    store::{StoreOptions, WriterThread},
};

struct Desk {
    clock: Arc<ManualClock>,
    store: Store,
    budget: Arc<SharedBudget>,
    _writer: WriterThread,
    _dir: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            dir: dir.path().to_owned(),
            bytes_max: 1 << 30,
            has_bus: true,
            unsafe_no_fsync: true,
        };
        let (store, writer) = Store::open(options, [7; 32]).unwrap();
        let clock = Arc::new(ManualClock::at("2025-01-14T04:30:00Z".parse().unwrap()));
        let budget = Self::budget(&clock, &store).await;
        Self { clock, store, budget, _writer: writer, _dir: dir }
    }

    async fn budget(clock: &Arc<ManualClock>, store: &Store) -> Arc<SharedBudget> {
        let budget = SharedBudget::new("library api.example.com".to_owned(), LIMITS, Arc::clone(clock) as _);
        budget.load(store).await.unwrap();
        Arc::new(budget)
    }

    fn ask(&self, account: usize, purpose: Purpose, deadline: i64) -> Result<Pass, Wait> {
        self.budget.ask(account, purpose, at(deadline))
    }

    /// A request of 200 ms, and the gap after it.
    async fn request(&self, mut pass: Pass) {
        pass.begin(&self.store).await.unwrap();
        self.clock.advance(SignedDuration::from_millis(200));
        drop(pass);
        self.clock.advance(SignedDuration::from_millis(1_050));
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

#[tokio::test]
async fn one_request_is_under_way_at_a_time() {
    let desk = Desk::new().await;
    let mut pass = desk.ask(0, Purpose::Routine, 1).unwrap();
    assert_eq!(desk.ask(1, Purpose::Confirmation, 0).unwrap_err(), Wait::Turn);
    pass.begin(&desk.store).await.unwrap();
    assert_eq!(desk.ask(1, Purpose::Confirmation, 0).unwrap_err(), Wait::Turn);
    drop(pass);
    let gap = desk.clock.now() + SignedDuration::from_millis(1_050);
    assert_eq!(desk.ask(1, Purpose::Confirmation, 0).unwrap_err(), Wait::Until(gap));
    desk.clock.advance(SignedDuration::from_millis(1_050));
    assert!(desk.ask(1, Purpose::Confirmation, 0).is_ok());
}

#[tokio::test]
async fn a_pass_that_was_not_used_costs_nothing() {
    let desk = Desk::new().await;
    drop(desk.ask(0, Purpose::Routine, 1).unwrap());
    assert_eq!(desk.budget.progress().left, 60);
    assert!(desk.ask(1, Purpose::Routine, 1).is_ok());
}

#[tokio::test]
async fn confirmations_go_first_then_the_earliest_deadline() {
    let desk = Desk::new().await;
    let pass = desk.ask(0, Purpose::Routine, 50).unwrap();
    for (account, purpose, deadline) in [
        (1, Purpose::Routine, 30),
        (2, Purpose::Routine, 20),
        (3, Purpose::Confirmation, 99),
        (0, Purpose::Routine, 50),
    ] {
        assert_eq!(desk.ask(account, purpose, deadline).unwrap_err(), Wait::Turn);
    }
    desk.request(pass).await;
    for (account, purpose, deadline) in [
        (3, Purpose::Confirmation, 99),
        (2, Purpose::Routine, 20),
        (1, Purpose::Routine, 30),
        (0, Purpose::Routine, 50),
    ] {
        for other in [(0, Purpose::Routine, 50), (1, Purpose::Routine, 30)] {
            let goes_behind = (purpose, deadline) < (other.1, other.2);
            assert!(!goes_behind || desk.ask(other.0, other.1, other.2).is_err(), "{other:?}");
        }
        desk.request(desk.ask(account, purpose, deadline).unwrap()).await;
    }
}

#[tokio::test]
async fn who_wants_nothing_any_longer_stands_in_nobodys_way() {
    let desk = Desk::new().await;
    let pass = desk.ask(0, Purpose::Routine, 9).unwrap();
    assert_eq!(desk.ask(1, Purpose::Routine, 1).unwrap_err(), Wait::Turn);
    let mut freed = desk.budget.freed();
    desk.request(pass).await;
    assert!(freed.has_changed().unwrap());
    assert_eq!(desk.ask(0, Purpose::Routine, 9).unwrap_err(), Wait::Turn);
    freed.mark_unchanged();
    desk.budget.withdraw(1, Purpose::Routine);
    assert!(freed.has_changed().unwrap());
    assert!(desk.ask(0, Purpose::Routine, 9).is_ok());
}

#[tokio::test]
async fn what_was_spent_is_still_spent_after_a_restart() {
    let desk = Desk::new().await;
    for _ in 0..17 {
        desk.request(desk.ask(0, Purpose::Confirmation, 0).unwrap()).await;
        desk.request(desk.ask(0, Purpose::Routine, 0).unwrap()).await;
    }
    let mut last = desk.ask(0, Purpose::Confirmation, 0).unwrap();
    last.begin(&desk.store).await.unwrap();
    let killed_at = desk.clock.now();
    desk.clock.advance(SignedDuration::from_millis(300));

    let budget = Desk::budget(&desk.clock, &desk.store).await;
    assert_eq!(budget.progress().left, 60 - 35);
    // Its answer may have come until the process ended.
    let gap = desk.clock.now() + SignedDuration::from_millis(1_050);
    assert_eq!(budget.ask(0, Purpose::Routine, at(0)).unwrap_err(), Wait::Until(gap));
    desk.clock.advance(SignedDuration::from_secs(2));
    assert!(budget.ask(0, Purpose::Routine, at(0)).is_ok());
    let Wait::Until(share_is_free) = budget.ask(1, Purpose::Confirmation, at(0)).unwrap_err() else {
        // The pass of the line above was dropped at once.
        panic!("nobody else is sending")
    };
    assert!(share_is_free > killed_at && share_is_free <= killed_at + WINDOW);
}

#[tokio::test]
async fn a_budget_that_rests_rests_for_everybody() {
    let desk = Desk::new().await;
    let until = desk.clock.now() + SignedDuration::from_mins(10);
    desk.budget.rest(until);
    desk.budget.rest(desk.clock.now() + SignedDuration::from_secs(1));
    for purpose in [Purpose::Confirmation, Purpose::Routine] {
        assert_eq!(desk.ask(0, purpose, 0).unwrap_err(), Wait::Until(until));
    }
    assert_eq!(desk.budget.progress().rests_until, Some(until));
    desk.clock.advance(SignedDuration::from_mins(10));
    assert!(desk.ask(0, Purpose::Routine, 0).is_ok());
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pass")
    }
}
