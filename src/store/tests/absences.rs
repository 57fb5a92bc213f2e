//! Something is told gone only when two whole sweeps in a row did not show it, and nothing speaks for it.

use serde_json::json;

use super::{
    sweeps::{broadcasts, channel, channels, in_list, listed, listing, minute, sweep},
    *,
};
use crate::{platform::Coverage, store::SweepRecord};

const TEN: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn with(coverage: Coverage, record: SweepRecord) -> SweepRecord {
    let mut record = record;
    record.findings.listings.iter_mut().for_each(|listing| listing.coverage = coverage);
    record
}

/// Sweeps after one that saw everything; returns after how many something was told gone.
async fn gone_after(sweeps: impl IntoIterator<Item = SweepRecord>) -> Option<usize> {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &TEN)).await;
    for (record, nth) in sweeps.into_iter().zip(1..) {
        let types = rig.swept(record).await;
        if !types.is_empty() {
            assert_eq!(types, ["broadcast.ended"]);
            return Some(nth);
        }
    }
    None
}

#[tokio::test]
async fn what_two_whole_sweeps_in_a_row_do_not_show_is_over() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &["a", "b"])).await;
    assert_eq!(rig.swept(broadcasts(1, &["a"])).await, [""; 0]);
    assert_eq!(rig.swept(broadcasts(2, &["a"])).await, ["broadcast.ended"]);
    let events = rig.envelopes().await;
    let over = events.last().unwrap();
    assert_eq!(over["subject"], "broadcast/b");
    assert_eq!(over["data"]["broadcast"]["state"], "ended");
    assert_eq!(over["data"]["extra"], json!({ "reason": "absent" }));
    assert_eq!((&over["via"], &over["recordedtime"]), (&json!("poll"), &json!(minute(2).to_string())));
    // It is told once, and expected no more.
    let listed = rig.store.listed(&AccountName::parse("acme").unwrap(), "broadcasts").await.unwrap();
    assert_eq!(listed.get("all").unwrap().iter().collect::<Vec<_>>(), ["a"]);
    for at in 3..6 {
        assert_eq!(rig.swept(broadcasts(at, &["a"])).await, [""; 0]);
    }
}

#[tokio::test]
async fn other_things_are_removed_and_may_come_back() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b"])).await;
    rig.swept(channels(1, &["a"])).await;
    assert_eq!(rig.swept(channels(2, &["a"])).await, ["channel.removed"]);
    assert_eq!(rig.swept(channels(3, &["a", "b"])).await, ["channel.created"]);
    assert_eq!(rig.swept(channels(4, &["a"])).await, [""; 0]);
    assert_eq!(rig.swept(channels(5, &["a"])).await, ["channel.removed"]);
}

#[tokio::test]
async fn two_sweeps_that_are_not_in_a_row_end_nothing() {
    let sweeps = (1..9).map(|at| broadcasts(at, if at % 2 == 0 { &TEN } else { &TEN[1..] }));
    assert_eq!(gone_after(sweeps).await, None);
}

#[tokio::test]
async fn an_incomplete_sweep_ends_nothing() {
    let sweeps = (1..9).map(|at| with(Coverage::Partial, broadcasts(at, &TEN[1..])));
    assert_eq!(gone_after(sweeps).await, None);
    // Nor does it take anything back.
    let sweeps = [
        broadcasts(1, &TEN[1..]),
        with(Coverage::Partial, broadcasts(2, &TEN[1..])),
        broadcasts(3, &TEN[1..]),
    ];
    assert_eq!(gone_after(sweeps).await, Some(3));
}

#[tokio::test]
async fn absence_from_a_list_that_was_nearly_seen_counts_half() {
    let sweeps = (1..9).map(|at| with(Coverage::Nearly, broadcasts(at, &TEN[1..])));
    assert_eq!(gone_after(sweeps).await, Some(4));
}

#[tokio::test]
async fn answers_that_may_be_one_and_the_same_copy_count_once() {
    let stale_for = SignedDuration::from_secs(150);
    let sweeps = (1..9).map(|at| SweepRecord { stale_for, ..broadcasts(at, &TEN[1..]) });
    // The first can be of before the start; those of minutes 3 and 6 count.
    assert_eq!(gone_after(sweeps).await, Some(6));
}

#[tokio::test]
async fn a_list_that_is_suddenly_empty_is_believed_after_three_sweeps() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &TEN)).await;
    let first = rig.outcome(broadcasts(1, &[])).await;
    assert!(first.is_suspicious && first.event_types.is_empty());
    let second = rig.outcome(broadcasts(2, &[])).await;
    assert!(!second.is_suspicious && second.event_types.is_empty(), "{second:?}");
    assert_eq!(rig.swept(broadcasts(3, &[])).await, ["broadcast.ended"; 10]);
}

#[tokio::test]
async fn a_list_that_is_empty_by_mistake_ends_nothing() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &TEN)).await;
    for round in 0..4 {
        let at = 3 * round + 1;
        assert!(rig.outcome(broadcasts(at, &TEN[..4])).await.is_suspicious);
        assert_eq!(rig.swept(broadcasts(at + 1, &TEN)).await, [""; 0]);
        assert_eq!(rig.swept(broadcasts(at + 2, &TEN)).await, [""; 0]);
    }
    // Few enough to be over all at once.
    let rig = Rig::new();
    rig.swept(broadcasts(0, &TEN[..3])).await;
    assert!(!rig.outcome(broadcasts(1, &[])).await.is_suspicious);
    assert_eq!(rig.swept(broadcasts(2, &[])).await, ["broadcast.ended"; 3]);
}

/// A list of categories, each a scope of its own, and another watch that lists the same channels.
#[tokio::test]
async fn what_another_list_holds_is_not_gone() {
    let rig = Rig::new();
    let music = |at, ids: &[&str]| {
        let mut record = sweep("by category", at);
        record.findings.listings = vec![listing("music", Noun::Channel, Coverage::Whole)];
        record.findings.sightings = in_list("music", at, ids.iter().map(|id| channel(id, id)).collect());
        record
    };
    rig.swept(channels(0, &["a", "b"])).await;
    assert_eq!(rig.swept(music(0, &["a", "b"])).await, [""; 0], "it is one channel, however often listed");
    for at in 1..5 {
        assert_eq!(rig.swept(music(at, &["b"])).await, [""; 0]);
        assert_eq!(rig.swept(channels(at, &["a", "b"])).await, [""; 0]);
    }
    assert_eq!(rig.swept(channels(5, &["b"])).await, [""; 0]);
    assert_eq!(rig.swept(music(5, &["b"])).await, [""; 0], "one sweep of the other list did not show it");
    assert_eq!(rig.swept(channels(6, &["b"])).await, ["channel.removed"]);
    assert_eq!(rig.swept(music(6, &["b"])).await, [""; 0], "once");
}

#[tokio::test]
async fn what_moves_from_one_list_to_another_in_one_sweep_is_not_gone() {
    let rig = Rig::new();
    let both = |at, music: &[&str], games: &[&str]| {
        let mut record = sweep("by category", at);
        for (scope, ids) in [("music", music), ("games", games)] {
            record.findings.listings.push(listing(scope, Noun::Broadcast, Coverage::Whole));
            let said = ids.iter().map(|id| broadcast(id, Phase::Live)).collect();
            record.findings.sightings.extend(in_list(scope, at, said));
        }
        record
    };
    rig.swept(both(0, &["a", "b"], &["c"])).await;
    for at in 1..5 {
        assert_eq!(rig.swept(both(at, &["b"], &["a", "c"])).await, [""; 0]);
    }
    rig.swept(both(5, &["b"], &["c"])).await;
    assert_eq!(rig.swept(both(6, &["b"], &["c"])).await, ["broadcast.ended"]);
}

/// A category that is taken out of the configuration leaves its list behind, which nobody reads any more.
#[tokio::test]
async fn a_list_that_is_not_read_any_more_keeps_nothing_alive_for_long() {
    let rig = Rig::new();
    let old = |at| listed("old watch", at, Noun::Broadcast, vec![broadcast("a", Phase::Live)]);
    rig.swept(old(0)).await;
    rig.swept(old(1)).await;
    rig.swept(broadcasts(1, &["a"])).await;
    for at in [2, 10, 30, 59] {
        assert_eq!(rig.swept(broadcasts(at, &[])).await, [""; 0], "minute {at}");
    }
    assert_eq!(rig.swept(broadcasts(62, &[])).await, ["broadcast.ended"]);
}

/// As after a night in which livehook did not run: the other watch has just not had its turn.
#[tokio::test]
async fn after_a_pause_of_everything_each_list_gets_its_turn() {
    let rig = Rig::new();
    let other = |at| listed("other", at, Noun::Broadcast, vec![broadcast("a", Phase::Live)]);
    for at in 0..2 {
        rig.swept(other(at)).await;
        rig.swept(broadcasts(at, &["a"])).await;
    }
    let rig = rig.reopened();
    for at in 600..650 {
        assert_eq!(rig.swept(broadcasts(at, &[])).await, [""; 0]);
    }
    assert_eq!(rig.swept(other(650)).await, [""; 0]);
    assert_eq!(rig.swept(broadcasts(651, &[])).await, [""; 0]);
}

#[tokio::test]
async fn only_the_window_that_was_asked_for_can_lack_something() {
    let rig = Rig::new();
    // Entries of three days; the window moves on by a day.
    let window = |at: i64, from: i64, days: &[i64]| {
        let mut record = broadcasts(at, &[]);
        record.findings.listings[0].from = Some(noon() + hours(24 * from));
        let said = days.iter().map(|day| broadcast(&format!("day-{day}"), Phase::Live)).collect();
        record.findings.sightings = in_list("all", at, said);
        for (sighting, day) in record.findings.sightings.iter_mut().zip(days) {
            sighting.listed_from = Some(noon() + hours(24 * day));
        }
        record
    };
    rig.swept(window(0, 1, &[1, 2, 3])).await;
    for at in 1..5 {
        assert_eq!(rig.swept(window(at, 2, &[2, 3])).await, [""; 0], "the first day was not asked for");
    }
    rig.swept(window(5, 2, &[2])).await;
    assert_eq!(rig.swept(window(6, 2, &[2])).await, ["broadcast.ended"]);
    assert_eq!(rig.envelopes().await.last().unwrap()["subject"], "broadcast/day-3");
    // An entry without a place in time is in no window.
    let mut unplaced = window(7, 1, &[1, 2]);
    unplaced.findings.sightings[0].listed_from = None;
    rig.swept(unplaced).await;
    for at in 8..12 {
        assert_eq!(rig.swept(window(at, 1, &[2])).await, [""; 0]);
    }
}

#[tokio::test]
async fn an_absence_is_doubted_when_a_callback_came_later() {
    let rig = Rig::new();
    rig.swept(broadcasts(-3, &["b1"])).await;
    rig.swept(broadcasts(-2, &[])).await;
    // It began before, and is committed after, a callback says that the broadcast goes on.
    rig.store.commit(saying("pause", vec![broadcast("b1", Phase::Paused)])).await.unwrap().answered();
    let outcome = rig.outcome(broadcasts(-1, &[])).await;
    assert_eq!(outcome.event_types, [""; 0]);
    let [(entity, _)] = &outcome.doubts[..] else { panic!("{outcome:?}") };
    assert_eq!(entity.to_string(), "broadcast/b1");
    assert_eq!(rig.swept(broadcasts(1, &[])).await, ["broadcast.ended"], "it is not forgotten");
}

/// A page shows it without its list: there is something of it, so it is not gone.
#[tokio::test]
async fn what_is_seen_outside_of_its_list_is_not_absent() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b"])).await;
    for at in 1..5 {
        let mut record = channels(at, &["a", "b"]);
        record.findings.sightings[1].scope = None;
        assert_eq!(rig.swept(record).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_list_of_two_kinds_of_things_keeps_them_apart() {
    let rig = Rig::new();
    let both = |at: i64, channel_ids: &[&str], broadcast_ids: &[&str]| {
        let mut record = channels(at, channel_ids);
        let other = broadcasts(at, broadcast_ids).findings;
        record.findings.listings.extend(other.listings);
        record.findings.sightings.extend(other.sightings);
        record
    };
    rig.swept(both(0, &["a", "b"], &["a", "b"])).await;
    rig.swept(both(1, &["a", "b"], &["a"])).await;
    assert_eq!(rig.swept(both(2, &["a", "b"], &["a"])).await, ["broadcast.ended"]);
}
