use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::simulators::{
    Fault,
    grants::{Outcome, Rotation},
    token_trick::TokenTrick,
};

fn send(world: &mut World, fields: &Value, authorization: &str) -> Response {
    let mut body =
        json!({ "client_id": "example-livedigital-id", "client_secret": "example-livedigital-secret" });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    let mut request = request("/v1/auth/token", &[]);
    request.method = "POST".to_owned();
    request.headers = match authorization {
        "" => Vec::new(),
        token => vec![("authorization".to_owned(), format!("Bearer {token}"))],
    };
    request.body = body.to_string().into_bytes();
    let now = later(world, 1);
    world.answer(&request, now)
}

fn password(world: &mut World, password: &str, authorization: &str) -> Response {
    let fields = json!({ "grant_type": "password", "username": "user@example.test", "password": password });
    send(world, &fields, authorization)
}

fn client(world: &mut World) -> Response {
    send(world, &json!({ "grant_type": "client_credentials" }), "")
}

fn refresh(world: &mut World, token: &str) -> Response {
    send(world, &json!({ "grant_type": "refresh_token", "refresh_token": token }), "")
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn text(response: &Response, name: &str) -> String {
    body(response)[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", body(response))).to_owned()
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("it is a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn error(response: &Response) -> (u16, String) {
    (response.status, text(response, "error"))
}

/// The status with which the API answers this token.
fn at_api(world: &mut World, path: &str, token: &str) -> u16 {
    let mut request = request(path, &[]);
    request.headers[0].1 = format!("Bearer {token}");
    let now = later(world, 2);
    world.answer(&request, now).status
}

#[test]
fn a_password_gets_the_tokens_of_the_owner() {
    let (mut world, _) = world_with(1, Options::default());
    let issued = password(&mut world, "password", "");
    assert_eq!(body(&issued)["token_type"], "Bearer");
    assert_eq!(body(&issued).as_object().unwrap().len(), 3);
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| text(&issued, name));
    let life = |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    let (first, second) = (claims(&access), claims(&refresh));
    assert_eq!((life(&first), life(&second)), (604_800, 1_814_400));
    assert_eq!((&first["aud"], &first["type"]), (&json!("user"), &json!("accessToken")));
    assert_eq!((&second["aud"], &second["type"]), (&json!("user"), &json!("refreshToken")));
    assert!(first["sgn"] == "5f4dcc3b5a" && first["jti"].as_str().map(str::len) == Some(21));
    assert_eq!(
        (at_api(&mut world, "/v1/spaces", &access), at_api(&mut world, "/v1/spaces", &refresh)),
        (200, 401)
    );
    assert!(world.violations().is_empty());
}

#[test]
fn a_client_token_may_only_look_at_public_rooms() {
    let (mut world, space) = world_with(1, Options::default());
    let access = text(&client(&mut world), "access_token");
    let claims = claims(&access);
    assert!(claims["aud"] == "client" && claims["sub"] == claims["cId"] && claims["sgn"].is_null());
    assert_eq!(at_api(&mut world, "/v1/spaces", &access), 403);
    let room = world.rooms[0].id.clone();
    world.change_room(&room, &RoomChange::Public(true));
    assert_eq!(at_api(&mut world, &format!("/v1/spaces/{space}/rooms/{room}"), &access), 200);
}

#[test]
fn a_client_token_beside_the_password_is_required_tolerated_or_refused() {
    let (mut world, _) = world_with(0, Options::default());
    let issued = text(&client(&mut world), "access_token");
    let mut statuses = |kind| {
        world.options().client_token_beside_password = kind;
        ["", "x", "example-livedigital-client", &issued]
            .map(|token| password(&mut world, "password", token).status)
    };
    assert_eq!(statuses(ClientToken::Required), [401, 401, 200, 200]);
    assert_eq!(statuses(ClientToken::Tolerated), [200; 4]);
    assert_eq!(statuses(ClientToken::Refused), [200, 401, 401, 401]);
}

#[test]
fn every_refusal_is_oauths() {
    let (mut world, _) = world_with(0, Options::default());
    let wrong = password(&mut world, "wrong", "");
    let expected = json!({ "error": "invalid_grant", "error_description": "Invalid credentials" });
    assert_eq!((wrong.status, body(&wrong)), (400, expected));
    let secret = send(&mut world, &json!({ "grant_type": "password", "client_secret": "x" }), "");
    assert_eq!(error(&secret), (401, "invalid_client".to_owned()));
    assert_eq!(error(&send(&mut world, &json!({}), "")), (400, "invalid_request".to_owned()));
    assert_eq!(error(&refresh(&mut world, "x")), (400, "unsupported_grant_type".to_owned()));
    assert_eq!(world.token_calls()[3].outcome, Outcome::Refused("unsupported_grant_type"));
    assert_eq!(world.token_calls()[0].grant_type, "password");
}

#[test]
fn refresh_tokens_are_replaced_or_stay_where_they_are_known_at_all() {
    let options = Options { refresh: Some(Rotation::Always), ..Options::default() };
    let (mut world, _) = world_with(0, options);
    let old = text(&password(&mut world, "password", ""), "refresh_token");
    let second = refresh(&mut world, &old);
    let access = text(&second, "access_token");
    assert_eq!(claims(&access)["aud"], "user");
    assert_eq!(at_api(&mut world, "/v1/spaces", &access), 200);
    assert_eq!(error(&refresh(&mut world, &old)), (400, "invalid_grant".to_owned()));
    assert_eq!((at_api(&mut world, "/v1/spaces", &access), world.killed_families()), (401, 1));
    world.options().refresh = Some(Rotation::Never);
    let kept = text(&password(&mut world, "password", ""), "refresh_token");
    for _ in 0..2 {
        assert_eq!(body(&refresh(&mut world, &kept))["refresh_token"], Value::Null);
    }
}

#[test]
fn tokens_expire_and_need_not_say_when() {
    let options = Options {
        access_life: SignedDuration::from_secs(60),
        refresh_life: SignedDuration::from_secs(120),
        refresh: Some(Rotation::Always),
        has_opaque_tokens: true,
        ..Options::default()
    };
    let (mut world, _) = world_with(0, options);
    let issued = password(&mut world, "password", "");
    let access = text(&issued, "access_token");
    assert!(!access.contains('.'));
    assert_eq!(at_api(&mut world, "/v1/spaces", &access), 200);
    let now = later(&world, 60);
    world.advance(now);
    assert_eq!(at_api(&mut world, "/v1/spaces", &access), 401);
    assert_eq!(world.requests_with_expired_token(), 1);
    let now = later(&world, 60);
    world.advance(now);
    let late = refresh(&mut world, &text(&issued, "refresh_token"));
    assert_eq!(error(&late), (400, "invalid_grant".to_owned()));
}

#[test]
fn the_token_endpoint_misbehaves_on_order_and_hates_cookies() {
    let (mut world, _) = world_with(0, Options::default());
    world.token_tricks().push_back(TokenTrick::Spoilt(Fault::LoginPage));
    assert!(client(&mut world).body.starts_with(b"<!doctype html>"));
    let mut request = request("/v1/auth/token", &[]);
    request.method = "POST".to_owned();
    request.headers.push(("cookie".to_owned(), "accessToken=x".to_owned()));
    let now = later(&world, 1);
    assert_eq!(world.answer(&request, now).status, 401);
    assert_eq!(world.violations().len(), 1);
}
