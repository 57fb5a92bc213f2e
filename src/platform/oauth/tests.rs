//! Consent URLs, token requests, and what token endpoints answer.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::model::AccountName;

fn account() -> AccountSettings {
    let mut account = AccountSettings::new(AccountName::parse("acme").unwrap(), "acme");
    account.client_id = Some("55".to_owned());
    account.client_secret = Some("hidden-secret".into());
    account
}

fn asked_at() -> Timestamp {
    "2026-01-14T04:30:00Z".parse().unwrap()
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> ApiResponse {
    ApiResponse { status, retry_after: None, body: body.into().into(), asked_at: asked_at() }
}

fn jwt(claims: &Value) -> SecretString {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(claims)).into()
}

#[test]
fn a_consent_is_asked_for_with_state_scopes_and_a_challenge() {
    let consent = Consent {
        redirect_uri: "https://hooks.example.com/oauth/acme/callback",
        oauth_state: &"the-state".into(),
        verifier: &"the-verifier-that-nobody-sees-0123456789abcdef".into(),
    };
    let url = "https://login.example.com/oauth/authorize".parse().unwrap();
    let scopes = vec!["live:control".to_owned(), "live:statistics".to_owned()];
    let url = consent_url(&account(), url, scopes, &consent).unwrap();
    let mut query: Vec<_> = url.query_pairs().into_owned().collect();
    query.sort();
    let challenge = Sha256::digest("the-verifier-that-nobody-sees-0123456789abcdef");
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
    let expected = [
        ("client_id", "55"),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://hooks.example.com/oauth/acme/callback"),
        ("response_type", "code"),
        ("scope", "live:control live:statistics"),
        ("state", "the-state"),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(url.host_str(), Some("login.example.com"));
    assert!(!url.as_str().contains("hidden-secret"));
}

#[test]
fn tokens_are_read_in_every_spelling_that_platforms_have() {
    let read = |body: Value| tokens(&answer(200, body.to_string())).unwrap();
    let plain = json!({ "access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 28800, "scope": null });
    let tokens = read(plain.clone());
    assert_eq!(tokens.access.expose_secret(), "a");
    assert_eq!(tokens.refresh.unwrap().expose_secret(), "r");
    assert_eq!(tokens.expires_at, Some("2026-01-14T12:30:00Z".parse().unwrap()));
    assert_eq!((tokens.scopes, tokens.quirks.len()), (None, 0));

    let with = |name: &str, value: Value| {
        let mut body = plain.clone();
        body[name] = value;
        read(body)
    };
    assert_eq!(with("scope", json!("a b")).scopes.unwrap(), ["a", "b"]);
    assert_eq!(with("scope", json!(["a", "b"])).scopes.unwrap(), ["a", "b"]);
    let text = with("expires_in", json!("3600"));
    assert_eq!(text.expires_at, Some("2026-01-14T05:30:00Z".parse().unwrap()));
    assert_eq!(text.quirks, ["expires-in-text"]);
    // What means nothing means that the platform will say so when it ends.
    for nonsense in [json!(0), json!(-1), json!("soon"), json!(null), json!({}), json!(""), json!(0.2)] {
        let tokens = with("expires_in", nonsense.clone());
        assert_eq!(tokens.expires_at, None, "{nonsense}");
        assert_eq!(
            tokens.quirks,
            match nonsense {
                Value::String(_) => vec!["expires-in-text", "expires-in-unusable"],
                _ => vec!["expires-in-unusable"],
            }
        );
    }
    let forever = with("expires_in", json!(u64::MAX)).expires_at;
    assert!(forever.is_none_or(|at| at < "2040-01-01T00:00:00Z".parse().unwrap()), "{forever:?}");
    let forever = with("expires_in", json!(1_u64 << 60)).expires_at;
    assert_eq!(forever, asked_at().checked_add(LIFE_MAX).ok());
    let bare = read(json!({ "access_token": "a" }));
    assert_eq!((bare.refresh.is_none(), bare.expires_at, &*bare.quirks), (true, None, &["token-type"][..]));
}

#[test]
fn a_denial_is_told_from_trouble() {
    use Denial::{Application, Passing, Refused};
    let refused = |code: &str| Refused(code.to_owned());
    let malformed = |denial: &Denial| matches!(denial, Passing(Failure::Malformed(_)));
    let error = |code: &str| json!({ "error": code, "error_description": "x", "hint": "y" }).to_string();
    for (status, body, expected) in [
        (400, error("invalid_grant"), refused("invalid_grant")),
        (401, error("invalid_grant"), refused("invalid_grant")),
        (200, error("invalid_grant"), refused("invalid_grant")),
        (401, error("expired_token"), refused("expired_token")),
        (400, error("unsupported_grant_type"), refused("unsupported_grant_type")),
        (401, error("invalid_client"), Application("invalid_client".to_owned())),
        (400, error("invalid_scope"), Application("invalid_scope".to_owned())),
        (400, error("hidden secret 123!"), refused("unknown error")),
        (400, error(&"a".repeat(41)), refused("unknown error")),
        (
            401,
            json!({ "error": { "status": 401, "message": "unauthorized" } }).to_string(),
            refused("unauthorized"),
        ),
        (403, json!({ "message": "Forbidden" }).to_string(), refused("status 403")),
        (422, "{}".to_owned(), refused("status 422")),
    ] {
        assert_eq!(tokens(&answer(status, body.clone())).unwrap_err(), expected, "{status} {body}");
    }
    // Somebody on the way, or nothing that can be read.
    for (status, body) in [
        (200, "<html>log in</html>"),
        (403, "<html>blocked</html>"),
        (401, ""),
        (404, "not found"),
        (200, "{"),
        (200, "[]"),
        (200, "{}"),
        (200, r#"{"access_token":""}"#),
        (200, r#"{"access_token":7}"#),
        (200, r#"{"data":{"access_token":"a"}}"#),
    ] {
        let denial = tokens(&answer(status, body)).unwrap_err();
        assert!(malformed(&denial), "{status} {body}: {denial:?}");
    }
    let rate = answer(429, error("invalid_grant"));
    assert!(matches!(tokens(&rate), Err(Passing(Failure::RateLimited { .. }))));
    for status in [408, 500, 502, 503] {
        let denial = tokens(&answer(status, error("invalid_grant"))).unwrap_err();
        assert!(matches!(denial, Passing(Failure::Unavailable { .. })), "{status}");
    }
    let busy = tokens(&answer(400, error("temporarily_unavailable"))).unwrap_err();
    assert!(matches!(busy, Passing(Failure::Refused { .. })), "{busy:?}");
}

#[test]
fn claims_are_read_off_what_is_a_jwt_and_nothing_else() {
    let claims = Claims::of(&jwt(&json!({ "sub": "17", "exp": 1_768_365_000.5, "scopes": ["a"] }))).unwrap();
    assert_eq!(claims.expires_at(), Some("2026-01-14T04:30:00Z".parse().unwrap()));
    assert_eq!((claims.identity().as_deref(), claims.scopes()), (Some("17"), Some(vec!["a".to_owned()])));
    let early = Claims::of(&jwt(&json!({ "id": 16, "exp": -5 }))).unwrap();
    assert_eq!((early.identity().as_deref(), early.expires_at()), (Some("16"), None));
    for opaque in ["", "a3b2d88f5d0c", "a.b", "a.b.c", "...."] {
        assert!(Claims::of(&opaque.into()).is_none(), "{opaque}");
    }
}

#[test]
fn a_secret_goes_into_the_request_and_is_not_shown() {
    let request = token_request(["oauth", "token"], "refresh_token", &account())
        .secret_form("refresh_token", &"hidden-refresh".into());
    let shown = format!("{request} {request:?}");
    assert!(shown.contains("client_id=55") && shown.contains("grant_type=refresh_token"), "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
}
