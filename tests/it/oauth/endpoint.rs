//! A token endpoint that misbehaves when a code is exchanged: one request, and the right page.

use livehook::{
    grants::redirect::Refusal,
    simulators::{Fault, Simulator as _, token_trick::TokenTrick},
};
use serde_json::json;

use super::{
    browser::Browser,
    rig::{KOLLUS_USER, Rig},
};

#[tokio::test]
async fn an_exchange_that_fails_links_nothing_and_is_not_repeated() {
    let rig = Rig::start().await;
    let status = |status| TokenTrick::Instead(Fault::Status(status, None));
    for (trick, refusal) in [
        (TokenTrick::Instead(Fault::LoginPage), Refusal::Unanswered),
        (TokenTrick::Spoilt(Fault::LoginPage), Refusal::Unanswered),
        (status(500), Refusal::Unanswered),
        (status(429), Refusal::Unanswered),
        (TokenTrick::LOST, Refusal::Unanswered),
        (TokenTrick::Spoilt(Fault::Half), Refusal::Unanswered),
        (TokenTrick::Spoilt(Fault::Redirect), Refusal::Unanswered),
        (TokenTrick::Says("access_token", json!("")), Refusal::Unanswered),
    ] {
        let mut browser = Browser::new();
        let back = rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
        rig.kollus.world().token_tricks().push_back(trick.clone());
        let before = rig.token_calls();
        let step = browser.get(&back).await;
        let (outcome, page) = rig.outcome(&mut browser, &step).await;
        assert_eq!((&*outcome, page.status), (refusal.slug(), 400), "{trick:?}");
        assert!(page.says(refusal.sentence()), "{trick:?}: {page:?}");
        // Nor by loading the page again.
        assert!(browser.get(&back).await.location().ends_with("=already-used"), "{trick:?}");
        assert_eq!(rig.token_calls(), before + 1, "{trick:?}");
        let credential = rig.credential("acme").await;
        assert_eq!((&credential["state"], &credential["waiting"]), (&json!("unconnected"), &json!(null)));
    }
    assert_eq!(rig.connect(&mut Browser::new(), "acme", KOLLUS_USER).await.0, "done");
}

#[tokio::test]
async fn a_life_that_means_nothing_links_all_the_same() {
    let rig = Rig::start().await;
    for life in [json!("3600"), json!(0), json!(-1), json!(null), json!("soon")] {
        let before = rig.token_calls();
        rig.kollus.world().token_tricks().push_back(TokenTrick::Says("expires_in", life.clone()));
        let (outcome, page) = rig.connect(&mut Browser::new(), "acme", KOLLUS_USER).await;
        assert_eq!((&*outcome, page.status), ("done", 200), "{life}: {page:?}");
        assert_eq!(rig.credential("acme").await["state"], "connected", "{life}");
        assert_eq!(rig.token_calls(), before + 1, "{life}");
    }
}

#[tokio::test]
async fn what_the_platform_refuses_is_told_apart() {
    let rig = Rig::start().await;
    let outcome = async || {
        let mut browser = Browser::new();
        let back = rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
        let step = browser.get(&back).await;
        rig.outcome(&mut browser, &step).await.0
    };
    let right = rig.kollus.world().options().client_secret.clone();
    rig.kollus.world().options().client_secret = "another".to_owned();
    assert_eq!(outcome().await, Refusal::ApplicationRefused.slug());
    rig.kollus.world().options().client_secret = right;
    rig.kollus.world().options().code_life = jiff::SignedDuration::ZERO;
    assert_eq!(outcome().await, Refusal::CodeRefused.slug());
    assert_eq!(rig.token_calls(), 2);
}
