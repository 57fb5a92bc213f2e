//! Consents that end well, or as their person wants.

use futures::future::join_all;
use livehook::simulators::{Simulator as _, soop};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{
    browser::Browser,
    rig::{KOLLUS_USER, Rig, SOOP_USER},
};

const OTHER_USER: &str = "another@acme.example";

#[tokio::test]
async fn a_person_agrees_and_the_account_is_read_with_it() {
    let rig = Rig::start().await;
    for (account, platform, who) in [("acme", "Kollus", KOLLUS_USER), ("games", "SOOP", SOOP_USER)] {
        let mut browser = Browser::new();
        let begin = rig.begin_url(account).await;
        assert!(begin.starts_with(&format!("{}/oauth/{account}/begin?ticket=", rig.public)), "{begin}");
        let sent = browser.get(&begin).await;
        let cookie = &sent.headers["set-cookie"];
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1200"), "{cookie}");
        let asked = sent.location().to_owned();
        let back = browser.decide(&asked, who, true).await;
        assert!(back.starts_with(&format!("{}/oauth/{account}/callback?code=", rig.public)), "{back}");
        let step = browser.get(&back).await;
        assert_eq!(step.location(), format!("/oauth/{account}/result?outcome=confirm"));
        for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
            assert_eq!((&*sent.headers[name], &*step.headers[name]), (value, value));
        }

        let (_, page) = rig.outcome(&mut browser, &step).await;
        assert!(
            page.status == 200 && page.words().contains(who) && page.words().contains(account),
            "{page:?}"
        );
        assert!(page.words().contains(&format!("Link {platform} account")), "{page:?}");
        let policy = &page.headers["content-security-policy"];
        for part in
            ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "style-src 'sha256-"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        // Nothing is used before somebody says yes.
        assert_eq!(rig.credential(account).await["state"], "unconnected");
        let step = rig.answer(&mut browser, account, &page.field("form_key"), "yes").await;
        let (outcome, page) = rig.outcome(&mut browser, &step).await;
        assert_eq!((&*outcome, page.status), ("done", 200));
        assert!(page.words().contains("Connected") && page.words().contains(who), "{page:?}");

        let credential = rig.credential(account).await;
        assert_eq!((&credential["state"], &credential["identity"]), (&"connected".into(), &who.into()));
        // In another browser there is nothing of it to see.
        let result = format!("{}/oauth/{account}/result?outcome=done", rig.public);
        let foreign = Browser::new().get(&result).await;
        assert!(foreign.status == 404 && !foreign.text.contains(who), "{foreign:?}");
    }

    for source in ["kollus/acme", "soop/games"] {
        rig.until("both are read", async |rig| {
            let (_, events) = rig.events().await;
            events.iter().any(|event| {
                event["source"] == format!("livehook://{source}")
                    && event["type"].as_str().unwrap().starts_with("live.channel.")
            })
        })
        .await;
    }
    let (text, events) = rig.events().await;
    let authorized: Vec<_> =
        events.iter().filter(|event| event["type"] == "live.credential.authorized").collect();
    assert_eq!(authorized.len(), 2, "{text}");
    assert!(authorized.iter().all(|event| event["via"] == "oauth"), "{text}");
    for token in ["def502", "eyJ0eXAi", "access_token", "refresh_token"] {
        assert!(!text.contains(token), "{token} in {text}");
    }
}

#[tokio::test]
async fn the_same_person_again_needs_no_yes_and_another_one_is_said_to_replace_them() {
    let rig = Rig::start().await;
    assert_eq!(rig.connect(&mut Browser::new(), "acme", KOLLUS_USER).await.0, "done");

    let mut again = Browser::new();
    let back = rig.way_back(&mut again, "acme", KOLLUS_USER).await;
    assert_eq!(again.get(&back).await.location(), "/oauth/acme/result?outcome=done");

    let mut other = Browser::new();
    let back = rig.way_back(&mut other, "acme", OTHER_USER).await;
    let step = other.get(&back).await;
    let (outcome, page) = rig.outcome(&mut other, &step).await;
    assert_eq!(outcome, "confirm");
    assert!(page.words().contains(&format!("replaces {KOLLUS_USER}")), "{}", page.words());
    assert!(page.words().contains(OTHER_USER), "{}", page.words());
    let step = rig.answer(&mut other, "acme", &page.field("form_key"), "no").await;
    let (outcome, page) = rig.outcome(&mut other, &step).await;
    assert_eq!((&*outcome, page.status), ("denied", 400));
    let credential = rig.credential("acme").await;
    assert_eq!((&credential["identity"], &credential["waiting"]), (&KOLLUS_USER.into(), &().into()));

    // A platform that does not echo `state` proves nothing: the same person is asked about each time.
    assert_eq!(rig.connect(&mut Browser::new(), "games", SOOP_USER).await.0, "done");
    let mut again = Browser::new();
    let back = rig.way_back(&mut again, "games", SOOP_USER).await;
    assert_eq!(again.get(&back).await.location(), "/oauth/games/result?outcome=confirm");
}

#[tokio::test]
async fn who_says_no_at_the_platform_is_told_so() {
    for denial in [soop::Denial::Error, soop::Denial::NoCode] {
        let rig = Rig::with(soop::Options { denial, ..Default::default() }).await;
        let outcome = if denial == soop::Denial::Error { "denied" } else { "code-missing" };
        for (account, who, outcome) in [("acme", KOLLUS_USER, "denied"), ("games", SOOP_USER, outcome)] {
            let mut browser = Browser::new();
            let asked = rig.sent(&mut browser, account).await;
            let back = browser.decide(&asked, who, false).await;
            let step = browser.get(&back).await;
            let (told, page) = rig.outcome(&mut browser, &step).await;
            assert_eq!((&*told, page.status), (outcome, 400), "{page:?}");
            assert!(page.words().contains("nothing was connected"), "{page:?}");
            assert_eq!(rig.credential(account).await["state"], "unconnected");
        }
        assert_eq!(rig.token_calls(), 0);
    }
}

#[tokio::test]
async fn a_code_that_comes_fifty_times_at_once_is_exchanged_once() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    let back = rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
    let steps = (0..50).map(|_| {
        let mut same = Browser::new();
        same.cookies.clone_from(&browser.cookies);
        let back = back.clone();
        async move { same.get(&back).await.location().to_owned() }
    });
    let steps = join_all(steps).await;
    let count = |outcome: &str| steps.iter().filter(|step| step.ends_with(outcome)).count();
    assert_eq!((count("=confirm"), count("=already-used")), (1, 49), "{steps:?}");
    assert_eq!(rig.token_calls(), 1);
    assert_eq!(rig.kollus.world().killed_families(), 0);
    let (outcome, _) = rig.connect(&mut Browser::new(), "acme", KOLLUS_USER).await;
    assert_eq!(outcome, "done");
}

/// The consent is used up by then: tokens that nobody knows of would be left behind.
#[tokio::test]
async fn a_browser_that_leaves_during_the_exchange_loses_nothing() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    let back = rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
    let (_, path) = back.split_once(&rig.public).unwrap();
    let cookie = &browser.cookies["livehook-consent"];
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: livehook-consent={cookie}\r\n\r\n");
    let mut socket = TcpStream::connect(rig.public_address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    rig.until("tokens wait", async |rig| !rig.credential("acme").await["waiting"].is_null()).await;
    let page = browser.get(&format!("{}/oauth/acme/result?outcome=confirm", rig.public)).await;
    let step = rig.answer(&mut browser, "acme", &page.field("form_key"), "yes").await;
    assert_eq!(step.location(), "/oauth/acme/result?outcome=done");
}
