use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::*;

fn heard(status: u16, body: &str) -> Result<Fields, Failure> {
    let answer = ApiResponse {
        status,
        retry_after: Some("9".to_owned()),
        body: Bytes::copy_from_slice(body.as_bytes()),
        asked_at: Timestamp::UNIX_EPOCH,
    };
    document(&answer, &mut Quirks::default())
}

fn refused(code: &str) -> Failure {
    Failure::Refused { code: code.to_owned() }
}

#[test]
fn every_spelling_of_success_is_one() {
    for body in
        [r#"{"result":1}"#, r#"{"result":"1"}"#, r#"{"result":1.0}"#, r#"{"result":true}"#, r#"{"broad":[]}"#]
    {
        assert!(heard(200, body).is_ok(), "{body}");
    }
}

#[test]
fn an_error_says_what_it_is_in_any_status() {
    let retry_after = Some("9".to_owned());
    for (status, body, failure) in [
        (200, r#"{"result":0}"#, refused("0")),
        (200, r#"{"result":-1,"msg":"x (17)"}"#, refused("-1 17")),
        (200, r#"{"result":-1,"msg":"x (17) y"}"#, refused("-1")),
        (200, r#"{"result":"no","msg":"x"}"#, refused("unknown result")),
        (200, r#"{"result":[1]}"#, refused("unknown result")),
        (200, r#"{"result":1,"error":null}"#, refused("unknown error")),
        (200, r#"{"error":"invalid_request"}"#, refused("invalid request")),
        (200, r#"{"error":"9c1f secret"}"#, refused("unknown error")),
        (200, r#"{"error":"invalid_grant"}"#, Failure::Unauthorized),
        (200, r#"{"error":"access_denied"}"#, Failure::Forbidden),
        (
            200,
            r#"{"error":"server_error"}"#,
            Failure::Unavailable { status: 200, retry_after: retry_after.clone() },
        ),
        (400, r#"{"result":-1320}"#, refused("-1320")),
        (400, "no", refused("status 400")),
        (403, r#"{"error":"expired_token"}"#, Failure::Unauthorized),
        (403, r#"{"result":-5}"#, Failure::Forbidden),
        (404, r#"{"result":-5}"#, Failure::NotFound),
        (429, r#"{"result":-10}"#, Failure::RateLimited { retry_after: retry_after.clone() }),
        (502, r#"{"error":"invalid_token"}"#, Failure::Unavailable { status: 502, retry_after }),
    ] {
        assert_eq!(heard(status, body).unwrap_err(), failure, "{status} {body}");
    }
}

#[test]
fn what_only_looks_like_a_wrapping_is_none() {
    for body in ["cb({}", "cb{}", "({})", "c b({})", "cb({}));", "cb([]);", "[]", "1", "cb({}) + 1"] {
        assert!(matches!(heard(200, body), Err(Failure::Malformed(_))), "{body}");
    }
    for body in ["cb({})", "a.b$_1 ( {} ) ; ", "\u{feff}cb({});"] {
        assert!(heard(200, body).is_ok(), "{body}");
    }
}

#[test]
fn only_two_numbers_mean_offline() {
    for (code, is) in [("-1302", true), ("-1302 9", true), ("-1 143", true), ("143", false), ("-143", false)]
    {
        assert_eq!(is_offline(&refused(code)), is, "{code}");
    }
    assert!(!is_offline(&Failure::NotFound));
}

#[test]
fn extra_is_bounded_and_keeps_no_secret() {
    let mut members = Map::new();
    for n in 0..30 {
        members.insert(format!("m{n:02}"), json!(n));
    }
    members.insert("x".repeat(257), json!(1));
    for name in ["szKey", "access_token", "CLIENT_SECRET", "broad_pwd", "userPassword", "Authorization"] {
        members.shift_insert(0, name.to_owned(), json!("abc"));
    }
    for value in ["https://a.example/?szKEY=1", "{\"Token=\":1}"] {
        members.shift_insert(0, format!("link{}", value.len()), json!(value));
    }
    let rest = Fields::of(members).rest(&mut Quirks::default());
    let names: Vec<_> = rest.iter().map(|(name, _)| name).collect();
    assert_eq!(names, (0..20).map(|n| format!("m{n:02}")).collect::<Vec<_>>());
}
