//! What the API says, and how it can mislead.

use std::{collections::BTreeSet, time::Instant};

use super::*;
use crate::simulators::drift::Drift;

#[test]
fn spaces_and_rooms_come_in_the_documented_shape() {
    let (mut world, space) = world_with(1, Options::default());
    let room = world.room_ids(&space).remove(0);
    let expected = json!({ "items": [{
        "id": space, "name": "Some test space",
        "description": "Space where my team will have all future calls",
        "logo": "https://server.example/logo.png", "isPublic": true,
    }], "total": 1 });
    for path in ["/v1/spaces", "/v1/spaces/", "/v1//spaces"] {
        assert_eq!(read(&mut world, path, &[]), expected, "{path}");
    }
    let rooms = read(&mut world, &format!("/v1/spaces/{space}/rooms"), &[]);
    let row = &rooms["items"][0];
    let documented = [
        "id",
        "appId",
        "channelId",
        "alias",
        "name",
        "isPublic",
        "spaceId",
        "isChatAllowed",
        "isFavorite",
        "isRecordAllowed",
        "isScreensharingAllowed",
        "isAutoRecordingAllowed",
        "isMicrophonePublishingAllowed",
        "isScreenMediaPublishingAllowed",
        "isCameraPublishingAllowed",
        "isAvatarsAllowed",
        "isSelfRenamingAllowed",
        "isHandRaisingAllowed",
        "isRemoteDrawingAllowed",
        "type",
        "waitingRoomAudience",
        "breakoutRooms",
        "joinSettings",
        "lastCallAt",
        "createdAt",
        "roleInRoom",
        "redirectUrl",
    ];
    let fields: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(documented));
    assert_eq!(
        row["breakoutRooms"],
        json!({ "status": "enabled", "session": { "status": "ready", "startedAt": null } })
    );
    assert_eq!(row["joinSettings"]["fields"][0]["slug"], "email");
    assert_eq!((row["createdAt"].as_str(), room.len()), (Some("2025-01-20T10:00:00.000Z"), 24));
    assert_eq!(&read(&mut world, &format!("/v1/spaces/{space}/rooms/{room}"), &[]), row);
    let by_alias = format!("/v1/spaces/room-by-alias/{}", row["alias"].as_str().unwrap());
    assert_eq!(&read(&mut world, &by_alias, &[]), row);
    assert_eq!(read(&mut world, "/v1/users/me", &[])["email"], "user@example.test");
    let meetings = json!({ "spaceId": space, "roomId": room });
    assert_eq!(read(&mut world, "/v1/users/me/settings/meetings", &[]), meetings);
}

#[test]
fn calls_are_found_by_the_day_on_which_they_began() {
    let (mut world, space) = world_with(1, Options { zone_hours: 3, ..Options::default() });
    let room = world.room_ids(&space).remove(0);
    world.advance("2025-01-20T21:30:00Z".parse().unwrap());
    let call = world.start_call(&room).unwrap();
    let path = format!("/v1/spaces/{space}/analytics/calls");
    let calls = |world: &mut World, date: &str| read(world, &path, &[("roomId", &room), ("date", date)]);
    assert_eq!(ids(&calls(&mut world, "2025-01-20")), Vec::<String>::new());
    assert_eq!(ids(&calls(&mut world, "2025-01-20T12:00:00Z")), Vec::<String>::new());
    let live = calls(&mut world, "2025-01-21");
    assert_eq!(
        (live["items"][0]["active"].as_bool(), &live["items"][0]["finishedAt"]),
        (Some(true), &Value::Null)
    );
    world.options().shows_active_calls = false;
    assert_eq!(ids(&calls(&mut world, "2025-01-21")), Vec::<String>::new());
    world.finish_call(&room, 12, 9);
    let expected = json!([{
        "id": call, "active": false, "roomId": room, "participantsCount": 0, "isBreakoutRoom": false,
        "planAlias": "business", "roomType": "lesson", "totalParticipantsCount": 12,
        "uniqueParticipantsCount": 9, "startedAt": "2025-01-20T21:30:00.000Z",
        "finishedAt": "2025-01-20T21:30:08.000Z",
    }]);
    assert_eq!(calls(&mut world, "2025-01-21")["items"], expected);
    world.options().zone_hours = 0;
    assert_eq!(calls(&mut world, "2025-01-20")["items"], expected);
    assert_eq!(ask(&mut world, &path, &[("roomId", &room)]).status, 422);
    assert_eq!(ask(&mut world, &path, &[("date", "2025-01-20")]).status, 422);
    world.options().has_analytics = false;
    assert_eq!(ask(&mut world, &path, &[("roomId", &room), ("date", "2025-01-20")]).status, 403);
}

#[test]
fn records_are_found_by_when_they_were_made() {
    let (mut world, space) = world_with(1, Options { unfinished: Unfinished::Null, ..Options::default() });
    let room = world.room_ids(&space).remove(0);
    let call = world.start_call(&room).unwrap();
    world.advance("2025-01-20T10:00:59.369Z".parse().unwrap());
    let record = world.start_record(&room).unwrap();
    let path = format!("/v1/spaces/{space}/rooms/{room}/records");
    let mut row = read(&mut world, &path, &[])["items"][0].take();
    assert_eq!((row["fileSize"].take(), row["finishedAt"].take()), (Value::Null, Value::Null));
    world.finish_record(&record);
    let mut row = read(&mut world, &path, &[])["items"][0].take();
    assert!(row["fileSize"].take().as_u64() > Some(0));
    let expected = json!({
        "id": record, "name": "Room 0", "fileSize": null, "roomId": room, "spaceId": space, "callId": call,
        "state": "new", "createdAt": "2025-01-20T10:00:59.369Z", "startedAt": "2025-01-20T10:00:59.369Z",
        "finishedAt": "2025-01-20T10:01:01.369Z",
    });
    assert_eq!(row, expected);
    let mut between =
        |from: &str, to: &str| ids(&read(&mut world, &path, &[("dateFrom", from), ("dateTo", to)])).len();
    assert_eq!(between("2025-01-20T10:00:59.369Z", "2025-01-21"), 1);
    assert_eq!(between("2025-01-20T10:00:59.370Z", "2025-01-21"), 0);
    assert_eq!(between("2025-01-19", "2025-01-20T10:00:59.369Z"), 0);
    assert_eq!(ask(&mut world, &path, &[("dateFrom", "yesterday")]).status, 422);
}

#[test]
fn records_before_their_end_look_as_the_world_has_it() {
    let shape = |options: Options| {
        let (mut world, space) = world_with(1, options);
        let room = world.room_ids(&space).remove(0);
        world.start_call(&room);
        let record = world.start_record(&room).unwrap();
        let path = format!("/v1/spaces/{space}/rooms/{room}/records");
        let running = read(&mut world, &path, &[])["items"][0].take();
        world.fail_record(&record);
        let failed = read(&mut world, &path, &[])["items"][0].take();
        (running.get("fileSize").cloned(), running.get("finishedAt").cloned(), failed["state"].clone())
    };
    let with = |unfinished| Options { unfinished, ..Options::default() };
    assert_eq!(shape(with(Unfinished::Missing)), (None, None, json!("new")));
    assert_eq!(shape(with(Unfinished::Null)), (Some(Value::Null), Some(Value::Null), json!("new")));
    let (size, end, state) = shape(Options { tells_record_states: true, ..with(Unfinished::Growing) });
    assert!(size.unwrap().as_u64() > Some(0));
    assert_eq!((end, state), (Some(Value::Null), json!("failed")));
}

#[test]
fn the_address_of_a_file_comes_in_three_ways() {
    let (mut world, space) = world_with(1, Options::default());
    let room = world.room_ids(&space).remove(0);
    world.start_call(&room);
    let record = world.start_record(&room).unwrap();
    let path = format!("/v1/spaces/{space}/rooms/{room}/records/download/{record}");
    let text = String::from_utf8(ask(&mut world, &path, &[]).body).unwrap();
    assert!(text.starts_with("https://storage.example/"));
    world.options().download = Download::Json;
    assert!(read(&mut world, &path, &[]).is_string());
    world.options().download = Download::Redirect;
    let redirect = ask(&mut world, &path, &[]);
    assert!(redirect.status == 302 && redirect.headers.iter().any(|(name, _)| name == "location"));
}

#[test]
fn refusals_come_in_every_shape() {
    let (mut world, space) = world_with(1, Options::default());
    let room = world.room_ids(&space).remove(0);
    let rooms = format!("/v1/spaces/{space}/rooms/{room}");
    let as_client = |world: &mut World, path: &str| {
        let mut request = request(path, &[]);
        request.headers[0].1 = "Bearer example-livedigital-client".to_owned();
        let now = later(world, 2);
        world.answer(&request, now)
    };
    let forbidden = as_client(&mut world, "/v1/spaces");
    let body: Value = serde_json::from_slice(&forbidden.body).unwrap();
    let documented = json!({ "message": "Данный метод запрещен для пользователя", "code": "forbidden" });
    assert_eq!((forbidden.status, body), (403, documented));
    assert_eq!(as_client(&mut world, &rooms).status, 200);
    world.change_room(&room, &RoomChange::Public(false));
    assert_eq!(as_client(&mut world, &rooms).status, 403);
    let mut nobody = request("/v1/spaces", &[]);
    nobody.headers.clear();
    let now = later(&world, 2);
    assert_eq!(world.answer(&nobody, now).status, 401);
    for (refusal, body) in [
        (Refusal::Nulls, "{\"message\":null,\"code\":null}"),
        (Refusal::Empty, "{}"),
        (Refusal::Text, "Объект не найден"),
    ] {
        world.options().refusal = refusal;
        let unknown = ask(&mut world, "/v1/spaces/64a1efb0b7e4d90012ab34aa/rooms", &[]);
        assert_eq!((unknown.status, String::from_utf8(unknown.body).unwrap().as_str()), (404, body));
    }
}

#[test]
fn webhooks_are_shown_without_their_secret() {
    let (mut world, space) = world_with(0, Options::default());
    let path = format!("/v1/spaces/{space}/webhook");
    let shown = json!({ "url": "https://hooks.example/livedigital", "isActive": true });
    assert_eq!(read(&mut world, &path, &[]), shown);
    world.set_webhook(&space, None, true);
    assert_eq!(ask(&mut world, &path, &[]).status, 404);
    world.options().without_webhook = WithoutWebhook::Null;
    assert_eq!(read(&mut world, &path, &[]), Value::Null);
}

#[test]
fn too_many_requests_are_answered_and_counted() {
    let (mut world, _) = world_with(0, Options::default());
    let begin = later(&world, 10);
    let mut at =
        |ms: i64| world.answer(&request("/v1/spaces", &[]), begin + SignedDuration::from_millis(ms)).status;
    assert_eq!((at(0), at(999)), (200, 200));
    assert!((2..=41).all(|second| at(second * 1_000) == 200));
    assert_eq!(world.violations().len(), 3, "one too soon, and the 41st and 42nd of a minute");
}

#[test]
fn cookies_that_come_back_and_writing_are_refused_and_reported() {
    let (mut world, _) = world_with(0, Options::default());
    let set = ask(&mut world, "/v1/spaces", &[]).headers;
    let mut with_cookie = request("/v1/spaces", &[]);
    let cookie = set.iter().find(|(name, _)| name == "set-cookie").unwrap();
    with_cookie.headers.push(("cookie".to_owned(), cookie.1.clone()));
    let now = later(&world, 2);
    assert_eq!(world.answer(&with_cookie, now).status, 401);
    let delete = Request { method: "DELETE".to_owned(), ..request("/v1/spaces", &[]) };
    let now = later(&world, 2);
    assert_eq!(world.answer(&delete, now).status, 403);
    assert_eq!(world.violations().len(), 2);
}

#[test]
fn lists_mislead_on_order() {
    let (mut world, space) = world_with(8, Options { has_total: false, ..Options::default() });
    let path = format!("/v1/spaces/{space}/rooms");
    let all = ids(&read(&mut world, &path, &[]));
    let mut tricked = |trick: Trick| {
        world.order(trick, 1);
        let list = read(&mut world, &path, &[]);
        (ids(&list), list.get("total").and_then(Value::as_u64))
    };
    let (shuffled, total) = tricked(Trick::Shuffle);
    assert!(
        shuffled != all && BTreeSet::from_iter(&shuffled) == BTreeSet::from_iter(&all) && total.is_none()
    );
    assert_eq!(tricked(Trick::Truncate), (all[..4].to_vec(), Some(8)));
    assert_eq!(tricked(Trick::Shorten), (all[..4].to_vec(), None));
    assert_eq!(tricked(Trick::EmptyPage), (Vec::new(), Some(8)));
    assert_eq!(tricked(Trick::EmptyWorld), (Vec::new(), None));
    assert_eq!(tricked(Trick::Endless), (all.clone(), Some(9)));
    assert_eq!(tricked(Trick::RepeatPage).0.len(), 16);
    assert_eq!(tricked(Trick::MoveEarlier).0[0], all[7]);
    assert_eq!(tricked(Trick::MoveLater).0[7], all[0]);
    world.remove_room(&all[0]);
    assert_eq!(ids(&read(&mut world, &path, &[])).len(), 7);
    world.order(Trick::OldCopy, 1);
    assert_eq!(ids(&read(&mut world, &path, &[])), all);
    world.order(Trick::Drift(Drift::Renamed("alias", "slug")), 1);
    assert!(read(&mut world, &path, &[])["items"][0]["slug"].is_string());
}

#[test]
fn a_list_of_a_hundred_rooms_costs_next_to_nothing() {
    let (mut world, space) = world_with(100, Options::default());
    let path = format!("/v1/spaces/{space}/rooms");
    ask(&mut world, &path, &[]);
    let fastest = (0..100).map(|_| {
        let begin = Instant::now();
        assert_eq!(ask(&mut world, &path, &[]).status, 200);
        begin.elapsed()
    });
    // The machine may be busy with other things, but not all the time.
    let fastest = fastest.min().unwrap();
    assert!(fastest.as_micros() < 1_000, "{fastest:?}");
}
