//! Tickets: each opens one consent, once, for ten minutes, and whoever only looks does not use it.

use jiff::SignedDuration;
use livehook::grants::redirect::Refusal;
use reqwest::Method;

use super::{
    browser::Browser,
    rig::{KOLLUS_USER, Rig},
};
use crate::support::program::client;

#[tokio::test]
async fn a_ticket_that_is_not_good_leads_nowhere() {
    let rig = Rig::start().await;
    let other = rig.begin_url("second").await;
    let (_, ticket_of_other) = other.split_once("ticket=").unwrap();
    let replaced = rig.begin_url("acme").await;
    let begin = rig.begin_url("acme").await;
    let path = format!("{}/oauth/acme/begin", rig.public);
    let refused = async |url: &str, refusal: Refusal| {
        let mut browser = Browser::new();
        let step = browser.get(url).await;
        assert!(!step.headers.contains_key("set-cookie"), "{step:?}");
        let (outcome, page) = rig.outcome(&mut browser, &step).await;
        assert_eq!((&*outcome, page.status), (refusal.slug(), 400));
        assert!(page.says(refusal.sentence()), "{page:?}");
    };
    refused(&path, Refusal::TicketMissing).await;
    refused(&format!("{path}?ticket="), Refusal::TicketMissing).await;
    refused(&format!("{path}?ticket=ticket-of-another"), Refusal::TicketUnknown).await;
    refused(&format!("{path}?ticket={ticket_of_other}"), Refusal::TicketUnknown).await;
    refused(&replaced, Refusal::TicketUnknown).await;
    let sent = Browser::new().get(&begin).await;
    assert!(sent.location().starts_with(&format!("{}/oauth/authorize?", rig.kollus.url())), "{sent:?}");
    refused(&begin, Refusal::TicketUsed).await;
    let late = rig.begin_url("acme").await;
    rig.clock.advance(SignedDuration::from_secs(601));
    refused(&late, Refusal::Expired).await;
    assert_eq!(rig.token_calls(), 0);
}

#[tokio::test]
async fn whoever_only_looks_uses_nothing_up() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    let begin = rig.begin_url("acme").await;
    let looked = browser.send(Method::HEAD, &begin, None).await;
    assert_eq!((looked.status, &*looked.text), (200, ""));
    assert!(browser.cookies.is_empty());
    let asked = browser.get(&begin).await.location().to_owned();
    let back = browser.decide(&asked, KOLLUS_USER, true).await;
    assert_eq!(browser.send(Method::HEAD, &back, None).await.status, 200);
    for (url, method) in [(&begin, Method::POST), (&back, Method::POST), (&back, Method::PUT)] {
        let page = browser.send(method, url, Some(String::new())).await;
        assert_eq!((page.status, &*page.headers["cache-control"]), (405, "no-store"));
    }
    assert_eq!(rig.token_calls(), 0);
    assert_eq!(browser.get(&back).await.location(), "/oauth/acme/result?outcome=confirm");
}

#[tokio::test]
async fn while_livehook_is_being_stopped_nothing_begins() {
    let rig = Rig::start().await;
    let begin = rig.begin_url("acme").await;
    let mut browser = Browser::new();
    // A connection that is open already is answered once more.
    browser.get(&format!("{}/oauth/acme/result", rig.public)).await;
    rig.app.stop().cancel();
    let Rig { app, .. } = rig;
    let ended = tokio::spawn(app.finish());
    let mut seen = None;
    for _ in 0..100 {
        let answer = client().head(&begin).send().await;
        match answer.map(|answer| answer.status().as_u16()) {
            Ok(200) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            other => {
                seen = other.ok();
                break;
            }
        }
    }
    // Refused in words, or not reached at all.
    assert!(seen.is_none_or(|status| status == 503), "{seen:?}");
    ended.await.unwrap().unwrap();
}
