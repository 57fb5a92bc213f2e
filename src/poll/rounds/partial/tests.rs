//! When a list is told to be seen in part only.

use super::*;
use crate::model::{Noun, Rules};

fn listing(scope: &str, noun: Noun, coverage: Coverage) -> Listing {
    Listing { scope: scope.to_owned(), noun, rules: Rules::default(), coverage, from: None }
}

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

#[test]
fn the_tenth_time_in_a_row_is_told_once() {
    let mut lists = PartialLists::default();
    let sweep =
        |coverage| [listing("a", Noun::Channel, coverage), listing("b", Noun::Channel, Coverage::Whole)];
    for round in 0..2 {
        for nth in 1..=30 {
            let told = lists.count(&sweep(Coverage::Partial), at(nth));
            assert_eq!(told, if nth == 10 { vec!["a"] } else { vec![] }, "round {round}, sweep {nth}");
            assert_eq!(lists.len(), usize::from(nth >= 10));
        }
        assert_eq!(lists.names(), ["a"]);
        assert_eq!(lists.count(&sweep(Coverage::Nearly), at(31)), [""; 0]);
        assert_eq!((lists.len(), lists.names()), (0, Vec::new()));
    }
}

#[test]
fn a_list_of_two_kinds_of_things_is_seen_in_part_if_one_of_them_is() {
    let mut lists = PartialLists::default();
    let sweep =
        [listing("a", Noun::Channel, Coverage::Partial), listing("a", Noun::Broadcast, Coverage::Whole)];
    let told: usize = (0..10).map(|nth| lists.count(&sweep, at(nth)).len()).sum();
    assert_eq!((told, lists.len()), (1, 1));
}

#[test]
fn a_list_that_is_not_in_every_sweep_counts_those_it_is_in_until_it_is_gone() {
    let mut lists = PartialLists::default();
    let partial = [listing("a", Noun::Recording, Coverage::Partial)];
    for nth in 0..10 {
        assert_eq!(lists.len(), 0);
        lists.count(&partial, at(nth));
        lists.count(&[], at(nth));
    }
    assert_eq!(lists.len(), 1);
    lists.count(&[], at(9 + 8 * 24 - 1));
    assert_eq!(lists.len(), 1);
    lists.count(&[], at(9 + 8 * 24));
    assert_eq!(lists.len(), 0);
}
