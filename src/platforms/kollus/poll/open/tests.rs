use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{Said, Verb},
    platform::ApiResponse,
};

const START: &str = "2026-01-14T04:10:00Z";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_768_365_060 + seconds).expect("in range")
}

fn course(row: &Value) -> Course {
    Course::of(row.as_object().expect("an object"), &mut Vec::new())
}

fn running() -> Value {
    json!({ "key": "b", "is_onair": true, "started_at": START })
}

fn answer(status: u16, row: Value) -> ApiResponse {
    let body = json!({ "data": row }).to_string().into();
    ApiResponse { status, retry_after: None, body, asked_at: at(0) }
}

fn one_open() -> Open {
    let mut open = Open::default();
    open.see("b", &mut course(&running()));
    open
}

fn asks(open: &Open, now: Timestamp) -> bool {
    !open.to_ask(|_| false, now).is_empty()
}

fn hear(open: &mut Open, answer: &ApiResponse, now: Timestamp) -> Option<Observation> {
    open.hear("b", answer, now, &mut Vec::new()).expect("it can be read")
}

#[test]
fn what_a_list_shows_is_not_asked_for() {
    let mut open = one_open();
    assert_eq!(open.to_ask(|key| key == "b", at(0)), [""; 0]);
    assert_eq!(open.to_ask(|_| false, at(0)), ["b"]);
    open.see("b", &mut course(&json!({ "is_onair": false, "started_at": START, "ended_at": START })));
    assert_eq!(open, Open::default());
    open.see("c", &mut course(&json!({ "is_onair": false, "started_at": START })));
    assert_eq!(open, Open::default(), "nobody was told that it is on air");
}

#[test]
fn one_that_goes_on_is_asked_for_less_and_less_often_and_never_forgotten() {
    let mut open = one_open();
    let (mut tries, mut last) = (0, at(0));
    for minute in 0..7 * 24 * 60 {
        let now = at(minute * 60);
        if asks(&open, now) {
            assert!(now.duration_since(last) <= SignedDuration::from_mins(49), "at {now}");
            (tries, last) = (tries + 1, now);
            let said = hear(&mut open, &answer(200, running()), now);
            assert_eq!(said.and_then(|said| said.phase), Some(Phase::Live));
        }
    }
    assert!((200..240).contains(&tries), "{tries} in a week");
    let over = json!({ "is_onair": false, "started_at": START, "ended_at": "2026-01-21T04:10:00Z" });
    let said = hear(&mut open, &answer(200, over), at(0));
    assert_eq!(said.and_then(|said| said.phase), Some(Phase::Ended));
    assert_eq!(open, Open::default());
}

#[test]
fn one_that_is_twice_not_there_is_over() {
    let off_air = answer(200, json!({ "key": "b", "is_onair": false, "started_at": START }));
    for missing in [answer(404, json!({})), answer(403, json!({})), off_air] {
        let mut open = one_open();
        assert_eq!(hear(&mut open, &missing, at(0)), None);
        assert!(!asks(&open, at(40)) && asks(&open, at(45)));
        hear(&mut open, &answer(200, running()), at(45));
        assert_eq!(hear(&mut open, &missing, at(200)), None, "not twice in a row");
        for now in [400, 1000] {
            let gone = hear(&mut open, &missing, at(now)).expect("it is over");
            assert_eq!((gone.phase, gone.told), (Some(Phase::Ended), None::<Verb>));
            assert_eq!(gone.extra.get("reason").and_then(Said::as_str), Some("absent"));
        }
        assert_eq!(open, Open::default());
    }
}

#[test]
fn the_answer_about_another_one_says_nothing() {
    let mut open = one_open();
    let other = answer(200, json!({ "key": "c", "is_onair": false, "ended_at": START }));
    for round in 0..5 {
        assert_eq!(hear(&mut open, &other, at(round * 10_000)), None);
    }
    assert!(open.contains("b"));
}

#[test]
fn twenty_are_asked_for_in_one_sweep_and_the_others_in_the_next() {
    let mut open = Open::default();
    for number in 10..40 {
        open.see(&format!("b{number}"), &mut course(&running()));
    }
    let first = open.to_ask(|_| false, at(0));
    assert_eq!(first.len(), 20);
    for key in &first {
        open.hear(key, &answer(404, json!({})), at(0), &mut Vec::new()).expect("it can be read");
    }
    assert_eq!(open.to_ask(|_| false, at(1)).len(), 10);
}

/// How an API shows a pause; which one Kollus's is, no documentation says.
#[derive(Clone, Copy, Debug)]
struct Api {
    stays_on_air: bool,
    keeps_paused_at: bool,
}

proptest! {
    /// Paused, resumed, paused again, looked at now and then: what is said of it is true, however the API shows it.
    #[test]
    fn no_pause_is_told_and_none_is_over_before_that_is_certain(
        stays_on_air: bool, keeps_paused_at: bool, moves in prop::collection::vec(0..3_u8, 0..40),
    ) {
        let api = Api { stays_on_air, keeps_paused_at };
        let (mut open, mut is_paused, mut paused_at) = (Open::default(), false, None);
        let mut told = Vec::new();
        for (second, step) in moves.into_iter().enumerate() {
            match step {
                0 => is_paused = false,
                1 if !is_paused => (is_paused, paused_at) = (true, Some(at(second as i64).to_string())),
                _ => {
                    let row = json!({
                        "is_onair": !is_paused || api.stays_on_air,
                        "started_at": START,
                        "paused_at": paused_at.as_ref().filter(|_| is_paused || api.keeps_paused_at),
                    });
                    let mut course = course(&row);
                    open.see("b", &mut course);
                    let truth = if is_paused { Phase::Paused } else { Phase::Live };
                    prop_assert!(course.phase.is_none_or(|phase| phase == truth), "{api:?} {row} {course:?}");
                    told.push(course.phase);
                    prop_assert!(open.contains("b"));
                }
            }
        }
        if !api.stays_on_air && !api.keeps_paused_at {
            prop_assert!(told.iter().all(Option::is_some), "this one leaves nothing open: {told:?}");
        }
    }
}
