//! A store that fills: what is refused first, what is deleted, and that it recovers.

use std::fs;

use super::{
    sweeps::{broadcasts, sweep},
    *,
};
use crate::{
    model::{Verb, entities::Playback},
    platform::Sighting,
    store::{CommitError, Fullness, SweepRecord},
};

/// A delivery of half a mebibyte that says nothing.
fn large(nth: usize, priority: Priority) -> DeliveryRecord {
    let body = format!("{nth:08}{}", "x".repeat(512 * 1024));
    DeliveryRecord { priority, ..saying(&body, Vec::new()) }
}

impl Rig {
    /// Deletes all that may go by then; returns how many rows went.
    async fn tidy(&self, now: Timestamp) -> usize {
        let mut all = 0;
        loop {
            match self.store.tidy(now).await.unwrap().1 {
                0 => return all,
                some => all += some,
            }
        }
    }

    /// Commits a delivery of much later: the newest is kept whatever its age.
    async fn commit_the_newest(&self) {
        let _ = self.store.commit(at(noon() + hours(10_000), saying("newest", Vec::new()))).await.unwrap();
    }

    /// The same store with another bound.
    fn with_bytes_max(mut self, bytes_max: u64) -> Self {
        self.options.bytes_max = bytes_max;
        self.reopened()
    }
}

#[tokio::test]
async fn figures_are_refused_first_then_everything_and_both_are_taken_again() {
    let rig = Rig::with(|options| options.bytes_max = 80 << 20);
    let mut seen = Vec::new();
    let mut refused = [None, None];
    for nth in 0.. {
        for (which, priority) in [Priority::Low, Priority::High].into_iter().enumerate() {
            match rig.store.commit(large(2 * nth + which, priority)).await {
                Ok(_) => assert_eq!(refused[which], None, "what was refused stays refused while it fills"),
                Err(CommitError::Full) => refused[which] = refused[which].or(Some(nth)),
                Err(other) => panic!("{other}"),
            }
        }
        let (usage, trimmed) = rig.store.tidy(noon()).await.unwrap();
        assert_eq!(trimmed, 0);
        assert_eq!(usage.fullness(), rig.store.fullness());
        if seen.last() != Some(&usage.fullness()) {
            seen.push(usage.fullness());
        }
        if refused[1].is_some() {
            break;
        }
    }
    assert!(refused[0] < refused[1], "figures before everything else: {refused:?}");
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&Fullness::Full), "{seen:?}");

    // A week later the deliveries may go, and there is room.
    assert!(rig.tidy(noon() + hours(8 * 24)).await > 100);
    assert_eq!(rig.store.fullness(), Fullness::Fine);
    for priority in [Priority::Low, Priority::High] {
        let _ = rig.store.commit(large(0, priority)).await.unwrap();
    }
}

/// The write-ahead log never shrinks by itself, so it must not take up a small bound.
#[tokio::test]
async fn the_smallest_store_goes_on_as_long_as_old_rows_may_go() {
    let rig = Rig::with(|options| options.bytes_max = 16 << 20);
    for day in 0..60 {
        let now = noon() + hours(24 * day);
        let _ = rig.store.commit(at(now, large(day as usize, Priority::Low))).await.unwrap();
        rig.tidy(now).await;
        assert!(rig.store.fullness() < Fullness::Shedding, "day {day}: {:?}", rig.store.fullness());
    }
}

/// Otherwise the writer would have to do it, and callbacks would wait.
#[tokio::test]
async fn what_is_much_in_the_log_is_moved_into_the_file_beside_the_writer() {
    let rig = Rig::new();
    let bytes = || fs::metadata(rig.options.dir.join("livehook.sqlite")).unwrap().len();
    let log_bytes = || fs::metadata(rig.options.dir.join("livehook.sqlite-wal")).unwrap().len();
    for nth in 0..40 {
        let _ = rig.store.commit(large(nth, Priority::High)).await.unwrap();
    }
    assert!(bytes() < 1 << 20 && log_bytes() > 20 << 20);
    rig.store.tidy(noon()).await.unwrap();
    assert!(bytes() > 20 << 20);
    // The log begins anew.
    let before = log_bytes();
    for nth in 40..60 {
        let _ = rig.store.commit(large(nth, Priority::High)).await.unwrap();
    }
    assert_eq!(log_bytes(), before);
}

#[tokio::test]
async fn the_file_becomes_smaller_when_rows_go() {
    let rig = Rig::new();
    for nth in 0..20 {
        let _ = rig.store.commit(large(nth, Priority::High)).await.unwrap();
    }
    let rig = rig.reopened();
    let file = rig.options.dir.join("livehook.sqlite");
    assert!(fs::metadata(&file).unwrap().len() > 10 << 20);
    rig.tidy(noon() + hours(8 * 24)).await;
    for _ in 0..10 {
        // A slice at a time, so that no delivery waits long.
        let _ = rig.store.tidy(noon() + hours(8 * 24)).await.unwrap();
    }
    let rig = rig.reopened();
    assert!(fs::metadata(&file).unwrap().len() < 1 << 20);
    drop(rig);
}

#[tokio::test]
async fn published_events_are_kept_three_days_and_the_newest_for_ever() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(4).await;
    rig.store
        .record_acks((0..4).map(|nth| ack(all[nth], "LIVE", nth as u64 + 1)).collect(), noon())
        .await
        .unwrap();
    assert_eq!(rig.tidy(noon() + hours(72)).await, 0);
    assert_eq!(rig.tidy(noon() + hours(73)).await, 3);
    assert_eq!(rows(&rig.events().await), all[3..]);
    assert_eq!(rig.store.ledger_at_or_below("LIVE", 3).await.unwrap(), None, "its PubAcks went with them");
    assert!(rig.store.ledger_at_or_below("LIVE", 4).await.unwrap().is_some());

    // Rows and sequences are counted on from it, or a row would be given twice.
    let _ = rig.tidy(noon() + hours(1000)).await;
    let rig = rig.reopened();
    let next = rig.commit_broadcasts(1).await;
    assert_eq!(next, [all[3] + 1]);
    let envelopes = rig.envelopes().await;
    assert_eq!(envelopes.last().unwrap()["sequence"], "0000000000000005");
}

#[tokio::test]
async fn events_that_wait_for_a_bus_are_never_deleted() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(5).await;
    rig.store.record_acks(vec![ack(all[1], "LIVE", 1), ack(all[3], "LIVE", 2)], noon()).await.unwrap();
    let deliveries_but_the_newest_and_published = 4 + 2;
    assert_eq!(rig.tidy(noon() + hours(10_000)).await, deliveries_but_the_newest_and_published);
    assert_eq!(rig.waiting().await, [all[0], all[2], all[4]]);
    assert_eq!(rows(&rig.events().await), [all[0], all[2], all[4]]);
}

/// A number names one delivery for ever: in logs, and in `livehook quarantine show`.
#[tokio::test]
async fn the_number_of_a_delivery_is_never_given_again() {
    let rig = Rig::new();
    let first = rig.store.commit(saying("first", Vec::new())).await.unwrap().delivery();
    rig.tidy(noon() + hours(10_000)).await;
    let rig = rig.reopened();
    rig.tidy(noon() + hours(10_000)).await;
    let second = rig.store.commit(saying("second", Vec::new())).await.unwrap().delivery();
    assert!(second > first);
}

#[tokio::test]
async fn what_was_set_aside_goes_with_the_published() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(3).await;
    rig.store.set_aside(all[0], "it is too large for the bus".to_owned()).await.unwrap();
    assert_eq!(rig.tidy(noon() + hours(73)).await, 1);
    assert_eq!(rows(&rig.events().await), all[1..]);
}

#[tokio::test]
async fn without_a_bus_events_are_kept_for_a_week() {
    let rig = Rig::with(|options| options.has_bus = false);
    let all = rig.commit_broadcasts(3).await;
    assert_eq!(rig.tidy(noon() + hours(167)).await, 0);
    rig.tidy(noon() + hours(169)).await;
    assert_eq!(rows(&rig.events().await), all[2..], "but for the newest");
}

#[tokio::test]
async fn raw_deliveries_are_kept_a_week_and_a_month_in_quarantine() {
    let rig = Rig::new();
    let _ = rig.store.commit(saying("understood", Vec::new())).await.unwrap();
    let id = rig.store.commit(unreadable("not understood")).await.unwrap().delivery();
    rig.commit_the_newest().await;
    assert_eq!(rig.tidy(noon() + hours(167)).await, 0);
    let the_understood_and_what_is_known_of_the_other = 1 + 1;
    assert_eq!(rig.tidy(noon() + hours(169)).await, the_understood_and_what_is_known_of_the_other);
    assert_eq!(rig.tidy(noon() + hours(30 * 24 - 1)).await, 0);
    assert!(rig.store.quarantined_delivery(id).await.unwrap().is_some());
    assert_eq!(rig.tidy(noon() + hours(30 * 24 + 1)).await, 1);
    assert!(rig.store.quarantined_delivery(id).await.unwrap().is_none());
}

/// A viewer's session of a week ago will not come back; a broadcast may be heard of after any time.
#[tokio::test]
async fn viewers_sessions_are_forgotten_and_broadcasts_are_not() {
    let rig = Rig::new();
    let figures = Attributes::of(&Playback { play_seconds: Some(100.0), ..Default::default() });
    let progress = Observation {
        told: Some(Verb::Progressed),
        attributes: figures,
        ..Observation::of(EntityKey::new(Noun::Playback, "p1"))
    };
    let _ = rig.store.commit(saying("both", vec![progress, broadcast("b1", Phase::Ended)])).await.unwrap();
    rig.commit_the_newest().await;
    let delivery_and_session = 1 + 1;
    assert_eq!(rig.tidy(noon() + hours(169)).await, delivery_and_session);
    let late = at(noon() + hours(170), start("b1"));
    assert_eq!(rig.store.commit(late).await.unwrap().event_types(), [""; 0], "it stays ended");
}

#[tokio::test]
async fn a_store_that_fills_keeps_rows_for_six_hours_only() {
    let rig = Rig::new();
    let all = rig.commit_broadcasts(3).await;
    let acks = all.iter().zip(1..).map(|(&row, js_sequence)| ack(row, "LIVE", js_sequence));
    rig.store.record_acks(acks.collect(), noon()).await.unwrap();
    let _ = rig.store.commit(unreadable("in quarantine")).await.unwrap();
    for nth in 0..40 {
        let _ = rig.store.commit(at(noon() + hours(3), large(nth, Priority::High))).await.unwrap();
    }
    let later = noon() + hours(7);
    assert_eq!(rig.tidy(later).await, 0, "nothing is old enough while there is room");

    let rig = rig.reopened();
    let (usage, _) = rig.store.tidy(later).await.unwrap();
    let rig = rig.with_bytes_max(usage.used_bytes * 100 / 90);
    let three_events_and_deliveries = 3 + 3;
    assert_eq!(rig.tidy(later).await, three_events_and_deliveries);
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_forgotten_and_comes_again_gets_another_id() {
    let rig = Rig::new();
    let later = noon() + SignedDuration::from_hours(8 * 24);
    let figures =
        Observation { told: Some(Verb::Progressed), ..Observation::of(EntityKey::new(Noun::Playback, "p1")) };
    rig.store.commit(saying("figures", vec![figures.clone()])).await.unwrap().answered();
    rig.store.tidy(later).await.unwrap();
    rig.store.commit(at(later, saying("figures", vec![figures]))).await.unwrap().answered();
    let events = rig.envelopes().await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["subject"], events[1]["subject"]);
    assert_ne!(events[0]["id"], events[1]["id"]);
}

#[tokio::test]
async fn an_event_is_kept_for_three_days_from_its_puback_however_long_it_waited() {
    let rig = Rig::new();
    let hours = |hours| noon() + SignedDuration::from_hours(hours);
    rig.store.commit(start("b1")).await.unwrap().answered();
    rig.store.commit(at(hours(99), start("b2"))).await.unwrap().answered();
    let row = rig.waiting().await[0];
    rig.store.record_acks(vec![ack(row, "LIVE", 1)], hours(100)).await.unwrap();
    rig.tidy(hours(171)).await;
    assert_eq!(rig.envelopes().await.len(), 2);
    rig.tidy(hours(173)).await;
    assert_eq!(rig.envelopes().await.len(), 1);
}

/// As many days after noon.
fn day(day: i64) -> Timestamp {
    noon() + hours(24 * day)
}

#[tokio::test]
async fn broadcasts_that_are_over_are_forgotten_after_a_month() {
    let rig = Rig::new();
    let said = vec![broadcast("over", Phase::Ended), broadcast("on air", Phase::Live)];
    let _ = rig.store.commit(saying("both", said)).await.unwrap();
    rig.commit_the_newest().await;
    assert_eq!(rig.tidy(day(29)).await, 1, "the delivery");
    assert_eq!(rig.tidy(day(31)).await, 1, "the broadcast that is over");
    assert_eq!(rig.tidy(day(999)).await, 0, "the other goes on");
    // It begins above all revisions that it had: its next event has an id of its own.
    let again = at(day(32), saying("again", vec![broadcast("over", Phase::Ended)]));
    assert_eq!(rig.store.commit(again).await.unwrap().event_types(), ["broadcast.ended"]);
    let events = rig.events().await;
    assert_eq!(events[0].entity, events[2].entity);
    assert_ne!(events[0].event_id, events[2].event_id);
}

/// Platforms list what was on air long ago. It would be news each month.
#[tokio::test]
async fn broadcasts_that_are_over_are_known_as_long_as_they_stand_in_a_list() {
    let rig = Rig::new();
    let mut of_old = broadcasts(0, &["b1"]);
    of_old.findings.sightings[0].observation.phase = Some(Phase::Ended);
    assert_eq!(rig.swept(of_old.clone()).await, ["broadcast.discovered"]);
    for month in 1..5 {
        rig.tidy(day(31 * month)).await;
        let began_at = day(31 * month);
        let again = SweepRecord { began_at, ..of_old.clone() };
        assert_eq!(rig.swept(again).await, [""; 0]);
    }
    for month in 5..7 {
        assert_eq!(rig.swept(SweepRecord { began_at: day(31 * month), ..broadcasts(0, &[]) }).await, [""; 0]);
    }
    assert_eq!(rig.tidy(day(31 * 7)).await, 1);
}

/// A sweep that shows the comment with this id, which stands in no list.
fn comment(now: Timestamp) -> SweepRecord {
    let observation = Observation::of(EntityKey::new(Noun::Comment, "c1"));
    let mut record = sweep("comments", 0);
    record.began_at = now;
    record.findings.sightings = vec![Sighting::of(observation, now)];
    record
}

#[tokio::test]
async fn comments_are_forgotten_a_week_after_they_were_last_seen() {
    let rig = Rig::new();
    assert_eq!(rig.swept(comment(day(0))).await, ["comment.created"]);
    for today in 1..30 {
        assert_eq!(rig.swept(comment(day(today))).await, [""; 0]);
        assert_eq!(rig.tidy(day(today)).await, 0, "day {today}");
    }
    assert_eq!(rig.tidy(day(37)).await, 1);
    assert_eq!(rig.swept(comment(day(38))).await, ["comment.created"]);
    let events = rig.events().await;
    assert_ne!(events[0].event_id, events[1].event_id);
}
