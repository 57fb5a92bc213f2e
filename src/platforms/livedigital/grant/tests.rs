//! The application's token, and a user's on top of it.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{model::AccountName, platform::Bearer};

/// The documented answers; the tokens end on 19 August 2025 by their claims.
const CLIENT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI2NGExZWUwMGI3ZTRkOTAwMTJhYjM0MDEiLCJhdWQiOiJjbGllbnQiLCJ0eXBlIjoiYWNjZXNzVG9rZW4iLCJjSWQiOiI2NGExZWUwMGI3ZTRkOTAwMTJhYjM0MDEiLCJqdGkiOiJWYjNrUTBacjlzVG4xeFl3MkxtUGQiLCJpYXQiOjE3NTUwMDAwMDAsImV4cCI6MTc1NTYwNDgwMH0.La44mmtic-ZIVR8zT6ynBh5WwkO9HP5zBBZ6chtH94c";
const USER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI2NGExZWU1NWI3ZTRkOTAwMTJhYjM0MDIiLCJhdWQiOiJ1c2VyIiwidHlwZSI6ImFjY2Vzc1Rva2VuIiwiY0lkIjoiNjRhMWVlMDBiN2U0ZDkwMDEyYWIzNDAxIiwianRpIjoiV2QyblM4WHY1eUNmMWhVajNJcEVvIiwic2duIjoiNWY0ZGNjM2I1YSIsImlhdCI6MTc1NTAwMDAwMCwiZXhwIjoxNzU1NjA0ODAwfQ.RnkaU6lDAyHA0FVak_4laqDTlaBfp1wR0BGVkqrSz80";

fn account(has_user: bool) -> AccountSettings {
    let mut account = AccountSettings::new(AccountName::parse("meet").unwrap(), "meet");
    account.client_id = Some("app".to_owned());
    account.client_secret = Some("hidden".into());
    account.username = has_user.then(|| "user@example.test".to_owned());
    account.password = has_user.then(|| "hidden-too".into());
    account
}

fn answer(status: u16, body: &serde_json::Value) -> ApiResponse {
    let asked_at: Timestamp = "2025-08-12T12:00:00Z".parse().unwrap();
    ApiResponse { status, retry_after: None, body: body.to_string().into(), asked_at }
}

fn tokens(access: &str) -> serde_json::Value {
    json!({ "token_type": "Bearer", "access_token": access, "refresh_token": "r" })
}

#[test]
fn the_application_alone_asks_once() {
    let mut errand = Livedigital.obtain(&account(false), Obtain::Configured).unwrap();
    let asked = errand.ask().unwrap();
    assert_eq!(
        asked.to_string(),
        "POST /v1/auth/token grant_type=client_credentials&client_id=app&client_secret=***"
    );
    assert!(asked.is_json && matches!(asked.bearer, Bearer::None));
    errand.hear(&answer(200, &tokens(CLIENT))).unwrap();
    assert!(errand.ask().is_none());
    let tokens = errand.done().unwrap();
    assert_eq!(tokens.expires_at, Some("2025-08-19T12:00:00Z".parse().unwrap()));
    assert_eq!(tokens.identity.as_deref(), Some("64a1ee00b7e4d90012ab3401"));
    assert_eq!(Livedigital.way(&account(false)), Some(Way::Client));
}

#[test]
fn a_user_logs_in_on_top_of_the_application_or_without_it() {
    for refuses_client in [false, true] {
        let mut errand = Livedigital.obtain(&account(true), Obtain::Configured).unwrap();
        errand.ask();
        errand.hear(&answer(200, &tokens(CLIENT))).unwrap();
        let asked = errand.ask().unwrap();
        assert_eq!(
            asked.to_string(),
            "POST /v1/auth/token grant_type=password&client_id=app&client_secret=***\
             &username=user@example.test&password=***"
        );
        assert!(matches!(asked.bearer, Bearer::Secret(_)));
        if refuses_client {
            errand.hear(&answer(401, &json!({ "code": "unauthorized" }))).unwrap();
            assert!(matches!(errand.ask().unwrap().bearer, Bearer::None));
        }
        errand.hear(&answer(200, &tokens(USER))).unwrap();
        assert!(errand.ask().is_none());
        assert_eq!(errand.done().unwrap().identity.as_deref(), Some("64a1ee55b7e4d90012ab3402"));
    }
}

#[test]
fn a_wrong_password_is_refused_at_once() {
    let mut errand = Livedigital.obtain(&account(true), Obtain::Configured).unwrap();
    errand.ask();
    errand.hear(&answer(200, &tokens(CLIENT))).unwrap();
    errand.ask();
    let body = json!({ "error": "invalid_grant", "error_description": "Invalid credentials" });
    let denial = errand.hear(&answer(400, &body)).unwrap_err();
    assert_eq!(denial, Denial::Refused("invalid_grant".to_owned()));
}

#[test]
fn a_token_that_says_nothing_of_its_end_lives_for_a_little_less_than_a_week() {
    let mut errand = Livedigital.obtain(&account(false), Obtain::Refresh(&"r".into())).unwrap();
    assert!(errand.ask().unwrap().to_string().contains("grant_type=refresh_token"));
    errand.hear(&answer(200, &tokens("opaque"))).unwrap();
    assert_eq!(errand.done().unwrap().expires_at, Some("2025-08-19T06:00:00Z".parse().unwrap()));
}
