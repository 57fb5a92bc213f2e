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

fn forms(pushes: &[Push]) -> Vec<Vec<(String, String)>> {
    pushes.iter().map(|push| url::form_urlencoded::parse(&push.body).into_owned().collect()).collect()
}

fn states(pushes: &[Push]) -> Vec<String> {
    let of_form =
        |form: &Vec<(String, String)>| form.iter().find(|(name, _)| name.ends_with("cast_state")).cloned();
    forms(pushes).iter().filter_map(of_form).map(|(_, state)| state).collect()
}

#[test]
fn journal_callbacks_and_answers_tell_the_same_story() {
    let mut world = world_with(1, Options { latest_has_key: true, ..Options::default() });
    let channel = world.channel_keys().remove(0);
    let key = world.start(&channel, "Show").unwrap();
    assert!(world.start(&channel, "Another").is_none() && !world.resume(&channel));
    let latest = |world: &mut World| {
        let mut channel = read(world, "/channels", &[])["data"][0].take();
        channel["latest_broadcast"].take()
    };
    assert_eq!(latest(&mut world)["key"], key.as_str());
    assert!(world.pause(&channel) && !world.pause(&channel));
    let paused = latest(&mut world);
    assert!(paused["paused_at"].is_string() && paused["is_onair"] == false);
    assert!(world.resume(&channel));
    assert_eq!(latest(&mut world)["paused_at"], Value::Null);
    assert!(world.rename_broadcast(&key, "공연") && !world.rename_broadcast(&key, "공연"));
    assert_eq!(latest(&mut world)["title"], "공연");
    assert!(world.stop(&channel) && !world.stop(&channel));
    let ended = latest(&mut world);
    assert!(ended["ended_at"].is_string() && ended["is_onair"] == false);
    assert!(world.rename_channel(&channel, "Hall"));
    assert!(world.trash_channel(&channel) && !world.trash_channel(&channel));
    assert_eq!(read(&mut world, "/channels", &[("trashed", "0")])["data"], json!([]));
    assert_eq!(ask(&mut world, &format!("/channels/{channel}"), &[]).status, 404);
    assert_eq!(
        verbs(&world),
        [
            "channel created",
            "broadcast started",
            "broadcast paused",
            "broadcast resumed",
            "broadcast updated",
            "broadcast ended",
            "channel updated",
            "channel removed"
        ]
    );
    let pushes = world.take_pushes();
    assert_eq!(states(&pushes), ["start", "pause", "resume", "stop"]);
    assert!(pushes.iter().all(|push| push.callback == "live-state"));
    assert!(world.take_pushes().is_empty());
}

#[test]
fn the_state_callback_is_the_documented_form() {
    let mut world = world_with(1, Options { misspelt: 100, ..Options::default() });
    let channel = world.channel_keys().remove(0);
    let key = world.start(&channel, "Show").unwrap();
    let stream_key = world.channels[0].stream_key.clone();
    let body = String::from_utf8(world.take_pushes().remove(0).body).unwrap();
    assert_eq!(
        body,
        format!(
            "version=2018-11-01&service_account_key=acme&channel_key={channel}&stream_key={stream_key}\
             &broadcast_key={key}&braoadcast_state=start"
        )
    );
    assert_eq!(body.len(), 147, "one letter more than the documented sample");
}

#[test]
fn the_recording_callback_is_the_documented_form() {
    let mut world = world_with(1, Options::default());
    let channel = world.channel_keys().remove(0);
    world.advance("2026-01-14T04:30:11.069Z".parse().unwrap());
    let key = world.start(&channel, "Show").unwrap();
    let id = world.transfer_recording(&key, true).unwrap();
    world.transfer_recording(&key, false).unwrap();
    let pushes = world.take_pushes();
    let forms = forms(&pushes[1..]);
    let field = |form: usize, name: &str| {
        forms[form].iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    assert_eq!(field(0, "recording_file_id"), Some(id.clone()));
    assert_eq!(
        field(0, "recording_file_filename"),
        Some(format!("/acme/{channel}/{key}/segment/20260114043011069_2026-01-14-04.30.11.069-UTC_0.mp4"))
    );
    assert_eq!(field(0, "target_filename"), Some(format!("{channel}-acme_ch-2026-01-14.mp4")));
    assert_eq!((field(0, "recording_file_transfer_result"), forms[0].len()), (Some("1".to_owned()), 10));
    assert_eq!((field(1, "recording_file_transfer_result"), forms[1].len()), (Some("0".to_owned()), 9));
    assert_eq!(world.journal()[2].subject, format!("recording/{id}"));
    assert_eq!((world.journal()[2].verb, world.journal()[3].verb), ("available", "failed"));
}

#[test]
fn callbacks_are_lost_late_or_doubled_on_order() {
    let play = |delivery: Delivery| {
        let mut world = world_with(1, Options { delivery, ..Options::default() });
        let channel = world.channel_keys().remove(0);
        let broadcast = world.start(&channel, "Show").unwrap();
        world.transfer_recording(&broadcast, true);
        let at_once = world.take_pushes().len();
        let end = later(&world, 300);
        world.advance(end);
        (at_once, world.take_pushes().len(), world.lost_pushes(), world.journal().len())
    };
    let delay = SignedDuration::from_mins(5);
    assert_eq!(play(Delivery::default()), (2, 0, 0, 3));
    // Nobody can know of a file whose callback was lost.
    assert_eq!(play(Delivery { lost: 100, ..Delivery::default() }), (0, 0, 2, 2));
    assert_eq!(play(Delivery { late: 100, delay, ..Delivery::default() }), (0, 2, 0, 3));
    assert_eq!(play(Delivery { twice: 100, delay, ..Delivery::default() }), (2, 2, 0, 3));
}

#[test]
fn what_happens_by_chance_is_the_same_for_the_same_seed_and_ends_consistent() {
    let play = |seed| {
        let mut world = World::new(Options { seed, ..Options::default() });
        let mut dice = Dice::new(seed);
        for second in 0..400 {
            world.advance(Options::default().begins_at + SignedDuration::from_secs(second));
            world.play(&mut dice);
        }
        world
    };
    let mut world = play(5);
    assert_eq!(world.journal(), play(5).journal());
    assert_ne!(world.journal(), play(6).journal());
    for verb in ["started", "paused", "resumed", "ended", "updated", "removed", "created", "available"] {
        assert!(world.journal().iter().any(|transition| transition.verb == verb), "{verb} never happened");
    }
    let mut told = world.channel_keys();
    told.reverse();
    assert_eq!(sweep(&mut world, "/channels", "7"), told);
    let broadcasts = world.broadcasts.len();
    assert_eq!(sweep(&mut world, "/broadcasts", "50").len(), broadcasts);
}

#[test]
fn the_demo_tells_its_story_from_the_moment_somebody_looks() {
    let mut world = World::demo();
    let begin: Timestamp = "2026-01-14T04:30:00Z".parse().unwrap();
    world.advance(begin);
    assert_eq!(verbs(&world), ["channel created", "channel created"]);
    world.advance(begin + SignedDuration::from_secs(12));
    assert_eq!(
        verbs(&world)[2..],
        [
            "broadcast started",
            "broadcast updated",
            "broadcast paused",
            "broadcast resumed",
            "broadcast ended",
            "recording available"
        ]
    );
    assert_eq!(world.journal()[2].at, begin + SignedDuration::from_secs(1));
}
