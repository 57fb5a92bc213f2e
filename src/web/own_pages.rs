//! Only livehook's own pages may act through an operator's browser: any other page could send the same forms.

use axum::{
    extract::Request,
    http::{
        HeaderMap, Method, StatusCode, Uri,
        header::{HOST, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::problem::Problem;

/// Answers 403 to what another site's page sends and that would change something. Programs say neither where they come
/// from nor that they are on the same site, and may do everything.
pub(super) async fn require_own_page(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_own(request.headers()) {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::FORBIDDEN,
        "another site's page may not do this; open livehook's own page by its own address",
    )
    .into_response()
}

fn is_own(headers: &HeaderMap) -> bool {
    let is_from_site = headers.get_all("sec-fetch-site").iter().all(|it| it == "same-origin" || it == "none");
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // `null`, as of a page in a sandbox, is nobody's.
    let is_host = |origin: &str| {
        let origin: Option<Uri> = origin.parse().ok();
        let authority = origin.as_ref().and_then(Uri::authority);
        authority.is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(host))
    };
    is_from_site && headers.get_all(ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(is_host))
}
