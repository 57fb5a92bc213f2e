use super::*;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn noon() -> Timestamp {
    "2026-01-14T12:00:00Z".parse().unwrap()
}

fn reading(minutes: i64, coverage: Coverage) -> Reading {
    Reading { began_at: noon() + SignedDuration::from_mins(minutes), stale_for: MINUTE, coverage }
}

/// A list of `expected` entries that is read again and again; returns what its absences added each time.
fn weights(readings: &[(i64, Coverage, usize)], expected: usize) -> Vec<u8> {
    let mut scope = Scope::default();
    let weigh = |&(minutes, coverage, seen): &(i64, Coverage, usize)| {
        let outcome = reading(minutes, coverage).outcome(&scope, expected, seen);
        scope = outcome.after;
        outcome.weight
    };
    readings.iter().map(weigh).collect()
}

#[test]
fn two_whole_sweeps_or_four_that_nearly_were_make_it_gone() {
    for (coverage, sweeps) in [(Coverage::Whole, 2), (Coverage::Nearly, 4)] {
        let (mut scope, mut absences) = (Scope::default(), 0);
        for nth in 1..=sweeps {
            assert!(absences < GONE_AT, "{coverage:?} {nth}");
            let outcome = reading(nth, coverage).outcome(&scope, 10, 9);
            scope = outcome.after;
            absences = score(absences, outcome.weight);
        }
        assert_eq!(absences, GONE_AT, "{coverage:?}");
    }
}

#[test]
fn what_was_seen_in_part_says_nothing_and_is_not_remembered() {
    let outcome = reading(1, Coverage::Partial).outcome(&Scope::default(), 10, 0);
    assert_eq!(outcome, Outcome { after: Scope::default(), weight: 0, is_suspicious: false });
}

#[test]
fn an_answer_that_may_be_the_same_copy_says_nothing() {
    let half = SignedDuration::from_secs(30);
    let scope = reading(1, Coverage::Whole).outcome(&Scope::default(), 10, 10).after;
    for early in [SignedDuration::ZERO, half, -half] {
        let again = Reading { began_at: noon() + MINUTE + early, ..reading(1, Coverage::Whole) };
        let outcome = again.outcome(&scope, 10, 0);
        assert_eq!(outcome, Outcome { after: scope, weight: 0, is_suspicious: false }, "{early:#}");
    }
    assert_eq!(reading(2, Coverage::Whole).weight(&scope), 2);
}

/// Each of them is younger than the copies may be, and still every second one counts.
#[test]
fn a_list_that_is_read_more_often_than_its_copies_change_is_believed_all_the_same() {
    let mut scope = Scope::default();
    let mut weights = Vec::new();
    for nth in 0..6 {
        let began_at = noon() + SignedDuration::from_secs(30) * nth;
        let reading = Reading { began_at, stale_for: MINUTE, coverage: Coverage::Whole };
        let outcome = reading.outcome(&scope, 10, 9);
        scope = outcome.after;
        weights.push(outcome.weight);
    }
    assert_eq!(weights, [2, 0, 2, 0, 2, 0]);
}

#[test]
fn a_list_that_is_suddenly_half_empty_is_believed_the_second_time() {
    let whole = Coverage::Whole;
    assert_eq!(weights(&[(1, whole, 10), (2, whole, 4), (3, whole, 4), (4, whole, 4)], 10), [2, 0, 2, 2]);
    assert_eq!(weights(&[(1, whole, 0), (2, whole, 10), (3, whole, 0)], 10), [0, 2, 0], "not in a row");
    assert_eq!(weights(&[(1, whole, 5), (2, whole, 5)], 10), [2, 2], "half of it is there");
    assert_eq!(weights(&[(1, whole, 0)], 3), [2], "short lists do become empty");
    // A copy of the empty answer confirms nothing.
    let outcome = reading(1, whole).outcome(&Scope::default(), 10, 0);
    assert!(outcome.is_suspicious);
    let copy = reading(1, whole).outcome(&outcome.after, 10, 0);
    assert!(!copy.is_suspicious && copy.after.is_doubted && copy.weight == 0);
    assert!(!reading(2, whole).outcome(&outcome.after, 10, 0).is_suspicious, "said once");
}

#[test]
fn a_list_is_known_since_the_first_sweep_that_saw_it_nearly_or_whole() {
    let known_since = |coverage| reading(1, coverage).outcome(&Scope::default(), 0, 0).after.known_since;
    assert_eq!(known_since(Coverage::Partial), None);
    for coverage in [Coverage::Nearly, Coverage::Whole] {
        assert_eq!(known_since(coverage), Some(noon() + MINUTE));
    }
    let since = Scope { known_since: Some(noon()), ..Scope::default() };
    assert_eq!(reading(9, Coverage::Whole).outcome(&since, 0, 0).after.known_since, Some(noon()));
}

#[test]
fn a_list_that_is_not_read_any_more_falls_silent() {
    let hours = SignedDuration::from_hours;
    let read_every =
        |every| Scope { swept_at: Some(noon()), swept_before: Some(noon() - every), ..Scope::default() };
    let began = noon() - hours(1000);
    assert!(!speaks(&Scope::default(), began, noon()), "it was never read");
    assert!(speaks(&read_every(MINUTE), began, noon() + hours(1)));
    assert!(!speaks(&read_every(MINUTE), began, noon() + hours(2)));
    assert!(speaks(&read_every(hours(6)), began, noon() + hours(23)));
    assert!(!speaks(&read_every(hours(6)), began, noon() + hours(25)));
    let once = Scope { swept_at: Some(noon()), ..Scope::default() };
    assert!(speaks(&once, began, noon() + hours(7 * 24)));
    // Reading it is tried and fails.
    assert!(speaks(&read_every(MINUTE), noon() + hours(99), noon() + hours(100)));
}

#[test]
fn a_list_that_was_never_seen_as_a_whole_is_silent_when_livehook_ran_for_an_hour() {
    let hours = SignedDuration::from_hours;
    let never = Scope::default();
    assert!(!is_silent(&never, noon(), noon() + hours(1)));
    assert!(is_silent(&never, noon(), noon() + hours(1) + MINUTE));
    let read = Scope { swept_at: Some(noon()), swept_before: Some(noon() - MINUTE), ..Scope::default() };
    assert!(!is_silent(&read, noon(), noon() + hours(1)));
    assert!(is_silent(&read, noon(), noon() + hours(1) + MINUTE));
}
