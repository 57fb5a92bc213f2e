//! Tricks, old copies, and values of odd types.

use std::collections::BTreeSet;

use super::*;
use crate::simulators::{Cache, drift::Drift};

fn distinct(keys: &[String]) -> usize {
    keys.iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn shuffled_pages_overlap_and_leave_gaps() {
    let mut world = world_with(30, Options::default());
    world.order(Trick::Shuffle, 3);
    let seen = sweep(&mut world, "/channels", "10");
    assert_eq!(seen.len(), 30);
    assert!(distinct(&seen) < 30);
    assert_eq!(distinct(&sweep(&mut world, "/channels", "10")), 30);
}

#[test]
fn a_row_that_moves_between_two_requests_is_missed_or_seen_twice() {
    let mut world = world_with(30, Options::default());
    world.order(Trick::MoveEarlier, 1);
    let seen = sweep(&mut world, "/channels", "10");
    assert_eq!((seen.len(), distinct(&seen)), (30, 29));
    assert_eq!(distinct(&sweep(&mut world, "/channels", "10")), 30);
    world.order(Trick::MoveLater, 1);
    let seen = sweep(&mut world, "/channels", "10");
    assert_eq!((seen.len(), distinct(&seen)), (30, 29));
    assert_eq!(seen[0], seen[29]);
}

#[test]
fn pages_come_twice_cut_short_or_without_end() {
    let mut world = world_with(30, Options::default());
    let page = |world: &mut World, number: &str| {
        read(world, "/channels", &[("order", "id_desc"), ("per_page", "10"), ("page", number)])
    };
    let first = page(&mut world, "1");
    world.order(Trick::RepeatPage, 1);
    let second = page(&mut world, "2");
    assert_eq!((keys(&first), second["meta"]["current_page"].as_u64()), (keys(&second), Some(2)));
    world.order(Trick::Truncate, 1);
    let cut = page(&mut world, "1");
    assert_eq!((keys(&cut).len(), cut["meta"]["total"].as_u64()), (5, Some(30)));
    world.order(Trick::Shorten, 1);
    let short = page(&mut world, "2");
    assert_eq!((keys(&short).len(), short["meta"]["total"].as_u64()), (5, Some(15)));
    world.order(Trick::EmptyPage, 1);
    let empty = page(&mut world, "1");
    assert_eq!((keys(&empty).len(), empty["meta"]["total"].as_u64()), (0, Some(30)));
    world.order(Trick::EmptyWorld, 1);
    let empty = page(&mut world, "1");
    assert_eq!((keys(&empty).len(), empty["meta"]["total"].as_u64()), (0, Some(0)));
    world.order(Trick::Endless, 2);
    for number in ["3", "1000"] {
        let endless = page(&mut world, number);
        assert_eq!(keys(&endless).len(), 10);
        assert!(endless["meta"]["last_page"].as_u64() > number.parse().ok());
    }
    assert_eq!(page(&mut world, "3")["meta"]["last_page"], 3);
}

#[test]
fn the_oldest_copy_of_an_answer_comes_back_on_order() {
    let mut world = world_with(1, Options::default());
    let channel = world.channel_keys().remove(0);
    let before = read(&mut world, "/channels", &[]);
    world.start(&channel, "Show");
    let after = read(&mut world, "/channels", &[]);
    world.order(Trick::OldCopy, 1);
    assert_eq!(read(&mut world, "/channels", &[]), before);
    assert_eq!(read(&mut world, "/channels", &[]), after);
}

#[test]
fn fields_appear_vanish_and_change_on_order() {
    let mut world = world_with(2, Options::default());
    let channel = world.channel_keys().remove(0);
    world.start(&channel, "Show");
    let drifts = [
        Drift::Unknown,
        Drift::Renamed("title", "name"),
        Drift::Retyped("started_at"),
        Drift::Null("created_at"),
    ];
    drifts.iter().for_each(|drift| world.order(Trick::Drift(*drift), 2));
    for path in ["/channels".to_owned(), format!("/channels/{channel}")] {
        let answer = read(&mut world, &path, &[]);
        let row = if path == "/channels" { &answer["data"][0] } else { &answer["data"] };
        assert!(row["brand_new"].is_object());
        assert_eq!((row.get("title"), row["name"].as_str()), (None, Some("Channel 0")));
        assert!(row["latest_broadcast"]["started_at"].is_object());
        assert_eq!(row.get("created_at"), Some(&Value::Null));
    }
    assert!(read(&mut world, "/channels", &[])["data"][0]["title"].is_string());
}

#[test]
fn caches_give_old_answers_but_none_older_than_they_may_be() {
    let cache = Cache { age: SignedDuration::from_secs(30), share: 50 };
    let mut world = world_with(1, Options { cache: Some(cache), ..Options::default() });
    let channel = world.channel_keys().remove(0);
    read(&mut world, "/channels", &[]);
    world.start(&channel, "Show");
    let is_old = |world: &mut World| read(world, "/channels", &[])["data"][0]["latest_broadcast"].is_null();
    let answers: Vec<bool> = (0..14).map(|_| is_old(&mut world)).collect();
    assert!(answers.contains(&true) && answers.contains(&false), "{answers:?}");
    // The old one goes away although newer ones came between.
    let end = later(&world, 10);
    world.advance(end);
    assert!(!(0..20).any(|_| is_old(&mut world)));
}

#[test]
fn scalars_and_empties_come_in_every_way_that_php_has() {
    let mut world = world_with(100, Options { mixes_scalars: true, empty: Empty::Any, ..Options::default() });
    let page = read(&mut world, "/channels", &[("per_page", "100")]);
    let of = |field: &str| {
        let rows = page["data"].as_array().unwrap();
        rows.iter().map(|row| row[field].to_string()).collect::<BTreeSet<_>>()
    };
    let expected = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(of("is_shared"), expected(&["true", "1", "\"1\"", "\"true\""]));
    assert_eq!(of("use_chatting_service"), expected(&["false", "0", "\"0\"", "\"false\""]));
    assert_eq!(of("latest_broadcast"), expected(&["{}", "[]", "null"]));
    let totals: BTreeSet<String> =
        (0..20).map(|_| read(&mut world, "/channels", &[])["meta"]["total"].to_string()).collect();
    assert_eq!(totals, expected(&["100", "100.0", "\"100\""]));
}

#[test]
fn a_broadcast_says_its_channel_in_one_of_three_ways() {
    for (channel_of, field) in [
        (ChannelOf::Key, Some("channel_key")),
        (ChannelOf::Object, Some("channel")),
        (ChannelOf::Unsaid, None),
    ] {
        let mut world = world_with(1, Options { channel_of, escapes: true, ..Options::default() });
        let channel = world.channel_keys().remove(0);
        let key = world.start(&channel, "공연/1").unwrap();
        let response = ask(&mut world, &format!("/broadcasts/{key}"), &[]);
        let text = String::from_utf8(response.body).unwrap();
        assert!(text.is_ascii() && text.contains("\\uacf5\\uc5f0\\/1"));
        let row = serde_json::from_str::<Value>(&text).unwrap()["data"].take();
        assert_eq!((row["key"].as_str(), row["title"].as_str()), (Some(&*key), Some("공연/1")));
        let said: Vec<_> =
            ["channel_key", "channel"].into_iter().filter(|it| row.get(it).is_some()).collect();
        assert_eq!(said, Vec::from_iter(field));
        let listed = read(&mut world, &format!("/channels/{channel}/broadcasts"), &[]);
        assert_eq!(listed["data"][0], row);
    }
}
