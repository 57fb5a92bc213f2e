use serde_json::json;

use super::super::{
    super::vocabulary::Phase,
    tests::scene::{Scene, Told, at, in_a_room, shown, text, told, verbs},
};
use super::*;
use crate::model::{Proof, Seen};

mod gone;
mod old_answers;
mod properties;

fn broadcast(phase: Phase) -> Observation {
    shown(Noun::Broadcast, Some(phase), json!({}))
}

fn recording(phase: Phase) -> Observation {
    shown(Noun::Recording, Some(phase), json!({}))
}

fn titled(noun: Noun, title: &str) -> Observation {
    shown(noun, None, json!({ "title": title }))
}

/// A callback on a secret URL.
fn unsigned(scene: &mut Scene, seconds: i64, observation: &Observation) {
    scene.hears_with(seconds, observation, Proof::UrlToken, Seen::First).expect("it is news");
    assert!(scene.belief().is_unconfirmed);
}

#[test]
fn a_broadcast_that_began_and_ended_unseen_is_told_in_two_steps() {
    let mut scene = Scene::new();
    let over =
        json!({ "title": "A", "started_at": text(10), "ended_at": text(20), "visits": 7, "visitors": 5 });
    let events = scene.sweeps(60, &shown(Noun::Broadcast, Some(Phase::Ended), over));
    assert_eq!(verbs(&events), [Verb::Started, Verb::Ended]);
    for name in ["ended_at", "visits", "visitors"] {
        assert!(!events[0].entity().contains_key(name), "{name} is not known at the start");
        assert!(events[1].entity().contains_key(name), "{name} is known at the end");
    }
    assert_eq!((&events[0].entity()["state"], &events[0].entity()["title"]), (&json!("live"), &json!("A")));
    assert_eq!((events[0].event.time, events[1].event.time), (at(10), at(20)));
}

#[test]
fn a_broadcast_that_began_and_paused_unseen_is_told_in_two_steps() {
    let mut scene = Scene::stale_for(300);
    let paused = json!({ "started_at": text(10), "paused_at": text(20) });
    let events = scene.sweeps(60, &shown(Noun::Broadcast, Some(Phase::Paused), paused));
    assert_eq!(verbs(&events), [Verb::Started, Verb::Paused]);
    assert!(!events[0].entity().contains_key("paused_at"));
    assert_eq!((events[0].event.time, events[1].event.time), (at(10), at(20)));
}

#[test]
fn a_recording_that_was_finished_unseen_is_told_in_two_steps() {
    for (phase, verb) in
        [(Phase::Available, Verb::Available), (Phase::Failed, Verb::Failed), (Phase::Aborted, Verb::Aborted)]
    {
        let times = json!({ "created_at": text(5), "finished_at": text(30), "size_bytes": 9 });
        let events = Scene::stale_for(300).sweeps(60, &shown(Noun::Recording, Some(phase), times));
        assert_eq!(verbs(&events), [Verb::Started, verb]);
        assert!(!events[0].entity().contains_key("finished_at"));
        assert_eq!((events[0].event.time, events[1].event.time), (at(5), at(30)));
    }
}

#[test]
fn the_time_of_the_last_step_is_not_taken_for_that_of_the_start() {
    let over = Observation { at: Some(at(20)), ..broadcast(Phase::Ended) };
    let events = Scene::new().sweeps(60, &over);
    assert_eq!(events.iter().map(|told| told.event.time).collect::<Vec<_>>(), [at(60), at(20)]);
}

#[test]
fn a_callback_tells_one_step() {
    let mut scene = Scene::new();
    assert_eq!(scene.hears(60, &broadcast(Phase::Ended)).map(|told| told.verb), Some(Verb::Ended));
    assert!(scene.sweeps(70, &broadcast(Phase::Ended)).is_empty());
}

#[test]
fn what_was_there_before_the_first_sweep_is_discovered() {
    for noun in [Noun::Channel, Noun::Space, Noun::Category, Noun::Filter, Noun::Settings] {
        let mut scene = Scene::first_sweep();
        let events = scene.sweeps(0, &titled(noun, "A"));
        assert_eq!(verbs(&events), [Verb::Discovered], "{noun}");
        assert_eq!(events[0].changes, json!({}));
    }
    for phase in [Phase::Live, Phase::Paused, Phase::Ended] {
        let mut scene = Scene::first_sweep();
        assert_eq!(verbs(&scene.sweeps(0, &broadcast(phase))), [Verb::Discovered]);
        assert_eq!(scene.phase(), Some(phase));
    }
    for phase in [Phase::Recording, Phase::Available, Phase::Failed, Phase::Aborted] {
        let mut scene = Scene::first_sweep();
        assert_eq!(verbs(&scene.sweeps(0, &recording(phase))), [Verb::Discovered]);
        assert_eq!(scene.phase(), Some(phase));
    }
}

#[test]
fn the_start_of_what_was_discovered_is_never_told() {
    for phase in [Phase::Live, Phase::Paused, Phase::Ended] {
        let mut scene = Scene::first_sweep();
        scene.sweeps(0, &broadcast(phase));
        assert_eq!(scene.hears(5, &told(Verb::Started, broadcast(Phase::Live))), None, "{phase}");
        assert!(scene.sweeps(10, &broadcast(phase)).is_empty());
    }
    let mut scene = Scene::first_sweep();
    scene.sweeps(0, &recording(Phase::Available));
    for phase in [Phase::Recording, Phase::Available] {
        assert_eq!(scene.hears(5, &recording(phase)), None, "{phase}");
    }
}

#[test]
fn what_was_discovered_goes_on_like_everything() {
    let mut scene = Scene::first_sweep();
    scene.sweeps(0, &broadcast(Phase::Live));
    scene.known_since = Some(at(0));
    assert_eq!(verbs(&scene.sweeps(60, &broadcast(Phase::Paused))), [Verb::Paused]);
    assert_eq!(verbs(&scene.sweeps(120, &broadcast(Phase::Live))), [Verb::Resumed]);
    assert_eq!(verbs(&scene.sweeps(180, &broadcast(Phase::Ended))), [Verb::Ended]);
    for phase in [Phase::Live, Phase::Paused, Phase::Ended] {
        assert!(scene.sweeps(240, &broadcast(phase)).is_empty(), "what ended stays ended");
    }
}

#[test]
fn a_room_that_was_discovered_empty_can_be_used() {
    let mut scene = Scene::first_sweep();
    scene.sweeps(0, &in_a_room(broadcast(Phase::Ended)));
    scene.known_since = Some(at(0));
    let events = scene.sweeps(60, &in_a_room(broadcast(Phase::Paused)));
    assert_eq!(verbs(&events), [Verb::Started, Verb::Paused]);
    assert_eq!(scene.hears(61, &in_a_room(told(Verb::Started, broadcast(Phase::Live)))), None);
}

#[test]
fn what_is_new_in_a_later_sweep_was_created() {
    for noun in [Noun::Channel, Noun::Space, Noun::Category, Noun::Filter] {
        assert_eq!(verbs(&Scene::new().sweeps(0, &titled(noun, "A"))), [Verb::Created], "{noun}");
    }
    assert_eq!(verbs(&Scene::new().sweeps(0, &titled(Noun::Settings, "A"))), [Verb::Discovered]);
}

#[test]
fn a_comment_is_created_once_and_never_changed() {
    for mut scene in [Scene::first_sweep(), Scene::new()] {
        let comment = |said: &str| shown(Noun::Comment, None, json!({ "text": said, "created_at": text(3) }));
        let events = scene.sweeps(10, &comment("hello"));
        assert_eq!(verbs(&events), [Verb::Created]);
        assert_eq!(events[0].event.time, at(3));
        assert!(scene.sweeps(20, &comment("goodbye")).is_empty());
        assert!(scene.sweeps(30, &told(Verb::Removed, comment("hello"))).is_empty());
        assert_eq!(scene.attribute("text"), Some(json!("hello")));
    }
}

#[test]
fn a_key_is_remembered_and_its_rotation_told_without_fingerprints_of_old_ones() {
    for mut scene in [Scene::first_sweep(), Scene::new()] {
        let key = |fingerprint: &str| shown(Noun::StreamKey, None, json!({ "fingerprint": fingerprint }));
        assert!(scene.sweeps(0, &key("a")).is_empty());
        assert_eq!(scene.belief().revision, 0);
        assert!(scene.sweeps(60, &key("a")).is_empty());
        let events = scene.sweeps(120, &key("b"));
        assert_eq!(verbs(&events), [Verb::Rotated]);
        assert_eq!(events[0].changes, json!({}));
        assert!(!serde_json::to_string(&events[0].event).expect("it serialises").contains("\"a\""));
    }
}

#[test]
fn content_is_remembered_and_its_differences_are_told() {
    let mut scene = Scene::new();
    assert!(scene.sweeps(0, &titled(Noun::Content, "A")).is_empty());
    assert_eq!(scene.belief().revision, 0);
    let events = scene.sweeps(60, &titled(Noun::Content, "B"));
    assert_eq!(verbs(&events), [Verb::Updated]);
    assert_eq!(events[0].changes, json!({ "title": { "from": "A", "to": "B" } }));
}

#[test]
fn what_was_missed_while_its_list_was_first_read_is_discovered() {
    let list_known_since = 10_000;
    for (began, expected) in [
        (list_known_since - 301, Verb::Discovered),
        (list_known_since - 300, Verb::Started),
        (list_known_since + 1, Verb::Started),
    ] {
        let mut scene = Scene { known_since: Some(at(list_known_since)), ..Scene::new() };
        let live = shown(Noun::Broadcast, Some(Phase::Live), json!({ "started_at": text(began) }));
        // Livehook may have been down for long in between.
        assert_eq!(verbs(&scene.sweeps(900_000, &live)), [expected], "began at {began}");
        let mut scene = Scene { known_since: Some(at(list_known_since)), ..Scene::new() };
        let made = shown(Noun::Recording, Some(Phase::Recording), json!({ "created_at": text(began) }));
        assert_eq!(verbs(&scene.sweeps(900_000, &made)), [expected], "began at {began}");
    }
}

#[test]
fn a_difference_is_told_with_what_it_was_before() {
    for noun in [Noun::Channel, Noun::Space, Noun::Category, Noun::Filter, Noun::Settings] {
        let mut scene = Scene::first_sweep();
        scene.sweeps(0, &titled(noun, "A"));
        assert!(scene.sweeps(60, &titled(noun, "A")).is_empty());
        let events = scene.sweeps(120, &titled(noun, "B"));
        assert_eq!(verbs(&events), [Verb::Updated], "{noun}");
        assert_eq!(events[0].changes, json!({ "title": { "from": "A", "to": "B" } }));
        assert_eq!(events[0].event.time, at(120));
    }
}

#[test]
fn a_broadcast_of_which_no_phase_is_said_only_changes_attributes() {
    let mut scene = Scene::new();
    assert!(scene.sweeps(0, &titled(Noun::Broadcast, "A")).is_empty());
    assert_eq!(verbs(&scene.sweeps(60, &broadcast(Phase::Live))), [Verb::Started]);
    assert_eq!(verbs(&scene.sweeps(120, &titled(Noun::Broadcast, "A"))), [Verb::Updated]);
    assert_eq!(scene.phase(), Some(Phase::Live));
}

#[test]
fn a_new_life_forgets_what_was_said_of_the_old_one() {
    let over = json!({ "title": "A", "started_at": text(0), "ended_at": text(9), "visits": 3 });
    let over = in_a_room(shown(Noun::Broadcast, Some(Phase::Ended), over));
    let begin = in_a_room(told(Verb::Started, broadcast(Phase::Live)));
    let mut scene = Scene::new();
    scene.sweeps(10, &over);
    let news = scene.hears(20, &begin).expect("it begins again");
    assert_eq!(news.entity()["title"], json!("A"));
    assert_eq!(news.entity()["started_at"], Value::Null);
    assert!(!news.entity().contains_key("ended_at") && !news.entity().contains_key("visits"));
    assert_eq!(scene.belief().began_at, Some(at(20)));
    assert_eq!(scene.belief().former.map(|former| (former.began_at, former.ended_at)), Some((at(0), at(9))));

    let mut scene = Scene::new();
    scene.sweeps(10, &over);
    let begin = shown(Noun::Broadcast, Some(Phase::Live), json!({ "started_at": text(15) }));
    assert_eq!(verbs(&scene.sweeps(20, &in_a_room(begin))), [Verb::Started]);
    assert_eq!(scene.attribute("ended_at"), None);
    assert_eq!(scene.belief().began_at, Some(at(15)));
}

#[test]
fn the_api_confirms_what_was_told_on_a_secret_url() {
    let mut scene = Scene::new();
    unsigned(&mut scene, 0, &broadcast(Phase::Live));
    let events = scene.sweeps(5, &broadcast(Phase::Live));
    assert_eq!(verbs(&events), [Verb::Updated]);
    assert_eq!(events[0].changes, json!({ "proof": { "from": "url-token", "to": "api" } }));
    assert!(!scene.belief().is_unconfirmed);
}

#[test]
fn a_confirmation_and_what_it_fills_in_are_one_event() {
    let mut scene = Scene::stale_for(60);
    unsigned(&mut scene, 0, &broadcast(Phase::Live));
    let started = shown(Noun::Broadcast, Some(Phase::Live), json!({ "started_at": text(-2) }));
    let events = scene.sweeps(5, &started);
    assert_eq!(verbs(&events), [Verb::Updated]);
    let proof = json!({ "from": "url-token", "to": "api" });
    let expected = json!({ "started_at": { "from": null, "to": text(-2) }, "proof": proof });
    assert_eq!(events[0].changes, expected);
    assert_eq!(scene.belief().began_at, Some(at(-2)));
}

#[test]
fn a_sweep_that_goes_further_or_a_signature_needs_no_word_of_confirmation() {
    let mut scene = Scene::new();
    unsigned(&mut scene, 0, &broadcast(Phase::Live));
    assert_eq!(verbs(&scene.sweeps(5, &broadcast(Phase::Ended))), [Verb::Ended]);
    assert!(!scene.belief().is_unconfirmed);

    let mut scene = Scene::new();
    unsigned(&mut scene, 0, &broadcast(Phase::Live));
    scene.hears(5, &broadcast(Phase::Paused));
    assert!(!scene.belief().is_unconfirmed);

    let mut scene = Scene::new();
    unsigned(&mut scene, 0, &broadcast(Phase::Live));
    assert_eq!(scene.hears(5, &broadcast(Phase::Live)), None);
    assert!(!scene.belief().is_unconfirmed);
}

#[test]
fn a_sweep_that_disagrees_confirms_nothing() {
    let mut scene = Scene::stale_for(60);
    unsigned(&mut scene, 0, &broadcast(Phase::Paused));
    assert!(scene.sweeps(5, &broadcast(Phase::Live)).is_empty());
    assert!(scene.belief().is_unconfirmed);

    let mut scene = Scene::new();
    unsigned(&mut scene, 0, &broadcast(Phase::Ended));
    assert!(scene.sweeps(5, &broadcast(Phase::Live)).is_empty());
    assert!(scene.belief().is_unconfirmed, "it stays ended, and nobody has confirmed it");
}

#[test]
fn what_livehook_says_itself_is_told_each_time() {
    let word = told(Verb::Degraded, shown(Noun::Source, None, json!({ "failures": 3 })));
    let first = crate::model::reduce(None, &word, &Hearing::Own { at: at(0) });
    let second = crate::model::reduce(Some(&first.known), &word, &Hearing::Own { at: at(60) });
    assert!(first.change.is_some() && second.change.is_some());
}
