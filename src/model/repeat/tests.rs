use jiff::SignedDuration;

use super::*;

/// Answer within 3 s; up to three retries, 5 minutes apart.
const LADDER: RetrySchedule =
    RetrySchedule { answer_seconds: 3, windows: &[(270, 330), (570, 630), (870, 930)] };
/// Answer within 5 s; retries at any distance up to 10 minutes.
const ANY_TIME: RetrySchedule = RetrySchedule { answer_seconds: 5, windows: &[(0, 600)] };

const IN_TIME: bool = true;
const NEVER: bool = false;

/// What is made of a delivery at `now` seconds after copies that came and were answered as given.
fn seen(copies: &[(i64, bool)], now: i64, schedule: RetrySchedule) -> Seen {
    let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
    let previous: Vec<_> = copies
        .iter()
        .map(|&(seconds, is_answered)| Previous { received_at: at(seconds), is_answered })
        .collect();
    judge(&previous, at(now), schedule)
}

#[test]
fn what_has_no_copy_is_the_first() {
    assert_eq!(seen(&[], 0, LADDER), Seen::First);
}

#[test]
fn a_copy_within_a_minute_is_immediate() {
    assert_eq!(seen(&[(0, IN_TIME)], 0, LADDER), Seen::Immediate);
    assert_eq!(seen(&[(0, IN_TIME)], 59, LADDER), Seen::Immediate);
    assert_eq!(seen(&[(0, IN_TIME)], 60, LADDER), Seen::Again);
}

#[test]
fn at_a_retry_distance_the_answer_to_the_first_copy_decides() {
    for now in [270, 300, 330, 600, 900] {
        assert_eq!(seen(&[(0, NEVER)], now, LADDER), Seen::Retry, "{now}");
        assert_eq!(seen(&[(0, NEVER)], now, LADDER), Seen::Retry, "{now}");
        assert_eq!(seen(&[(0, IN_TIME)], now, LADDER), Seen::Possible, "{now}");
    }
}

#[test]
fn away_from_retry_distances_it_happened_again_however_the_first_was_answered() {
    for now in [61, 269, 331, 569, 631, 931, 86_400] {
        assert_eq!(seen(&[(0, NEVER)], now, LADDER), Seen::Again, "{now}");
        assert_eq!(seen(&[(0, IN_TIME)], now, LADDER), Seen::Again, "{now}");
    }
}

#[test]
fn a_second_retry_is_one_as_well() {
    assert_eq!(seen(&[(0, NEVER), (300, NEVER)], 600, LADDER), Seen::Retry);
    assert_eq!(seen(&[(300, NEVER), (0, NEVER)], 600, LADDER), Seen::Retry);
    // 901 s is a retry distance from the first copy only: the second, unanswered, has settled nothing.
    assert_eq!(seen(&[(0, NEVER), (270, NEVER)], 901, LADDER), Seen::Retry);
}

#[test]
fn a_retry_that_was_answered_in_time_is_the_last() {
    assert_eq!(seen(&[(0, NEVER), (300, IN_TIME)], 600, LADDER), Seen::Possible);
    assert_eq!(seen(&[(300, IN_TIME), (0, NEVER)], 600, LADDER), Seen::Possible);
    assert_eq!(seen(&[(0, NEVER), (120, IN_TIME)], 300, ANY_TIME), Seen::Possible);
}

#[test]
fn a_copy_of_a_retry_of_a_moment_ago_is_immediate() {
    assert_eq!(seen(&[(0, NEVER), (300, IN_TIME)], 300, LADDER), Seen::Retry);
    assert_eq!(seen(&[(0, NEVER), (300, IN_TIME)], 310, LADDER), Seen::Immediate);
    assert_eq!(seen(&[(0, NEVER), (300, IN_TIME)], 360, LADDER), Seen::Again);
}

#[test]
fn a_copy_that_was_no_retry_does_not_end_the_retries_of_another() {
    assert_eq!(seen(&[(0, NEVER), (100, IN_TIME)], 300, LADDER), Seen::Retry);
}

#[test]
fn where_retries_may_come_at_any_time_only_the_answer_tells() {
    assert_eq!(seen(&[(0, NEVER)], 1, ANY_TIME), Seen::Retry);
    assert_eq!(seen(&[(0, IN_TIME)], 1, ANY_TIME), Seen::Immediate);
    assert_eq!(seen(&[(0, IN_TIME)], 120, ANY_TIME), Seen::Possible);
    assert_eq!(seen(&[(0, NEVER)], 601, ANY_TIME), Seen::Again);
}

#[test]
fn a_platform_that_never_retries_repeats_only_what_happened_again() {
    let never = RetrySchedule { answer_seconds: 5, windows: &[] };
    assert_eq!(seen(&[(0, NEVER)], 10, never), Seen::Immediate);
    assert_eq!(seen(&[(0, NEVER)], 300, never), Seen::Again);
}

#[test]
fn a_clock_that_was_set_back_hides_no_repetition() {
    assert_eq!(seen(&[(3, IN_TIME)], 0, LADDER), Seen::Immediate);
    assert_eq!(seen(&[(3_600, IN_TIME)], 0, LADDER), Seen::Again);
}
