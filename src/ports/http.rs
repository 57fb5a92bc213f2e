//! The HTTP client that everything uses: it has limits on time and bytes, and follows no redirects.

mod expand;
mod request;

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use request::Unsendable;

/// A client that gives up after 10 seconds, takes no proxy from the environment, keeps no cookies.
pub fn client() -> reqwest::Client {
    builder().build().expect("a client with these options can always be built")
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// Asks platforms. Made real once; tests answer in a platform's place.
pub trait Http: Send + Sync {
    /// Sends a request and reads the whole answer, within the limits below.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}

/// The client that asks platforms. Every request is sent once; connections are kept and used again.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient {
    /// A client with connections of its own.
    pub fn new() -> Self {
        let client = builder()
            .user_agent(concat!("livehook/", env!("CARGO_PKG_VERSION")))
            .retry(reqwest::retry::never())
            // Longer than between two requests of a sweep, shorter than servers and routers remember.
            .pool_idle_timeout(Duration::from_secs(20))
            .http1_only();
        Self(client.build().expect("a client with these options can always be built"))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut answer = self.0.execute(prepared(request)?).await.map_err(|error| HttpError::of(&error))?;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).map(str::to_owned);
        let mut encodings = answer.headers().get_all(CONTENT_ENCODING).iter();
        let encoding = encodings.next().map(|value| value.as_bytes().to_ascii_lowercase());
        if encodings.next().is_some() {
            return Err(HttpError::Encoding);
        }
        // Not even begun to be read if it says itself that it is too large.
        if answer.content_length().is_some_and(|length| length > BODY_BYTES_MAX as u64) {
            return Err(HttpError::TooLarge);
        }
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| HttpError::of(&error))? {
            if body.len() + piece.len() > BODY_BYTES_MAX {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        let body = match encoding.as_deref().map(<[u8]>::trim_ascii) {
            None | Some(b"" | b"identity") => body.freeze(),
            Some(b"gzip" | b"x-gzip") => expand::gzip(&body)?,
            Some(_) => return Err(HttpError::Encoding),
        };
        Ok(HttpResponse { status: answer.status().as_u16(), retry_after, body })
    }
}

impl Http for HttpClient {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(self.exchange(request))
    }
}

fn prepared(request: HttpRequest) -> Result<reqwest::Request, HttpError> {
    let method = if request.method == "POST" { Method::POST } else { Method::GET };
    let mut prepared = reqwest::Request::new(method, request.url);
    let headers = prepared.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    for (name, value) in request.headers {
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| HttpError::Broken)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    if let Some((content_type, body)) = request.body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        *prepared.body_mut() = Some(body.expose_secret().to_owned().into());
    }
    Ok(prepared)
}

/// Bytes of an answer as it is sent.
pub const BODY_BYTES_MAX: usize = 2 << 20;
/// Bytes of an answer as it is meant.
pub const EXPANDED_BYTES_MAX: usize = 16 << 20;

/// A request. Shown without its query, headers and body: they hold secrets.
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to; the query may hold secrets.
    pub url: Url,
    /// `Accept`, `Accept-Encoding` and `User-Agent` are set by whoever sends it.
    pub headers: Vec<(&'static str, SecretString)>,
    /// With its content type.
    pub body: Option<(&'static str, SecretString)>,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "{} {}://{host}{}", self.method, self.url.scheme(), self.url.path())
    }
}

/// An answer: whole, expanded, within the limits.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// Header `Retry-After`, as it came, if it is text.
    pub retry_after: Option<String>,
    /// The body, its encoding undone.
    pub body: Bytes,
}

/// Why there is no answer. Holds nothing of the request and nothing of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpError {
    /// No such host, or nobody listens there.
    #[error("the platform's server cannot be reached")]
    Unreachable,
    /// It took longer than 10 seconds.
    #[error("the platform did not answer within 10 seconds")]
    TimedOut,
    /// The connection ended before the answer did, or the answer is not HTTP.
    #[error("the answer broke off")]
    Broken,
    /// More than [`BODY_BYTES_MAX`] or, expanded, [`EXPANDED_BYTES_MAX`].
    #[error("the answer is too large")]
    TooLarge,
    /// An encoding that was not asked for, or a body that is not in the encoding it says.
    #[error("the answer's encoding cannot be undone")]
    Encoding,
}

impl HttpError {
    fn of(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Broken
        }
    }
}

#[cfg(test)]
mod tests;
