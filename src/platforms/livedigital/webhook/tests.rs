use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::*;
use crate::{
    model::{AccountName, Proof},
    platform::Platform,
    platforms::livedigital::Livedigital,
};

const SECRET: &str = "a-secret-of-these-tests";
const SPACE: &str = "64a1efb0b7e4d90012ab34aa";

fn account(service_account: &str, webhook_secret: Option<&str>) -> AccountSettings {
    AccountSettings {
        webhook_secret: webhook_secret.map(Into::into),
        ..AccountSettings::new(AccountName::parse("space-1").unwrap(), service_account)
    }
}

fn delivery(body: String) -> Delivery {
    Delivery {
        callback: Livedigital.descriptor().callback("webhook").unwrap(),
        content_type: None,
        body: Bytes::from(body),
        received_at: Timestamp::UNIX_EPOCH,
    }
}

/// `body`, sent with the signature of `signed`.
fn envelope(body: &str, signed: &str) -> Delivery {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(signed);
    let signature = hex::encode(mac.finalize().into_bytes());
    delivery(format!(r#"{{"signature":"{signature}","body":{body}}}"#))
}

fn verify(delivery: &Delivery) -> Result<Proof, Unverified> {
    Livedigital.verify(delivery, &account("space-1", Some(SECRET))).map(|verified| verified.proof())
}

fn decode(body: &str, service_account: &str) -> Result<Decoded, Malformed> {
    let delivery = envelope(body, body);
    let account = account(service_account, Some(SECRET));
    Livedigital.decode(&Livedigital.verify(&delivery, &account).unwrap(), &account)
}

#[test]
fn the_exact_bytes_are_what_counts_whatever_they_are() {
    for body in [r#"{ "b" : 1.0 , "a" : "\u0041\/" }"#, "[]", "null", r#""text""#] {
        assert_eq!(verify(&envelope(body, body)), Ok(Proof::Signature), "{body}");
    }
}

#[test]
fn the_compact_form_with_its_keys_in_order_counts_as_well() {
    let sent = "{ \"b\": \"\\u041f\\/\\u0009\",\r\n \"a\": [ 1, true, null, 1.5 ] }";
    let stringified = r#"{"b":"П/\t","a":[1,true,null,1.5]}"#;
    assert_eq!(verify(&envelope(sent, stringified)), Ok(Proof::Signature));
    let sorted = r#"{"a":[1,true,null,1.5],"b":"П/\t"}"#;
    assert!(verify(&envelope(sent, sorted)).is_err());
}

#[test]
fn a_body_above_the_limits_is_believed_by_its_exact_bytes_only() {
    let deep = "[".repeat(40) + &"]".repeat(40);
    assert_eq!(verify(&envelope(&deep, &deep)), Ok(Proof::Signature));
    assert!(verify(&envelope(&format!(" {}", deep.replace("[]", "[ ]")), &deep)).is_err());
}

#[test]
fn further_keys_beside_the_signed_body_mean_nothing() {
    let plain = envelope("{}", "{}");
    let more = String::from_utf8(plain.body.to_vec()).unwrap().replacen('{', r#"{"attempt":2,"#, 1);
    assert_eq!(verify(&delivery(more)), Ok(Proof::Signature));
}

#[test]
fn without_a_secret_nobody_is_believed() {
    let unverified =
        Livedigital.verify(&envelope("{}", "{}"), &account("space-1", None)).map(|it| it.proof());
    assert_eq!(unverified, Err(Unverified("the account has no webhook_secret")));
}

#[test]
fn the_id_of_another_space_is_not_understood_when_ours_is_configured() {
    let of_space =
        |space: &str| format!(r#"{{"eventName":"call_started","roomId":"r","spaceId":"{space}"}}"#);
    assert!(decode(&of_space(SPACE), SPACE).is_ok());
    assert!(decode(&of_space(SPACE), &SPACE.to_uppercase()).is_ok());
    for other in ["64a1efb0b7e4d90012ab34ab", ""] {
        let malformed = decode(&of_space(other), SPACE).unwrap_err().to_string();
        assert_eq!(malformed, "the spaceId is not the one in the account's service_account");
    }
    assert!(decode(r#"{"eventName":"call_started","roomId":"r"}"#, SPACE).is_err());
}

#[test]
fn every_space_is_ours_when_the_configured_name_is_no_id() {
    for name in ["space-1", "our company", "64a1efb0b7e4d90012ab34a", "g4a1efb0b7e4d90012ab34aa"] {
        assert!(decode(r#"{"eventName":"call_started","roomId":"r","spaceId":"s"}"#, name).is_ok(), "{name}");
        assert!(decode(r#"{"eventName":"call_started","roomId":"r"}"#, name).is_ok(), "{name}");
    }
}

#[test]
fn what_the_api_can_confirm_is_read_soon() {
    let wakes = |body: &str| match decode(body, "space-1") {
        Ok(Decoded::Observed { wakes, .. }) => wakes,
        other => panic!("{other:?}"),
    };
    let body =
        |event: &str| format!(r#"{{"eventName":"{event}","roomId":"r","spaceId":"{SPACE}","recordId":"f"}}"#);
    let target = || format!("{SPACE}/r");
    for event in ["call_started", "call_finished"] {
        assert_eq!(wakes(&body(event)), [Wake { watches: &["calls"], target: target() }], "{event}");
    }
    for event in ["record_started", "record_finished", "record_failed", "record_aborted"] {
        assert_eq!(wakes(&body(event)), [Wake { watches: &["records"], target: target() }], "{event}");
    }
    assert_eq!(wakes(&body("room_painted")), []);
    assert_eq!(wakes(r#"{"eventName":"call_started","roomId":"r"}"#), []);
}
