use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::simulators::{Fault, Manner, drift::Drift};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn consent() -> Consent {
    Consent { who: "gamja".to_owned(), scope: "a b".to_owned(), ..Consent::default() }
}

/// A family with the access token `a` and the refresh token `r`.
fn with_family() -> (Grants, usize) {
    let mut grants = Grants::new(1);
    let family = grants.open("gamja", "a b");
    grants.issue("a", Kind::Access, family, NOW, HOUR);
    grants.issue("r", Kind::Refresh, family, NOW, HOUR * 2);
    (grants, family)
}

fn answered(grants: &mut Grants) -> Response {
    let right =
        json!({ "access_token": "a", "expires_in": 60, "refresh_token": "r", "token_type": "Bearer" });
    grants.answer(NOW, "password", |_| Ok(right))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn a_code_is_good_once_and_its_second_use_kills_what_came_of_it() {
    let mut grants = Grants::new(1);
    grants.write_code("c".to_owned(), consent(), NOW, HOUR);
    assert_eq!(grants.look_up("d", NOW), Err(CodeRefused::Unknown));
    assert_eq!(grants.look_up("c", NOW + HOUR), Err(CodeRefused::Expired));
    let found = grants.look_up("c", NOW).unwrap();
    let family = grants.redeem("c", &found);
    assert_eq!(grants.family(family), ("gamja", "a b"));
    grants.issue("a", Kind::Access, family, NOW, HOUR);
    assert_eq!(grants.standing("a", NOW), Standing::Good("gamja".to_owned()));
    assert_eq!(grants.look_up("c", NOW), Err(CodeRefused::Used));
    assert_eq!(grants.look_up("c", NOW), Err(CodeRefused::Used));
    assert_eq!((grants.standing("a", NOW), grants.killed_families()), (Standing::Worthless, 1));
}

#[test]
fn a_refresh_token_that_was_replaced_kills_its_family_and_no_other() {
    let (mut grants, family) = with_family();
    let other = grants.open("bada", "");
    grants.issue("b", Kind::Access, other, NOW, HOUR);
    assert_eq!(grants.look_up_refresh("a", NOW), Err(RefreshRefused::Unknown));
    assert_eq!(grants.look_up_refresh("r", NOW + HOUR * 2), Err(RefreshRefused::Expired));
    assert_eq!(grants.look_up_refresh("r", NOW), Ok(family));
    assert_eq!(grants.rotate("r", Rotation::Always, "s".to_owned()), Some("s".to_owned()));
    grants.issue("s", Kind::Refresh, family, NOW, HOUR);
    assert_eq!(grants.look_up_refresh("s", NOW), Ok(family));
    assert_eq!(grants.look_up_refresh("r", NOW), Err(RefreshRefused::Used));
    assert_eq!(grants.look_up_refresh("s", NOW), Err(RefreshRefused::Used));
    assert_eq!((grants.standing("a", NOW), grants.killed_families()), (Standing::Worthless, 1));
    assert_eq!(grants.standing("b", NOW), Standing::Good("bada".to_owned()));
}

#[test]
fn a_refresh_token_stays_where_none_takes_its_place() {
    let (mut grants, family) = with_family();
    let mut rotate = |rotation| {
        assert_eq!(grants.look_up_refresh("r", NOW), Ok(family));
        grants.rotate("r", rotation, "s".to_owned())
    };
    assert_eq!(rotate(Rotation::Never), None);
    assert_eq!(rotate(Rotation::Repeats), Some("r".to_owned()));
    assert_eq!(rotate(Rotation::Sometimes), None);
    assert_eq!(rotate(Rotation::Sometimes), Some("s".to_owned()));
    assert_eq!(grants.killed_families(), 0);
}

#[test]
fn an_expired_access_token_is_counted_wherever_it_is_shown_to_the_api() {
    let (mut grants, _) = with_family();
    assert_eq!(grants.standing("a", NOW + HOUR), Standing::Expired);
    assert_eq!(grants.worth("a", NOW + HOUR), Standing::Expired);
    assert_eq!((grants.standing("r", NOW), grants.expired_uses()), (Standing::Worthless, 1));
    grants.expire_access(Some("bada"), NOW);
    assert_eq!(grants.worth("a", NOW), Standing::Good("gamja".to_owned()));
    grants.expire_access(Some("gamja"), NOW);
    assert_eq!(grants.worth("a", NOW), Standing::Expired);
    grants.revoke(None);
    assert_eq!((grants.worth("a", NOW), grants.killed_families()), (Standing::Worthless, 0));
}

#[test]
fn tricks_happen_to_one_request_each_and_the_calls_tell() {
    let mut grants = Grants::new(1);
    grants.token_tricks().extend([
        TokenTrick::Instead(Fault::Status(500, None)),
        TokenTrick::Instead(Fault::LoginPage),
        TokenTrick::LOST,
        TokenTrick::Spoilt(Fault::Silence),
        TokenTrick::Says("expires_in", json!("60")),
        TokenTrick::Says("expires_in", json!(-1)),
        TokenTrick::Shape(Drift::Missing("refresh_token")),
        TokenTrick::Shape(Drift::Renamed("access_token", "accessToken")),
    ]);
    let mut next = || answered(&mut grants);
    assert_eq!(next().status, 500);
    let page = next();
    assert!(page.status == 200 && page.body.starts_with(b"<!doctype html>"));
    assert_eq!((next().manner, next().manner), (Manner::Cut, Manner::Never));
    assert_eq!(body(&next())["expires_in"], "60");
    assert_eq!(body(&next())["expires_in"], -1);
    assert_eq!(body(&next())["refresh_token"], Value::Null);
    assert_eq!(body(&next())["accessToken"], "a");
    assert_eq!(body(&next())["access_token"], "a");
    let outcomes: Vec<_> = grants.calls().iter().map(|call| &call.outcome).collect();
    assert!(outcomes[..2].iter().all(|outcome| **outcome == Outcome::Unheard));
    assert!(outcomes.len() == 9 && outcomes[2..].iter().all(|outcome| **outcome == Outcome::Issued));
}

#[test]
fn redirects_carry_what_was_ordered() {
    let mut grants = Grants::new(1);
    let ordered = [
        RedirectTrick::Issuer("https://a.example".to_owned()),
        RedirectTrick::TwoCodes,
        RedirectTrick::WithError,
        RedirectTrick::StateChanged,
        RedirectTrick::StateMissing,
    ];
    grants.redirect_tricks().extend(ordered);
    let mut next = || {
        let parameters = vec![("code", "12".to_owned()), ("state", "s".to_owned())];
        let response = grants.redirect("http://c.example/?x=1", parameters);
        assert_eq!((response.status, &*response.headers[1].0), (302, "location"));
        response.headers[1].1.clone()
    };
    let base = "http://c.example/?x=1&code=12";
    assert_eq!(next(), format!("{base}&state=s&iss=https%3A%2F%2Fa.example"));
    assert_eq!(next(), format!("{base}&state=s&code=21"));
    assert_eq!(next(), format!("{base}&state=s&error=access_denied"));
    assert_eq!(next(), format!("{base}&state=sx"));
    assert_eq!(next(), base);
    assert_eq!(next(), format!("{base}&state=s"));
}

#[test]
fn only_what_is_registered_is_redirected_to_or_anything_that_is_a_url() {
    assert!(may_redirect_to("http://c.example/", "http://c.example/"));
    assert!(!may_redirect_to("http://c.example/a", "http://c.example/"));
    assert!(may_redirect_to("http://c.example/a", "") && !may_redirect_to("", ""));
}
