//! What waits for the bus, and what the bus said it holds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};

use super::*;

#[tokio::test]
async fn an_event_waits_until_its_puback_is_kept() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(4).await;
    assert_eq!(rig.waiting().await, all);
    rig.store.record_acks(vec![ack(all[0], "LIVE", 1), ack(all[2], "LIVE", 2)], noon()).await.unwrap();
    assert_eq!(rig.waiting().await, [all[1], all[3]]);
    assert_eq!(rows(&rig.store.unpublished(false, all[1], 9).await.unwrap()), [all[3]]);
    assert_eq!(rows(&rig.store.unpublished(false, 0, 1).await.unwrap()), [all[1]]);
    let rig = rig.reopened();
    assert_eq!(rig.waiting().await, [all[1], all[3]]);
}

#[tokio::test]
async fn what_was_set_aside_does_not_wait_but_stays_in_the_log() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(3).await;
    rig.store.set_aside(all[1], "it is too large for the bus".to_owned()).await.unwrap();
    assert_eq!(rig.waiting().await, [all[0], all[2]]);
    assert_eq!(rig.store.backlog().await.unwrap().0, 2);
    assert_eq!(rows(&rig.events().await), all);
}

#[tokio::test]
async fn the_backlog_counts_what_waits_and_since_when() {
    let rig = Rig::new();
    assert_eq!(rig.store.backlog().await.unwrap(), (0, None));
    for minutes in 0..3 {
        let when = noon() + SignedDuration::from_mins(minutes);
        let _ = rig.store.commit(at(when, start(&format!("b{minutes}")))).await.unwrap();
    }
    assert_eq!(rig.store.backlog().await.unwrap(), (3, Some(noon())));
    rig.store.record_acks(vec![ack(1, "LIVE", 1)], noon()).await.unwrap();
    let since = noon() + SignedDuration::from_mins(1);
    assert_eq!(rig.store.backlog().await.unwrap(), (2, Some(since)));
    // Reading what waits moves the place where counting begins; the count stays.
    assert_eq!(rig.waiting().await.len(), 2);
    assert_eq!(rig.store.backlog().await.unwrap(), (2, Some(since)));
    rig.store.record_acks(vec![ack(2, "LIVE", 2), ack(3, "LIVE", 3)], noon()).await.unwrap();
    assert_eq!(rig.store.backlog().await.unwrap(), (0, None));
}

#[tokio::test]
async fn the_ledger_is_searched_by_stream_and_sequence() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(4).await;
    let acks = vec![ack(all[0], "LIVE", 3), ack(all[1], "LIVE", 8), ack(all[2], "LIVE_PLAYBACK", 5)];
    rig.store.record_acks(acks, noon()).await.unwrap();
    let find = async |js_stream, js_sequence| {
        let found = rig.store.ledger_at_or_below(js_stream, js_sequence).await.unwrap();
        found.map(|entry| (entry.js_stream, entry.js_sequence, entry.row))
    };
    assert_eq!(find("LIVE", 2).await, None);
    assert_eq!(find("LIVE", 3).await, Some(("LIVE".to_owned(), 3, all[0])));
    assert_eq!(find("LIVE", 7).await, Some(("LIVE".to_owned(), 3, all[0])));
    assert_eq!(find("LIVE", u64::MAX).await, Some(("LIVE".to_owned(), 8, all[1])));
    assert_eq!(find("LIVE_PLAYBACK", 8).await, Some(("LIVE_PLAYBACK".to_owned(), 5, all[2])));
    assert_eq!(find("OTHER", 8).await, None);

    // The entry carries the event's own id, which the message at this place must have.
    let entry = rig.store.ledger_at_or_below("LIVE", 8).await.unwrap().unwrap();
    let event = rig.events().await.into_iter().find(|event| event.row == all[1]).unwrap();
    assert_eq!(entry.event_id, event.event_id);
}

#[tokio::test]
async fn forgotten_pubacks_make_their_events_wait_again_wherever_they_are() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(5).await;
    let acks = (0..4).map(|nth| ack(all[nth], "LIVE", nth as u64 + 1)).collect();
    rig.store.record_acks(acks, noon()).await.unwrap();
    assert_eq!(rig.waiting().await, all[4..]);
    assert_eq!(rig.store.forget_acks_above("OTHER", 0).await.unwrap(), 0);
    assert_eq!(rig.store.forget_acks_above("LIVE", 2).await.unwrap(), 2);
    assert_eq!(rig.waiting().await, all[2..]);
    assert_eq!(rig.store.forget_acks_above("LIVE", u64::MAX).await.unwrap(), 0);
    assert_eq!(rig.store.forget_acks_above("LIVE", 0).await.unwrap(), 2);
    assert_eq!(rig.waiting().await, all);
}

/// A stream that lost its end gives the same sequences again: the older event is not there any more.
#[tokio::test]
async fn an_event_whose_place_in_the_stream_was_taken_waits_again() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(3).await;
    rig.store.record_acks(vec![ack(all[0], "LIVE", 1), ack(all[1], "LIVE", 2)], noon()).await.unwrap();
    assert_eq!(rig.waiting().await, all[2..], "reading begins at the third from now on");
    rig.store.record_acks(vec![ack(all[2], "LIVE", 1)], noon()).await.unwrap();
    assert_eq!(rig.waiting().await, all[..1]);
    assert_eq!(rig.store.backlog().await.unwrap().0, 1);
    let entry = rig.store.ledger_at_or_below("LIVE", 1).await.unwrap().unwrap();
    assert_eq!(entry.row, all[2]);
}

#[tokio::test]
async fn a_puback_that_comes_again_changes_nothing() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(2).await;
    for _ in 0..2 {
        rig.store.record_acks(vec![ack(all[0], "LIVE", 1)], noon()).await.unwrap();
        assert_eq!(rig.waiting().await, all[1..]);
    }
}

#[tokio::test]
async fn when_a_stream_was_created_is_remembered() {
    let rig = Rig::new();
    assert_eq!(rig.store.js_stream_created("LIVE").await.unwrap(), None);
    for created in ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] {
        rig.store.set_js_stream_created("LIVE", created.to_owned()).await.unwrap();
        assert_eq!(rig.store.js_stream_created("LIVE").await.unwrap().as_deref(), Some(created));
    }
    assert_eq!(rig.store.js_stream_created("LIVE_PLAYBACK").await.unwrap(), None);
    let rig = rig.reopened();
    assert_eq!(rig.store.js_stream_created("LIVE").await.unwrap().as_deref(), Some("2026-01-02T00:00:00Z"));
}

/// What a publisher, an auditor and the platforms may do, in any order.
#[derive(Clone, Debug)]
enum Step {
    Commit(usize),
    CommitPlayback,
    Ack { nth: usize, js_stream: usize, js_sequence: u64 },
    Forget { js_stream: usize, above: u64 },
    SetAside { nth: usize },
    Read { is_playback: bool, after: usize, limit: usize },
    Reopen,
}

const STREAMS: [&str; 2] = ["LIVE", "LIVE_PLAYBACK"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..4_usize).prop_map(Step::Commit),
        3 => Just(Step::CommitPlayback),
        6 => (0..24_usize, 0..2_usize, 1..16_u64)
            .prop_map(|(nth, js_stream, js_sequence)| Step::Ack { nth, js_stream, js_sequence }),
        1 => (0..2_usize, 0..16_u64).prop_map(|(js_stream, above)| Step::Forget { js_stream, above }),
        1 => (0..24_usize).prop_map(|nth| Step::SetAside { nth }),
        4 => (any::<bool>(), 0..24_usize, 1..6_usize)
            .prop_map(|(is_playback, after, limit)| Step::Read { is_playback, after, limit }),
        1 => Just(Step::Reopen),
    ]
}

/// The same, as simple as it can be.
#[derive(Default)]
struct Model {
    rows: Vec<u64>,
    playback: BTreeSet<u64>,
    acked: BTreeMap<u64, (usize, u64)>,
    aside: BTreeSet<u64>,
}

impl Model {
    fn waiting(&self) -> Vec<u64> {
        let waits = |row: &&u64| !self.acked.contains_key(row) && !self.aside.contains(row);
        self.rows.iter().filter(waits).copied().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Where reading begins is only a shortcut.
    #[test]
    fn no_waiting_event_is_ever_hidden(steps in vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare_with_model(steps))?;
    }
}

async fn compare_with_model(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut rig = Rig::with(|options| options.unsafe_no_fsync = true);
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Commit(count) => model.rows.extend(rig.commit_broadcasts(count).await),
            Step::CommitPlayback => {
                let row = rig.commit_playback().await;
                model.rows.push(row);
                model.playback.insert(row);
            }
            Step::Ack { nth, js_stream, js_sequence } => {
                let Some(&row) = model.rows.get(nth) else { continue };
                rig.store.record_acks(vec![ack(row, STREAMS[js_stream], js_sequence)], noon()).await.unwrap();
                model.acked.retain(|_, place| *place != (js_stream, js_sequence));
                model.acked.insert(row, (js_stream, js_sequence));
            }
            Step::Forget { js_stream, above } => {
                let forgotten = rig.store.forget_acks_above(STREAMS[js_stream], above).await.unwrap();
                let before = model.acked.len();
                model.acked.retain(|_, place| place.0 != js_stream || place.1 <= above);
                prop_assert_eq!(forgotten as usize, before - model.acked.len());
            }
            Step::SetAside { nth } => {
                let Some(&row) = model.rows.get(nth) else { continue };
                rig.store.set_aside(row, "because".to_owned()).await.unwrap();
                model.aside.insert(row);
            }
            Step::Read { is_playback, after, limit } => {
                let after = model.rows.get(after).copied().unwrap_or(0);
                let found = rows(&rig.store.unpublished(is_playback, after, limit).await.unwrap());
                let is_meant = |row: &u64| *row > after && model.playback.contains(row) == is_playback;
                let expected: Vec<_> = model.waiting().into_iter().filter(is_meant).take(limit).collect();
                prop_assert_eq!(found, expected);
                continue;
            }
            Step::Reopen => rig = rig.reopened(),
        }
        let waiting = model.waiting();
        prop_assert_eq!(rig.store.backlog().await.unwrap().0 as usize, waiting.len());
        prop_assert_eq!(rig.waiting().await, waiting);
    }
    Ok(())
}

#[tokio::test]
async fn whoever_publishes_one_stream_is_not_woken_for_the_other() {
    let rig = Rig::new();
    let [mut live, mut playback] = [false, true].map(|is_playback| rig.store.newest_event_of(is_playback));
    let row = rig.commit_playback().await;
    assert!(playback.has_changed().unwrap() && !live.has_changed().unwrap());
    assert_eq!(*playback.borrow_and_update(), row);
    let all = rig.commit_broadcasts(1).await;
    assert!(live.has_changed().unwrap() && !playback.has_changed().unwrap());
    assert_eq!(*live.borrow_and_update(), all[0]);
}
