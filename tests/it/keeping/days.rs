//! Four hundred days: no request with an expired token, and every end told in time.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use livehook::{
    grants::{CredentialState, Source},
    platform::{AccountSettings, Way},
    platforms::{kollus::Kollus, livedigital::Livedigital, openfresh::Openfresh, soop::Soop},
    simulators::{Simulator, grants::Rotation, kollus, livedigital, openfresh, soop},
};
use serde_json::json;

use super::rig::{Case, Rig, obtained, settings};

use crate::support::{canaries, canaries::canary};

const DAYS: i64 = 400;
const HOURS_6: Duration = Duration::from_secs(6 * 3600);

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

pub fn kollus() -> Case<kollus::World> {
    let options = kollus::Options { access_token: "nobody-has-it".to_owned(), ..canaries::kollus() };
    let settings = AccountSettings {
        client_id: Some(options.client_id.clone()),
        client_secret: Some(options.client_secret.clone().into()),
        ..settings(&options.service_account, "channels", HOURS_6)
    };
    Case {
        begins_at: options.begins_at,
        world: kollus::World::new(options),
        platform: &Kollus,
        source: obtained(Way::Browser),
        settings,
    }
}

pub fn soop(rotation: Rotation) -> Case<soop::World> {
    let accounts = vec![soop::Account::new("soop1234", "")];
    // Where it is never replaced it must be good for longer, or a person is asked.
    let refresh_life = if rotation == Rotation::Always { days(60) } else { days(1_000) };
    let options = soop::Options { accounts, rotation, refresh_life, ..canaries::soop() };
    let settings = AccountSettings {
        client_id: Some(options.client_id.clone()),
        client_secret: Some(options.client_secret.clone().into()),
        ..settings("soop1234", "live_status", Duration::from_secs(2 * 3600))
    };
    Case {
        begins_at: options.begins_at,
        world: soop::World::new(options),
        platform: &Soop,
        source: obtained(Way::Browser),
        settings,
    }
}

pub fn livedigital(refresh: Option<Rotation>, has_opaque_tokens: bool) -> Case<livedigital::World> {
    let options = livedigital::Options {
        access_token: "nobody-has-it".to_owned(),
        refresh,
        has_opaque_tokens,
        ..canaries::livedigital()
    };
    let settings = AccountSettings {
        client_id: Some(options.client_id.clone()),
        client_secret: Some(options.client_secret.clone().into()),
        username: Some(options.username.clone()),
        password: Some(options.password.clone().into()),
        ..settings("space", "spaces", HOURS_6)
    };
    Case {
        begins_at: options.begins_at,
        world: livedigital::World::new(options),
        platform: &Livedigital,
        source: obtained(Way::Password),
        settings,
    }
}

fn openfresh() -> Case<openfresh::World> {
    let options = openfresh::Options { ends_by_claim: true, ..canaries::openfresh() };
    let mut settings = AccountSettings {
        username: Some(options.username.clone()),
        password: Some(options.password.clone().into()),
        ..settings("fresh", "comments", HOURS_6)
    };
    if let Some(watch) = settings.watches.get_mut("comments") {
        watch.lists.insert("programs", vec!["92823".to_owned()]);
    }
    Case {
        begins_at: options.begins_at,
        world: openfresh::World::new(options),
        platform: &Openfresh,
        source: obtained(Way::Password),
        settings,
    }
}

/// Lets the days pass, with a restart every ten; returns the verbs of what was told.
async fn pass<S: Simulator + 'static>(rig: &mut Rig<S>) -> Vec<String> {
    for _ in 0..DAYS / 10 {
        rig.run_for(days(10)).await;
        assert_eq!(rig.progress().state, CredentialState::Connected, "{:?}", rig.progress());
        let board = rig.process.as_ref().unwrap().poller.board().snapshot();
        assert_eq!(board[0].watches[0].last_failure, None, "{:?}", board[0].watches);
        rig.restart();
    }
    assert_eq!(rig.world(|world| world.requests_with_expired_token()), 0);
    assert_eq!(rig.world(|world| world.killed_families()), 0);
    let sweeps = rig.http.count();
    assert!(sweeps > 4 * DAYS.unsigned_abs() * 9 / 10, "only {sweeps} requests in {DAYS} days");
    rig.verbs().await
}

/// The first is `authorized`, and the rest are renewals, so many.
fn assert_renewed(verbs: &[String], times: std::ops::RangeInclusive<usize>) {
    assert_eq!(verbs.first().map(String::as_str), Some("authorized"));
    assert!(verbs[1..].iter().all(|verb| verb == "refreshed"), "{verbs:?}");
    assert!(times.contains(&(verbs.len() - 1)), "{} renewals", verbs.len() - 1);
}

#[tokio::test]
async fn kollus_is_renewed_once_in_its_year() {
    let mut rig = Rig::new(kollus());
    rig.connect().await;
    assert_renewed(&pass(&mut rig).await, 1..=1);
}

#[tokio::test]
async fn soop_is_renewed_three_times_a_day_whether_or_not_it_rotates() {
    for rotation in [Rotation::Always, Rotation::Never, Rotation::Sometimes] {
        let mut rig = Rig::new(soop(rotation));
        rig.connect().await;
        let verbs = pass(&mut rig).await;
        // Six hours at 75 % of eight, and a livehook that never sleeps through it.
        assert_renewed(&verbs, 1_500..=1_720);
    }
}

#[tokio::test]
async fn livedigital_logs_in_again_or_refreshes_every_few_days() {
    for refresh in [None, Some(Rotation::Always), Some(Rotation::Never)] {
        for has_opaque_tokens in [false, true] {
            let mut rig = Rig::new(livedigital(refresh, has_opaque_tokens));
            assert_renewed(&pass(&mut rig).await, 70..=82);
        }
    }
}

#[tokio::test]
async fn openfresh_logs_in_again_before_the_earlier_of_its_two_dates() {
    let mut rig = Rig::new(openfresh());
    assert_renewed(&pass(&mut rig).await, 1..=1);
}

/// As a personal token may look, if it is a JWT.
fn personal(ends_at: Timestamp) -> String {
    let claims = json!({ "sub": "17", "exp": ends_at.as_second(), "scopes": ["live:control"] });
    let part = |json: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(json!({ "alg": "RS256", "typ": "JWT" })), part(claims))
}

#[tokio::test]
async fn the_end_of_a_personal_token_is_told_sixty_thirty_and_seven_days_ahead() {
    let begins_at = canaries::kollus().begins_at;
    let ends_at = begins_at + days(365);
    for (token, says_when) in
        [(personal(ends_at), true), (canary("keeping-personal-token").to_owned(), false)]
    {
        let options = kollus::Options { access_token: token.clone(), ..canaries::kollus() };
        let settings = settings(&options.service_account, "channels", HOURS_6);
        let world = kollus::World::new(options);
        let source = Source::Personal(token.into());
        let mut rig = Rig::new(Case { world, begins_at, platform: &Kollus, source, settings });
        for day in 0..DAYS {
            if day == 365 {
                rig.world(|world| "another".clone_into(&mut world.options().access_token));
            }
            rig.run_for(days(1)).await;
            if day % 10 == 9 {
                rig.restart();
            }
        }
        let told = rig.told().await;
        let verbs: Vec<_> = told.iter().map(|told| told.verb.as_str()).collect();
        assert_eq!(verbs, ["expiring", "expiring", "expiring", "revoked"], "{says_when}");
        for (told, ahead) in told.iter().zip([60, 30, 7]) {
            let left = ends_at.duration_since(told.recorded_at);
            assert!(
                left <= days(ahead) && left > days(ahead) - SignedDuration::from_hours(1),
                "{ahead}: {left:#}"
            );
            assert_eq!(told.entity()["kind"], "personal");
            assert_eq!(told.entity()["needs_person"], true);
        }
        let revoked = told[3].recorded_at.duration_since(ends_at);
        // Where the token says it itself, a minute before; else when it is refused.
        let range = -SignedDuration::from_mins(1)..days(1);
        assert!(range.contains(&revoked), "{revoked:#}");
        rig.run_for(SignedDuration::from_mins(1)).await;
        assert_eq!(rig.progress().state, CredentialState::Lost);
    }
}

#[tokio::test]
async fn who_withdraws_consent_is_asked_again_while_access_lasts() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    rig.run_for(days(3)).await;
    // The refresh token is dead, and the access token lives on.
    let now = rig.now();
    rig.world(|world| world.grants_mut().expire_refresh(None, now));
    rig.run_for(SignedDuration::from_hours(9)).await;
    let told = rig.told().await;
    let last: Vec<_> = told.iter().rev().take(3).rev().map(|told| told.verb.as_str()).collect();
    assert_eq!(last, ["refresh_failed", "expiring", "revoked"]);
    let end: Timestamp = told[told.len() - 3].entity()["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(told[told.len() - 2].recorded_at < end, "it was told in time");
    assert_eq!(rig.world(|world| world.requests_with_expired_token()), 0);
    let calls = rig.world(|world| world.token_calls().len());
    rig.run_for(days(2)).await;
    assert_eq!(rig.world(|world| world.token_calls().len()), calls, "nobody asks again by himself");
    assert!(rig.progress().needs_person.unwrap().contains("livehook connect kept"));
    rig.connect().await;
    rig.run_for(days(1)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected);
}
