//! Whose turn it is.

use super::*;
use crate::platforms::livedigital::poll::tour::Place;

/// A room that was read so many minutes ago, and that so many requests are for.
fn room(turns: &mut Turns, name: &str, is_busy: bool, minutes: Option<i64>, requests: usize) {
    let place = Place { space_id: "space".to_owned(), room_id: name.to_owned() };
    let read_at = minutes.map(|minutes| Timestamp::from_second(1_000_000 - minutes * 60).unwrap());
    let step = Step::Records { place, from: Timestamp::UNIX_EPOCH };
    turns.add(is_busy, read_at, vec![step; requests]);
}

fn names(steps: &[Step]) -> Vec<&str> {
    let mut names: Vec<_> = steps.iter().map(name).collect();
    names.dedup();
    names
}

fn name(step: &Step) -> &str {
    match step {
        Step::Records { place, .. } => place.room_id.as_str(),
        _ => unreachable!("nothing else was added"),
    }
}

#[test]
fn what_fits_is_read_in_the_order_of_the_lists() {
    let mut turns = Turns::default();
    room(&mut turns, "read long ago", false, Some(90), 2);
    room(&mut turns, "never read", false, None, 3);
    room(&mut turns, "busy", true, Some(1), 1);
    assert_eq!(names(&turns.take()), ["read long ago", "never read", "busy"]);
    assert!(!turns.is_any_left() && !turns.is_any_unknown());
    assert_eq!(turns.take(), []);
}

#[test]
fn of_the_quiet_ones_those_go_first_that_were_not_read_for_the_longest_time() {
    let mut turns = Turns::default();
    let ages: Vec<_> = (0..90).map(|index| index * 37 % 90).collect();
    for age in &ages {
        room(&mut turns, &age.to_string(), false, Some(*age), 1);
    }
    room(&mut turns, "busy", true, Some(0), 1);
    let first = turns.take();
    let is_of = |ages: std::ops::Range<i64>, steps: &[Step]| {
        let expected: HashSet<_> = ages.map(|age| age.to_string()).collect();
        let is: HashSet<_> = names(steps).into_iter().map(str::to_owned).filter(|it| it != "busy").collect();
        assert_eq!(is, expected);
    };
    is_of(50..90, &first);
    assert!(names(&first).contains(&"busy") && turns.is_any_left() && !turns.is_any_unknown());
    room(&mut turns, "never read", false, None, 1);
    assert!(turns.is_any_unknown());
    let second = turns.take();
    assert!(names(&second).contains(&"never read") && !names(&second).contains(&"10"));
    assert!(names(&second).contains(&"11") && !turns.is_any_unknown());
    is_of(0..11, &turns.take());
}

#[test]
fn there_are_never_too_many_requests_and_both_kinds_are_read() {
    let mut turns = Turns::default();
    for index in 0..400 {
        room(&mut turns, &format!("busy {index}"), true, Some(index), 2);
        room(&mut turns, &format!("quiet {index}"), false, Some(0), 3);
    }
    let first = turns.take();
    assert_eq!(first.len(), REQUESTS_MAX);
    let quiet = names(&first).iter().filter(|name| name.starts_with("quiet")).count();
    assert_eq!(quiet, QUIET_MAX);
    // The room that was not read for the longest time is among them, the one that was read just now is not.
    assert!(names(&first).contains(&"busy 399") && !names(&first).contains(&"busy 0"));
    let mut sweeps = 1;
    while turns.is_any_left() {
        assert!(!turns.take().is_empty());
        sweeps += 1;
    }
    assert_eq!(sweeps, 10, "400 quiet ones, 40 at a time");
}

#[test]
fn what_is_remembered_is_bounded_and_what_was_read_longest_ago_goes_first() {
    let at = |second| Timestamp::from_second(second).ok();
    let mut rooms: BTreeMap<String, Option<Timestamp>> =
        (0..ROOMS_MAX as i64).map(|index| (format!("room {index}"), at(index))).collect();
    let whole = rooms.clone();
    forget(&mut rooms, |read_at| *read_at);
    assert_eq!(rooms, whole);
    rooms.insert("never read".to_owned(), None);
    rooms.insert("new".to_owned(), at(1_000_000));
    forget(&mut rooms, |read_at| *read_at);
    assert_eq!(rooms.len(), ROOMS_MAX);
    assert!(rooms.contains_key("new") && rooms.contains_key("room 1"));
    assert!(!rooms.contains_key("never read") && !rooms.contains_key("room 0"));
}
