use serde_json::{Value, json};

use super::super::tests::scene::{Scene, Told, at, in_a_room, shown, text, told, verbs};
use super::*;
use crate::model::{Noun, Observation, Rules, Verb};

mod property;

const ROOM: Rules = Rules { one_use: false, grows: None, life: Some("call_id"), says_all: false };

/// A call as the list shows it: its start, and its end if it is over.
fn call(id: &str, start: i64, end: Option<i64>) -> Observation {
    let phase = if end.is_some() { Phase::Ended } else { Phase::Live };
    let visits = end.map(|_| 3);
    let said = json!({
        "call_id": id, "started_at": text(start), "ended_at": end.map(text), "visits": visits, "channel_id": "r",
    });
    Observation { rules: ROOM, ..shown(Noun::Broadcast, Some(phase), said) }
}

fn begins() -> Observation {
    let said = json!({ "channel_id": "r" });
    in_a_room(told(Verb::Started, shown(Noun::Broadcast, Some(Phase::Live), said)))
}

fn ends() -> Observation {
    let said = json!({ "channel_id": "r" });
    in_a_room(told(Verb::Ended, shown(Noun::Broadcast, Some(Phase::Ended), said)))
}

/// A room in which a call was told by callbacks: one that began at 1000, and one that ended at 2000.
fn told_by_callbacks(is_over: bool) -> Scene {
    let mut scene = Scene::new();
    scene.hears(1000, &begins()).expect("it begins");
    if is_over {
        scene.hears(2000, &ends()).expect("it ends");
    }
    scene
}

/// A room in which a sweep showed the call `m`, from 1000 to 2000.
fn shown_by_sweeps(is_over: bool) -> Scene {
    let mut scene = Scene::new();
    scene.sweeps(1010, &call("m", 1000, None));
    if is_over {
        scene.sweeps(2010, &call("m", 1000, Some(2000)));
    }
    scene
}

fn assert_told(mut scene: Scene, asked_at: i64, shown: &Observation, expected: &[Verb], why: &str) -> Scene {
    let events = scene.sweeps(asked_at, shown);
    assert_eq!(verbs(&events), expected, "{why}");
    scene
}

#[test]
fn a_call_that_was_told_by_callbacks_and_is_on_air_gets_its_id() {
    for (shown, expected, why) in [
        (call("l", 998, None), vec![Verb::Updated], "an active call is ours"),
        (call("l", 300, None), vec![Verb::Updated], "an active call is ours, however early it started"),
        (call("l", 998, Some(1500)), vec![Verb::Updated, Verb::Ended], "it ended after ours began"),
        (call("l", 960, Some(971)), vec![Verb::Updated, Verb::Ended], "it ended about when ours began"),
        (call("l", 960, Some(969)), vec![], "it was over when ours began"),
    ] {
        let is_named = !expected.is_empty();
        let scene = assert_told(told_by_callbacks(false), 2500, &shown, &expected, why);
        assert_eq!(scene.attribute("call_id").is_some(), is_named, "{why}");
    }
}

#[test]
fn a_call_that_was_told_by_callbacks_and_is_over_gets_its_id() {
    let both = [Verb::Started, Verb::Ended];
    for (shown, expected, why) in [
        (call("l", 998, Some(1999)), &[Verb::Updated][..], "it is ours"),
        (call("l", 880, Some(1999)), &[Verb::Updated], "our start was told late"),
        (call("l", 879, Some(1999)), &[], "no start is told that late"),
        (call("l", 900, Some(969)), &[], "it was over when ours began"),
        (call("l", 2030, Some(2090)), &[Verb::Updated], "the clocks may differ so much"),
        (call("l", 2031, Some(2090)), &both, "it began after ours was over"),
        (call("l", 2031, None), &[Verb::Started], "it began after ours was over"),
        (call("l", 998, None), &[Verb::Updated], "what was told to be over is over"),
    ] {
        assert_told(told_by_callbacks(true), 2500, &shown, expected, why);
    }
}

#[test]
fn of_two_ids_the_one_that_started_later_is_the_later_call() {
    for (is_over, shown, expected) in [
        (false, call("l", 999, None), vec![]),
        (false, call("l", 1000, Some(1400)), vec![]),
        (false, call("l", 1001, None), vec![Verb::Ended, Verb::Started]),
        (false, call("l", 1500, Some(1600)), vec![Verb::Ended, Verb::Started, Verb::Ended]),
        (true, call("l", 500, Some(900)), vec![]),
        (true, call("l", 2001, None), vec![Verb::Started]),
        (true, call("l", 2001, Some(2002)), vec![Verb::Started, Verb::Ended]),
    ] {
        let why = format!("{shown:?} after m, which is over: {is_over}");
        assert_told(shown_by_sweeps(is_over), 2500, &shown, &expected, &why);
    }
}

#[test]
fn the_same_id_is_the_same_call() {
    assert_told(shown_by_sweeps(false), 2500, &call("m", 1000, None), &[], "nothing is new");
    assert_told(shown_by_sweeps(false), 2500, &call("m", 1000, Some(2000)), &[Verb::Ended], "it ended");
    assert_told(shown_by_sweeps(true), 2500, &call("m", 1000, None), &[], "what is over stays over");
}

#[test]
fn the_end_of_a_call_that_was_followed_has_no_time_of_its_own_and_says_nothing_of_the_next() {
    let mut next = call("l", 1500, Some(1600));
    next.at = Some(at(1600));
    next.extra.set("planAlias", json!("business"));
    let events = shown_by_sweeps(false).sweeps(2500, &next);
    assert_eq!(verbs(&events), [Verb::Ended, Verb::Started, Verb::Ended]);
    assert_eq!(events.iter().map(|told| told.event.time).collect::<Vec<_>>(), [at(2500), at(1500), at(1600)]);
    let of = |told: &Told| told.entity()["call_id"].clone();
    assert_eq!(events.iter().map(of).collect::<Vec<_>>(), [json!("m"), json!("l"), json!("l")]);
    let extra = |told: &Told| told.event.data.contains_key("extra");
    assert_eq!(events.iter().map(extra).collect::<Vec<_>>(), [false, true, true]);
    assert!(!events[0].entity().contains_key("ended_at") && !events[1].entity().contains_key("visits"));
}

#[test]
fn an_id_and_what_comes_with_it_are_an_update() {
    let mut scene = told_by_callbacks(false);
    let events = scene.sweeps(2500, &call("l", 998, Some(1500)));
    let changes = json!({
        "call_id": { "from": Value::Null, "to": "l" },
        "started_at": { "from": Value::Null, "to": text(998) },
    });
    assert_eq!(events[0].changes, changes, "the end is held back for its own event");
    assert_eq!(events[1].event.time, at(1500));
    assert_eq!(scene.belief().began_at, Some(at(998)));
}

#[test]
fn a_room_that_is_not_known_is_discovered_or_told_step_by_step() {
    let over = call("l", 100, Some(200));
    assert_told(Scene::first_sweep(), 500, &over, &[Verb::Discovered], "a first sweep");
    assert_told(Scene::new(), 500, &over, &[Verb::Started, Verb::Ended], "a later sweep");
    assert_told(Scene::new(), 500, &call("l", 100, None), &[Verb::Started], "a later sweep");
}

#[test]
fn calls_that_were_over_before_the_first_sweep_are_not_told() {
    let mut scene = Scene::first_sweep();
    let calls = [call("a", 100, Some(200)), call("b", 300, Some(400)), call("c", 450, None)];
    let told: Vec<_> = calls.iter().flat_map(|call| scene.sweeps(500, call)).collect();
    assert_eq!(verbs(&told), [Verb::Discovered; 3]);
    let again: Vec<_> = calls.iter().flat_map(|call| scene.sweeps(560, call)).collect();
    assert!(again.is_empty());
    // What began after that is told even though the list is not known as a whole yet.
    assert_eq!(verbs(&scene.sweeps(600, &call("d", 550, None))), [Verb::Ended, Verb::Started]);
}

#[test]
fn a_call_of_the_life_before_is_not_taken_for_ours() {
    // Ours followed within seconds, and the list shows both for the first time.
    let mut scene = told_by_callbacks(true);
    scene.hears(2010, &begins()).expect("it begins again");
    assert!(scene.sweeps(2100, &call("a", 998, Some(1999))).is_empty());
    assert!(scene.sweeps(2100, &call("a", 998, None)).is_empty(), "an old answer may show it active");
    assert_eq!(verbs(&scene.sweeps(2100, &call("b", 2008, None))), [Verb::Updated]);
    assert_eq!(scene.attribute("call_id"), Some(json!("b")));

    let mut scene = told_by_callbacks(true);
    scene.hears(2010, &begins()).expect("it begins again");
    scene.hears(2020, &ends()).expect("it ends again");
    assert!(scene.sweeps(2100, &call("a", 998, Some(1999))).is_empty());
    assert_eq!(verbs(&scene.sweeps(2100, &call("b", 2008, Some(2018)))), [Verb::Updated]);
}

#[test]
fn a_call_of_which_only_the_end_was_told_is_found_by_its_end() {
    let only_its_end = || {
        let mut scene = Scene::new();
        scene.hears(2000, &ends()).expect("it ends");
        scene
    };
    assert_eq!(only_its_end().belief().began_at, None);
    assert_told(only_its_end(), 2500, &call("l", 100, Some(1999)), &[Verb::Updated], "ended then");
    assert_told(only_its_end(), 2500, &call("l", 100, Some(1969)), &[], "ended long before");
    assert_told(only_its_end(), 2500, &call("l", 2031, None), &[Verb::Started], "began after that");
}

#[test]
fn a_next_call_forgets_the_last_one() {
    let mut scene = shown_by_sweeps(true);
    let news = scene.hears(3000, &begins()).expect("it begins again");
    for name in ["call_id", "ended_at", "visits"] {
        assert!(!news.entity().contains_key(name), "{name}");
    }
    assert!(scene.sweeps(3010, &call("m", 1000, Some(2000))).is_empty(), "it is past");
    assert_eq!(verbs(&scene.sweeps(3010, &call("n", 2999, None))), [Verb::Updated]);
}

#[test]
fn an_answer_that_may_be_older_is_believed_where_it_proves_itself() {
    let callbacks =
        |is_over| Scene { stale_for: SignedDuration::from_secs(600), ..told_by_callbacks(is_over) };
    let both = [Verb::Updated, Verb::Ended];
    let scene =
        assert_told(callbacks(false), 1550, &call("l", 998, Some(1500)), &both, "it ended after ours began");
    assert_eq!(scene.doubtful_until, None);
    let scene =
        assert_told(callbacks(false), 1550, &call("l", 950, Some(990)), &[], "it ended a little before");
    assert_eq!(scene.doubtful_until, Some(at(1600)));
    assert_told(scene, 1600, &call("l", 950, Some(990)), &both, "a newer answer");
    let scene = assert_told(callbacks(false), 1550, &call("l", 879, None), &[], "it may be the call before");
    assert_eq!(scene.doubtful_until, Some(at(1600)));
    let scene = assert_told(callbacks(true), 2050, &call("l", 2031, None), &[Verb::Started], "a next call");
    assert_eq!(scene.phase(), Some(Phase::Live));
    let scene =
        assert_told(callbacks(true), 2050, &call("l", 998, None), &[Verb::Updated], "as it was before");
    assert_eq!((scene.phase(), scene.doubtful_until), (Some(Phase::Ended), None));
}

#[test]
fn calls_without_times_are_told_apart_as_far_as_that_goes() {
    let timeless = |id: &str, phase| Observation {
        rules: ROOM,
        ..shown(Noun::Broadcast, Some(phase), json!({ "call_id": id }))
    };
    let (active, over) = (timeless("l", Phase::Live), timeless("l", Phase::Ended));
    assert_told(told_by_callbacks(false), 2500, &active, &[Verb::Updated], "the only one on air");
    assert_told(told_by_callbacks(true), 2500, &active, &[Verb::Started], "it follows");
    assert_told(shown_by_sweeps(false), 2500, &active, &[], "one is on air already");
    assert_told(shown_by_sweeps(true), 2500, &active, &[Verb::Started], "it follows");
    for scene in
        [told_by_callbacks(false), told_by_callbacks(true), shown_by_sweeps(false), shown_by_sweeps(true)]
    {
        assert_told(scene, 2500, &over, &[], "nobody knows when");
    }
}
