//! The first sweep after a start.

use jiff::Timestamp;

use super::*;
use crate::{model::AccountName, ports::jitter::after};

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
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
    assert_eq!(after(Timestamp::UNIX_EPOCH, interval(Duration::MAX)), Timestamp::MAX);
}
