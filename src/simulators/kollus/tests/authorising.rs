use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::simulators::{
    Fault,
    grants::Outcome,
    token_trick::{RedirectTrick, TokenTrick},
};

const BACK: &str = "https://hooks.example.com/oauth/kollus/callback";
/// Of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn world() -> World {
    World::new(Options { redirect_uri: BACK.to_owned(), ..Options::default() })
}

fn asking<'q>(more: &[(&'q str, &'q str)]) -> Vec<(&'q str, &'q str)> {
    let query = [
        ("response_type", "code"),
        ("client_id", "55"),
        ("redirect_uri", BACK),
        ("scope", "live:control"),
        ("state", "s1"),
    ];
    let is_same = |(name, _): &&(&str, &str)| more.iter().any(|(other, _)| other == name);
    query.iter().filter(|pair| !is_same(pair)).chain(more).copied().collect()
}

fn send(world: &mut World, method: &str, path: &str, pairs: &[(&str, &str)], cookie: &str) -> Response {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let query = if method == "GET" { pairs.iter().map(own).collect() } else { Vec::new() };
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        headers: vec![own(&("cookie", cookie))],
        body: if method == "GET" { Vec::new() } else { body.into_bytes() },
    };
    let now = later(world, 1);
    world.answer(&request, now)
}

fn flow(page: &Response) -> String {
    let page = String::from_utf8(page.body.clone()).unwrap();
    let rest = page.split_once("name=\"flow\" value=\"").unwrap_or_else(|| panic!("no flow in {page}")).1;
    rest.split_once('"').unwrap().0.to_owned()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    &response.headers.iter().find(|(known, _)| known == name).expect("it is there").1
}

/// Goes through all pages; says the parameters of the redirect.
fn decide(world: &mut World, more: &[(&str, &str)], answer: &[(&str, &str)]) -> Vec<(String, String)> {
    let query = asking(more);
    let login = flow(&send(world, "GET", "/oauth/authorize", &query, ""));
    let form = [("flow", &*login), ("account", "operator@acme.example")];
    let let_in = send(world, "POST", "/login", &form, "");
    assert!(header(&let_in, "location").starts_with("/oauth/authorize?response_type=code&"));
    let cookie = header(&let_in, "set-cookie").split(';').next().unwrap().to_owned();
    let question = flow(&send(world, "GET", "/oauth/authorize", &query, &cookie));
    let answer = [&[("flow", &*question)], answer].concat();
    let back = send(world, "POST", "/oauth/authorize", &answer, &cookie);
    assert_eq!(back.status, 302);
    let url = url::Url::parse(header(&back, "location")).unwrap();
    assert!(url.as_str().starts_with(BACK));
    url.query_pairs().into_owned().collect()
}

fn code(world: &mut World, more: &[(&str, &str)]) -> String {
    let parameters = decide(world, more, &[]);
    assert!(parameters[0].0 == "code" && parameters[1] == ("state".to_owned(), "s1".to_owned()));
    assert!(parameters[0].1.starts_with("def502"));
    parameters[0].1.clone()
}

fn token(world: &mut World, form: &[(&str, &str)]) -> Response {
    let known = [("client_id", "55"), ("client_secret", "example-kollus-secret"), ("redirect_uri", BACK)];
    let is_same = |(name, _): &&(&str, &str)| form.iter().any(|(other, _)| other == name);
    let form: Vec<_> = known.iter().filter(|pair| !is_same(pair)).chain(form).copied().collect();
    send(world, "POST", "/oauth/token", &form, "")
}

fn by_code(world: &mut World, code: &str) -> Response {
    token(world, &[("grant_type", "authorization_code"), ("code", code)])
}

fn by_refresh(world: &mut World, refresh: &str) -> Response {
    token(world, &[("grant_type", "refresh_token"), ("refresh_token", refresh)])
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Access and refresh token.
fn pair(response: &Response) -> (String, String) {
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    let body = body(response);
    (body["access_token"].as_str().unwrap().to_owned(), body["refresh_token"].as_str().unwrap().to_owned())
}

/// Status and error and hint, all as written.
fn refused(response: &Response) -> (u16, String, String) {
    let body = body(response);
    assert_eq!(body["error_description"], body["message"]);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (response.status, text("error"), text("hint"))
}

fn grant(hint: &str) -> (u16, String, String) {
    (400, "invalid_grant".to_owned(), hint.to_owned())
}

/// The status with which the API answers this token.
fn at_api(world: &mut World, access: &str) -> u16 {
    let mut request = request("/channels", &[]);
    request.headers[0].1 = format!("Bearer {access}");
    let now = later(world, 2);
    world.answer(&request, now).status
}

#[test]
fn a_consent_becomes_tokens_that_the_api_takes_and_no_limit_is_touched() {
    let mut world = world();
    let code = code(&mut world, &[]);
    let issued = by_code(&mut world, &code);
    assert_eq!(
        (&body(&issued)["token_type"], &body(&issued)["expires_in"]),
        (&json!("Bearer"), &json!(31_622_400))
    );
    let (access, refresh) = pair(&issued);
    let parts: Vec<_> = access.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(parts[0], b"{\"typ\":\"JWT\",\"alg\":\"RS256\"}");
    let claims: Value = serde_json::from_slice(&parts[1]).unwrap();
    assert_eq!((&claims["aud"], &claims["scopes"]), (&json!("55"), &json!(["live:control"])));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 31_622_400);
    assert!(claims["sub"] == "operator@acme.example" && parts[2].len() == 256);
    assert!(refresh.starts_with("def502"));
    assert_eq!((at_api(&mut world, &access), at_api(&mut world, &refresh)), (200, 401));
    assert_eq!(at_api(&mut world, "example-kollus-access"), 200);
    assert!(world.violations().is_empty());
    assert_eq!(world.token_calls()[0].grant_type, "authorization_code");
}

#[test]
fn whoever_refuses_is_sent_back_with_a_word_about_it() {
    let back = decide(&mut world(), &[], &[("_method", "DELETE")]);
    let names: Vec<_> = back.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["error", "error_description", "state"]);
    assert_eq!((&*back[0].1, &*back[2].1), ("access_denied", "s1"));
}

#[test]
fn an_unknown_application_or_address_is_told_so_and_redirected_nowhere() {
    let mut world = world();
    for wrong in [("client_id", "56"), ("redirect_uri", "https://evil.example/"), ("redirect_uri", "x")] {
        let answer = send(&mut world, "GET", "/oauth/authorize", &asking(&[wrong]), "");
        assert_eq!(refused(&answer), (401, "invalid_client".to_owned(), String::new()));
        assert!(answer.headers.iter().all(|(name, _)| name != "location"));
    }
    let mut status = |more| send(&mut world, "GET", "/oauth/authorize", &asking(more), "").status;
    assert_eq!(status(&[("response_type", "token")]), 400);
    assert_eq!(status(&[("code_challenge", CHALLENGE)]), 400);
    assert_eq!(status(&[("code_challenge", "short"), ("code_challenge_method", "S256")]), 400);
    assert_eq!(status(&[("scope", "live:all")]), 302);
    assert_eq!(status(&[]), 200);
    world.options().redirect_uri = String::new();
    let anywhere = [("redirect_uri", "http://127.0.0.1:1/cb")];
    assert_eq!(send(&mut world, "GET", "/oauth/authorize", &asking(&anywhere), "").status, 200);
}

#[test]
fn a_code_is_good_once_for_ten_minutes_and_for_its_own_address() {
    let mut world = world();
    let first = code(&mut world, &[]);
    let elsewhere =
        [("grant_type", "authorization_code"), ("code", &*first), ("redirect_uri", "https://evil.example/")];
    assert_eq!(refused(&token(&mut world, &elsewhere)), grant("Invalid redirect URI"));
    let (access, refresh) = pair(&by_code(&mut world, &first));
    assert_eq!(refused(&by_code(&mut world, &first)), grant("Authorization code has been revoked"));
    assert_eq!((at_api(&mut world, &access), world.killed_families()), (401, 1));
    assert_eq!(refused(&by_refresh(&mut world, &refresh)), grant("Token has been revoked"));
    assert_eq!(refused(&by_code(&mut world, "x")), grant("Cannot decrypt the authorization code"));
    let late = code(&mut world, &[]);
    let now = later(&world, 600);
    world.advance(now);
    assert_eq!(refused(&by_code(&mut world, &late)), grant("Authorization code has expired"));
    assert_eq!(world.token_calls().len(), 6);
    assert_eq!(world.token_calls()[5].outcome, Outcome::Refused("invalid_grant"));
}

#[test]
fn a_challenge_wants_its_verifier() {
    let mut world = world();
    let challenged = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let with = code(&mut world, &challenged);
    let mut verify = |code: &str, verifier: &str| {
        let form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)];
        token(&mut world, &form)
    };
    let missing = "Check the `code_verifier` parameter".to_owned();
    assert_eq!(refused(&verify(&with, "")), (400, "invalid_request".to_owned(), missing));
    assert_eq!(refused(&verify(&with, "wrong")), grant("Failed to verify `code_verifier`."));
    assert_eq!(verify(&with, VERIFIER).status, 200);
    let without = code(&mut world, &[]);
    let form = [("grant_type", "authorization_code"), ("code", &without), ("code_verifier", VERIFIER)];
    let hint = "code_verifier received when no code_challenge is present";
    assert_eq!(refused(&token(&mut world, &form)), grant(hint));
}

#[test]
fn refreshing_replaces_both_tokens_and_the_old_one_again_kills_the_family() {
    let mut world = world();
    let code = code(&mut world, &[]);
    let (old_access, old_refresh) = pair(&by_code(&mut world, &code));
    let (access, refresh) = pair(&by_refresh(&mut world, &old_refresh));
    assert_eq!((at_api(&mut world, &old_access), at_api(&mut world, &access)), (401, 200));
    assert_eq!(refused(&by_refresh(&mut world, &old_refresh)), grant("Token has been revoked"));
    assert_eq!((at_api(&mut world, &access), world.killed_families()), (401, 1));
    world.options().bad_refresh = BadRefresh::Request;
    let answer = by_refresh(&mut world, &refresh);
    assert_eq!(refused(&answer), (401, "invalid_request".to_owned(), "Token has been revoked".to_owned()));
    assert_eq!(body(&answer)["message"], "The refresh token is invalid.");
    assert_eq!(world.requests_with_expired_token(), 0);
}

#[test]
fn tokens_expire() {
    let mut world = world();
    world.options().access_life = SignedDuration::from_secs(60);
    world.options().refresh_life = SignedDuration::from_secs(600);
    let code = code(&mut world, &[]);
    let issued = by_code(&mut world, &code);
    assert_eq!(body(&issued)["expires_in"], 60);
    let (access, refresh) = pair(&issued);
    assert_eq!(at_api(&mut world, &access), 200);
    let now = later(&world, 60);
    world.advance(now);
    assert_eq!((at_api(&mut world, &access), world.requests_with_expired_token()), (401, 1));
    let now = later(&world, 600);
    world.advance(now);
    assert_eq!(refused(&by_refresh(&mut world, &refresh)), grant("Token has expired"));
}

#[test]
fn every_other_refusal_is_passports() {
    let mut world = world();
    let mut ask = |form: &[(&str, &str)]| token(&mut world, form);
    let unsupported = ask(&[("grant_type", "refresh_code"), ("refresh_token", "x")]);
    let expected = json!({
        "error": "unsupported_grant_type",
        "error_description": "The authorization grant type is not supported by the authorization server.",
        "hint": "Check that all required parameters have been provided",
        "message": "The authorization grant type is not supported by the authorization server.",
    });
    assert_eq!((unsupported.status, body(&unsupported)), (400, expected));
    assert_eq!(refused(&ask(&[("grant_type", "client_credentials")])).1, "unsupported_grant_type");
    let wrong = ask(&[("grant_type", "refresh_token"), ("client_secret", "x")]);
    let expected = json!({
        "error": "invalid_client",
        "error_description": "Client authentication failed",
        "message": "Client authentication failed",
    });
    assert_eq!((wrong.status, body(&wrong)), (401, expected));
    let hint = "Check the `refresh_token` parameter".to_owned();
    let missing = ask(&[("grant_type", "refresh_token")]);
    assert_eq!(refused(&missing), (400, "invalid_request".to_owned(), hint));
    assert_eq!(send(&mut world, "GET", "/oauth/token", &[], "").status, 405);
    let code = code(&mut world, &[]);
    let (_, refresh) = pair(&by_code(&mut world, &code));
    let wider = [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("scope", "live:statistics")];
    assert_eq!(refused(&token(&mut world, &wider)).1, "invalid_scope");
    world.options().has_client_credentials = true;
    let alone = token(&mut world, &[("grant_type", "client_credentials"), ("scope", "live:control")]);
    assert_eq!((alone.status, &body(&alone)["refresh_token"]), (200, &Value::Null));
}

#[test]
fn an_answer_that_is_lost_leaves_the_client_with_a_token_that_is_replaced() {
    let mut world = world();
    let code = code(&mut world, &[]);
    let (access, refresh) = pair(&by_code(&mut world, &code));
    world.token_tricks().extend([TokenTrick::Instead(Fault::Status(500, None)), TokenTrick::LOST]);
    assert_eq!(by_refresh(&mut world, &refresh).status, 500);
    assert_eq!(at_api(&mut world, &access), 200);
    assert_eq!(by_refresh(&mut world, &refresh).manner, Manner::Cut);
    assert_eq!(at_api(&mut world, &access), 401);
    assert_eq!(by_refresh(&mut world, &refresh).status, 400);
    assert_eq!(world.killed_families(), 1);
    world.grants_mut().redirect_tricks().push_back(RedirectTrick::StateMissing);
    assert_eq!(decide(&mut world, &[], &[]).len(), 1);
}
