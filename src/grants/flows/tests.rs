//! A consent from the operator's button to the browser's return.

use std::sync::Arc;

use super::*;
use crate::{
    access::{Access, AccessToken},
    platforms,
    ports::{ManualClock, SystemEntropy},
};

struct Rig {
    flows: Flows,
    clock: Arc<ManualClock>,
}

fn name(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

fn account(account: &str, platform: &str, source: Source) -> Account {
    let mut settings = AccountSettings::new(name(account), account);
    settings.client_id = Some("55".to_owned());
    settings.client_secret = Some("hidden".into());
    Account {
        platform: platforms::find(platform).unwrap(),
        settings,
        base_url: "https://api.example.com".parse().unwrap(),
        auth_url: "https://login.example.com".parse().unwrap(),
        source,
        keeping: AccessToken::kept(None, true, Access::Renewing).1,
        redirect_uri: Some(format!("https://hooks.example.com/oauth/{account}/callback")),
        is_needed: true,
    }
}

fn rig() -> Rig {
    let clock = Arc::new(ManualClock::at("2026-01-14T04:30:00Z".parse().unwrap()));
    let browser = || Source::Obtained(Way::Browser);
    let accounts = [
        account("acme", "kollus", browser()),
        account("games", "soop", browser()),
        account("meet", "livedigital", Source::Obtained(Way::Password)),
        account("own", "kollus", Source::Personal("x".into())),
    ];
    Rig { flows: Flows::new(&accounts, Arc::clone(&clock) as _, Arc::new(SystemEntropy)), clock }
}

/// A browser that was sent to the platform: its cookie, and the `state` it carries.
fn sent(rig: &Rig, account: &str) -> (String, String) {
    let ticket = rig.flows.begin(&name(account)).unwrap().ticket;
    let sent = rig.flows.send(&name(account), Some(ticket.expose_secret())).unwrap();
    let oauth_state = sent.url.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned();
    (sent.cookie.expose_secret().to_owned(), oauth_state)
}

fn back(code: &str, oauth_state: &str) -> Vec<(String, String)> {
    [("code", code), ("state", oauth_state)].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[test]
fn a_browser_that_comes_back_is_let_through_once() {
    let rig = rig();
    let (cookie, oauth_state) = sent(&rig, "acme");
    let returned = rig.flows.take(&name("acme"), Some(&cookie), &back("abc", &oauth_state)).unwrap();
    assert_eq!(returned.code.expose_secret(), "abc");
    assert_eq!(returned.redirect_uri, "https://hooks.example.com/oauth/acme/callback");
    assert!(returned.is_state_proven);
    let again = rig.flows.take(&name("acme"), Some(&cookie), &back("abc", &oauth_state));
    assert_eq!(again.unwrap_err(), Refusal::AlreadyUsed);
}

#[test]
fn only_accounts_that_are_connected_with_a_browser_can_be() {
    let rig = rig();
    for other in ["meet", "own", "nobody"] {
        assert_eq!(rig.flows.begin(&name(other)).unwrap_err(), Refusal::UnknownAccount, "{other}");
        assert_eq!(rig.flows.send(&name(other), Some("x")).unwrap_err(), Refusal::UnknownAccount);
        assert_eq!(rig.flows.take(&name(other), Some("x"), &[]).unwrap_err(), Refusal::UnknownAccount);
    }
}

#[test]
fn a_ticket_works_once_and_for_ten_minutes() {
    let rig = rig();
    let acme = name("acme");
    let begin = || rig.flows.begin(&acme).unwrap().ticket.expose_secret().to_owned();
    let send = |ticket: &str| rig.flows.send(&acme, Some(ticket)).map(drop);
    assert_eq!(rig.flows.send(&acme, None).unwrap_err(), Refusal::TicketMissing);
    assert_eq!(send(""), Err(Refusal::TicketMissing));
    assert_eq!(send("guess"), Err(Refusal::TicketUnknown));
    let (old, new) = (begin(), begin());
    assert_eq!(send(&old), Err(Refusal::TicketUnknown), "a newer one took its place");
    assert_eq!(send(&new), Ok(()));
    assert_eq!(send(&new), Err(Refusal::TicketUsed));
    let late = begin();
    rig.clock.advance(LIFE + SignedDuration::from_secs(1));
    assert_eq!(send(&late), Err(Refusal::Expired));
}

#[test]
fn the_cookie_must_be_of_this_browser_and_this_account() {
    let rig = rig();
    let (cookie, oauth_state) = sent(&rig, "acme");
    let (other, _) = sent(&rig, "games");
    let take =
        |cookie: Option<&str>| rig.flows.take(&name("acme"), cookie, &back("abc", &oauth_state)).map(drop);
    assert_eq!(take(None), Err(Refusal::CookieMissing));
    assert_eq!(take(Some("")), Err(Refusal::CookieMissing));
    assert_eq!(take(Some("guess")), Err(Refusal::CookieUnknown));
    assert_eq!(take(Some(&other)), Err(Refusal::OtherAccount));
    assert_eq!(take(Some(&cookie)), Ok(()), "and none of that used it up");
}

#[test]
fn what_others_send_does_not_end_a_persons_own_consent() {
    let rig = rig();
    let (cookie, oauth_state) = sent(&rig, "acme");
    let forged = back("evil", "forged");
    assert_eq!(rig.flows.take(&name("acme"), Some(&cookie), &forged).unwrap_err(), Refusal::StateWrong);
    assert!(rig.flows.take(&name("acme"), Some(&cookie), &back("abc", &oauth_state)).is_ok());
}

#[test]
fn a_code_that_came_before_is_refused_for_a_day() {
    let rig = rig();
    let attempt = |code: &str| {
        let (cookie, oauth_state) = sent(&rig, "acme");
        rig.flows.take(&name("acme"), Some(&cookie), &back(code, &oauth_state)).map(drop)
    };
    assert_eq!(attempt("abc"), Ok(()));
    assert_eq!(attempt("abc"), Err(Refusal::CodeSpent));
    rig.clock.advance(CODE_KEPT + SignedDuration::from_secs(1));
    assert_eq!(attempt("abc"), Ok(()));
}

#[test]
fn a_no_ends_it_and_its_page_says_so() {
    let rig = rig();
    let acme = name("acme");
    let (cookie, oauth_state) = sent(&rig, "acme");
    assert!(rig.flows.view(&acme, Some(&cookie)).is_none(), "it has not ended yet");
    let no = [("error", "access_denied"), ("state", &*oauth_state)];
    let no: Vec<_> = no.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(rig.flows.take(&acme, Some(&cookie), &no).unwrap_err(), Refusal::Denied);
    let view = rig.flows.view(&acme, Some(&cookie)).unwrap();
    assert_eq!(view.ending, Ending::Refused(Refusal::Denied));
    assert_eq!(rig.flows.take(&acme, Some(&cookie), &no).unwrap_err(), Refusal::AlreadyUsed);
}

#[test]
fn only_the_form_of_its_own_page_confirms() {
    let rig = rig();
    let acme = name("acme");
    let (cookie, oauth_state) = sent(&rig, "acme");
    rig.flows.take(&acme, Some(&cookie), &back("abc", &oauth_state)).unwrap();
    let waiting = Linked::Waiting { link: "link-1".to_owned(), identity: None, former: None };
    rig.flows.end(&acme, Some(&cookie), Ending::Linked(waiting));
    let key = rig.flows.view(&acme, Some(&cookie)).unwrap().form_key.expose_secret().to_owned();
    let confirm = |cookie: Option<&str>, key: &str| rig.flows.confirm(&acme, cookie, key);
    assert_eq!(confirm(None, &key), Err(Refusal::CookieMissing));
    assert_eq!(confirm(Some(&cookie), "guess"), Err(Refusal::FormForged));
    assert_eq!(confirm(Some(&cookie), ""), Err(Refusal::FormForged));
    assert_eq!(confirm(Some(&cookie), &key).as_deref(), Ok("link-1"));
    let active = Linked::Active { identity: None };
    rig.flows.end(&acme, Some(&cookie), Ending::Linked(active));
    assert_eq!(confirm(Some(&cookie), &key), Err(Refusal::NothingWaits));
}

#[test]
fn nothing_secret_is_shown() {
    let rig = rig();
    let begun = rig.flows.begin(&name("acme")).unwrap();
    let ticket = begun.ticket.expose_secret().to_owned();
    let sent = rig.flows.send(&name("acme"), Some(&ticket)).unwrap();
    let shown = format!("{begun:?} {:?}", sent.cookie);
    assert!(!shown.contains(&ticket) && !shown.contains(sent.cookie.expose_secret()));
}
