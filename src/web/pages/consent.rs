//! What the person at the browser sees of a consent: connected, asked, refused.

use axum::{http::StatusCode, response::Response};
use maud::html;
use secrecy::ExposeSecret;

use super::{page, prose};
use crate::{
    grants::{
        Linked,
        flows::{Ending, View},
        redirect::Refusal,
    },
    model::AccountName,
};

/// How a consent ended, or what has to be answered first.
pub(in crate::web) fn ended(account: &AccountName, platform: &str, view: &View) -> Response {
    match &view.ending {
        Ending::Refused(refusal) => refused(*refusal),
        Ending::Linked(Linked::Active { identity }) => connected(account, platform, identity.as_deref()),
        Ending::Linked(Linked::Waiting { identity, former, .. }) => {
            let form_key = view.form_key.expose_secret();
            asked(account, platform, (identity.as_deref(), former.as_deref()), form_key)
        }
    }
}

fn connected(account: &AccountName, platform: &str, identity: Option<&str>) -> Response {
    let content = html! {
        h1.good { "Connected" }
        @match identity {
            Some(identity) => p { "livehook reads " strong { (account) } " at " (platform) " as " strong { (identity) } " from now on." },
            None => p { "livehook reads " strong { (account) } " at " (platform) " from now on." },
        }
        p { "It renews its access by itself, and tells you when it needs you. You can close this window." }
    };
    page(StatusCode::OK, "Connected", &content)
}

/// Tokens came, and a person must say whether they are the right ones.
fn asked(
    account: &AccountName,
    platform: &str,
    (identity, former): (Option<&str>, Option<&str>),
    form_key: &str,
) -> Response {
    let content = html! {
        @match identity {
            Some(identity) => h1 { "Link " (platform) " account " (identity) " to " (account) "?" },
            None => h1 { "Link this " (platform) " account to " (account) "?" },
        }
        @if identity.is_none() {
            p.loud { (platform) " does not say whose account this is. Say yes only if you have just logged in there yourself." }
        }
        @if let Some(former) = former.filter(|former| Some(*former) != identity) {
            p.loud { "Until now " strong { (account) } " is " strong { (former) } ". Saying yes " strong { "replaces " (former) } ", whose access livehook then gives up." }
        }
        p { "Nothing is connected before you say yes." }
        form method="post" action={ "/oauth/" (account) "/confirm" } {
            input type="hidden" name="form_key" value=(form_key);
            button.main type="submit" name="answer" value="yes" { "Yes, link it" }
            button type="submit" name="answer" value="no" { "No" }
        }
        p.soft { "If you did not begin this, say no." }
    };
    page(StatusCode::OK, "Link this account?", &content)
}

/// Why nothing was connected, and what to do.
pub(in crate::web) fn refused(refusal: Refusal) -> Response {
    let content = html! {
        h1.bad { "Not connected" }
        p { (prose(refusal.sentence())) }
        p.soft { "Reason: " (refusal.slug()) }
    };
    page(status(refusal), "Not connected", &content)
}

const fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::UnknownAccount => StatusCode::NOT_FOUND,
        Refusal::CookieMissing
        | Refusal::CookieUnknown
        | Refusal::OtherAccount
        | Refusal::StateMissing
        | Refusal::StateTwice
        | Refusal::StateWrong
        | Refusal::IssuerWrong
        | Refusal::FormForged => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Whoever comes here without a consent of their own.
pub(in crate::web) fn nothing() -> Response {
    let content = html! {
        h1 { "Nothing to show" }
        p { "This page tells how a connection ended, only to the browser that made it, and for some minutes." }
        p { "Look at livehook's own page whether the account is connected." }
    };
    page(StatusCode::NOT_FOUND, "Nothing to show", &content)
}

/// livehook is on its way down.
pub(in crate::web) fn stopping() -> Response {
    let content = html! {
        h1 { "livehook is being stopped" }
        p { "Nothing was changed. When it runs again, press Connect again." }
    };
    page(StatusCode::SERVICE_UNAVAILABLE, "Being stopped", &content)
}
