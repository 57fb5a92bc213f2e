//! The operator's page: how access to each account stands, and a button for what can be done about it.

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};

use super::{page as whole, prose};
use crate::{
    grants::{CredentialProgress, CredentialState},
    platforms,
};

/// `notice` is what could not be done.
pub(in crate::web) fn page(
    status: StatusCode,
    page_key: &str,
    notice: Option<&str>,
    accounts: &[CredentialProgress],
) -> Response {
    let content = html! {
        h1 { "Access to platforms" }
        @if let Some(notice) = notice {
            p.notice { "That did not work: " (prose(notice)) "." }
        }
        @if accounts.is_empty() {
            p { "No account needs any: give one a client_id and client_secret, or a username and password, and add [vault]." }
        }
        @for account in accounts { (row(account, page_key)) }
    };
    whole(status, "Access", &content)
}

fn row(account: &CredentialProgress, page_key: &str) -> Markup {
    let name = &account.account;
    let platform = platforms::find(&account.platform).map_or(&*account.platform, |it| it.descriptor().name);
    let is_connected = account.state == CredentialState::Connected;
    let key = html! { input type="hidden" name="page_key" value=(page_key); };
    html! {
        section {
            h2 { (name) " " small { (platform) } }
            p.state { (account.says()) }
            @if let Some(needs) = &account.needs_person {
                p.loud { "Needs you: " (prose(needs)) "." }
            }
            @if let Some((link, identity)) = &account.waiting {
                p.loud {
                    "Waits for your yes: access of "
                    strong { (identity.as_deref().unwrap_or("somebody whom the platform does not name")) }
                    ". Is that the right one for " (name) "?"
                }
                form method="post" action={ "/connect/" (name) "/confirm" } {
                    (key)
                    input type="hidden" name="link" value=(link);
                    button.main type="submit" name="answer" value="yes" { "Yes, link it" }
                    button type="submit" name="answer" value="no" { "No" }
                }
            }
            @if account.is_connectable {
                form method="post" action={ "/connect/" (name) } {
                    (key)
                    button.main[!is_connected && account.waiting.is_none()] type="submit" {
                        @if is_connected { "Connect again" } @else { "Connect" }
                    }
                }
            }
            @if let Some(number) = &account.number {
                form method="post" action={ "/connect/" (name) "/number" } {
                    (key)
                    label for={ "number-" (name) } { "Or type in " (number) ":" }
                    input type="text" id={ "number-" (name) } name="number" inputmode="numeric" pattern="[0-9]{6}"
                        maxlength="6" autocomplete="off" placeholder="123456" required;
                    button type="submit" { "Connect with it" }
                }
            }
        }
    }
}
