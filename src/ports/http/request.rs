//! A platform's request, put into HTTP.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::HttpRequest;
use crate::platform::{
    ApiRequest, Bearer,
    exchange::{Held, Method},
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Why a request cannot be put into HTTP. Holds nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsendable {
    /// It needs an access token, and there is none.
    #[error("there is no access token")]
    NoToken,
    /// The token holds what no header can.
    #[error("the access token or another secret has characters that cannot be sent")]
    BadCharacters,
}

impl HttpRequest {
    /// `request` as it is sent to `base_url`, with the account's access token where it wants one.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn of(
        base_url: &Url,
        request: &ApiRequest,
        access_token: Option<&SecretString>,
    ) -> Result<Self, Unsendable> {
        if request.needs_access_token() && access_token.is_none() {
            return Err(Unsendable::NoToken);
        }
        let mut url = base_url.clone();
        url.set_path(&format!("{}{}", base_url.path().trim_end_matches('/'), request.path));
        url.set_fragment(None);
        url.set_query(None);
        let text = access_token.map_or("", ExposeSecret::expose_secret);
        if !request.query.is_empty() {
            url.set_query(Some(&form(&request.query, text)));
        }
        let bearer = match &request.bearer {
            Bearer::None => None,
            Bearer::AccessToken | Bearer::AccessTokenIfAny => access_token,
            Bearer::Secret(secret) => Some(secret),
        };
        let headers = bearer.map(authorization).transpose()?.into_iter().collect();
        let (method, body) = match (request.method, request.is_json) {
            (Method::Get, _) => ("GET", None),
            (Method::Post, false) => ("POST", Some((FORM, form(&request.form, text).into()))),
            (Method::Post, true) => ("POST", Some((JSON, json(&request.form, text).into()))),
        };
        Ok(Self { method, url, headers, body })
    }
}

fn authorization(token: &SecretString) -> Result<(&'static str, SecretString), Unsendable> {
    let token = token.expose_secret();
    // What a field value may hold (RFC 9110), less the space around and inside.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unsendable::BadCharacters);
    }
    Ok(("authorization", format!("Bearer {token}").into()))
}

fn form(parameters: &[(&'static str, Held)], access_token: &str) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, held) in parameters {
        encoded.append_pair(name, text(held, access_token));
    }
    encoded.finish()
}

fn json(parameters: &[(&'static str, Held)], access_token: &str) -> String {
    let member =
        |(name, held): &(&'static str, Held)| ((*name).to_owned(), Value::from(text(held, access_token)));
    Value::from(parameters.iter().map(member).collect::<Map<_, _>>()).to_string()
}

fn text<'h>(held: &'h Held, access_token: &'h str) -> &'h str {
    match held {
        Held::Text(text) => text,
        Held::Secret(secret) => secret.expose_secret(),
        Held::AccessToken => access_token,
    }
}

#[cfg(test)]
mod tests;
