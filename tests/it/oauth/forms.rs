//! The form that asks for a yes: of this browser, of this page, once, in time.

use jiff::SignedDuration;
use livehook::grants::redirect::Refusal;

use super::{
    browser::{Browser, Page},
    rig::{KOLLUS_USER, Rig},
};

/// A consent that waits for a yes.
async fn asked(rig: &Rig, browser: &mut Browser) -> String {
    let back = rig.way_back(browser, "acme", KOLLUS_USER).await;
    let step = browser.get(&back).await;
    let (outcome, page) = rig.outcome(browser, &step).await;
    assert_eq!(outcome, "confirm");
    page.field("form_key")
}

async fn assert_refused(rig: &Rig, browser: &mut Browser, step: Page, refusal: Refusal) {
    let (outcome, page) = rig.outcome(browser, &step).await;
    assert_eq!(outcome, refusal.slug());
    assert!(page.says(refusal.sentence()), "{page:?}");
}

#[tokio::test]
async fn only_the_page_that_asked_can_answer_and_once() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    let key = asked(&rig, &mut browser).await;
    for (account, form_key, answer, refusal) in [
        ("acme", "key-of-another", "yes", Refusal::FormForged),
        ("acme", "", "yes", Refusal::FormForged),
        ("acme", &*key, "maybe", Refusal::FormForged),
        ("acme", &*key, "", Refusal::FormForged),
        ("second", &*key, "yes", Refusal::OtherAccount),
    ] {
        let step = rig.answer(&mut browser, account, form_key, answer).await;
        assert_refused(&rig, &mut browser, step, refusal).await;
    }
    let mut foreign = Browser::new();
    let step = rig.answer(&mut foreign, "acme", &key, "yes").await;
    assert_refused(&rig, &mut foreign, step, Refusal::CookieMissing).await;
    foreign.cookies.insert("livehook-consent".to_owned(), "cookie-of-another".to_owned());
    let step = rig.answer(&mut foreign, "acme", &key, "yes").await;
    assert_refused(&rig, &mut foreign, step, Refusal::CookieUnknown).await;
    assert_eq!(rig.credential("acme").await["state"], "unconnected");

    let step = rig.answer(&mut browser, "acme", &key, "yes").await;
    assert_eq!(step.location(), "/oauth/acme/result?outcome=done");
    for again in ["yes", "no"] {
        let step = rig.answer(&mut browser, "acme", &key, again).await;
        assert_refused(&rig, &mut browser, step, Refusal::NothingWaits).await;
    }
    assert_eq!(rig.credential("acme").await["state"], "connected");
    assert_eq!(rig.token_calls(), 1);
}

#[tokio::test]
async fn a_yes_that_comes_too_late_connects_nothing() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    let key = asked(&rig, &mut browser).await;
    rig.clock.advance(SignedDuration::from_secs(601));
    let step = rig.answer(&mut browser, "acme", &key, "yes").await;
    assert_refused(&rig, &mut browser, step, Refusal::NothingWaits).await;
    assert_eq!(rig.credential("acme").await["state"], "unconnected");
}

#[tokio::test]
async fn a_form_that_is_none_is_refused() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    asked(&rig, &mut browser).await;
    let url = format!("{}/oauth/acme/confirm", rig.public);
    assert_eq!(browser.post(&url, &[("form_key", &"k".repeat(2000)), ("answer", "yes")]).await.status, 413);
    assert_eq!(browser.get(&url).await.status, 405);
    assert_eq!(browser.post(&url, &[]).await.location(), "/oauth/acme/result?outcome=form-forged");
}
