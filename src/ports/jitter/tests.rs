//! Intervals and back-off.

use super::*;
use crate::ports::SystemEntropy;

fn jitter() -> Jitter {
    Jitter(Arc::new(SystemEntropy))
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
fn nothing_is_too_long_to_count_with() {
    assert_eq!(after(Timestamp::UNIX_EPOCH, SignedDuration::MAX), Timestamp::MAX);
    assert!(jitter().shortened(SignedDuration::MAX) > seconds(0));
}
