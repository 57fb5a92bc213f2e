//! Answers that may be older than what we believe.

use super::*;

/// How old answers can be here.
const STALE: i64 = 60;

/// What callbacks told, one second apart, the last one at 0.
fn after(callbacks: &[Observation]) -> Scene {
    let mut scene = Scene::stale_for(STALE);
    for (seconds, callback) in (1 - callbacks.len() as i64..).zip(callbacks) {
        scene.hears(seconds, callback).expect("it is news");
    }
    scene
}

fn with(observation: Observation, attributes: Value) -> Observation {
    let Value::Object(attributes) = attributes else { panic!("attributes are an object") };
    Observation { attributes: attributes.into(), ..observation }
}

#[test]
fn an_answer_that_may_be_older_only_moves_a_broadcast_forward() {
    let (live, paused, ended) = (Phase::Live, Phase::Paused, Phase::Ended);
    for (known, shown, expected, is_doubtful) in [
        (live, live, vec![], false),
        (live, paused, vec![], true),
        (live, ended, vec![Verb::Ended], false),
        (paused, live, vec![], true),
        (paused, paused, vec![], false),
        (paused, ended, vec![Verb::Ended], false),
        (ended, live, vec![], false),
        (ended, paused, vec![], false),
        (ended, ended, vec![], false),
    ] {
        for asked_at in [-10, 0, 10, STALE - 1] {
            let mut scene = after(&[broadcast(known)]);
            let events = scene.sweeps(asked_at, &broadcast(shown));
            assert_eq!(verbs(&events), expected, "{known} shown as {shown}, asked at {asked_at}");
            assert_eq!(scene.doubtful_until, is_doubtful.then_some(at(STALE)));
        }
    }
}

/// A stop on a secret URL, and what an answer from a cache said of it 10 s later.
fn stopped_by_whoever_knows_the_url() -> (Scene, Vec<Told>) {
    let mut scene = after(&[broadcast(Phase::Live)]);
    unsigned(&mut scene, 0, &broadcast(Phase::Ended));
    let cached = with(broadcast(Phase::Live), json!({ "started_at": text(-9) }));
    let events = scene.sweeps(10, &cached);
    (scene, events)
}

#[test]
fn an_end_told_on_a_secret_url_is_asked_about_again_when_a_cache_says_otherwise() {
    for cached in [Phase::Live, Phase::Paused] {
        for asked_at in [0, STALE - 1] {
            let mut scene = after(&[broadcast(Phase::Live)]);
            unsigned(&mut scene, 0, &broadcast(Phase::Ended));
            assert!(scene.sweeps(asked_at, &broadcast(cached)).is_empty());
            assert_eq!(scene.doubtful_until, Some(at(STALE)));
        }
    }
    let (scene, events) = stopped_by_whoever_knows_the_url();
    assert_eq!(verbs(&events), [Verb::Updated], "what it fills in is believed");
    assert_eq!(scene.doubtful_until, Some(at(10 + STALE)), "what it filled in is a revision");
}

#[test]
fn an_end_that_was_true_is_confirmed_by_the_answer_that_cannot_be_older_and_by_nothing_else() {
    let (mut scene, _) = stopped_by_whoever_knows_the_url();
    let over = with(broadcast(Phase::Ended), json!({ "started_at": text(-9), "ended_at": text(-1) }));
    let events = scene.sweeps(10 + STALE, &over);
    assert_eq!(verbs(&events), [Verb::Updated]);
    let proof = json!({ "from": "url-token", "to": "api" });
    assert_eq!(events[0].changes, json!({ "ended_at": { "from": null, "to": text(-1) }, "proof": proof }));
    assert_eq!((scene.doubtful_until, scene.belief().is_unconfirmed), (None, false));
    assert!(scene.sweeps(20 + STALE, &over).is_empty());
}

#[test]
fn an_end_that_was_forged_is_never_called_proven_before_it_is_true() {
    let (mut scene, _) = stopped_by_whoever_knows_the_url();
    let on_air = with(broadcast(Phase::Live), json!({ "started_at": text(-9) }));
    for asked_at in [10 + STALE, 20 + STALE] {
        assert!(scene.sweeps(asked_at, &on_air).is_empty());
        assert_eq!((scene.phase(), scene.doubtful_until), (Some(Phase::Ended), None));
        assert!(scene.belief().is_unconfirmed);
    }
    let over = with(on_air, json!({ "started_at": text(-9), "ended_at": text(500) }));
    let events = scene.sweeps(600, &Observation { phase: Some(Phase::Ended), ..over });
    assert_eq!(verbs(&events), [Verb::Updated], "it ended once, and when is known now");
    assert_eq!(scene.attribute("ended_at"), Some(json!(text(500))));
    assert!(!scene.belief().is_unconfirmed);
}

#[test]
fn a_newer_answer_is_believed() {
    for (known, shown, expected) in
        [(Phase::Live, Phase::Paused, Verb::Paused), (Phase::Paused, Phase::Live, Verb::Resumed)]
    {
        let mut scene = after(&[broadcast(known)]);
        assert!(scene.sweeps(STALE - 1, &broadcast(shown)).is_empty());
        assert_eq!(verbs(&scene.sweeps(STALE, &broadcast(shown))), [expected]);
        assert_eq!(scene.doubtful_until, None);
    }
}

#[test]
fn an_answer_that_was_asked_before_the_callback_came_is_old_even_without_caches() {
    let mut scene = Scene::new();
    scene.hears(0, &broadcast(Phase::Live));
    scene.hears(10, &broadcast(Phase::Paused));
    assert!(scene.sweeps(9, &broadcast(Phase::Live)).is_empty());
    assert_eq!(scene.doubtful_until, Some(at(10)));
    assert_eq!(verbs(&scene.sweeps(11, &broadcast(Phase::Live))), [Verb::Resumed]);
}

#[test]
fn an_answer_that_may_be_older_moves_a_room_nowhere() {
    for (known, shown) in [
        (Phase::Live, Phase::Ended),
        (Phase::Ended, Phase::Live),
        (Phase::Ended, Phase::Paused),
        (Phase::Live, Phase::Paused),
    ] {
        let mut scene = after(&[in_a_room(broadcast(known))]);
        let shown = with(in_a_room(broadcast(shown)), json!({ "ended_at": text(-100) }));
        assert!(scene.sweeps(10, &shown).is_empty());
        assert_eq!(scene.doubtful_until, Some(at(STALE)));
        assert!(!scene.sweeps(STALE, &shown).is_empty());
    }
}

#[test]
fn that_something_was_not_in_an_old_list_ends_nothing() {
    let mut scene = after(&[broadcast(Phase::Live)]);
    let mut absent = broadcast(Phase::Ended);
    absent.extra.set("reason", json!("absent"));
    assert!(scene.sweeps(10, &absent).is_empty());
    assert_eq!(scene.doubtful_until, Some(at(STALE)));
    assert_eq!(verbs(&scene.sweeps(STALE, &absent)), [Verb::Ended]);
}

#[test]
fn an_answer_that_may_be_older_fills_in_and_replaces_nothing() {
    let mut scene = after(&[with(broadcast(Phase::Live), json!({ "title": "new" }))]);
    let old = with(broadcast(Phase::Live), json!({ "title": "old", "started_at": text(-3) }));
    let events = scene.sweeps(10, &old);
    assert_eq!(verbs(&events), [Verb::Updated]);
    assert_eq!(events[0].changes, json!({ "started_at": { "from": null, "to": text(-3) } }));
    assert_eq!(scene.attribute("title"), Some(json!("new")));
    assert_eq!(scene.doubtful_until, Some(at(10 + STALE)), "what it filled in is a revision");
    assert_eq!(verbs(&scene.sweeps(10 + STALE, &old)), [Verb::Updated]);
    assert_eq!(scene.attribute("title"), Some(json!("old")));
}

#[test]
fn what_ended_is_filled_in_by_late_data() {
    for asked_at in [10, STALE + 10] {
        let mut scene = after(&[broadcast(Phase::Live), broadcast(Phase::Ended)]);
        let late = with(broadcast(Phase::Live), json!({ "started_at": text(-9) }));
        assert_eq!(verbs(&scene.sweeps(asked_at, &late)), [Verb::Updated]);
        assert_eq!((scene.phase(), scene.doubtful_until), (Some(Phase::Ended), None));
    }
}

#[test]
fn an_answer_that_may_be_older_only_moves_a_recording_forward() {
    use Phase::*;
    for (known, shown, expected, is_doubtful) in [
        (Recording, Available, vec![Verb::Available], false),
        (Recording, Failed, vec![Verb::Failed], false),
        (Recording, Aborted, vec![Verb::Aborted], false),
        (Failed, Available, vec![Verb::Available], false),
        (Failed, Aborted, vec![], true),
        (Available, Failed, vec![], true),
        (Available, Aborted, vec![], true),
        (Available, Recording, vec![], false),
    ] {
        let mut scene = after(&[recording(known)]);
        assert_eq!(verbs(&scene.sweeps(10, &recording(shown))), expected, "{known} shown as {shown}");
        assert_eq!(scene.doubtful_until.is_some(), is_doubtful, "{known} shown as {shown}");
    }
}

#[test]
fn an_answer_that_may_be_older_neither_removes_nor_brings_back() {
    let absent = |noun| told(Verb::Removed, shown(noun, None, json!({})));
    for noun in [Noun::Channel, Noun::Recording, Noun::Content] {
        let phase = (noun == Noun::Recording).then_some(Phase::Available);
        let there = shown(noun, phase, json!({ "title": "A" }));
        let mut scene = Scene::stale_for(STALE);
        scene.sweeps(0, &there);
        assert!(scene.sweeps(10, &absent(noun)).is_empty());
        assert_eq!(scene.doubtful_until, Some(at(STALE)));
        assert_eq!(verbs(&scene.sweeps(STALE, &absent(noun))), [Verb::Removed]);
        assert!(scene.sweeps(STALE + 10, &there).is_empty());
        assert_eq!(scene.doubtful_until, Some(at(2 * STALE)));
        assert_eq!(scene.sweeps(2 * STALE, &there).len(), 1);
    }
}

#[test]
fn an_old_answer_rotates_no_key() {
    let key = |fingerprint: &str| shown(Noun::StreamKey, None, json!({ "fingerprint": fingerprint }));
    let mut scene = Scene::stale_for(STALE);
    scene.sweeps(0, &key("new"));
    assert!(scene.sweeps(10, &key("old")).is_empty());
    assert_eq!(scene.doubtful_until, Some(at(STALE)));
    assert_eq!(verbs(&scene.sweeps(STALE, &key("other"))), [Verb::Rotated]);
}

#[test]
fn a_clock_that_was_set_back_far_blocks_nothing() {
    let quarter = 15 * 60;
    for (asked_at, is_believed) in [(-quarter, true), (1 - quarter, false)] {
        let mut scene = after(&[broadcast(Phase::Live)]);
        let events = scene.sweeps(asked_at, &broadcast(Phase::Paused));
        assert_eq!(!events.is_empty(), is_believed, "asked at {asked_at}");
    }
    // The belief takes on the new time, so that the next answers are weighed by it.
    let mut scene = after(&[broadcast(Phase::Live)]);
    scene.sweeps(-quarter, &broadcast(Phase::Paused));
    assert_eq!(scene.belief().moved_at, Some(at(-quarter)));
}

#[test]
fn what_is_heard_out_of_turn_makes_the_belief_no_older() {
    let mut scene = after(&[broadcast(Phase::Live)]);
    assert_eq!(verbs(&scene.sweeps(-20, &broadcast(Phase::Ended))), [Verb::Ended]);
    assert_eq!(scene.belief().moved_at, Some(at(0)));
}
