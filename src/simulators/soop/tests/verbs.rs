//! What the journal says of what is done.

use super::*;

#[test]
fn the_journal_begins_with_the_beginnings() {
    let told = Reader::plain().verbs();
    assert_eq!(told[0], "channel/soop1234 created");
    assert_eq!(told[1], "category/00130000 created");
    assert_eq!(told.len(), 5);
}

fn told_by(act: impl FnOnce(&mut World)) -> Vec<String> {
    let mut reader = Reader::plain();
    let before = reader.world.journal().len();
    act(&mut reader.world);
    reader.verbs().split_off(before)
}

#[test]
fn broadcasts_start_change_and_end() {
    let told = told_by(|world| {
        let no = world.start("a", "one", "00130000");
        world.rename(no, "two");
        world.rename(no, "two");
        world.watch(no, 77);
        world.change_category(no, "40019");
        let next = world.come_back(no);
        world.end(no);
        assert_eq!((next, world.broadcasts().count()), (Some(no + 1), 1));
    });
    let verbs = ["303 started", "303 updated", "303 updated", "303 ended", "304 started"];
    assert_eq!(told, verbs.map(|verb| format!("broadcast/244390{verb}")));
}

#[test]
fn what_is_hidden_or_filtered_goes_on() {
    let told = told_by(|world| {
        let no = world.start("a", "노래와 도박", "00040019");
        world.hide(no);
        world.add_filter(FilterKind::Keyword, "도박", "because");
        world.unhide(no);
        assert_eq!((world.listed().count(), world.broadcasts().count()), (0, 1));
        world.remove_filter(FilterKind::Keyword, "도박");
        world.add_filter_as(FilterKind::Category, "00040000", "because", true);
        world.remove_filter(FilterKind::Category, "00040000");
        world.change_category(no, "00130000");
    });
    let no = "broadcast/244390303";
    let expected = [
        format!("{no} started"),
        format!("{no} hidden"),
        "filter/keyword:도박 created".to_owned(),
        "filter/keyword:도박 removed".to_owned(),
        format!("{no} shown"),
        "filter/category:00040000 created".to_owned(),
        format!("{no} hidden"),
        format!("{no} updated"),
        format!("{no} shown"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn categories_are_added_renamed_moved_and_removed() {
    let told = told_by(|world| {
        let no = world.add_category(None, "새로운");
        world.add_filter(FilterKind::Category, &no, "because");
        world.rename_category(&no, "더 새로운");
        world.move_category(&no, Some("00040000"));
        world.move_category(&no, Some("00040000"));
        world.remove_category("00040000");
        assert_eq!(world.filters()[0].category_name.as_deref(), Some("더 새로운"));
    });
    let expected = [
        "category/00130001 created",
        "filter/category:00130001 created",
        "category/00130001 updated",
        "filter/category:00130001 updated",
        "category/00130001 updated",
        "category/00040000 removed",
        "category/00040019 removed",
        "category/00040066 removed",
        "category/00130001 removed",
    ];
    assert_eq!(told, expected);
}

#[test]
fn accounts_and_videos_change() {
    let told = told_by(|world| {
        let no = world.start("soop1234", "title", "00130000");
        world.edit_station("soop1234", |station| station.favorites += 1);
        world.edit_station("soop1234", |station| station.name = "다른".to_owned());
        world.change_settings("soop1234", |settings| settings.is_hidden = true);
        world.move_ingest("soop1234", "rtmp://other.example/app/");
        let key = world.account("soop1234").map(|account| account.stream_key.clone());
        assert_ne!(world.reset_key("soop1234"), key);
        assert!(world.broadcast(no).is_none());
        world.add_vod(7, "title", "author", "login");
        world.edit_vod(7, |vod| vod.title.push('!'));
        world.remove_vod(7);
        world.remove_vod(7);
    });
    let expected = [
        "broadcast/244390303 started",
        "channel/soop1234 updated",
        "channel/soop1234 updated",
        "settings/soop1234 updated",
        "settings/soop1234 updated",
        "stream_key/soop1234 rotated",
        "broadcast/244390303 ended",
        "content/7 updated",
        "content/7 removed",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_demo_is_over_in_ten_seconds() {
    let mut world = World::demo();
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    world.advance(now);
    assert_eq!(world.broadcasts().count(), 2);
    world.advance(now + SignedDuration::from_secs(10));
    let told: Vec<_> = world.journal().iter().map(|told| told.verb).skip(7).collect();
    assert_eq!(told, ["started", "started", "updated", "updated", "ended"]);
    let last = world.journal().last().expect("something happened");
    assert_eq!((last.at, world.broadcasts().count()), (now + SignedDuration::from_secs(10), 3));
}
