//! The public listener's routes: platforms deliver, consoles check the URL, players ask whether they may, browsers come
//! with a consent.
//!
//! Every way out of here is one of the README's answers to platforms. The path holds the URL's secret, so it is never
//! logged, and an unknown account, token or callback is one and the same 404.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_TYPE, RETRY_AFTER,
        },
    },
    middleware,
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    body::{BadBody, read_body},
    host::{AllowedHosts, require_host},
    limits::Limits,
    oauth,
};
use crate::{
    grants,
    ingest::{Ingest, Outcome, Route},
    platform::{Answer, Delivery},
    ports::Clock,
    questions::{Desk, Reply},
};

/// When a platform shall come again, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("60");

/// What the public routes need.
#[derive(Clone)]
pub struct PublicContext {
    /// Accepts deliveries.
    pub ingest: Ingest,
    /// Answers deliveries that ask.
    pub desk: Desk,
    /// Takes consents.
    pub grant_desk: grants::Desk,
    /// What browsers know us by.
    pub public_url: Option<String>,
    /// Those of [`super::serve`]; bytes, time and number of deliveries matter here.
    pub limits: Limits,
    /// The names we are reached by.
    pub hosts: AllowedHosts,
    /// Once cancelled, every request is answered with 503, but those of players that ask.
    pub draining: CancellationToken,
    /// Tells when a delivery came.
    pub clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Public {
    context: Arc<PublicContext>,
    /// One for all connections: a limit per connection or route would limit nothing.
    places: Arc<Semaphore>,
    /// As many for deliveries that ask: those that wait for the store must not keep a viewer waiting.
    asking_places: Arc<Semaphore>,
}

/// The routes of the public listener.
pub fn router(context: PublicContext) -> Router {
    let places = || Arc::new(Semaphore::new(context.limits.deliveries_max));
    let (places, asking_places) = (places(), places());
    let hosts = context.hosts.clone();
    let PublicContext { grant_desk, public_url, limits, draining, .. } = &context;
    let consents = oauth::routes(grant_desk.clone(), public_url.as_deref(), limits.clone(), draining.clone());
    let public = Public { context: Arc::new(context), places, asking_places };
    Router::new()
        .route("/callbacks/{account}/{url_token}/{callback}", any(callback))
        .merge(consents)
        .fallback(async |State(public): State<Public>| public.not_found())
        .layer(middleware::from_fn_with_state(hosts, require_host))
        .with_state(public)
}

type CallbackPath = Path<(String, String, String)>;

async fn callback(
    State(public): State<Public>,
    path: Result<CallbackPath, PathRejection>,
    request: Request,
) -> Response {
    let route = path.ok().and_then(|Path((account, url_token, callback))| {
        public.context.ingest.route(&account, &url_token, &callback)
    });
    let Some(route) = route else { return public.not_found() };
    let asks = route.callback().asks.is_some();
    if public.is_draining() && !asks {
        return come_again();
    }
    let from_browsers = route.is_from_browsers();
    let mut response = match *request.method() {
        Method::POST if asks => public.ask(route, request).await,
        Method::POST => public.deliver(route, request).await,
        Method::GET | Method::HEAD => StatusCode::OK.into_response(),
        Method::OPTIONS if from_browsers => preflight(),
        _ => {
            let allowed = if from_browsers { "GET, HEAD, OPTIONS, POST" } else { "GET, HEAD, POST" };
            (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)]).into_response()
        }
    };
    if from_browsers {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

impl Public {
    fn is_draining(&self) -> bool {
        self.context.draining.is_cancelled()
    }

    fn not_found(&self) -> Response {
        if self.is_draining() { come_again() } else { StatusCode::NOT_FOUND.into_response() }
    }

    async fn deliver(&self, route: Route<'_>, request: Request) -> Response {
        let Public { context, places, .. } = self;
        let received_at = context.clock.now();
        let answer_by = Instant::now() + context.limits.delivery;
        // One of the right URL is told of even if it ends here: somebody will be looking for it.
        let give_up = |why| context.ingest.unavailable(route, received_at, why);

        let Ok(_place) = places.try_acquire() else {
            return answer(give_up("too many deliveries are in hand"));
        };
        let (content_type, body) = match self.read(route, request, received_at, answer_by).await {
            Ok(read) => read,
            Err(status) => return status.into_response(),
        };
        // Giving up drops only our waiting: what the store has begun to commit, it commits.
        let accept = context.ingest.accept(route, content_type, body, received_at);
        match timeout_at(answer_by, accept).await {
            Ok(outcome) => answer(outcome),
            Err(_late) => answer(give_up("it was not committed in time")),
        }
    }

    /// As [`Public::deliver`], for a player that waits: nothing here waits for the store.
    async fn ask(&self, route: Route<'_>, request: Request) -> Response {
        let Public { context, asking_places, .. } = self;
        let Some(deadline) = context.desk.deadline(route.account()) else { return self.not_found() };
        let (began, received_at) = (Instant::now(), context.clock.now());
        let Ok(_place) = asking_places.try_acquire() else {
            return answer(context.ingest.unavailable(route, received_at, "too many players wait"));
        };
        let (content_type, body) = match self.read(route, request, received_at, began + deadline).await {
            Ok(read) => read,
            Err(status) => return status.into_response(),
        };
        let delivery = Delivery { callback: route.callback(), content_type, body, received_at };
        match context.desk.answer(route.account(), delivery, began).await {
            Reply::Answer(signed) => answer_player(signed),
            Reply::Probe => StatusCode::OK.into_response(),
            Reply::Unverified => StatusCode::UNAUTHORIZED.into_response(),
            Reply::Refused => come_again(),
        }
    }

    /// Content type and body of a delivery; else it is told of, and this is its answer.
    async fn read(
        &self,
        route: Route<'_>,
        request: Request,
        received_at: Timestamp,
        until: Instant,
    ) -> Result<(Option<String>, Bytes), StatusCode> {
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let read = timeout_at(until, read_body(request, self.context.limits.body_bytes_max)).await;
        read.unwrap_or(Err(BadBody::LATE)).map(|body| (content_type, body)).map_err(
            |BadBody { status, why }| {
                self.context.ingest.rejected(route, received_at, why);
                status
            },
        )
    }
}

/// The only place where a delivery is answered; 200 needs an outcome that only a commit, or a body that
/// says nothing, leads to.
fn answer(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Accepted(durable) | Outcome::Duplicate(durable) | Outcome::Quarantined(durable) => {
            durable.answered();
            StatusCode::OK.into_response()
        }
        Outcome::Probe => StatusCode::OK.into_response(),
        Outcome::Refused => StatusCode::UNAUTHORIZED.into_response(),
        Outcome::Rejected => StatusCode::BAD_REQUEST.into_response(),
        Outcome::Unavailable => come_again(),
    }
}

fn answer_player(signed: Answer) -> Response {
    let Answer { content_type, header, body } = signed;
    let mut response = ([(CONTENT_TYPE, content_type)], body).into_response();
    if let Some((name, value)) = header {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value.expose_secret());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            tracing::error!(
                "the header of an answer cannot be sent: look whether user_key holds a line break"
            );
            return come_again();
        };
        value.set_sensitive(true);
        // Scripts of other pages see no other header than those named.
        if let Ok(exposed) = HeaderValue::from_str(name.as_str()) {
            response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        response.headers_mut().insert(name, value);
    }
    response
}

fn come_again() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_SECONDS)]).into_response()
}

/// Any page may post: it is the URL that is secret, and no cookie plays a part.
fn preflight() -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
