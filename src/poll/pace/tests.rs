//! Intervals, spread and back-off.

use super::*;
use crate::poll::tests::support::Seeded;

fn jitter() -> Jitter {
    Jitter(Arc::new(Seeded::new(7)))
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn intervals_are_shorter_by_a_tenth_at_most_and_never_longer() {
    let (jitter, every) = (jitter(), seconds(60));
    let intervals: Vec<_> = (0..1_000).map(|_| jitter.shortened(every)).collect();
    assert!(intervals.iter().all(|interval| (seconds(54)..=seconds(60)).contains(interval)));
    let (shortest, longest) = (intervals.iter().min().unwrap(), intervals.iter().max().unwrap());
    assert!(*shortest < seconds(55) && *longest > seconds(59));
}

#[test]
fn waits_grow_with_each_failure_and_end_at_the_maximum() {
    let (jitter, max) = (jitter(), seconds(600));
    for (failures, longest) in
        [(0, 15), (1, 15), (2, 30), (3, 60), (4, 120), (6, 480), (7, 600), (u32::MAX, 600)]
    {
        let waits: Vec<_> = (0..500).map(|_| jitter.backoff(failures, max)).collect();
        assert!(waits.iter().all(|wait| (seconds(5)..=seconds(longest)).contains(wait)), "{failures}");
        // Full jitter: all of the range is used.
        let range = longest - 5;
        assert!(*waits.iter().min().unwrap() < seconds(5 + range / 10), "{failures}");
        assert!(*waits.iter().max().unwrap() > seconds(longest - range / 10), "{failures}");
    }
    assert_eq!(jitter.backoff(9, seconds(2)), seconds(2));
}

#[test]
fn first_sweeps_are_spread_evenly_and_the_same_way_after_every_start() {
    let account = |n: usize| AccountName::parse(&format!("account-{n}")).unwrap();
    let spreads: Vec<_> = (0..600).map(|n| spread(&account(n), "broadcasts", seconds(60))).collect();
    assert!(spreads.iter().all(|spread| (seconds(0)..=seconds(10)).contains(spread)));
    for second in 0..10 {
        let within = spreads.iter().filter(|spread| (seconds(second)..seconds(second + 1)).contains(spread));
        assert!((30..=90).contains(&within.count()), "second {second}");
    }
    assert_eq!(spread(&account(1), "broadcasts", seconds(60)), spreads[1]);
    assert_ne!(spread(&account(1), "channels", seconds(60)), spreads[1]);
    // A long interval is no reason to wait for long.
    let long = (0..600).map(|n| spread(&account(n), "broadcasts", seconds(3 * 3600)));
    assert!(long.max().unwrap() <= SPREAD_MAX);
    assert!(spread(&account(1), "broadcasts", seconds(6)) <= seconds(1));
}

#[test]
fn no_interval_is_too_long_to_count_with() {
    let forever = interval(Duration::MAX);
    assert_eq!(after(Timestamp::UNIX_EPOCH, forever), Timestamp::MAX);
    assert!(jitter().shortened(forever) > seconds(0));
}
