//! The public listener's routes: platforms deliver, consoles check the URL, players ask whether they may.
//!
//! Every way out of here is one of contract §1's answers. The path holds the URL's secret, so it is never
//! logged, and an unknown account, token or callback is one and the same 404.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    host::{AllowedHosts, require_host},
    limits::Limits,
};
use crate::{
    ingest::{Ingest, Outcome, Route},
    ports::Clock,
};

/// When a platform shall come again, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("60");

/// What the public routes need.
#[derive(Clone)]
pub struct PublicContext {
    /// Accepts deliveries.
    pub ingest: Ingest,
    /// Those of [`super::serve`]; bytes, time and number of deliveries matter here.
    pub limits: Limits,
    /// The names we are reached by.
    pub hosts: AllowedHosts,
    /// Once cancelled, every request is answered with 503.
    pub draining: CancellationToken,
    /// Tells when a delivery came.
    pub clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Public {
    context: Arc<PublicContext>,
    /// One for all connections: a limit per connection or route would limit nothing.
    places: Arc<Semaphore>,
}

/// The routes of the public listener.
pub fn router(context: PublicContext) -> Router {
    let places = Arc::new(Semaphore::new(context.limits.deliveries_max));
    let hosts = context.hosts.clone();
    let public = Public { context: Arc::new(context), places };
    Router::new()
        .route("/callbacks/{account}/{url_token}/{callback}", any(callback))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(public.clone(), refuse_while_draining))
        .layer(middleware::from_fn_with_state(hosts, require_host))
        .with_state(public)
}

async fn refuse_while_draining(State(public): State<Public>, request: Request, next: Next) -> Response {
    if public.context.draining.is_cancelled() { come_again() } else { next.run(request).await }
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
    let Some(route) = route else { return StatusCode::NOT_FOUND.into_response() };
    let from_browsers = route.is_from_browsers();
    let mut response = match *request.method() {
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
    async fn deliver(&self, route: Route<'_>, request: Request) -> Response {
        let Public { context, places } = self;
        let received_at = context.clock.now();
        let answer_by = Instant::now() + context.limits.delivery;
        // One of the right URL is told of even if it ends here: somebody will be looking for it.
        let give_up = |why| context.ingest.unavailable(route, received_at, why);

        let Ok(_place) = places.try_acquire() else {
            return answer(give_up("too many deliveries are in hand"));
        };
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let read = timeout_at(answer_by, read_body(request, context.limits.body_bytes_max)).await;
        let body = match read.unwrap_or(Err(BadBody::LATE)) {
            Ok(body) => body,
            Err(BadBody { status, why }) => {
                context.ingest.rejected(route, received_at, why);
                return status.into_response();
            }
        };
        // Giving up drops only our waiting: what the store has begun to commit, it commits.
        let accept = context.ingest.accept(route, content_type, body, received_at);
        match timeout_at(answer_by, accept).await {
            Ok(outcome) => answer(outcome),
            Err(_late) => answer(give_up("it was not committed in time")),
        }
    }
}

/// A body that is not taken: the answer, and why.
struct BadBody {
    status: StatusCode,
    why: &'static str,
}

impl BadBody {
    const LATE: Self = Self { status: StatusCode::REQUEST_TIMEOUT, why: "its body was not complete in time" };
    const TOO_LONG: Self =
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, why: "its body is longer than allowed" };
    const COMPRESSED: Self =
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, why: "its body is compressed" };
    const BROKEN: Self =
        Self { status: StatusCode::BAD_REQUEST, why: "its body broke off or was badly framed" };
}

/// The body as it came; an over-long one is not read when it says so, else only to the limit.
async fn read_body(request: Request, bytes_max: usize) -> Result<Bytes, BadBody> {
    if !is_identity(request.headers()) {
        return Err(BadBody::COMPRESSED);
    }
    let body = request.into_body();
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BadBody::TOO_LONG);
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BadBody::TOO_LONG),
        Err(_) => Err(BadBody::BROKEN),
    }
}

/// Whether the body is not compressed: a small one could unpack to any size.
fn is_identity(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"))
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
