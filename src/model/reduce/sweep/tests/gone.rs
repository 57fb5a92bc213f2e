//! What is gone, and what comes back.

use super::*;

const REMOVABLE: [Noun; 6] =
    [Noun::Channel, Noun::Space, Noun::Category, Noun::Filter, Noun::Recording, Noun::Content];

fn there(noun: Noun, title: &str) -> Observation {
    let phase = (noun == Noun::Recording).then_some(Phase::Available);
    shown(noun, phase, json!({ "title": title }))
}

fn absent(noun: Noun) -> Observation {
    told(Verb::Removed, shown(noun, None, json!({})))
}

#[test]
fn what_is_gone_is_removed_once() {
    for noun in REMOVABLE {
        let mut scene = Scene::new();
        scene.sweeps(0, &there(noun, "A"));
        let events = scene.sweeps(60, &absent(noun));
        assert_eq!(verbs(&events), [Verb::Removed], "{noun}");
        assert_eq!(events[0].entity()["title"], json!("A"));
        assert!(scene.sweeps(120, &absent(noun)).is_empty(), "{noun}");
        assert!(scene.belief().is_gone);
    }
}

#[test]
fn what_comes_back_is_created_again() {
    for noun in [Noun::Channel, Noun::Space, Noun::Category, Noun::Filter] {
        let mut scene = Scene::new();
        let made = shown(noun, None, json!({ "created_at": text(-500) }));
        assert_eq!(scene.sweeps(0, &made)[0].event.time, at(-500));
        scene.sweeps(60, &absent(noun));
        let events = scene.sweeps(120, &made);
        assert_eq!(verbs(&events), [Verb::Created], "{noun}");
        assert_eq!(events[0].event.time, at(120), "it was created long ago, and comes back now");
        assert!(!scene.belief().is_gone);
        assert_eq!(verbs(&scene.sweeps(180, &absent(noun))), [Verb::Removed]);
    }
}

#[test]
fn a_recording_or_content_that_comes_back_is_updated() {
    for noun in [Noun::Recording, Noun::Content] {
        let mut scene = Scene::new();
        scene.sweeps(0, &there(noun, "A"));
        scene.sweeps(60, &absent(noun));
        let events = scene.sweeps(120, &there(noun, "B"));
        assert_eq!(verbs(&events), [Verb::Updated], "{noun}");
        let title = json!({ "from": "A", "to": "B" });
        assert_eq!(events[0].changes, json!({ "title": title, "removed": { "from": true, "to": false } }));
    }
}

#[test]
fn a_recording_that_comes_back_finished_is_told_in_two_steps() {
    let mut scene = Scene::new();
    scene.sweeps(0, &recording(Phase::Recording));
    scene.sweeps(60, &absent(Noun::Recording));
    assert_eq!(verbs(&scene.sweeps(120, &recording(Phase::Available))), [Verb::Updated, Verb::Available]);
}

#[test]
fn what_was_never_there_is_not_removed() {
    for noun in REMOVABLE {
        assert!(Scene::new().sweeps(0, &absent(noun)).is_empty(), "{noun}");
    }
    let mut scene = Scene::new();
    scene.sweeps(0, &absent(Noun::Channel));
    assert_eq!(verbs(&scene.sweeps(60, &there(Noun::Channel, "A"))), [Verb::Created]);
    let mut scene = Scene::new();
    scene.sweeps(0, &absent(Noun::Content));
    assert_eq!(verbs(&scene.sweeps(60, &there(Noun::Content, "A"))), [Verb::Updated], "it came back");
}

#[test]
fn settings_and_keys_cannot_be_removed() {
    for noun in [Noun::Settings, Noun::StreamKey, Noun::Comment] {
        let mut scene = Scene::new();
        scene.sweeps(0, &there(noun, "A"));
        assert!(scene.sweeps(60, &absent(noun)).is_empty(), "{noun}");
        assert!(!scene.belief().is_gone);
    }
}

#[test]
fn a_broadcast_that_is_absent_has_ended() {
    let mut scene = Scene::new();
    scene.sweeps(0, &broadcast(Phase::Live));
    let mut absent = broadcast(Phase::Ended);
    absent.extra.set("reason", json!("absent"));
    let events = scene.sweeps(60, &absent);
    assert_eq!(verbs(&events), [Verb::Ended]);
    assert_eq!(events[0].event.time, at(60));
    assert_eq!(events[0].event.data["extra"], json!({ "reason": "absent" }));
}
