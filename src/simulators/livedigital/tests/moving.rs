//! The verbs, what they write down, and what they send.

use super::*;
use crate::simulators::postbox::Delivery;

fn verbs(world: &World) -> Vec<String> {
    world
        .journal()
        .iter()
        .map(|it| format!("{} {}", it.subject.split('/').next().unwrap(), it.verb))
        .collect()
}

fn events(world: &mut World) -> Vec<String> {
    let name = |push: Push| {
        let body: Value = serde_json::from_slice(&push.body).unwrap();
        body["body"]["eventName"].as_str().unwrap().to_owned()
    };
    world.take_pushes().into_iter().map(name).collect()
}

/// The two vectors of the documentation.
#[test]
fn signatures_are_those_of_the_documented_way() {
    let secret = &Options::default().webhook_secret;
    let finished = r#"{"eventName":"record_finished","roomId":"64a1f0c2b7e4d90012ab34cd","spaceId":"64a1efb0b7e4d90012ab34aa","recordId":"64a1f6d3b7e4d90012ab3500"}"#;
    assert_eq!(sign(secret, finished), "d0445fae1878303fd3882ee39cc196b414c337b83637fc31de260c339f5c60e6");
    let started = r#"{"eventName":"call_started","roomId":"64a1f0c2b7e4d90012ab34cd","spaceId":"64a1efb0b7e4d90012ab34aa"}"#;
    assert_eq!(sign(secret, started), "26495e72ee71d723b0e06ed4076512837bf1d01bd0c15be920e0b12f66691e64");
}

#[test]
fn a_webhook_is_the_documented_document() {
    let (mut world, space) = world_with(1, Options::default());
    let room = world.room_ids(&space).remove(0);
    world.start_call(&room);
    let record = world.start_record(&room).unwrap();
    let pushes = world.take_pushes();
    assert!(pushes.iter().all(|push| push.callback == "webhook" && push.content_type == "application/json"));
    let body = format!(
        r#"{{"eventName":"record_started","roomId":"{room}","spaceId":"{space}","recordId":"{record}"}}"#
    );
    let signature = sign("example-webhook-secret-0001", &body);
    let whole = format!(r#"{{"signature":"{signature}","body":{body}}}"#);
    assert_eq!(String::from_utf8(pushes[1].body.clone()).unwrap(), whole);
}

#[test]
fn journal_webhooks_and_answers_tell_the_same_story() {
    let (mut world, space) = world_with(1, Options { tells_record_states: true, ..Options::default() });
    let room = world.room_ids(&space).remove(0);
    assert!(world.start_record(&room).is_none());
    let call = world.start_call(&room).unwrap();
    assert_eq!(world.live_call(&room), Some(call.as_str()));
    assert!(world.start_call(&room).is_none());
    let path = format!("/v1/spaces/{space}/rooms/{room}");
    assert_eq!(read(&mut world, &path, &[])["lastCallAt"], "2025-01-20T10:00:00.000Z");
    let failing = world.start_record(&room).unwrap();
    assert!(world.fail_record(&failing) && !world.finish_record(&failing));
    let aborted = world.start_record(&room).unwrap();
    assert!(world.abort_record(&aborted));
    let good = world.start_record(&room).unwrap();
    // What runs is finished with the call.
    assert!(world.finish_call(&room, 2, 1) && !world.finish_call(&room, 2, 1));
    assert!(world.rename_record(&good, "Harvest") && world.remove_record(&aborted));
    assert_eq!(world.record_ids(&room), [failing, good]);
    assert!(world.change_room(&room, &RoomChange::Flag("isChatAllowed", false)));
    assert!(!world.change_room(&room, &RoomChange::Flag("isChatAllowed", false)));
    assert!(!world.change_room(&room, &RoomChange::Flag("isUnheardOf", false)));
    assert_eq!(read(&mut world, &path, &[])["isChatAllowed"], false);
    world.fidget(&room);
    assert!(world.rename_space(&space, "Team") && world.remove_space(&space) && !world.remove_space(&space));
    assert_eq!(read(&mut world, "/v1/spaces", &[])["items"], json!([]));
    assert_eq!(
        verbs(&world),
        [
            "space created",
            "channel created",
            "broadcast started",
            "recording started",
            "recording failed",
            "recording started",
            "recording aborted",
            "recording started",
            "recording available",
            "broadcast ended",
            "recording updated",
            "recording removed",
            "channel updated",
            "space updated",
            "channel removed",
            "space removed",
        ]
    );
    assert_eq!(
        events(&mut world),
        [
            "call_started",
            "record_started",
            "record_failed",
            "record_started",
            "record_aborted",
            "record_started",
            "record_finished",
            "call_finished",
        ]
    );
    assert!(events(&mut world).is_empty());
}

#[test]
fn nothing_is_sent_without_an_active_webhook_and_what_nobody_can_know_is_not_told() {
    let fail = |delivery: Delivery, is_active: bool| {
        let (mut world, space) = world_with(1, Options { delivery, ..Options::default() });
        world.set_webhook(&space, Some("https://hooks.example/livedigital"), is_active);
        let room = world.room_ids(&space).remove(0);
        world.start_call(&room);
        let record = world.start_record(&room).unwrap();
        world.fail_record(&record);
        (
            events(&mut world).len(),
            world.lost_pushes(),
            verbs(&world).contains(&"recording failed".to_owned()),
        )
    };
    assert_eq!(fail(Delivery::default(), true), (3, 0, true));
    assert_eq!(fail(Delivery::default(), false), (0, 0, false));
    assert_eq!(fail(Delivery { lost: 100, ..Delivery::default() }, true), (0, 3, false));
}

#[test]
fn what_happens_by_chance_is_the_same_for_the_same_seed_and_ends_consistent() {
    let play = |seed| {
        let mut world = World::new(Options { seed, ..Options::default() });
        let mut dice = Dice::new(seed);
        for second in 0..1_500 {
            world.advance(Options::default().begins_at + SignedDuration::from_secs(second));
            world.play(&mut dice);
        }
        world
    };
    let mut world = play(5);
    assert_eq!(world.journal(), play(5).journal());
    assert_ne!(world.journal(), play(6).journal());
    for noun_and_verb in [
        "space created",
        "space updated",
        "channel created",
        "channel updated",
        "channel removed",
        "broadcast started",
        "broadcast ended",
        "recording started",
        "recording available",
        "recording updated",
        "recording removed",
    ] {
        assert!(verbs(&world).iter().any(|told| told == noun_and_verb), "{noun_and_verb} never happened");
    }
    let spaces = world.space_ids();
    assert_eq!(ids(&read(&mut world, "/v1/spaces", &[])), spaces);
    for space in spaces {
        let rooms = world.room_ids(&space);
        assert_eq!(ids(&read(&mut world, &format!("/v1/spaces/{space}/rooms"), &[])), rooms);
        for room in rooms {
            let records = world.record_ids(&room);
            let path = format!("/v1/spaces/{space}/rooms/{room}/records");
            assert_eq!(ids(&read(&mut world, &path, &[])), records);
        }
    }
}

#[test]
fn the_demo_tells_its_story_from_the_moment_somebody_looks() {
    let mut world = World::demo();
    let begin: Timestamp = "2026-01-14T04:30:00Z".parse().unwrap();
    world.advance(begin);
    assert_eq!(verbs(&world).len(), 3);
    world.advance(begin + SignedDuration::from_secs(12));
    assert_eq!(
        verbs(&world)[3..],
        [
            "broadcast started",
            "recording started",
            "channel updated",
            "recording available",
            "broadcast ended"
        ]
    );
    assert_eq!(world.journal()[3].at, begin + SignedDuration::from_secs(1));
    assert_eq!(events(&mut world), ["call_started", "record_started", "record_finished", "call_finished"]);
}
