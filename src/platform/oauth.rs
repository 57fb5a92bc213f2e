//! OAuth 2.0 as far as platforms follow it: the consent URL, token requests, what token endpoints answer.
//!
//! Answers are read more leniently than RFC 6749 demands: real ones lack `token_type`, say `expires_in` as text, or
//! `scope` as a list or as `null`.

use jiff::{SignedDuration, Timestamp};
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, basic::BasicClient,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{
    exchange::{ApiRequest, ApiResponse, Failure},
    grant::{Consent, Denial, Errand, Tokens},
    json,
    settings::AccountSettings,
};

/// Longest life that is believed: whoever says more means "for ever", and for ever nobody checks.
const LIFE_MAX: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);
/// Longest error code that is shown.
const CODE_BYTES_MAX: usize = 40;

/// Where a person is sent to consent: `url` with `client_id`, `redirect_uri`, `scope`, `state` and a challenge (S256).
/// `None` without a `client_id` in the account, or if an address is none.
pub fn consent_url(
    account: &AccountSettings,
    url: Url,
    scopes: Vec<String>,
    consent: &Consent<'_>,
) -> Option<Url> {
    let client = BasicClient::new(ClientId::new(account.client_id.clone()?))
        .set_auth_uri(AuthUrl::from_url(url))
        .set_redirect_uri(RedirectUrl::new(consent.redirect_uri.to_owned()).ok()?);
    let verifier = PkceCodeVerifier::new(consent.verifier.expose_secret().to_owned());
    let oauth_state = consent.oauth_state.expose_secret().to_owned();
    let request = client
        .authorize_url(|| CsrfToken::new(oauth_state))
        .add_scopes(scopes.into_iter().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    Some(request.url().0)
}

/// A page below the address of an authorisation server.
pub fn below(auth_url: &Url, path: &str) -> Url {
    let mut url = auth_url.clone();
    url.set_path(&format!("{}{path}", auth_url.path().trim_end_matches('/')));
    url
}

/// A request to a token endpoint, with the application's id and secret in its form (RFC 6749 §2.3.1).
pub fn token_request(
    path: impl IntoIterator<Item = &'static str>,
    grant_type: &'static str,
    account: &AccountSettings,
) -> ApiRequest {
    let mut request = ApiRequest::post(path).form("grant_type", grant_type);
    if let Some(client_id) = &account.client_id {
        request = request.form("client_id", client_id);
    }
    if let Some(client_secret) = &account.client_secret {
        request = request.secret_form("client_secret", client_secret);
    }
    request
}

/// An errand of one request.
pub struct OneRequest {
    request: Option<ApiRequest>,
    read: fn(&ApiResponse) -> Result<Tokens, Denial>,
    tokens: Option<Tokens>,
}

impl OneRequest {
    /// To be asked once; the answer is read by [`tokens`].
    pub fn new(request: ApiRequest) -> Self {
        Self::read_by(tokens, request)
    }

    /// The same with an answer that must be read otherwise.
    pub fn read_by(read: fn(&ApiResponse) -> Result<Tokens, Denial>, request: ApiRequest) -> Self {
        Self { request: Some(request), read, tokens: None }
    }
}

impl Errand<Tokens> for OneRequest {
    fn ask(&mut self) -> Option<ApiRequest> {
        self.request.take()
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Denial> {
        self.tokens = Some((self.read)(answer)?);
        Ok(())
    }

    fn done(self: Box<Self>) -> Result<Tokens, Denial> {
        self.tokens.ok_or_else(unasked)
    }
}

/// Nobody asked, so there is nothing to go by.
pub fn unasked() -> Denial {
    Failure::malformed("nothing was asked").into()
}

/// The tokens in an answer (RFC 6749 §5.1).
///
/// # Errors
/// [`Denial`] for anything else; a body that cannot be read says nothing, whatever its status.
pub fn tokens(answer: &ApiResponse) -> Result<Tokens, Denial> {
    let document = document(answer)?;
    let mut quirks = Vec::new();
    let text = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let access =
        text("access_token").ok_or_else(|| Failure::malformed("the answer holds no access_token"))?;
    if text("token_type").is_none_or(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        quirks.push("token-type");
    }
    let expires_at = document.get("expires_in").and_then(|said| expiry(said, answer.asked_at, &mut quirks));
    Ok(Tokens {
        access: access.into(),
        refresh: text("refresh_token").map(Into::into),
        asked_at: answer.asked_at,
        expires_at,
        scopes: document.get("scope").and_then(scopes),
        identity: None,
        quirks,
    })
}

/// The object in an answer that is a success.
///
/// # Errors
/// [`Denial`] by the error in the body, else by status.
pub fn document(answer: &ApiResponse) -> Result<Map<String, Value>, Denial> {
    let body = json::parse_answer(&answer.body);
    if let Some(denial) = denial(answer, body.as_ref().ok()) {
        return Err(denial);
    }
    match body.map_err(Failure::from)? {
        Value::Object(document) => Ok(document),
        _ => Err(Failure::malformed("the answer is no JSON object").into()),
    }
}

/// Whether an answer is a denial, and which.
fn denial(answer: &ApiResponse, body: Option<&Value>) -> Option<Denial> {
    let failure = answer.success().err();
    // Whatever a page of trouble says, it is not about our request.
    if let Some(Failure::RateLimited { .. } | Failure::Unavailable { .. }) = failure {
        return failure.map(Denial::Passing);
    }
    let error = body.and_then(|body| body.get("error"));
    // One platform wraps it.
    let code = error.and_then(|error| error.as_str().or_else(|| error.get("message")?.as_str()));
    match (failure, code) {
        (_, Some(code)) => Some(of_code(code)),
        // What is not said in the platform's own words may come from anybody on the way.
        (Some(failure), None) if body.is_none_or(|body| !body.is_object()) => Some(match failure {
            Failure::Unauthorized | Failure::Forbidden | Failure::NotFound => {
                Failure::malformed("the answer is no JSON object").into()
            }
            failure => failure.into(),
        }),
        (Some(_), None) => Some(Denial::Refused(format!("status {}", answer.status))),
        (None, None) => None,
    }
}

/// What an error code (RFC 6749 §4.1.2.1, §5.2) means.
fn of_code(code: &str) -> Denial {
    let code = word(code);
    match &*code {
        "invalid_client" | "unauthorized_client" | "invalid_scope" => Denial::Application(code),
        "temporarily_unavailable" | "server_error" => Failure::Refused { code }.into(),
        _ => Denial::Refused(code),
    }
}

/// A code as it may be shown; what is no plain word may be anything, a secret too.
fn word(code: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-';
    match code.len() <= CODE_BYTES_MAX && !code.is_empty() && code.bytes().all(is_plain) {
        true => code.to_owned(),
        false => "unknown error".to_owned(),
    }
}

/// When a token ends that was asked for at `asked_at` and lives for so many seconds; `None` if that means nothing.
pub fn expiry(said: &Value, asked_at: Timestamp, quirks: &mut Vec<&'static str>) -> Option<Timestamp> {
    let seconds = match said {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => {
            quirks.push("expires-in-text");
            text.trim().parse().ok()
        }
        _ => None,
    };
    // None at all, or one that is over before it begins: the platform will say when it ends.
    let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else {
        quirks.push("expires-in-unusable");
        return None;
    };
    asked_at.checked_add(SignedDuration::from_secs(seconds).min(LIFE_MAX)).ok()
}

fn scopes(said: &Value) -> Option<Vec<String>> {
    let words =
        |text: &str| text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    match said {
        Value::String(text) => Some(words(text)),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

/// The claims of a token that is a JWT (RFC 7519). Nobody checks its signature: it is the platform's own business, and
/// it came from there.
#[derive(serde::Deserialize, Default, Debug)]
#[serde(default)]
pub struct Claims {
    /// When it ends, in seconds since 1970.
    pub exp: Option<f64>,
    /// Whose it is.
    pub sub: Option<Value>,
    /// The same in an early dialect.
    pub id: Option<Value>,
    /// What it permits.
    pub scopes: Option<Value>,
}

impl Claims {
    /// Of a token that is a JWT; `None` of any other.
    pub fn of(token: &SecretString) -> Option<Self> {
        jsonwebtoken::dangerous::insecure_decode_claims(token.expose_secret()).ok()
    }

    /// When it ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.exp.filter(|exp| exp.is_finite() && *exp > 0.0)? as i64).ok()
    }

    /// Whose it is.
    pub fn identity(&self) -> Option<String> {
        match self.sub.as_ref().or(self.id.as_ref())? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// What it permits.
    pub fn scopes(&self) -> Option<Vec<String>> {
        self.scopes.as_ref().and_then(scopes)
    }
}

#[cfg(test)]
mod tests;
