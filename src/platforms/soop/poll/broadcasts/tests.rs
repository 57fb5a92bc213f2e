use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::*;
use super::{super::super::Soop, list::PAGE_BLOCK};
use crate::{
    model::AccountName,
    platform::{AccountSettings, Coverage, Listed, Platform, Poll, exchange::Held},
};

/// A first sweep over a list of `rows` broadcasts that stands still, or that goes on for ever with `None`.
fn sweep(rows: Option<u64>) -> (usize, Findings) {
    let account = AccountSettings::new(AccountName::parse("soop-1").unwrap(), "soop1234");
    let mut walk = Soop.begin(SweepTask {
        watch: Soop.descriptor().watch("broadcasts").unwrap(),
        account: &account,
        target: None,
        cursor: None,
        listed: &Listed::default(),
        now: Timestamp::UNIX_EPOCH,
        fingerprint: &str::to_owned,
    });
    let mut requests = 0;
    while let Some(request) = walk.ask() {
        let page = request.query.iter().find_map(|(name, held)| match held {
            Held::Text(page) if *name == "page_no" => page.parse::<u64>().ok(),
            _ => None,
        });
        let first = (page.unwrap() - 1) * PAGE_BLOCK;
        let last = rows.unwrap_or(u64::MAX).min(first + PAGE_BLOCK);
        let broad: Vec<_> = (first..last).map(|n| json!({ "broad_no": n + 1, "user_id": "u" })).collect();
        let page = json!({ "total_cnt": rows.unwrap_or(1_000_000), "broad": broad, "time": 0 });
        requests += 1;
        let answer = ApiResponse {
            status: 200,
            retry_after: None,
            body: Bytes::from(page.to_string()),
            asked_at: Timestamp::UNIX_EPOCH,
        };
        walk.hear(&answer).unwrap();
    }
    (requests, walk.findings())
}

#[test]
fn a_list_of_many_pages_is_read_in_both_orders_at_first() {
    let (requests, findings) = sweep(Some(10_000));
    assert_eq!((requests, findings.sightings.len()), (2 * 167, 10_000));
    assert_eq!(findings.listings[0].coverage, Coverage::Whole);
}

#[test]
fn a_list_without_end_is_left() {
    let (requests, findings) = sweep(None);
    assert_eq!((requests, findings.sightings.len()), (200, 12_000));
    assert_eq!(findings.listings[0].coverage, Coverage::Partial);
}

#[test]
fn a_row_that_comes_again_keeps_what_only_the_earlier_one_said() {
    let pages = [
        json!([{ "broad_no": 1, "broad_title": "a", "paid_promotion": 1 }, { "broad_no": 2 }]),
        json!([{ "broad_no": 1, "broad_title": "b" }, { "broad_no": 3 }]),
    ];
    let answer = |rows: &Value| ApiResponse {
        status: 200,
        retry_after: None,
        body: json!({ "total_cnt": 3, "page_block": 2, "broad": rows, "time": 0 }).to_string().into(),
        asked_at: Timestamp::UNIX_EPOCH,
    };
    let account = AccountSettings::new(AccountName::parse("soop-1").unwrap(), "soop1234");
    let mut listed = Listed::default();
    listed.note("all", "1", None);
    let mut walk = Soop.begin(SweepTask {
        watch: Soop.descriptor().watch("broadcasts").unwrap(),
        account: &account,
        target: None,
        cursor: None,
        listed: &listed,
        now: Timestamp::UNIX_EPOCH,
        fingerprint: &str::to_owned,
    });
    for page in &pages {
        walk.hear(&answer(page)).unwrap();
    }
    assert!(walk.ask().is_none());
    let findings = walk.findings();
    let said = &findings.sightings[0].observation.attributes;
    assert_eq!(
        ["title", "is_paid_promotion"].map(|name| said.get(name).map(Value::from)),
        [Some(json!("b")), Some(json!(true))]
    );
}

/// A sweep through one page, which was asked for at `now` and says that it was made at `time`.
fn one_page(cursor: Option<&Value>, now: i64, time: i64) -> Result<Findings, Failure> {
    let account = AccountSettings::new(AccountName::parse("soop-1").unwrap(), "soop1234");
    let asked_at = Timestamp::from_second(now).unwrap();
    let mut walk = Soop.begin(SweepTask {
        watch: Soop.descriptor().watch("broadcasts").unwrap(),
        account: &account,
        target: None,
        cursor,
        listed: &Listed::default(),
        now: asked_at,
        fingerprint: &str::to_owned,
    });
    assert!(walk.ask().is_some());
    let body = json!({ "total_cnt": 1, "broad": [{ "broad_no": 1, "user_id": "u" }], "time": time });
    let body = body.to_string().into();
    walk.hear(&ApiResponse { status: 200, retry_after: None, body, asked_at })?;
    Ok(walk.findings())
}

#[test]
fn an_answer_is_as_old_as_it_says() {
    const NOW: i64 = 1_767_670_000;
    for (time, age) in [(NOW, Some(0)), (NOW - 25, Some(25)), (NOW + 5, Some(0)), (NOW + 11, None), (0, None)]
    {
        let findings = one_page(None, NOW, time).unwrap();
        let said = findings.sightings[0].age.map(|age| age.as_secs());
        assert_eq!((said, findings.is_dated), (age, age.is_some()), "{time}");
    }
}

#[test]
fn no_clock_that_was_wrong_once_makes_all_later_answers_look_old() {
    const NOW: i64 = 1_767_670_000;
    for wrong in [NOW + 9, NOW + 400, NOW + 86_400 * 365, i64::MAX] {
        let cursor = one_page(None, NOW, wrong).unwrap().cursor;
        let remembered = cursor.as_ref().map(|cursor| cursor["all"].as_i64().unwrap());
        assert!(remembered.is_none_or(|time| time <= NOW), "{wrong}: {remembered:?}");
        assert!(one_page(cursor.as_ref(), NOW + 60, NOW + 60).is_ok(), "{wrong}");
    }
    // Our own clock was a year ahead, and is set back.
    let ahead = json!({ "all": NOW + 86_400 * 365 });
    assert!(one_page(Some(&ahead), NOW, NOW).is_ok());
}

#[test]
fn only_what_is_much_older_than_the_last_sweep_is_refused() {
    const NOW: i64 = 1_767_670_000;
    let cursor = json!({ "all": NOW });
    for (time, expected) in [
        (NOW + 50, Ok((true, Coverage::Whole))),
        (NOW, Ok((false, Coverage::Whole))),
        (NOW - 1, Ok((false, Coverage::Partial))),
        (NOW - 30, Ok((false, Coverage::Partial))),
        (NOW - 31, Err(Failure::Stale)),
    ] {
        let is = one_page(Some(&cursor), NOW + 60, time);
        let is = is.map(|findings| (findings.is_dated, findings.listings[0].coverage));
        assert_eq!(is, expected, "{time}");
    }
}
