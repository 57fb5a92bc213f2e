use std::collections::BTreeMap;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::*;
use crate::model::{AccountName, Hearing, Observation, entities, reduce};

fn account(progress_fields: &[(&str, &str)]) -> AccountSettings {
    AccountSettings {
        progress_fields: progress_fields
            .iter()
            .map(|&(name, attribute)| (name.to_owned(), attribute.to_owned()))
            .collect::<BTreeMap<_, _>>(),
        ..AccountSettings::new(AccountName::parse("acme-east").expect("a name"), "acme")
    }
}

fn decode(callback: &str, body: &str, account: &AccountSettings) -> Result<Decoded, Malformed> {
    let delivery = Delivery {
        callback: DESCRIPTOR.callback(callback).expect("a callback"),
        content_type: None,
        body: body.to_owned().into(),
        received_at: Timestamp::UNIX_EPOCH,
    };
    let verified = Kollus.verify(&delivery, account).expect("Kollus signs nothing");
    Kollus.decode(&verified, account)
}

fn observation(callback: &str, body: &str, account: &AccountSettings) -> Observation {
    match decode(callback, body, account) {
        Ok(Decoded::Observed { mut observations, .. }) => observations.remove(0),
        other => panic!("nothing observed: {other:?}"),
    }
}

fn json_of(said: &impl serde::Serialize) -> Value {
    serde_json::to_value(said).expect("JSON")
}

#[test]
fn the_owner_is_compared_with_the_platforms_name_of_the_account_not_with_ours() {
    let account = account(&[]);
    assert!(
        decode("live-state", "service_account_key=acme&broadcast_key=b&broadcast_state=stop", &account)
            .is_ok()
    );
    assert!(
        decode("live-state", "service_account_key=acme-east&broadcast_key=b&broadcast_state=stop", &account)
            .is_err()
    );
    assert!(
        decode("live-state", "service_account_key=&broadcast_key=b&broadcast_state=stop", &account).is_ok()
    );
}

#[test]
fn an_account_names_its_progress_parameters_itself() {
    let own_names = [
        ("ID", "client_user_id"),
        ("CT", "media_content_key"),
        ("TM", "started_at"),
        ("PT", "play_seconds"),
        ("course", "user_values.course"),
    ];
    let playback = observation(
        "vod-progress",
        "ID=user-42&CT=vnCVPyVx&TM=1768365000&PT=95&course=A1&B1=1",
        &account(&own_names),
    );
    assert_eq!(playback.entity.id, "user-42/vnCVPyVx/1768365000");
    assert_eq!(playback.attributes.get("play_seconds").map(Value::from), Some(json!(95)));
    assert_eq!(playback.attributes.get("user_values").map(Value::from), Some(json!({ "course": "A1" })));
    assert_eq!(json_of(&playback.extra), json!({ "B1": "1" }));
}

#[test]
fn an_accounts_name_hides_what_the_name_means_elsewhere() {
    let account = account(&[("duration", "run_seconds")]);
    let body = "client_user_id=user-42&media_content_key=vnCVPyVx&start_at=1768365000&duration=95";
    let playback = observation("live-progress", body, &account);
    assert_eq!(playback.attributes.get("run_seconds").map(Value::from), Some(json!(95)));
    assert_eq!(playback.attributes.get("duration_seconds"), None);
}

#[test]
fn an_own_parameter_that_identifies_must_not_contradict_itself() {
    let account = account(&[("ID", "client_user_id")]);
    let body = "ID=user-42&ID=user-43&media_content_key=vnCVPyVx&start_at=1768365000";
    let wrong = decode("vod-progress", body, &account).expect_err("malformed").0;
    assert!(wrong.contains("different values"), "{wrong}");
}

#[test]
fn every_well_known_parameter_carries_an_attribute_that_exists() {
    let playback = json_of(&entities::Playback::default());
    for (name, attribute) in progress::WELL_KNOWN {
        assert!(playback.get(attribute).is_some(), "{name} → {attribute}");
    }
}

#[test]
fn two_sessions_never_share_an_id() {
    let id =
        |user, content| wire::joined_id([("user", Some(user)), ("content", Some(content))]).expect("an id");
    assert_eq!(id("a", "b"), "a/b");
    assert_ne!(id("a/b", "c"), id("a", "b/c"));
    assert_ne!(id("a/b", "c"), id("a%2Fb", "c"));
    assert!(wire::joined_id([("user", Some("a\nb"))]).is_err());
    assert!(wire::joined_id([("user", Some("a".repeat(257).as_str()))]).is_err());
    assert!(wire::joined_id([("user", None)]).is_err());
}

#[test]
fn numbers_are_read_however_they_are_written() {
    for written in [json!(95), json!(95), json!("95"), json!(" 95.0 ")] {
        assert_eq!(wire::number(&written), Some(95.0), "{written}");
    }
    for written in
        [json!("NaN"), json!("inf"), json!("1e999"), json!(""), json!("95s"), json!(true), json!([95])]
    {
        assert_eq!(wire::number(&written), None, "{written}");
    }
    assert_eq!(wire::instant("1768365000.0"), Some("2026-01-14T04:30:00Z".parse().expect("an instant")));
    assert_eq!(wire::instant("1e300"), None);
    assert_eq!(wire::plain_number("1768365000.0"), "1768365000");
    assert_eq!(wire::plain_number("9007199254740993"), "9007199254740993");
    assert_eq!(wire::plain_number("04:30"), "04:30");
}

#[test]
fn secrets_are_removed_from_whatever_goes_through() {
    let secret = "s3cr3t-value";
    let document = format!(
        r#"{{"content_info":{{"start_at":1,"media_content_key":"m"}},"a":[{{"Access_Token":"{secret}"}}],"uservalues":{{"password":"{secret}","x":"y"}}}}"#
    );
    let text = |json: &str| utf8_percent_encode(json, NON_ALPHANUMERIC).to_string();
    let body = format!(
        "client_user_id=u&json_data={}&more={}&stream_key={secret}&STREAM_KEY={secret}",
        text(&document),
        text(&format!(r#"{{"token":"{secret}","token":"{secret}"}}"#)),
    );
    let playback = observation("vod-progress", &body, &account(&[]));
    let told = format!("{}{}", json_of(&playback.attributes), json_of(&playback.extra));
    assert!(!told.contains(secret), "{told}");
    assert!(told.contains(r#""x":"y""#), "{told}");
}

#[test]
fn transcoding_leaves_the_file_name_of_the_upload_alone() {
    let account = account(&[]);
    let upload =
        observation("vod-upload", "upload_file_key=k&filename=a.mp4&full_filename=dir/a.mp4", &account);
    let transcoding = observation(
        "vod-transcoding",
        "upload_file_key=k&filename=dir/a.mp4&transcoding_result=success",
        &account,
    );
    let hearing = Hearing::Own { at: Timestamp::UNIX_EPOCH };
    let known = reduce(None, &upload, &hearing).known;
    let known = reduce(Some(&known), &transcoding, &hearing).known;
    assert_eq!(json_of(&known.attributes), json!({ "file_name": "a.mp4", "full_file_name": "dir/a.mp4" }));
}
