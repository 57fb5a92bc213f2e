//! Bodies, read within limits.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header::CONTENT_ENCODING},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;

/// A body that is not taken: the answer, and why.
pub(super) struct BadBody {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

impl BadBody {
    pub(super) const LATE: Self =
        Self { status: StatusCode::REQUEST_TIMEOUT, why: "its body was not complete in time" };
    const TOO_LONG: Self =
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, why: "its body is longer than allowed" };
    const COMPRESSED: Self =
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, why: "its body is compressed" };
    const BROKEN: Self =
        Self { status: StatusCode::BAD_REQUEST, why: "its body broke off or was badly framed" };
}

/// The body as it came; an over-long one is not read when it says so, else only to the limit.
pub(super) async fn read_body(request: Request, bytes_max: usize) -> Result<Bytes, BadBody> {
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
