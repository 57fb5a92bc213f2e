//! The token of the sheet, with its two dates.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::model::AccountName;

/// As documented: it ends on 2 March by its claims, and on 3 March by the date beside it.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjE2IiwiZXhwIjoxNTE5OTc3Mjk1LCJzdGF0dXMiOiJicm9hZGNhc3QifQ.SSmB5uYhnGpmI8w9W4tjQVH4Th-CVtgo8WnRI2qeaNA";

fn account() -> AccountSettings {
    let mut account = AccountSettings::new(AccountName::parse("fresh").unwrap(), "fresh");
    account.username = Some("broadcaster".to_owned());
    account.password = Some("hidden".into());
    account
}

fn heard(status: u16, body: &Value) -> Result<Tokens, Denial> {
    let mut errand = Openfresh.obtain(&account(), Obtain::Configured).unwrap();
    let asked = errand.ask().unwrap();
    assert_eq!(asked.to_string(), "POST /v1/oauth/token username=broadcaster&password=***");
    assert!(asked.is_json);
    let asked_at = Timestamp::UNIX_EPOCH;
    errand.hear(&ApiResponse { status, retry_after: None, body: body.to_string().into(), asked_at })?;
    assert!(errand.ask().is_none());
    errand.done()
}

#[test]
fn the_earlier_of_two_dates_counts_less_a_day() {
    for meta in [json!({}), json!("Hello, world!"), json!(null)] {
        let body =
            json!({ "meta": meta, "data": { "token": TOKEN, "expiredAt": "2018-03-03T22:07:45.038+09:00" } });
        let tokens = heard(200, &body).unwrap();
        assert_eq!(tokens.expires_at, Some("2018-03-01T07:54:55Z".parse().unwrap()));
        assert_eq!((tokens.identity.as_deref(), tokens.refresh.is_none()), (Some("16"), true));
    }
    let opaque =
        heard(200, &json!({ "data": { "token": "x", "expiredAt": "2018-03-03T22:07:45.038+09:00" } }))
            .unwrap();
    assert_eq!(opaque.expires_at, Some("2018-03-02T13:07:45.038Z".parse().unwrap()));
    let dateless = heard(200, &json!({ "data": { "token": "x" } })).unwrap();
    assert_eq!(dateless.expires_at, None);
}

#[test]
fn a_wrong_password_is_refused_and_a_farewell_page_is_not() {
    let body = json!({ "error": { "status": 401, "message": "unauthorized", "errorData": {} } });
    assert_eq!(heard(401, &body).unwrap_err(), Denial::Refused("unauthorized".to_owned()));
    assert!(matches!(heard(200, &json!("bye")), Err(Denial::Passing(_))));
    assert!(matches!(heard(200, &json!({ "data": {} })), Err(Denial::Passing(_))));
}

#[test]
fn there_is_nothing_to_refresh_with() {
    assert!(Openfresh.obtain(&account(), Obtain::Refresh(&"r".into())).is_none());
    assert_eq!(Openfresh.way(&AccountSettings { password: None, ..account() }), None);
}
