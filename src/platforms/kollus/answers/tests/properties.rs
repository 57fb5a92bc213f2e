//! No reply whatever makes livehook sign a field that is out of range or of the wrong type.

use std::cell::Cell;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::Map;

use super::{super::terms, judge::complaints, *};

/// Values that have gone wrong somewhere before, and some that are right.
fn value() -> impl Strategy<Value = Value> {
    let numbers = [
        "-1",
        "0",
        "1",
        "2",
        "59",
        "60",
        "61",
        "604800",
        "604801",
        "1000",
        "1001",
        "2147483647",
        "2147483648",
        "1893455998",
        "1893455999",
        "1893456000",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "-9223372036854775808",
        "1.0",
        "60.5",
        "1e3",
        "-0",
        "1e300",
        "1893455999.0",
    ];
    let number = select(numbers.to_vec()).prop_map(|number| serde_json::from_str::<Value>(number).unwrap());
    let texts = [
        "",
        "0",
        "1",
        "60",
        "1893455999",
        "allow",
        "deny",
        "true",
        "vnCVPyVx",
        "https://a.example/",
        "ftp://a/",
        "\u{0}",
        "a\nb",
        "안녕",
    ];
    let text = prop_oneof![select(texts.to_vec()).prop_map(str::to_owned), ".{0,600}"].prop_map(Value::from);
    let plain =
        prop_oneof![4 => number, 2 => text, 2 => any::<bool>().prop_map(Value::from), 1 => Just(Value::Null)];
    let inner = ["from_seconds", "to_seconds", "download", "read_only", "start_time", "data"];
    plain.prop_recursive(2, 8, 3, move |plain| {
        prop_oneof![
            prop::collection::vec(plain.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((select(inner.to_vec()), plain), 0..4).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

/// Mostly with names that are known, and a result.
fn reply() -> impl Strategy<Value = Map<String, Value>> {
    let names = [
        "message",
        "reason",
        "expires_at",
        "count_limit",
        "play_limit_seconds",
        "counts_play_time_only",
        "refresh_popup",
        "preview",
        "virtual_machine_check",
        "tv_out",
        "check_at_every_play",
        "offline_bookmark",
        "check_at",
        "expired",
        "delete",
        "restore",
        "content_key",
        "url",
    ];
    let odd = ["expire_at", "result", "data", "kind", "expiration_date", "", "안녕"];
    let name = prop_oneof![20 => select(names.to_vec()), 1 => select(odd.to_vec())];
    let result = prop_oneof![8 => select(vec!["allow", "deny"]).prop_map(Value::from), 1 => value()];
    (result, prop::collection::vec((name, value()), 0..4)).prop_map(|(result, members)| {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        [("result".to_owned(), result)].into_iter().chain(members).collect()
    })
}

/// One question of each kind, with its callback.
fn asked() -> Vec<(&'static str, Question)> {
    let of = |callback: &'static str, body: &str| {
        questions(callback, body).into_iter().map(move |question| (callback, question)).collect::<Vec<_>>()
    };
    let copy = |kind: i64| {
        format!(
            r#"{{"kind":{kind},"client_user_id":"u","media_content_key":"k","session_key":"s","start_at":1768365000}}"#
        )
    };
    let copies = format!("items=[{},{},{}]", copy(1), copy(2), copy(3));
    let live = PLAY.to_owned() + "&kind=100&channel_key=k7q2m9x4b1z8t5ra";
    [
        of("vod-play", &format!("kind=1&{PLAY}")),
        of("vod-play", &format!("kind=3&{PLAY}")),
        of("live-play", &live),
        of("download", &copies),
        of("next-episode", "mck=vnCVPyVx"),
    ]
    .concat()
}

/// What is wrong with what is signed for this question, read from the bytes that a player gets.
fn wrong_in(
    callback_name: &str,
    question: &Question,
    ruling: &Ruling,
    account: &AccountSettings,
) -> Vec<String> {
    let answer = Kollus.answer(callback(callback_name), std::slice::from_ref(ruling), account);
    let token = str::from_utf8(&answer.body).unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(payload.as_object().unwrap().len(), 1);
    let is_list = callback_name == "download";
    let element = if is_list { &payload["data"][0] } else { &payload["data"] };
    let is_listed = account.questions.as_ref().unwrap().play_section_is_list;
    complaints(question.name, terms::kind(question), element, is_listed)
}

fn account_with_lists() -> AccountSettings {
    let mut account = account();
    account.questions.as_mut().unwrap().play_section_is_list = true;
    account
}

#[test]
fn nothing_out_of_range_is_ever_signed() {
    let (accounts, asked) = ([account(), account_with_lists()], asked());
    let signed = Cell::new(0);
    let judge = |reply: Map<String, Value>| {
        let reply = Value::Object(reply).to_string();
        for account in &accounts {
            for (callback_name, question) in &asked {
                let Ok(ruling) = Kollus.rule(question, reply.as_bytes(), account) else { continue };
                signed.set(signed.get() + 1);
                let wrong = wrong_in(callback_name, question, &ruling, account);
                prop_assert!(wrong.is_empty(), "{reply}: {wrong:?}");
            }
        }
        Ok(())
    };
    TestRunner::new(ProptestConfig::with_cases(1024)).run(&reply(), judge).unwrap();
    assert!(signed.get() > 1000, "of all these replies only {} were signed", signed.get());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_none_without_a_result_are_signed(reply in prop::collection::vec(any::<u8>(), 0..80)) {
        for (_, question) in asked() {
            prop_assert!(Kollus.rule(&question, &reply, &account()).is_err());
        }
    }
}

/// The control: without the checks the same replies lead to answers that the judge refuses, in every field.
#[test]
fn a_rule_without_its_checks_is_caught() {
    let breaches = [
        ("vod-play", 0, "expires_at", json!(1_893_456_000_i64), "expiration_date"),
        ("vod-play", 0, "expires_at", json!("0"), "expiration_date"),
        ("vod-play", 0, "expires_at", json!(1.0), "expiration_date"),
        ("vod-play", 0, "play_limit_seconds", json!(-1), "expiration_playtime"),
        ("vod-play", 0, "preview", json!({"from_seconds": 9, "to_seconds": 9}), "play_section"),
        ("vod-play", 0, "message", json!("a\u{7}"), "message"),
        ("live-play", 2, "expires_at", json!(true), "expiration_date"),
        ("download", 3, "count_limit", json!(1001), "expiration_count"),
        ("download", 3, "play_limit_seconds", json!(59), "expiration_playtime"),
        ("download", 3, "play_limit_seconds", json!(604_801), "expiration_playtime"),
        ("download", 4, "check_at", json!(u64::MAX), "check_expiration_date"),
        ("next-episode", 6, "content_key", json!(""), "media_content_key"),
    ];
    let asked = asked();
    for (callback_name, index, name, value, wire) in breaches {
        let question = &asked[index].1;
        // What `Reply::parse` refuses, as if it had let it through.
        let mut unchecked = Reply::of(Decision::Allow);
        unchecked.said.insert(name.to_owned(), value.clone());
        let ruling = ruling(question, &unchecked, settings(&account()));
        let wrong = wrong_in(callback_name, question, &ruling, &account());
        assert!(
            wrong.iter().any(|complaint| complaint.starts_with(wire)),
            "{callback_name} {name} {value}: {wrong:?}"
        );
        let reply = json!({ "result": "allow", name: value }).to_string();
        assert_eq!(Kollus.rule(question, reply.as_bytes(), &account()).unwrap_err().field, name);
    }
}
