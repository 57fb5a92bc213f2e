//! The writer itself: shared transactions, and jobs that spoil them.

use std::sync::mpsc as blocking;

use futures::{FutureExt as _, future::join_all};
use rusqlite::ffi;
use tokio::sync::oneshot;

use super::*;
use crate::store::{
    CommitError, Fullness,
    writer::{Job, QUEUE_MAX, Session, WriteError},
};

/// An observation that the store can write once and never read back: its attribute is nested too deep.
pub(super) fn uncomparable(id: &str) -> Observation {
    let deep = (0..200).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let mut attributes = Attributes::default();
    attributes.set("blocks", deep);
    Observation { attributes, ..Observation::of(EntityKey::new(Noun::Playback, id)) }
}

/// A job of the test's own.
struct Probe<F> {
    run: F,
    finished: oneshot::Sender<Result<(), WriteError>>,
}

impl<F: FnMut(&mut Session<'_>) -> rusqlite::Result<()> + Send> Job for Probe<F> {
    fn run(&mut self, session: &mut Session<'_>) -> rusqlite::Result<()> {
        (self.run)(session)
    }

    fn finish(self: Box<Self>, result: Result<(), WriteError>) {
        let _ = self.finished.send(result);
    }
}

impl Rig {
    fn hand_over(
        &self,
        run: impl FnMut(&mut Session<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) -> oneshot::Receiver<Result<(), WriteError>> {
        let (finished, result) = oneshot::channel();
        let is_taken = self.store.jobs.try_send(Box::new(Probe { run, finished })).is_ok();
        assert!(is_taken);
        result
    }

    /// Keeps the writer busy until the returned sender is dropped: what is handed over meanwhile waits, and
    /// is then written as one batch.
    pub(super) fn stall(&self) -> blocking::Sender<()> {
        let (release, released) = blocking::channel();
        let (tell, is_busy) = blocking::channel();
        drop(self.hand_over(move |_| {
            let _ = tell.send(());
            let _ = released.recv();
            Ok(())
        }));
        is_busy.recv().unwrap();
        release
    }
}

fn sqlite_failure(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
}

#[tokio::test]
async fn what_waits_is_committed_in_one_transaction() {
    let rig = Rig::new();
    let stall = rig.stall();
    let mut commits = Vec::new();
    let mut moments = Vec::new();
    for nth in 0..50 {
        let mut commit = Box::pin(rig.store.commit(start(&format!("b{nth}"))));
        assert!(commit.as_mut().now_or_never().is_none());
        commits.push(commit);
        // Is told of its end right after the commit before it is: then all fifty must be on disk.
        let (end, newest) = (rig.hand_over(|_| Ok(())), rig.store.newest_event());
        moments.push(std::thread::spawn(move || {
            end.blocking_recv().unwrap().unwrap();
            *newest.borrow()
        }));
    }
    drop(stall);
    for commit in commits {
        let _ = commit.await.unwrap();
    }
    for moment in moments {
        assert_eq!(moment.join().unwrap(), 50);
    }
}

#[tokio::test]
async fn a_job_that_is_refused_or_panics_does_not_harm_its_neighbours() {
    let rig = Rig::new();
    let stall = rig.stall();
    let mut commits: Vec<_> =
        (0..3).map(|nth| Box::pin(rig.store.commit(start(&format!("b{nth}"))))).collect();
    assert!(commits[0].as_mut().now_or_never().is_none());
    let refused = rig.hand_over(|session| session.connection.execute_batch("INSERT INTO nowhere VALUES (1)"));
    assert!(commits[1].as_mut().now_or_never().is_none());
    let panicked = rig.hand_over(|_| panic!("as the test wants it"));
    assert!(commits[2].as_mut().now_or_never().is_none());
    drop(stall);

    for durable in join_all(commits).await {
        assert_eq!(durable.unwrap().event_types(), ["broadcast.started"]);
    }
    for result in [refused, panicked] {
        assert!(matches!(result.await.unwrap(), Err(WriteError::Failed(_))));
    }
    let envelopes = rig.envelopes().await;
    let sequences: Vec<_> = envelopes.iter().map(|envelope| envelope["sequence"].as_str().unwrap()).collect();
    assert_eq!(sequences, ["0000000000000001", "0000000000000002", "0000000000000003"]);
    assert!(rig.store.failed().borrow().is_none(), "the store goes on");
}

/// Commits `spoiled` in the middle of a batch and asserts that only it goes into quarantine.
async fn assert_only_it_is_quarantined(rig: &Rig, spoiled: DeliveryRecord) {
    let body = spoiled.body.clone();
    let stall = rig.stall();
    let records = [start("before"), spoiled, start("behind")];
    let mut commits: Vec<_> = records.into_iter().map(|record| Box::pin(rig.store.commit(record))).collect();
    for commit in &mut commits {
        assert!(commit.as_mut().now_or_never().is_none());
    }
    drop(stall);
    let durables: Vec<_> = join_all(commits).await.into_iter().map(Result::unwrap).collect();
    let types: Vec<_> = durables.iter().map(|durable| durable.event_types()).collect();
    assert_eq!(types, [["broadcast.started"], ["delivery.quarantined"], ["broadcast.started"]]);
    assert!(durables[1].quarantined().is_some());
    let row = rig.store.quarantined_delivery(durables[1].delivery()).await.unwrap().unwrap();
    assert_eq!(row.body, body);
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_delivery_whose_entity_cannot_be_read_back_is_quarantined_alone() {
    let rig = Rig::new();
    let _ = rig.store.commit(saying("first", vec![uncomparable("p1")])).await.unwrap();
    assert_only_it_is_quarantined(&rig, saying("second", vec![uncomparable("p1")])).await;
}

#[tokio::test]
async fn more_than_can_wait_is_refused_at_once() {
    let rig = Rig::with(|options| options.unsafe_no_fsync = true);
    let stall = rig.stall();
    let mut commits: Vec<_> =
        (0..QUEUE_MAX).map(|nth| Box::pin(rig.store.commit(start(&format!("b{nth}"))))).collect();
    for commit in &mut commits {
        assert!(commit.as_mut().now_or_never().is_none());
    }
    let too_many = rig.store.commit(start("one too many")).now_or_never();
    assert!(matches!(too_many, Some(Err(CommitError::Busy))), "{too_many:?}");
    drop(stall);
    for durable in join_all(commits).await {
        let _ = durable.unwrap();
    }
    let _ = rig.store.commit(start("one too many")).await.unwrap();
}

/// After an I/O error the kernel may have dropped what it could not write, and a later fsync would say it
/// is there. So nothing is acknowledged until the process was started again.
#[tokio::test]
async fn after_an_io_error_nothing_is_acknowledged_any_more() {
    let rig = Rig::new();
    let _ = rig.store.commit(start("good")).await.unwrap();
    let failed = rig.hand_over(|_| Err(sqlite_failure(ffi::SQLITE_IOERR)));
    assert!(failed.await.unwrap().is_err());

    let refused = rig.store.commit(start("refused")).await;
    assert!(matches!(refused, Err(CommitError::Failed(_))), "{refused:?}");
    assert!(rig.store.record_acks(vec![ack(1, "LIVE", 1)], noon()).await.is_err());
    assert!(rig.store.failed().borrow().is_some());

    let rig = rig.reopened();
    assert_eq!(rig.waiting().await, [1]);
    let _ = rig.store.commit(start("refused")).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_what_came_and_is_forgotten_once_there_is_room() {
    let rig = Rig::new();
    let stall = rig.stall();
    let mut commit = Box::pin(rig.store.commit(start("b1")));
    assert!(commit.as_mut().now_or_never().is_none());
    drop(rig.hand_over(|_| Err(sqlite_failure(ffi::SQLITE_FULL))));
    drop(stall);
    assert!(matches!(commit.await, Err(CommitError::Full)));
    assert_eq!(rig.store.fullness(), Fullness::Full);
    assert!(rig.store.failed().borrow().is_none(), "a full disk is no broken one");
    // Not even tried.
    assert!(matches!(rig.store.commit(start("b1")).now_or_never(), Some(Err(CommitError::Full))));

    let _ = rig.store.tidy(noon()).await.unwrap();
    assert_eq!(rig.store.commit(start("b1")).await.unwrap().event_types(), ["broadcast.started"]);
}
