//! One request to a platform's API, and what came back. Values only: the engine sends, limits and retries.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::delivery::Malformed;

/// How a request is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Parameters go into the query.
    Get,
    /// Parameters of the form go into the body, as `application/x-www-form-urlencoded`.
    Post,
}

/// What a parameter holds. Only [`Held::Text`] is ever shown.
#[derive(Clone, Debug)]
pub enum Held {
    /// Anything that may be logged.
    Text(String),
    /// A secret of the account's configuration.
    Secret(SecretString),
    /// The access token that the account has at the time of sending.
    AccessToken,
}

/// A request to the platform's API, without its host. Shown without secrets.
#[derive(Clone)]
pub struct ApiRequest {
    /// How it is made.
    pub method: Method,
    /// Path below the account's base URL; begins with `/`, built with [`ApiRequest::get`] or [`ApiRequest::post`].
    pub path: String,
    /// Parameters of the query, in this order.
    pub query: Vec<(&'static str, Held)>,
    /// Parameters of the body; empty for [`Method::Get`].
    pub form: Vec<(&'static str, Held)>,
    /// Whether the body is a JSON object of these parameters instead of a form.
    pub is_json: bool,
    /// What stands behind `Authorization: Bearer`.
    pub bearer: Bearer,
}

/// What a request carries in the header `Authorization`.
#[derive(Clone, Debug, Default)]
pub enum Bearer {
    /// Nothing.
    #[default]
    None,
    /// The access token that the account has at the time of sending.
    AccessToken,
    /// The same, or nothing if it has none.
    AccessTokenIfAny,
    /// This one.
    Secret(SecretString),
}

impl ApiRequest {
    /// `GET` on a path made of `segments`, each escaped: an id cannot lead to another resource.
    pub fn get<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::Get, segments)
    }

    /// `POST` on a path made of `segments`, each escaped.
    pub fn post<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::Post, segments)
    }

    fn new<S: AsRef<str>>(method: Method, segments: impl IntoIterator<Item = S>) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(percent_encoding::utf8_percent_encode(
                // A segment of dots would walk up.
                match segment.as_ref() {
                    "." | ".." => "_",
                    segment => segment,
                },
                SEGMENT,
            ));
        }
        Self { method, path, query: Vec::new(), form: Vec::new(), is_json: false, bearer: Bearer::None }
    }

    /// With the account's access token in the header `Authorization`.
    #[must_use]
    pub fn bearer(mut self) -> Self {
        self.bearer = Bearer::AccessToken;
        self
    }

    /// With the account's access token in the header `Authorization`, if it has one.
    #[must_use]
    pub fn bearer_if_any(mut self) -> Self {
        self.bearer = Bearer::AccessTokenIfAny;
        self
    }

    /// With another token in the header `Authorization`.
    #[must_use]
    pub fn bearer_of(mut self, secret: SecretString) -> Self {
        self.bearer = Bearer::Secret(secret);
        self
    }

    /// With its parameters as a JSON object in the body.
    #[must_use]
    pub fn json(mut self) -> Self {
        self.is_json = true;
        self
    }

    /// With a parameter in the query.
    #[must_use]
    pub fn query(mut self, name: &'static str, text: impl ToString) -> Self {
        self.query.push((name, Held::Text(text.to_string())));
        self
    }

    /// With a secret parameter in the query.
    #[must_use]
    pub fn secret_query(mut self, name: &'static str, secret: SecretString) -> Self {
        self.query.push((name, Held::Secret(secret)));
        self
    }

    /// With a parameter in the body.
    #[must_use]
    pub fn form(mut self, name: &'static str, text: impl ToString) -> Self {
        self.form.push((name, Held::Text(text.to_string())));
        self
    }

    /// With a secret parameter in the body.
    #[must_use]
    pub fn secret_form(mut self, name: &'static str, secret: &SecretString) -> Self {
        self.form.push((name, Held::Secret(secret.clone())));
        self
    }

    /// With the account's access token as a parameter of the body.
    #[must_use]
    pub fn access_token_form(mut self, name: &'static str) -> Self {
        self.form.push((name, Held::AccessToken));
        self
    }

    /// Whether it cannot be sent without an access token.
    pub fn needs_access_token(&self) -> bool {
        let is_access_token = |(_, held): &(&str, Held)| matches!(held, Held::AccessToken);
        matches!(self.bearer, Bearer::AccessToken) || self.query.iter().chain(&self.form).any(is_access_token)
    }
}

/// What stands for itself in a segment of a path (RFC 3986, unreserved).
const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `GET /broad/list?client_id=***&page_no=1`: what logs and test expectations show.
impl fmt::Display for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, parameters, mark) = match self.method {
            Method::Get => ("GET", &self.query, '?'),
            Method::Post => ("POST", &self.form, ' '),
        };
        write!(f, "{method} {}", self.path)?;
        for (index, (name, held)) in parameters.iter().enumerate() {
            let mark = if index == 0 { mark } else { '&' };
            match held {
                Held::Text(text) => write!(f, "{mark}{name}={text}")?,
                Held::Secret(_) | Held::AccessToken => write!(f, "{mark}{name}=***")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What came back, whole: its length was bounded, its encoding undone, redirects were not followed.
#[derive(Clone, Debug)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// Header `Retry-After`, as it came; the engine reads it.
    pub retry_after: Option<String>,
    /// The body, expanded.
    pub body: Bytes,
    /// When the request was sent: what is said here was true no later than the answer, and perhaps earlier.
    pub asked_at: Timestamp,
}

impl ApiResponse {
    /// Its body if the status is 200 to 299, else what the status means on any platform.
    ///
    /// # Errors
    /// [`Failure`] by status. A redirect is one: it leads away from the API, mostly to a login page.
    pub fn success(&self) -> Result<&Bytes, Failure> {
        match self.status {
            200..=299 => Ok(&self.body),
            401 => Err(Failure::Unauthorized),
            403 => Err(Failure::Forbidden),
            404 => Err(Failure::NotFound),
            429 => Err(Failure::RateLimited { retry_after: self.retry_after.clone() }),
            408 | 500..=599 => {
                Err(Failure::Unavailable { status: self.status, retry_after: self.retry_after.clone() })
            }
            status => Err(Failure::Refused { code: format!("status {status}") }),
        }
    }
}

/// Why an answer says nothing: every reaction the engine has, and no more.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Too many requests; the engine waits as long as it is told, or longer.
    #[error("the platform says that there were too many requests")]
    RateLimited {
        /// Header `Retry-After`, as it came.
        retry_after: Option<String>,
    },
    /// The platform is in trouble.
    #[error("the platform answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// Header `Retry-After`, as it came.
        retry_after: Option<String>,
    },
    /// The credential is not accepted: missing, expired, revoked.
    #[error("the platform does not accept the credential")]
    Unauthorized,
    /// The credential is good for something else.
    #[error("the credential does not permit this")]
    Forbidden,
    /// There is no such thing.
    #[error("the platform knows no such thing")]
    NotFound,
    /// The platform said no in its own way.
    #[error("the platform refused: {code}")]
    Refused {
        /// Its error code: short, letters, digits, spaces and hyphens only.
        code: String,
    },
    /// What answers is not the platform's API any more: the normal condition of a service that is closed.
    #[error("what answers there is not the platform's API")]
    Gone,
    /// The answer is older than one that came before, so it says nothing.
    #[error("the answer is older than the one before")]
    Stale,
    /// The answer cannot be understood.
    #[error("the answer cannot be understood: {0}")]
    Malformed(#[from] Malformed),
}

impl Failure {
    /// [`Failure::Malformed`] from a sentence that holds no value of the answer.
    pub fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(Malformed::because(reason))
    }
}

/// A URL as it may be published: without login, query and fragment, any of which can be a secret. `None` if it is
/// no web address.
pub fn publishable_url(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_query(None);
    url.set_fragment(None);
    // These fail only where there can be no such part.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(url.into())
}
