//! Tokens by browser and by number, and whose they are.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{model::AccountName, platform::WatchSettings};

fn account() -> AccountSettings {
    let mut account = AccountSettings::new(AccountName::parse("games").unwrap(), "soop1234");
    account.client_id = Some("client".to_owned());
    account.client_secret = Some("secret".into());
    account
}

fn answer(status: u16, body: &serde_json::Value) -> ApiResponse {
    ApiResponse { status, retry_after: None, body: body.to_string().into(), asked_at: Timestamp::UNIX_EPOCH }
}

fn identified(answers: &[ApiResponse]) -> (Vec<String>, Result<Option<String>, Denial>) {
    let mut errand = Soop.identify(&account()).unwrap();
    let mut asked = Vec::new();
    let mut answers = answers.iter();
    while let Some(request) = errand.ask() {
        asked.push(request.to_string());
        if let Err(denial) = errand.hear(answers.next().unwrap()) {
            return (asked, Err(denial));
        }
    }
    (asked, errand.done())
}

#[test]
fn a_number_becomes_a_code_and_that_becomes_tokens() {
    let mut errand = Soop.obtain(&account(), Obtain::Number(&"123456".into())).unwrap();
    assert_eq!(
        errand.ask().unwrap().to_string(),
        "POST /auth/code client_id=client&auth_type=api&certification_number=***\
         &scope=validate_live_status user_stationinfo"
    );
    errand.hear(&answer(200, &json!({ "code": "34197c7e4b1f0a6d2c88" }))).unwrap();
    assert_eq!(
        errand.ask().unwrap().to_string(),
        "POST /auth/token grant_type=authorization_code&client_id=client&client_secret=***&code=***"
    );
    let tokens = json!({ "access_token": "a", "expires_in": 28800, "token_type": "Bearer", "scope": null, "refresh_token": "r" });
    errand.hear(&answer(200, &tokens)).unwrap();
    assert!(errand.ask().is_none());
    let tokens = errand.done().unwrap();
    assert_eq!(tokens.expires_at, Some("1970-01-01T08:00:00Z".parse().unwrap()));
    assert_eq!((tokens.identity, tokens.scopes), (None, None));
}

#[test]
fn a_no_in_the_words_of_soop_is_a_no_although_it_comes_with_status_200() {
    let refresh = "r".into();
    for (body, why) in [
        (json!({ "result": -10, "msg": "인증에 실패" }), "not authorised"),
        (json!({ "result": "-7", "msg": "?" }), "result -7"),
        (json!({ "error": "invalid_grant" }), "invalid_grant"),
    ] {
        let mut errand = Soop.obtain(&account(), Obtain::Refresh(&refresh)).unwrap();
        errand.ask();
        assert_eq!(errand.hear(&answer(200, &body)), Err(Denial::Refused(why.to_owned())), "{body}");
    }
    // What has lost its name is no refusal.
    let mut errand = Soop.obtain(&account(), Obtain::Refresh(&refresh)).unwrap();
    errand.ask();
    let drifted = errand.hear(&answer(200, &json!({ "accessToken": "a", "expires_in": 1 })));
    assert!(matches!(drifted, Err(Denial::Passing(Failure::Malformed(_)))), "{drifted:?}");
}

#[test]
fn a_wrong_number_is_refused() {
    for body in
        [json!({ "code": "" }), json!({ "result": -1 }), json!({}), json!({ "error": "invalid_grant" })]
    {
        let mut errand = Soop.obtain(&account(), Obtain::Number(&"000000".into())).unwrap();
        errand.ask();
        let denial = errand.hear(&answer(200, &body)).unwrap_err();
        assert!(matches!(denial, Denial::Refused(_)), "{body}: {denial:?}");
    }
}

#[test]
fn only_who_reads_the_settings_asks_for_the_stream_key() {
    let mut account = account();
    assert_eq!(scopes(&account), ["validate_live_status", "user_stationinfo"]);
    account.watches.insert("settings", WatchSettings::default());
    assert_eq!(scopes(&account), ["validate_live_status", "user_stationinfo", "broad_rtmp"]);
    account.scopes = vec!["own".to_owned()];
    assert_eq!(scopes(&account), ["own"]);
}

#[test]
fn live_status_says_whose_a_token_is_and_else_the_stations_picture() {
    let live = answer(200, &json!({ "result": 1, "data": { "user_id": "soop1234", "status": "streamend" } }));
    let (asked, login) = identified(&[live]);
    assert_eq!(asked, ["POST /validate/live/status access_token=***"]);
    assert_eq!(login.unwrap().as_deref(), Some("soop1234"));

    let silent = answer(200, &json!({ "result": 1, "data": { "broad_no": 0, "status": "streamend" } }));
    let picture = "//profile.img.sooplive.co.kr/LOGO/so/soop1234/soop1234.jpg?dummy=1";
    let station = answer(200, &json!({ "result": 1, "data": [{ "profile_image": picture }] }));
    let (asked, login) = identified(&[silent, station]);
    assert_eq!(asked[1], "POST /user/stationinfo access_token=***");
    assert_eq!(login.unwrap().as_deref(), Some("soop1234"));
}

#[test]
fn who_cannot_be_asked_is_nobody_and_trouble_is_trouble() {
    let refusals = [answer(403, &json!({})), answer(200, &json!({ "result": -10, "msg": "" }))];
    assert_eq!(identified(&refusals).1, Ok(None));
    assert!(matches!(identified(&[answer(503, &json!({}))]).1, Err(Denial::Passing(_))));
}

#[test]
fn no_picture_makes_somebody_up() {
    for (address, login) in [
        ("https://x/LOGO/so/soop1234/soop1234.jpg", Some("soop1234")),
        ("https://x/LOGO/xx/soop1234/soop1234.jpg", None),
        ("https://x/LOGO/", None),
        ("https://x/LOGO/so/", None),
        ("https://x/LOGO/so/so%2f..%2fx/", None),
        ("https://x/other.jpg", None),
    ] {
        assert_eq!(login_in_picture(address).as_deref(), login, "{address}");
    }
}
