use std::time::Instant;

use serde_json::{Value, json};

use super::*;
use crate::simulators::Manner;

mod authorising;
mod misleading;
mod moving;

const BASE: &str = "/api/v1/live/service-accounts/acme";

fn request(path: &str, query: &[(&str, &str)]) -> Request {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request {
        method: "GET".to_owned(),
        path: format!("{BASE}{path}"),
        query: query.iter().map(own).collect(),
        headers: [("authorization", "Bearer example-kollus-access"), ("accept", "application/json")]
            .iter()
            .map(own)
            .collect(),
        body: Vec::new(),
    }
}

fn later(world: &World, seconds: i64) -> Timestamp {
    world.now + SignedDuration::from_secs(seconds)
}

/// Asks two seconds after whatever was last.
fn ask(world: &mut World, path: &str, query: &[(&str, &str)]) -> Response {
    let now = later(world, 2);
    world.answer(&request(path, query), now)
}

fn read(world: &mut World, path: &str, query: &[(&str, &str)]) -> Value {
    let response = ask(world, path, query);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    serde_json::from_slice(&response.body).unwrap()
}

fn keys(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap();
    rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
}

/// Every key of a list, page by page, as often as it is seen.
fn sweep(world: &mut World, path: &str, per_page: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for page in 1.. {
        let page = page.to_string();
        let answer = read(world, path, &[("order", "id_desc"), ("per_page", per_page), ("page", &page)]);
        seen.extend(keys(&answer));
        if answer["meta"]["current_page"].as_u64() >= answer["meta"]["last_page"].as_u64() {
            break;
        }
    }
    seen
}

fn world_with(channels: usize, options: Options) -> World {
    let mut world = World::new(options);
    for number in 0..channels {
        world.add_channel(&format!("Channel {number}"));
    }
    world
}

#[test]
fn a_channel_comes_in_the_documented_shape() {
    let mut world = world_with(1, Options::default());
    let key = world.channel_keys().remove(0);
    world.advance("2026-01-14T04:30:11Z".parse().unwrap());
    world.start(&key, "Morning show").unwrap();
    let page = read(&mut world, "/channels", &[("order", "id_desc"), ("per_page", "100")]);
    let expected = json!({
        "key": key, "title": "Channel 0", "is_shared": true, "use_chatting_service": false,
        "media_player_policy": { "type": "force_exclusive_player", "value": "1" },
        "idle_screen_url": "https://img.example.com/a.jpg", "created_at": "2025-03-02T01:00:00+00:00",
        "latest_broadcast": {
            "is_onair": true, "started_at": "2026-01-14T04:30:11+00:00", "paused_at": null, "ended_at": null
        },
    });
    assert_eq!(page["data"], json!([expected]));
    for (member, value) in [("current_page", 1), ("last_page", 1), ("per_page", 100), ("total", 1)] {
        assert_eq!(page["meta"][member], value, "{member}");
    }
    assert_eq!(page["links"]["next"], Value::Null);
    assert_eq!(read(&mut world, &format!("/channels/{key}"), &[]), json!({ "data": expected }));
}

#[test]
fn pages_cover_a_world_that_stands_still() {
    let mut world = world_with(23, Options::default());
    let seen = sweep(&mut world, "/channels", "10");
    assert_eq!(seen, world.channel_keys().into_iter().rev().collect::<Vec<_>>());
    let behind = read(&mut world, "/channels", &[("per_page", "10"), ("page", "4")]);
    assert_eq!((behind["data"].clone(), behind["meta"]["from"].clone()), (json!([]), Value::Null));
}

#[test]
fn too_long_pages_get_shorter_or_are_refused() {
    let mut world = world_with(5, Options { per_page: PerPage::Lowered(2), ..Options::default() });
    let page = read(&mut world, "/channels", &[("per_page", "100")]);
    assert_eq!((keys(&page).len(), page["meta"]["per_page"].as_u64()), (2, Some(2)));
    world.options().per_page = PerPage::Refused(2);
    let refusal = ask(&mut world, "/channels", &[("per_page", "100")]);
    let body: Value = serde_json::from_slice(&refusal.body).unwrap();
    assert_eq!((refusal.status, body["errors"]["per_page"].is_array()), (422, true));
}

#[test]
fn broadcasts_are_found_from_their_start_up_to_but_not_at_the_end_asked_for() {
    let mut world = world_with(1, Options::default());
    let channel = world.channel_keys().remove(0);
    world.advance("2026-01-14T00:00:00Z".parse().unwrap());
    let key = world.start(&channel, "Show").unwrap();
    assert!(key.starts_with("20260114-") && key.len() == 17);
    let mut found = |start: &str, end: &str| {
        let page = read(&mut world, "/broadcasts", &[("start_date", start), ("end_date", end)]);
        !keys(&page).is_empty()
    };
    assert!(found("2026-01-14", "2026-01-15"));
    assert!(found("2026-01-14T09:00:00+09:00", "2026-01-14T00:00:01+00:00"));
    assert!(!found("2026-01-13", "2026-01-14"));
    assert!(!found("2026-01-14T00:00:01+00:00", "2027-01-01"));
    let refusal = ask(&mut world, "/broadcasts", &[("start_date", "2026-01-14T00:00:00 00:00")]);
    assert_eq!(refusal.status, 422, "a plus that was not encoded");
}

#[test]
fn refusals_have_the_bodies_of_the_framework() {
    let mut world = world_with(1, Options::default());
    let message = |response: &Response| {
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        (response.status, body["message"].as_str().unwrap().to_owned())
    };
    let now = later(&world, 10);
    let unknown = Request { headers: Vec::new(), ..request("/channels", &[]) };
    assert_eq!(message(&world.answer(&unknown, now)), (401, "Unauthenticated.".to_owned()));
    assert_eq!(ask(&mut world, "/channels/none", &[]).status, 404);
    assert_eq!(ask(&mut world, "/nowhere", &[]).status, 404);
    assert_eq!(ask(&mut world, "/channels", &[("order", "name")]).status, 422);
    let now = later(&world, 10);
    let short = Request { path: "/api/v1/live/acme/channels".to_owned(), ..request("", &[]) };
    assert_eq!(world.answer(&short, now).status, 404);
    world.options().base = BasePath::Both;
    let now = later(&world, 10);
    assert_eq!(world.answer(&short, now).status, 200);
    world.options().has_scope = false;
    let refusal = ask(&mut world, "/channels", &[]);
    assert_eq!(message(&refusal), (403, "Invalid scope(s) provided.".to_owned()));
    assert!(world.violations().is_empty());
}

#[test]
fn whoever_accepts_no_json_gets_a_login_page_if_the_world_is_so() {
    let mut world = world_with(1, Options { login_page_without_accept: true, ..Options::default() });
    let mut without = request("/channels", &[]);
    without.headers.retain(|(name, _)| name != "accept");
    let now = later(&world, 10);
    let response = world.answer(&without, now);
    assert_eq!(response.status, 200);
    assert!(response.headers[0].1.starts_with("text/html"));
    read(&mut world, "/channels", &[]);
}

#[test]
fn requests_that_come_too_early_are_refused_and_counted() {
    let mut world = world_with(1, Options::default());
    let begin = later(&world, 10);
    let at = |ms: i64| begin + SignedDuration::from_millis(ms);
    let channels = request("/channels", &[]);
    assert_eq!(world.answer(&channels, at(0)).status, 200);
    let early = world.answer(&channels, at(999));
    assert_eq!(early.status, 429);
    assert!(early.headers.contains(&("retry-after".to_owned(), "1".to_owned())));
    assert_eq!(world.answer(&channels, at(2_000)).status, 200);
    assert_eq!(world.violations().len(), 1);
}

#[test]
fn the_sixty_first_request_within_a_minute_is_refused() {
    let mut world = world_with(1, Options::default());
    // The minute ends with the last of these, and so it holds one more than the gap alone would let through.
    world.limits = Limits::new(SignedDuration::from_millis(500), PER_MINUTE);
    let begin = later(&world, 10);
    let at = |number: i64| begin + SignedDuration::from_millis(number * 900);
    let channels = request("/channels", &[]);
    let statuses: Vec<u16> = (0..61).map(|number| world.answer(&channels, at(number)).status).collect();
    assert!(statuses[..60].iter().all(|status| *status == 200));
    let refused = world.answer(&channels, at(62));
    assert_eq!((statuses[60], refused.status, world.violations().len()), (429, 429, 2));
    let retry_after = refused.headers.iter().find(|(name, _)| name == "retry-after").unwrap();
    assert_eq!(retry_after.1, "5", "the first of them leaves the minute then");
}

#[test]
fn writing_is_refused_and_reported() {
    let mut world = world_with(1, Options::default());
    let path = format!("/channels/{}", world.channel_keys()[0]);
    let delete = Request { method: "DELETE".to_owned(), ..request(&path, &[]) };
    let now = later(&world, 10);
    assert_eq!((world.answer(&delete, now).status, world.violations().len()), (403, 1));
}

#[test]
fn faults_spoil_the_right_answer_once_each() {
    let mut world = world_with(1, Options::default());
    world.faults().extend([Fault::Status(503, Some("7".to_owned())), Fault::Cut]);
    assert_eq!(ask(&mut world, "/channels", &[]).status, 503);
    let cut = ask(&mut world, "/channels", &[]);
    assert_eq!((cut.status, cut.manner), (200, Manner::Cut));
    assert_eq!(ask(&mut world, "/channels", &[]).manner, Manner::Whole);
}

/// Ten thousand worlds have to be asked within a test.
#[test]
fn a_page_of_a_hundred_channels_costs_next_to_nothing() {
    let mut world = world_with(100, Options::default());
    let query = [("order", "id_desc"), ("per_page", "100")];
    ask(&mut world, "/channels", &query);
    let fastest = (0..100).map(|_| {
        let begin = Instant::now();
        assert_eq!(ask(&mut world, "/channels", &query).status, 200);
        begin.elapsed()
    });
    // The machine may be busy with other things, but not all the time.
    let fastest = fastest.min().unwrap();
    assert!(fastest.as_micros() < 1_000, "{fastest:?}");
}
