//! Serves one client: HTTP/1.1, one request after the other.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Request, Response, StatusCode,
        header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
    },
    response::IntoResponse,
};
use futures::FutureExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, time::sleep};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    head::{Framing, Head, HeadWatch},
    io::ClientIo,
    last_word,
};
use crate::web::limits::Limits;

/// The library refuses to work with a smaller buffer.
const BUFFER_BYTES_MIN: usize = 8192;

/// Serves a client until it leaves, errs or is late; or, after `shutdown`, until it was answered once more or was silent
/// for [`Limits::leave`]: closing at once would meet a request that is on its way.
///
/// # Errors
/// When the connection did not end between two requests.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    limits: Arc<Limits>,
    shutdown: CancellationToken,
) -> Result<(), hyper::Error> {
    // Answers are small and whole; waiting to fill a packet only delays them. Failing is no reason to refuse.
    let _ = stream.set_nodelay(true);
    let watch = Arc::new(HeadWatch::new(&limits));
    let io = TokioIo::new(ClientIo::new(stream, Arc::clone(&watch), Arc::clone(&limits)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // Whoever sends all of a delivery and leaves, or only stops sending, has delivered it.
        .half_close(true)
        .header_read_timeout(limits.idle)
        .max_headers(limits.headers_max)
        .max_header_size(limits.header_bytes_max)
        .max_buf_size(limits.header_bytes_max.max(BUFFER_BYTES_MIN));
    let service = service_fn(|request| {
        let answer = answer(router.clone(), &watch, &limits, request);
        async {
            let mut answer = answer.await?;
            if shutdown.is_cancelled() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let left = async {
        shutdown.cancelled().await;
        sleep(limits.leave).await;
    };
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = left => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// Refuses what two programs could read differently, else lets `router` answer.
async fn answer(
    router: Router,
    watch: &HeadWatch,
    limits: &Limits,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let framing = if is_chunked { Framing::Chunked } else { Framing::Length(content_length(&request)) };
    let mut response = match refusal(&request, watch.take(framing), is_chunked, limits) {
        Some(StatusCode::URI_TOO_LONG) => too_long(),
        Some(status) => status.into_response(),
        None => answer_or_500(router, request.map(Body::new)).await,
    };
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if is_chunked || is_error {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    watch.answered(limits);
    Ok(response)
}

/// Why no handler gets to see this request.
fn refusal(
    request: &Request<Incoming>,
    head: Option<Head>,
    is_chunked: bool,
    limits: &Limits,
) -> Option<StatusCode> {
    let Some(head) = head else { return Some(StatusCode::BAD_REQUEST) };
    let is_ambiguous = head.has_bare_line_feed || (is_chunked && head.has_content_length);
    if is_ambiguous || request.headers().get_all(HOST).iter().count() != 1 {
        Some(StatusCode::BAD_REQUEST)
    } else if head.request_line_bytes > limits.request_line_bytes_max {
        Some(StatusCode::URI_TOO_LONG)
    } else {
        None
    }
}

/// A browser may have been sent here with it.
fn too_long() -> Response<Body> {
    let headers = [(CONTENT_TYPE, last_word::CONTENT_TYPE), (CACHE_CONTROL, "no-store")];
    (StatusCode::URI_TOO_LONG, headers, last_word::SENTENCE).into_response()
}

/// The length that the library goes by: it has refused every malformed one.
fn content_length(request: &Request<Incoming>) -> u64 {
    let value = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

async fn answer_or_500(router: Router, request: Request<Body>) -> Response<Body> {
    match AssertUnwindSafe(router.oneshot(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_panic) => {
            tracing::error!("a request's handler panicked and was answered with 500; please report this");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
