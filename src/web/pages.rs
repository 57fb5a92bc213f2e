//! Pages for people: plain HTML in one style, without scripts, with nothing from elsewhere.

pub(super) mod connect;
pub(super) mod consent;

use std::sync::LazyLock;

use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("pages/style.css");

/// What a page may load: its own style, and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'")
});

/// A whole page.
fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · livehook" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } footer { "livehook" } }
        }
    };
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
}

/// Text in which what stands between backticks is to be typed as it is.
fn prose(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// What keeps other pages and caches away from a consent; on redirects as well, because the next server must not learn
/// the address that led to it.
pub(super) async fn guarded(response: Response) -> Response {
    guard(response, "no-referrer", &format!("{}; form-action 'self'", *POLICY))
}

/// The same for the operator's page. Its forms lead on to the platform, wherever that sends people to log in, which
/// `form-action` would forbid; and `no-referrer` would hide even from us that they come from our own page.
pub(super) async fn guarded_admin(response: Response) -> Response {
    guard(response, "same-origin", &POLICY)
}

fn guard(mut response: Response, referrer: &'static str, policy: &str) -> Response {
    let fixed: [(HeaderName, &str); 4] = [
        (REFERRER_POLICY, referrer),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed.into_iter().chain([(CONTENT_SECURITY_POLICY, policy)]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}
