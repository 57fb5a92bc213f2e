//! Sweeps that succeed: when they begin, what they leave, what comes first.

use super::support::*;
use crate::{
    model::{AccountName, Phase},
    ports::Clock,
    store::WatchStanding,
};

async fn standing(rig: &Rig, watch: &'static str) -> WatchStanding {
    rig.store.watch_standing(&AccountName::parse("acme").unwrap(), watch).await.unwrap()
}

#[tokio::test]
async fn a_sweep_reads_every_page_and_commits_once() {
    let acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
    let mut rig = Rig::new(vec![acme], |path| match path {
        "/short?page=1" => rows(&["a", "b"], 3),
        "/short?page=2" => rows(&["c"], 3),
        _ => rows(&["d"], 3),
    });
    rig.run(15).await;
    assert_eq!(rig.paths(), ["/short?page=1", "/short?page=2", "/short?page=3"]);
    assert_eq!(rig.event_types().await, ["broadcast.discovered"; 4]);
    let standing = standing(&rig, "short").await;
    assert_eq!((standing.last_requests, standing.failures), (3, 0));
    assert_eq!(standing.cursor, Some(1.into()));

    let board = rig.board.snapshot();
    let watch = &board[0].watches[0];
    assert_eq!((board[0].account.as_str(), watch.watch.as_str()), ("acme", "short"));
    assert_eq!((watch.last_requests, watch.last_events, watch.under_way), (3, 4, None));
    assert_eq!((board[0].budget.per_minute, board[0].budget.left), (60, 57));
    assert!(watch.due_at > watch.last_success_at);
    serde_json::to_value(&board).unwrap();
}

#[tokio::test]
async fn the_board_shows_a_sweep_that_is_under_way() {
    let acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
    let mut rig = Rig::new(vec![acme], |_| rows(&[], 30));
    rig.run(20).await;
    let under_way = rig.board.snapshot()[0].watches[0].under_way.unwrap();
    assert_eq!(under_way.requests as usize, rig.paths().len());
}

#[tokio::test]
async fn sweeps_come_in_intervals_that_are_a_tenth_shorter_at_most() {
    let acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
    let mut rig = Rig::new(vec![acme], |_| rows(&["a"], 1));
    rig.run(1_200).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    assert!(at[0] <= 10.0, "the first after {}", at[0]);
    let intervals: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(intervals.len() >= 17);
    assert!(intervals.iter().all(|interval| (53.9..60.5).contains(interval)), "{intervals:?}");
    assert!(intervals.iter().any(|interval| (interval - intervals[0]).abs() > 1.0), "{intervals:?}");
}

#[tokio::test]
async fn each_sweep_gets_what_the_last_one_left() {
    let acme = || vec![account("acme", descriptor(LIMITS), &[("short", 60)])];
    let mut rig = Rig::new(acme(), |_| rows(&["a"], 1));
    rig.run(75).await;
    assert_eq!(standing(&rig, "short").await.cursor, Some(2.into()));
    rig.restart(acme());
    rig.run(75).await;
    assert_eq!(standing(&rig, "short").await.cursor, Some(3.into()));
}

#[tokio::test]
async fn a_restart_does_not_repeat_what_is_not_due() {
    let acme = || vec![account("acme", descriptor(LIMITS), &[("long", 10_800), ("short", 60)])];
    let mut rig = Rig::new(acme(), |_| rows(&["a"], 1));
    rig.run(65).await;
    let first = rig.paths();
    assert!(first.contains(&"/long?page=1".to_owned()) && first.contains(&"/short?page=1".to_owned()));
    rig.restart(acme());
    rig.run(10_000).await;
    let paths = rig.paths();
    assert!(paths.len() > 100 && paths.iter().all(|path| path == "/short?page=1"));
    rig.run(1_200).await;
    assert_eq!(rig.paths().iter().filter(|path| *path == "/long?page=1").count(), 1);
}

#[tokio::test]
async fn what_was_due_long_ago_begins_soon_after_a_start_but_not_all_at_once() {
    let all = || (0..40).map(|n| account(&format!("acme-{n}"), descriptor(WIDE), &[("short", 60)])).collect();
    let mut rig = Rig::new(all(), |_| rows(&[], 1));
    rig.run(15).await;
    rig.sent();
    rig.rounds.clear();
    rig.run(7_200).await;
    rig.restart(all());
    let started_at = rig.seconds();
    rig.run(11).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at - started_at).collect();
    assert_eq!(at.len(), 40);
    let halves = at.iter().filter(|at| **at < 5.0).count();
    assert!((10..=30).contains(&halves), "{at:?}");
}

#[tokio::test]
async fn more_to_read_is_read_at_once() {
    let acme = account("acme", descriptor(LIMITS), &[("long", 10_800)]);
    let mut sweeps = 0;
    let mut rig = Rig::new(vec![acme], move |_| {
        sweeps += 1;
        body(serde_json::json!({ "rows": ["a"], "pages": 1, "has_more": sweeps < 4 }))
    });
    rig.run(120).await;
    assert_eq!(rig.paths().len(), 4);
    assert_eq!(standing(&rig, "long").await.cursor, Some(4.into()));
}

#[tokio::test]
async fn a_sudden_emptiness_is_looked_at_again_before_it_is_believed() {
    let acme = account("acme", descriptor(LIMITS), &[("long", 3_600)]);
    let names: Vec<String> = (0..50).map(|n| format!("b{n}")).collect();
    let mut rig =
        Rig::new(vec![acme], move |_| rows(&names.iter().map(String::as_str).collect::<Vec<_>>(), 1));
    rig.run(61).await;
    assert_eq!(rig.event_types().await.len(), 50);
    rig.answer(|_| rows(&[], 1));
    rig.run(4_000).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    // The one that filled it, the one that found it empty, and another one after the platform's caches forgot.
    assert!(at.len() >= 3, "{at:?}");
    assert!((30.0..40.0).contains(&(at[2] - at[1])), "{at:?}");
}

#[tokio::test]
async fn an_answer_that_may_come_from_a_cache_is_asked_for_again() {
    let acme = account("acme", descriptor(LIMITS), &[("long", 3_600)]);
    let mut rig = Rig::new(vec![acme], |_| rows(&["b1"], 1));
    rig.run(61).await;
    let due_at = rig.board.snapshot()[0].watches[0].due_at.unwrap();
    rig.run(due_at.duration_since(rig.clock.now()).as_secs() - 5).await;
    rig.sent();
    rig.told("b1", Phase::Paused).await;
    rig.run(300).await;
    let at: Vec<_> = rig.sent().iter().map(|sent| sent.at).collect();
    assert_eq!(at.len(), 2, "{at:?}");
    assert!((20.0..31.0).contains(&(at[1] - at[0])), "{at:?}");
    assert_eq!(rig.event_types().await, ["broadcast.discovered", "broadcast.paused", "broadcast.resumed"]);
}

#[tokio::test]
async fn a_long_sweep_holds_up_no_short_one_and_is_not_held_up() {
    let watches = [("long", 10_800), ("short", 60)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |path| {
        if path.starts_with("/long") { rows(&[], 300) } else { rows(&["a"], 1) }
    });
    rig.run(1_000).await;
    let sent = rig.sent();
    let short: Vec<_> =
        sent.iter().filter(|sent| sent.path.starts_with("/short")).map(|sent| sent.at).collect();
    // One request later at most, or when the minute has room again.
    let late = short.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!(late < 60.0 + 30.0, "{late}");
    let long: Vec<_> = sent.iter().filter(|sent| sent.path.starts_with("/long")).collect();
    assert_eq!((long.len(), long[299].path.as_str()), (300, "/long?page=300"));
    // Forty in 63 seconds, less what the short one takes.
    assert!(long[299].at < 300.0 / 37.0 * 63.0, "{}", long[299].at);
    assert_eq!(standing(&rig, "long").await.last_requests, 300);
}

#[tokio::test]
async fn a_sweep_that_never_ends_in_its_interval_holds_up_nothing_either() {
    let watches = [("long", 60), ("short", 45), ("third", 10_800)];
    let mut rig = Rig::new(vec![account("acme", descriptor(LIMITS), &watches)], |path| {
        if path.starts_with("/long") { rows(&[], 300) } else { rows(&["a"], 1) }
    });
    rig.run(1_000).await;
    let sent = rig.sent();
    let times = |path: &str| {
        let sent = sent.iter().filter(|sent| sent.path.starts_with(path));
        sent.map(|sent| sent.at).collect::<Vec<_>>()
    };
    let late = times("/short").windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!(late < 45.0 + 30.0, "{late}");
    // It is spread over a minute, may wait for one more, and then for room.
    let first = times("/third")[0] - sent[0].at;
    assert!(first < 150.0, "{first}");
    assert!(times("/long").len() > 500, "{}", times("/long").len());
}

#[tokio::test]
async fn a_store_that_fills_up_makes_sweeps_seldom_and_ends_them() {
    for (percent, expected) in [(50, 9..=11), (90, 4..=6), (97, 4..=6), (100, 0..=0)] {
        let acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
        let mut rig = Rig::filled(vec![acme], percent, |_| rows(&[], 1)).await;
        rig.run(600).await;
        let sweeps = rig.sent().len();
        assert!(expected.contains(&sweeps), "at {percent} %: {sweeps}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_by_a_day_stops_nothing() {
    let acme = account("acme", descriptor(LIMITS), &[("short", 60)]);
    let mut rig = Rig::new(vec![acme], |_| rows(&["a"], 1));
    rig.run(300).await;
    rig.sent();
    rig.clock.advance(-jiff::SignedDuration::from_hours(24));
    rig.run(300).await;
    assert!((4..=6).contains(&rig.sent().len()));
}
