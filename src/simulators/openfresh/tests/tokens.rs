use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::simulators::{grants::Outcome, token_trick::TokenTrick};

impl Reader {
    fn log_in(&mut self, password: &str) -> Response {
        self.post("/v1/oauth/token", &json!({ "username": "username", "password": password }), "")
    }

    fn get_with(&mut self, token: &str) -> u16 {
        self.pass(2_000);
        let request = Request {
            method: "GET".to_owned(),
            path: "/v1/comments".to_owned(),
            query: vec![("programId".to_owned(), "92823".to_owned())],
            headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
            ..Request::default()
        };
        self.world.answer(&request, self.now).status
    }
}

fn token(response: &Response) -> String {
    json_of(response)["data"]["token"].as_str().expect("there is a token").to_owned()
}

#[test]
fn a_token_says_another_end_than_its_answer() {
    let mut reader = Reader::plain();
    let issued = reader.log_in("password");
    let claims = token(&issued).split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let answered: Timestamp = json_of(&issued)["data"]["expiredAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(answered.as_second() - claims["exp"].as_i64().unwrap(), 29 * 3_600);
    assert!(claims["id"] == "16" && claims["status"] == "broadcast");
}

#[test]
fn wrong_credentials_are_refused_in_the_documented_envelope() {
    let mut reader = Reader::plain();
    let refused = reader.log_in("wrong");
    let expected = json!({ "error": { "status": 401, "message": "unauthorized", "errorData": {} } });
    assert_eq!((refused.status, json_of(&refused)), (401, expected));
    assert_eq!(reader.world.token_calls()[0].outcome, Outcome::Refused("unauthorized"));
}

#[test]
fn an_expired_token_is_refused_where_none_is_needed() {
    let mut reader = Reader::plain();
    reader.world.options().token_life = SignedDuration::from_secs(60);
    let short = token(&reader.log_in("password"));
    assert_eq!(reader.get_with(&short), 200);
    reader.pass(60_000);
    assert_eq!((reader.get_with(&short), reader.get_with("unknown")), (401, 200));
    assert_eq!(reader.world.requests_with_expired_token(), 1);
    reader.world.options().ends_by_claim = true;
    let ended = token(&reader.log_in("password"));
    assert_eq!(reader.get_with(&ended), 401);
}

#[test]
fn logging_in_counts_against_no_limit_and_misbehaves_on_order() {
    let mut reader = Reader::plain();
    for _ in 0..100 {
        reader.now -= SignedDuration::from_millis(1_999);
        assert_eq!(reader.log_in("password").status, 200);
    }
    assert!(reader.world.violations().is_empty());
    reader.world.token_tricks().push_back(TokenTrick::Says("expiredAt", Value::Null));
    assert_eq!(json_of(&reader.log_in("password"))["data"]["expiredAt"], Value::Null);
}
