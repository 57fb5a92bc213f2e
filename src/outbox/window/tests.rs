use std::time::Duration;

use super::*;

fn event(row: u64, entity: &str) -> StoredEvent {
    StoredEvent {
        row,
        account: "acme".to_owned(),
        route: "loopback.acme.broadcast.started".to_owned(),
        entity: entity.to_owned(),
        event_id: format!("id-{row}"),
        envelope: "{}".into(),
    }
}

fn window(events: &[(u64, &str)]) -> Window {
    let mut window = Window::default();
    let read_to = events.last().expect("there are some").0;
    window.take_in(events.iter().map(|&(row, entity)| event(row, entity)), read_to);
    window
}

fn start_all(window: &mut Window) -> Vec<u64> {
    std::iter::from_fn(|| window.start_next()).map(|event| event.row).collect()
}

#[test]
fn one_event_of_a_lane_is_in_flight_and_lanes_do_not_wait_for_each_other() {
    let mut window = window(&[(1, "a"), (2, "a"), (3, "b"), (4, "a")]);
    assert_eq!(start_all(&mut window), [1, 3]);
    window.advance(&event(1, "a"));
    assert_eq!(start_all(&mut window), [2]);
}

#[test]
fn one_entity_in_two_accounts_is_two_lanes() {
    let mut window = Window::default();
    let other = StoredEvent { account: "other".to_owned(), ..event(2, "a") };
    window.take_in([event(1, "a"), other], 2);
    assert_eq!(start_all(&mut window), [1, 2]);
}

#[test]
fn what_failed_is_tried_again_before_those_behind_it_in_its_lane_and_after_other_lanes() {
    let mut window = window(&[(1, "a"), (2, "a"), (3, "b")]);
    let first = window.start_next().expect("one is ready");
    window.try_again(&first);
    assert_eq!(start_all(&mut window), [3, 1]);
}

#[test]
fn a_resting_lane_keeps_no_other_waiting() {
    let now = Instant::now();
    let until = now + Duration::from_secs(30);
    let mut window = window(&[(1, "a"), (2, "a"), (3, "b")]);
    let first = window.start_next().expect("one is ready");
    window.rest(&first, until);
    window.end_rests(now);
    assert_eq!(start_all(&mut window), [3]);
    assert_eq!(window.rest_ends_at(), Some(until));
    window.end_rests(until);
    assert_eq!((start_all(&mut window), window.rest_ends_at()), (vec![1], None));
}

#[test]
fn a_row_that_is_read_twice_is_published_once() {
    let mut window = window(&[(1, "a"), (2, "b")]);
    window.take_in([event(1, "a"), event(2, "b"), event(3, "b")], 3);
    assert_eq!(start_all(&mut window), [1, 2]);
    window.advance(&event(2, "b"));
    assert_eq!(start_all(&mut window), [3]);
}

#[test]
fn reading_goes_on_when_half_of_the_window_is_free() {
    let rows = ROWS_MAX as u64;
    let mut window = Window::default();
    window.take_in((1..=rows).map(|row| event(row, "a")), rows);
    assert_eq!((window.rows_wanted(), window.read_to()), (0, rows));
    (1..rows / 2).for_each(|row| window.forget(row));
    assert_eq!(window.rows_wanted(), 0);
    window.forget(rows / 2);
    assert_eq!(window.rows_wanted(), ROWS_MAX / 2);
}

#[test]
fn a_window_that_was_rewound_reads_from_the_start() {
    let mut window = window(&[(1, "a"), (2, "b")]);
    window.rewind();
    assert_eq!((window.read_to(), window.rows_wanted()), (0, ROWS_MAX));
    assert_eq!(start_all(&mut window), [0; 0]);
}
