//! What is signed, against what the fact sheet prints.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod judge;
mod properties;
mod replies;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;

use super::*;
use crate::{
    model::AccountName,
    platform::{Delivery, OnNoAnswer, Platform, signature},
};

fn account() -> AccountSettings {
    let names = ["play", "live-play", "download", "next-episode"];
    AccountSettings {
        questions: Some(QuestionSettings {
            security_key: "example-security-key".into(),
            user_key: "EXAMPLE_CUSTOM_KEY".into(),
            on_no_answer: names.map(|name| (name, OnNoAnswer::Deny)).into(),
            deadline: Duration::from_millis(800),
            remember: Duration::ZERO,
            pseudonym_key: None,
            play_section_is_list: false,
            live_play_is_list: false,
            next_episode_fields: BTreeMap::new(),
            next_episode_answer: BTreeMap::new(),
        }),
        ..AccountSettings::new(AccountName::parse("acme").unwrap(), "acme")
    }
}

fn callback(name: &str) -> &'static CallbackKind {
    Kollus.descriptor().callback(name).unwrap()
}

fn read(name: &str, body: &str) -> Result<Asked, Malformed> {
    let delivery = Delivery {
        callback: callback(name),
        content_type: Some("application/x-www-form-urlencoded".to_owned()),
        body: Bytes::copy_from_slice(body.as_bytes()),
        received_at: Timestamp::UNIX_EPOCH,
    };
    Kollus.read(&signature::unsigned(&delivery, "this is a test"), &account())
}

fn questions(name: &str, body: &str) -> Vec<Question> {
    match read(name, body).unwrap() {
        Asked::Questions { questions, .. } => questions,
        Asked::Probe => panic!("{body} asks nothing"),
    }
}

/// The token that `replies` lead to.
fn answered(name: &str, body: &str, replies: &[&str]) -> String {
    let questions = questions(name, body);
    assert_eq!(questions.len(), replies.len());
    let rule =
        |(question, reply): (&Question, &&str)| Kollus.rule(question, reply.as_bytes(), &account()).unwrap();
    let rulings: Vec<_> = questions.iter().zip(replies).map(rule).collect();
    let answer = Kollus.answer(callback(name), &rulings, &account());
    assert_eq!(answer.content_type, "text/plain; charset=utf-8");
    assert_eq!(answer.header.unwrap().0, "X-Kollus-UserKey");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

const PLAY: &str = "client_user_id=user-42&player_id=8A1F00C2D4E6B7901122334455667788&hardware_id=&device_name=iPhone15%2C3&media_content_key=vnCVPyVx&uservalues=%7B%22uservalue0%22%3A%22class_01%22%2C%22uservalue1%22%3A%22order_77%22%7D";

#[test]
fn the_printed_answers_come_out_byte_for_byte() {
    assert_eq!(
        answered("vod-play", &format!("kind=1&{PLAY}"), &[r#"{"result":"allow","expires_at":1893455999}"#]),
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJkYXRhIjp7InJlc3VsdCI6MSwiZXhwaXJhdGlvbl9kYXRlIjoxODkzNDU1OTk5fX0.uw4pZuU2E21Dmv3cW_zcgTSTF9rjVTHESjusjH6MjOY"
    );
    assert_eq!(
        answered(
            "vod-play",
            &format!("kind=3&{PLAY}"),
            &[r#"{"result":"deny","expired":false,"message":"not enrolled"}"#]
        ),
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJkYXRhIjp7InJlc3VsdCI6MCwiY29udGVudF9leHBpcmVkIjowLCJtZXNzYWdlIjoibm90IGVucm9sbGVkIn19.mOeC0Cpx-d16vbKbDkdmNYq7eMJ6QDEakt-hiDDkPKw"
    );
    let items = "items=%5B%7B%22kind%22%3A1%2C%22client_user_id%22%3A%22user-42%22%2C%22player_id%22%3A%228A1F00C2D4E6B7901122334455667788%22%2C%22device_name%22%3A%22iPhone15%2C3%22%2C%22media_content_key%22%3A%22vnCVPyVx%22%2C%22uservalues%22%3A%7B%22uservalue0%22%3A%22class_01%22%2C%22uservalue1%22%3A%22order_77%22%7D%7D%2C%7B%22kind%22%3A3%2C%22session_key%22%3A%225f1e9c%22%2C%22client_user_id%22%3A%22user-42%22%2C%22player_id%22%3A%228A1F00C2D4E6B7901122334455667788%22%2C%22device_name%22%3A%22iPhone15%2C3%22%2C%22media_content_key%22%3A%22Qm4TzW1k%22%2C%22uservalues%22%3A%7B%22uservalue0%22%3A%22class_01%22%2C%22uservalue1%22%3A%22order_77%22%7D%2C%22start_at%22%3A1768365000%2C%22content_expired%22%3A0%2C%22check_expired%22%3A0%2C%22reset_req%22%3A0%2C%22expiration_date%22%3A1770000000%2C%22localtime%22%3A1768365001%7D%5D";
    let replies = [
        r#"{"result":"allow","expires_at":1770000000,"count_limit":10,"play_limit_seconds":0}"#,
        r#"{"result":"allow","expired":false,"delete":false,"restore":false}"#,
    ];
    assert_eq!(
        answered("download", items, &replies),
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJkYXRhIjpbeyJraW5kIjoxLCJtZWRpYV9jb250ZW50X2tleSI6InZuQ1ZQeVZ4IiwicmVzdWx0IjoxLCJleHBpcmF0aW9uX2RhdGUiOjE3NzAwMDAwMDAsImV4cGlyYXRpb25fY291bnQiOjEwLCJleHBpcmF0aW9uX3BsYXl0aW1lIjowfSx7ImtpbmQiOjMsIm1lZGlhX2NvbnRlbnRfa2V5IjoiUW00VHpXMWsiLCJzZXNzaW9uX2tleSI6IjVmMWU5YyIsInN0YXJ0X2F0IjoxNzY4MzY1MDAwLCJyZXN1bHQiOjEsImNvbnRlbnRfZXhwaXJlZCI6MCwiY29udGVudF9kZWxldGUiOjAsImNvbnRlbnRfZXhwaXJlX3Jlc2V0IjowfV19.BpWDLKpLs6EkB7nR8W9XQyEWyLNsD_VUa7bTB3hRsgA"
    );
}
