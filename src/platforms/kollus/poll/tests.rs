use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    course::Course,
    latest::{Latest, Told},
    open::Open,
    rows::Broadcast,
    *,
};
use crate::model::Phase;

fn row(value: Value) -> answer::Row {
    value.as_object().cloned().expect("an object")
}

fn course(value: Value) -> Course {
    Course::of(&row(value), &mut Vec::new())
}

fn broadcast(value: Value) -> Broadcast {
    Broadcast::of(&row(value), &mut Vec::new())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

#[test]
fn only_live_state_wakes_and_an_unknown_state_does_as_well() {
    let form = |body: &str| Form::decode(body.as_bytes(), None, None).expect("a form");
    let known = form("broadcast_key=b&broadcast_state=start");
    assert_eq!(wakes("live-state", &known)[0].target, "b");
    assert_eq!(wakes("live-state", &known)[0].watches, ["channels", "broadcasts"]);
    assert_eq!(wakes("live-state", &form("broadcast_key=b&broadcast_state=odd")).len(), 1);
    assert!(wakes("live-recording", &known).is_empty());
    assert!(wakes("live-state", &form("broadcast_key=&broadcast_state=start")).is_empty());
}

#[test]
fn an_end_counts_most_and_on_air_and_paused_at_once_is_neither() {
    let (start, later) = ("2026-01-14T04:30:11+00:00", "2026-01-14T13:31:00+09:00");
    for (said, phase) in [
        (json!({ "started_at": start, "is_onair": true }), Some(Phase::Live)),
        (json!({ "started_at": start, "is_onair": false, "paused_at": later }), Some(Phase::Paused)),
        (json!({ "started_at": start, "is_onair": true, "paused_at": later }), None),
        (json!({ "started_at": start, "paused_at": later }), None),
        (
            json!({ "started_at": start, "is_onair": true, "paused_at": later, "ended_at": later }),
            Some(Phase::Ended),
        ),
        (json!({ "started_at": start, "is_onair": false, "ended_at": later }), Some(Phase::Ended)),
        (json!({ "started_at": start, "is_onair": false }), None),
        (json!({ "started_at": start }), None),
        (json!({}), None),
    ] {
        assert_eq!(course(said.clone()).phase, phase, "{said}");
    }
}

#[test]
fn what_php_writes_for_no_time_is_no_time_and_what_cannot_be_read_decides_nothing() {
    for unset in [json!(null), json!(""), json!(0), json!("0"), json!(false), json!([]), json!({})] {
        let course =
            course(json!({ "is_onair": "1", "paused_at": unset, "ended_at": "0000-00-00 00:00:00" }));
        assert_eq!((course.phase, course.ended_at), (Some(Phase::Live), None), "{unset}");
    }
    for unreadable in
        [json!("2026-01-14 04:30:11"), json!("yes"), json!(true), json!(1_768_365_011), json!([1])]
    {
        assert_eq!(course(json!({ "is_onair": 1, "ended_at": unreadable })).phase, None, "{unreadable}");
    }
}

#[test]
fn truth_values_come_in_any_form() {
    for (value, is) in [
        (json!(true), Some(true)),
        (json!(1), Some(true)),
        (json!(1.0), Some(true)),
        (json!("1"), Some(true)),
        (json!("True"), Some(true)),
        (json!("0"), Some(false)),
        (json!("false"), Some(false)),
        (json!(""), None),
        (json!(2), None),
        (json!(null), None),
        (json!([]), None),
    ] {
        assert_eq!(course::flag(&value), is, "{value}");
    }
}

#[test]
fn a_broadcast_that_cannot_be_found_is_looked_for_less_and_less_often() {
    let latest = broadcast(json!({ "is_onair": true, "started_at": "2026-01-14T04:30:11Z" }));
    let mut memory = Latest::default();
    let mut now = at(1_768_365_060);
    let mut tries = 0;
    for _ in 0..24 * 60 {
        assert_eq!(memory.see("c", Some(&latest)), None);
        if !memory.to_ask([("c", Some(&latest))].into_iter(), now).is_empty() {
            tries += 1;
            assert_eq!(memory.learn("c", Some(&latest), &[], &Open::default(), now), Told::default());
        }
        now += SignedDuration::from_secs(60);
    }
    assert!((20..50).contains(&tries), "{tries} in a day");
}

#[test]
fn twenty_are_looked_for_in_one_sweep_and_those_that_go_on_come_first() {
    let channels: Vec<_> = (10..40).map(|minute| format!("c{minute}")).collect();
    let latest = |minute: usize| {
        let ended_at = (!minute.is_multiple_of(7)).then_some("2026-01-14T04:59:00Z");
        broadcast(json!({ "started_at": format!("2026-01-14T04:{minute}:00Z"), "ended_at": ended_at }))
    };
    let broadcasts: Vec<_> = (10..40).map(latest).collect();
    let shown = || channels.iter().map(String::as_str).zip(broadcasts.iter().map(Some));
    let mut memory = Latest::default();
    let now = at(1_768_368_000);
    for (channel_key, latest) in shown() {
        memory.see(channel_key, latest);
    }
    let first = memory.to_ask(shown(), now);
    assert_eq!(first.len(), 20);
    assert_eq!(first[..6], ["c35", "c28", "c21", "c14", "c39", "c38"]);
    for channel_key in &first {
        let (_, latest) = shown().find(|(key, _)| key == channel_key).expect("one of them");
        memory.learn(channel_key, latest, &[], &Open::default(), now);
    }
    assert_eq!(memory.to_ask(shown(), now).len(), 10);
}

#[test]
fn a_change_makes_it_worth_looking_again() {
    let started_at = "2026-01-14T04:30:11Z";
    let live = broadcast(json!({ "is_onair": true, "started_at": started_at }));
    let over =
        broadcast(json!({ "is_onair": false, "started_at": started_at, "ended_at": "2026-01-14T04:31:00Z" }));
    let mut memory = Latest::default();
    let now = at(1_768_365_060);
    memory.see("c", Some(&live));
    for _ in 0..3 {
        memory.learn("c", Some(&live), &[], &Open::default(), now);
    }
    assert!(memory.to_ask([("c", Some(&live))].into_iter(), now).is_empty());
    memory.see("c", Some(&over));
    assert_eq!(memory.to_ask([("c", Some(&over))].into_iter(), now), ["c"]);

    let listed = [broadcast(json!({ "key": "b", "started_at": started_at, "is_onair": true }))];
    let found =
        memory.learn("c", Some(&over), &listed, &Open::default(), now).latest.expect("it is in the list");
    assert_eq!((found.key.as_deref(), found.course.phase), (Some("b"), Some(Phase::Ended)));
    assert_eq!(memory.see("c", Some(&live)).as_deref(), Some("b"));
    assert!(memory.to_ask([("c", Some(&live))].into_iter(), now).is_empty());
}

#[test]
fn a_latest_broadcast_that_could_be_any_is_not_taken_for_the_one_before() {
    let known = broadcast(json!({ "key": "b", "is_onair": true, "started_at": "2026-01-14T04:30:11Z" }));
    let vague =
        broadcast(json!({ "is_onair": false, "started_at": "soon", "ended_at": "2026-01-14T05:00:00Z" }));
    let mut memory = Latest::default();
    assert_eq!(memory.see("c", Some(&known)).as_deref(), Some("b"));
    assert_eq!(memory.see("c", Some(&vague)), None);
    assert_eq!(memory.see("c", Some(&known)).as_deref(), Some("b"));
}

#[test]
fn a_cursor_of_another_version_is_none() {
    let cursor = json!([1, 2]);
    assert!(<Latest as serde::Deserialize>::deserialize(&cursor).is_err());
}
