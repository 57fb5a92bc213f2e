//! Passport's token endpoint, as the sheet has it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{model::AccountName, platform::ApiResponse};

fn account() -> AccountSettings {
    let mut account = AccountSettings::new(AccountName::parse("acme").unwrap(), "acme");
    account.client_id = Some("55".to_owned());
    account.client_secret = Some("EXAMPLE_SECRET".into());
    account
}

fn token() -> String {
    let claims = json!({ "aud": "55", "sub": "17", "exp": 1_799_987_400, "scopes": ["live:control"] });
    let part = |json: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims))
}

#[test]
fn a_code_is_exchanged_with_what_the_sheet_shows_and_the_verifier() {
    let with = Obtain::Code {
        code: &"def502EXAMPLE".into(),
        verifier: &"v".into(),
        redirect_uri: "https://hooks.example.com/oauth/kollus/callback",
    };
    let mut errand = Kollus.obtain(&account(), with).unwrap();
    let asked = errand.ask().unwrap();
    assert_eq!(
        asked.to_string(),
        "POST /oauth/token grant_type=authorization_code&client_id=55&client_secret=***\
         &redirect_uri=https://hooks.example.com/oauth/kollus/callback&code=***&code_verifier=***"
    );
    let body = json!({ "token_type": "Bearer", "expires_in": 31_622_400, "access_token": token(), "refresh_token": "def502" });
    let asked_at: Timestamp = "2026-01-14T04:30:00Z".parse().unwrap();
    let answer = ApiResponse { status: 200, retry_after: None, body: body.to_string().into(), asked_at };
    errand.hear(&answer).unwrap();
    assert!(errand.ask().is_none());
    let tokens = errand.done().unwrap();
    assert_eq!(tokens.expires_at, Some("2027-01-15T04:30:00Z".parse().unwrap()));
    assert_eq!(tokens.identity.as_deref(), Some("17"));
    assert_eq!(tokens.scopes.unwrap(), ["live:control"]);
}

#[test]
fn the_grant_is_called_refresh_token_and_not_as_one_document_misspells_it() {
    let mut errand = Kollus.obtain(&account(), Obtain::Refresh(&"def502EXAMPLEREFRESH".into())).unwrap();
    assert_eq!(
        errand.ask().unwrap().to_string(),
        "POST /oauth/token grant_type=refresh_token&client_id=55&client_secret=***&refresh_token=***"
    );
}

#[test]
fn what_the_platform_does_not_offer_is_not_asked_for() {
    assert!(Kollus.obtain(&account(), Obtain::Configured).is_none());
    assert!(Kollus.obtain(&account(), Obtain::Number(&"123456".into())).is_none());
    assert_eq!(Kollus.way(&account()), Some(Way::Browser));
    let without = AccountSettings { client_secret: None, ..account() };
    assert_eq!(Kollus.way(&without), None);
}

#[test]
fn a_personal_token_says_when_it_ends_or_is_taken_to_live_for_a_year() {
    let described = Kollus.describe(&token().into());
    assert_eq!(described.expires_at, Some("2027-01-15T04:30:00Z".parse().unwrap()));
    assert_eq!((described.identity.as_deref(), described.days_max), (Some("17"), Some(365)));
    let opaque = Kollus.describe(&"opaque".into());
    assert_eq!((opaque.expires_at, opaque.days_max), (None, Some(365)));
}
