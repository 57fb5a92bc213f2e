//! Token endpoints that answer badly, again and again: never a storm, never a wrong belief.

use jiff::{SignedDuration, Timestamp};
use livehook::{
    grants::CredentialState,
    simulators::{Fault, Simulator, drift::Drift, grants::Rotation, token_trick::TokenTrick},
};
use serde_json::json;

use super::{days::soop, rig::Rig};

/// Times of the requests for tokens while each of them is answered like this for six hours.
async fn asked_while(trick: &TokenTrick) -> (Rig<livehook::simulators::soop::World>, Vec<Timestamp>) {
    let mut rig = Rig::new(soop(Rotation::Never));
    rig.connect().await;
    rig.run_for(SignedDuration::from_secs(28_800 * 69 / 100)).await;
    let before = rig.world(|world| world.token_calls().len());
    rig.world(|world| world.token_tricks().extend(vec![trick.clone(); 10_000]));
    rig.run_for(SignedDuration::from_hours(6)).await;
    let calls = rig.world(|world| world.token_calls()[before..].to_vec());
    (rig, calls.into_iter().map(|call| call.at).collect())
}

#[tokio::test]
async fn whatever_the_endpoint_answers_it_is_asked_once_a_minute_at_most_after_five_failures() {
    let faults = [
        Fault::LoginPage,
        Fault::Redirect,
        Fault::Status(500, None),
        Fault::Status(429, None),
        Fault::Status(503, Some("1".to_owned())),
        Fault::Status(403, None),
        Fault::Cut,
        Fault::Silence,
        Fault::Half,
        Fault::Huge,
        Fault::BrokenGzip,
    ];
    let mut tricks: Vec<_> = faults.into_iter().map(TokenTrick::Instead).collect();
    tricks.push(TokenTrick::LOST);
    tricks.push(TokenTrick::Shape(Drift::Missing("access_token")));
    tricks.push(TokenTrick::Shape(Drift::Renamed("access_token", "accessToken")));
    tricks.push(TokenTrick::Says("access_token", json!("")));
    for trick in tricks {
        let (mut rig, asked) = asked_while(&trick).await;
        assert!(asked.len() > 10, "{trick:?}: it is tried again, {} times", asked.len());
        for pair in asked.windows(2).skip(5) {
            let gap = pair[1].duration_since(pair[0]);
            assert!(gap >= SignedDuration::from_mins(1), "{trick:?}: {gap:#}");
        }
        assert_eq!(rig.world(|world| world.requests_with_expired_token()), 0, "{trick:?}");
        let state = rig.progress().state;
        assert!(matches!(state, CredentialState::Failing | CredentialState::InDoubt), "{trick:?}: {state:?}");
        assert_eq!(rig.verbs().await, ["authorized", "refresh_failed"], "{trick:?}: told once");
        // And when it is over, it is over.
        rig.world(|world| world.token_tricks().clear());
        rig.run_for(SignedDuration::from_hours(1)).await;
        assert_eq!(rig.progress().state, CredentialState::Connected, "{trick:?}");
        assert_eq!(rig.verbs().await.last().unwrap(), "refreshed", "{trick:?}");
    }
}

#[tokio::test]
async fn an_end_that_means_nothing_leads_to_no_storm() {
    for says in [json!(0), json!(-1), json!("28800"), json!("soon"), json!(null), json!(-1e9)] {
        let trick = TokenTrick::Says("expires_in", says.clone());
        let (rig, asked) = asked_while(&trick).await;
        assert!((1..=2).contains(&asked.len()), "{says}: {} renewals in six hours", asked.len());
        assert_eq!(rig.progress().state, CredentialState::Connected, "{says}");
        let expires_at = rig.progress().expires_at;
        assert_eq!(expires_at.is_some(), says == json!("28800"), "{says}: {expires_at:?}");
    }
    for missing in ["expires_in", "token_type", "refresh_token"] {
        let (rig, asked) = asked_while(&TokenTrick::Shape(Drift::Missing(missing))).await;
        assert!((1..=2).contains(&asked.len()), "without {missing}: {} renewals", asked.len());
        assert_eq!(rig.progress().state, CredentialState::Connected, "without {missing}");
    }
}

/// Clocks that differ by days, and platforms that mean it.
#[tokio::test]
async fn a_token_that_ends_at_once_is_renewed_once_a_minute_at_most() {
    for seconds in [1, 30, 90, 200] {
        let (rig, asked) = asked_while(&TokenTrick::Says("expires_in", json!(seconds))).await;
        assert!(asked.len() > 60, "{seconds} s: {} renewals", asked.len());
        for pair in asked.windows(2) {
            let gap = pair[1].duration_since(pair[0]);
            assert!(gap >= SignedDuration::from_mins(1), "{seconds} s: {gap:#}");
        }
        assert_eq!(rig.world(|world| world.requests_with_expired_token()), 0);
    }
}
