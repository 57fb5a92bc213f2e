//! The consent of a person, as their browser walks through it: sent to the platform, back, asked, done.
//!
//! Every step ends with 303 to a clean address, so that no ticket and no code stays in a history, a log or a `Referer`.
//! Nothing of a query or a cookie is ever logged. What can be wrong is [`Refusal`]'s business; here it gets a page.

mod cookie;

use axum::{
    Router,
    extract::{Path, RawQuery, Request, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{LOCATION, RETRY_AFTER, SET_COOKIE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use self::cookie::Cookie;
use super::{body::read_body, limits::Limits, pages};
use crate::{
    grants::{
        Desk, LinkFailure, Linked,
        flows::{Ending, Returned},
        redirect::Refusal,
    },
    model::AccountName,
    telemetry,
};

/// Longest form of the page that asks: a key and a word.
const FORM_BYTES_MAX: usize = 1024;
/// When to come again while livehook is being stopped, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("10");

#[derive(Clone)]
struct Consents {
    desk: Desk,
    cookie: Cookie,
    limits: Limits,
    draining: CancellationToken,
}

/// The routes below `/oauth`. `public_url` is what browsers know this listener by.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(
    desk: Desk,
    public_url: Option<&str>,
    limits: Limits,
    draining: CancellationToken,
) -> Router<S> {
    let cookie = Cookie { is_secure: public_url.is_some_and(|url| url.starts_with("https://")) };
    let consents = Consents { desk, cookie, limits, draining };
    // A scanner that looks at a link must not use it up.
    let untouched = async || StatusCode::OK;
    Router::new()
        .route("/oauth/{account}/begin", get(begin).head(untouched))
        .route("/oauth/{account}/callback", get(callback).head(untouched))
        .route("/oauth/{account}/result", get(result))
        .route("/oauth/{account}/confirm", axum::routing::post(confirm))
        .layer(middleware::from_fn_with_state(consents.clone(), unless_draining))
        .layer(middleware::map_response(pages::guarded))
        .with_state(consents)
}

async fn unless_draining(State(consents): State<Consents>, request: Request, next: Next) -> Response {
    if !consents.draining.is_cancelled() {
        return next.run(request).await;
    }
    let mut response = pages::consent::stopping();
    response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    response
}

type AccountPath = Result<Path<String>, PathRejection>;

/// The account, if it is one that is connected with a browser.
fn account(consents: &Consents, path: AccountPath) -> Option<AccountName> {
    let name = path.ok().and_then(|Path(name)| AccountName::parse(&name).ok());
    name.filter(|name| consents.desk.flows.platform(name).is_some())
}

fn unknown() -> Response {
    pages::consent::refused(Refusal::UnknownAccount)
}

async fn begin(State(consents): State<Consents>, path: AccountPath, RawQuery(query): RawQuery) -> Response {
    let Some(account) = account(&consents, path) else { return unknown() };
    let parameters = pairs(query.as_deref().unwrap_or_default().as_bytes());
    let ticket = parameters.iter().find(|(name, _)| name == "ticket").map(|(_, ticket)| &**ticket);
    match consents.desk.flows.send(&account, ticket) {
        Ok(sent) => {
            consents.say(&account, "sent");
            see_other(sent.url.as_str(), Some(consents.cookie.set(&sent.cookie)))
        }
        Err(refusal) => {
            consents.say(&account, refusal.slug());
            to_result(&account, refusal.slug())
        }
    }
}

async fn callback(
    State(consents): State<Consents>,
    path: AccountPath,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(account) = account(&consents, path) else { return unknown() };
    let cookie = consents.cookie.find(&headers);
    let parameters = pairs(query.as_deref().unwrap_or_default().as_bytes());
    let taken = consents.desk.flows.take(&account, exposed(cookie.as_ref()), &parameters);
    let outcome = match taken {
        Ok(returned) => {
            // A browser that leaves now must not leave tokens behind that nobody knows of.
            let exchange = tokio::spawn(exchange(consents.desk.clone(), returned, cookie));
            slug(&exchange.await.unwrap_or(Ending::Refused(Refusal::Unanswered)))
        }
        Err(refusal) => refusal.slug(),
    };
    consents.tell(&account, outcome);
    to_result(&account, outcome)
}

async fn exchange(desk: Desk, returned: Returned, cookie: Option<SecretString>) -> Ending {
    let account = returned.account.clone();
    let ending = match desk.exchange(returned).await {
        Ok(linked) => Ending::Linked(linked),
        Err(failure) => {
            tracing::warn!(%account, "nothing was linked to {account}: {failure}");
            Ending::Refused(refusal(&failure))
        }
    };
    desk.flows.end(&account, exposed(cookie.as_ref()), ending.clone());
    ending
}

async fn result(
    State(consents): State<Consents>,
    path: AccountPath,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(account) = account(&consents, path) else { return unknown() };
    let parameters = pairs(query.as_deref().unwrap_or_default().as_bytes());
    let outcome = parameters.iter().find(|(name, _)| name == "outcome");
    if let Some(refusal) = outcome.and_then(|(_, slug)| Refusal::of_slug(slug)) {
        return pages::consent::refused(refusal);
    }
    // Who was linked is for the browser that did it.
    let cookie = consents.cookie.find(&headers);
    let platform = consents.desk.flows.platform(&account).map_or("", |platform| platform.name);
    match consents.desk.flows.view(&account, exposed(cookie.as_ref())) {
        Some(view) => pages::consent::ended(&account, platform, &view),
        None => pages::consent::nothing(),
    }
}

async fn confirm(
    State(consents): State<Consents>,
    path: AccountPath,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Some(account) = account(&consents, path) else { return unknown() };
    let until = Instant::now() + consents.limits.delivery;
    let body = timeout_at(until, read_body(request, FORM_BYTES_MAX)).await;
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(bad)) => return bad.status.into_response(),
        Err(_late) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let form = pairs(&body);
    let outcome = match consents.answer(&account, consents.cookie.find(&headers), &form).await {
        Ok(ending) => slug(&ending),
        Err(refusal) => refusal.slug(),
    };
    consents.tell(&account, outcome);
    to_result(&account, outcome)
}

impl Consents {
    /// Does what a person answered on the page that asks.
    async fn answer(
        &self,
        account: &AccountName,
        cookie: Option<SecretString>,
        form: &[(String, String)],
    ) -> Result<Ending, Refusal> {
        let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        let (key, yes) = (field("form_key").unwrap_or_default(), field("answer"));
        let link = self.desk.flows.confirm(account, exposed(cookie.as_ref()), key)?;
        let yes = match yes {
            Some("yes") => true,
            Some("no") => false,
            _ => return Err(Refusal::FormForged),
        };
        let (desk, account) = (self.desk.clone(), account.clone());
        // As with the exchange: once it was said, it is done.
        let done = tokio::spawn(async move {
            let ending = if yes {
                desk.accept(&account, link).await.map(Ending::Linked)
            } else {
                desk.discard(&account, link).await.map(|()| Ending::Refused(Refusal::Denied))
            };
            // What could not be done can be answered again.
            let ending = ending.map_err(|failure| refusal(&failure))?;
            desk.flows.end(&account, exposed(cookie.as_ref()), ending.clone());
            Ok(ending)
        });
        done.await.unwrap_or(Err(Refusal::NotKept))
    }

    fn say(&self, account: &AccountName, outcome: &'static str) -> Option<&'static str> {
        let platform = self.desk.flows.platform(account)?.id;
        tracing::info!(platform, %account, outcome, "oauth {platform}/{account}: {outcome}");
        Some(platform)
    }

    /// One line, and one count, for each browser that came back.
    fn tell(&self, account: &AccountName, outcome: &'static str) {
        if let Some(platform) = self.say(account, outcome) {
            metrics::counter!(telemetry::CONSENTS, "platform" => platform, "outcome" => outcome).increment(1);
        }
    }
}

/// How it ended, as a word in addresses and on metrics.
fn slug(ending: &Ending) -> &'static str {
    match ending {
        Ending::Linked(Linked::Active { .. }) => "done",
        Ending::Linked(Linked::Waiting { .. }) => "confirm",
        Ending::Refused(refusal) => refusal.slug(),
    }
}

fn refusal(failure: &LinkFailure) -> Refusal {
    match failure {
        LinkFailure::NotConnectable => Refusal::UnknownAccount,
        LinkFailure::Busy => Refusal::Busy,
        LinkFailure::Refused(_) => Refusal::CodeRefused,
        LinkFailure::Application(_) => Refusal::ApplicationRefused,
        LinkFailure::Unanswered(_) => Refusal::Unanswered,
        LinkFailure::NotKept(_) => Refusal::NotKept,
        LinkFailure::NothingWaits => Refusal::NothingWaits,
    }
}

fn to_result(account: &AccountName, outcome: &str) -> Response {
    see_other(&format!("/oauth/{account}/result?outcome={outcome}"), None)
}

/// Leads a browser to another page, which it gets with `GET`.
pub(super) fn see_other(url: &str, set_cookie: Option<HeaderValue>) -> Response {
    let Ok(mut location) = HeaderValue::from_str(url) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    location.set_sensitive(true);
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    if let Some(cookie) = set_cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Names and values of a query or a form, decoded, in order.
pub(super) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

fn exposed(cookie: Option<&SecretString>) -> Option<&str> {
    cookie.map(ExposeSecret::expose_secret)
}
