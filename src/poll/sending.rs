//! A platform's request, put into HTTP.

use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::trouble::Trouble;
use crate::{
    model::AccountName,
    platform::{
        ApiRequest,
        exchange::{Held, Method},
    },
    ports::HttpRequest,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The request as it is sent to `base_url`.
///
/// # Errors
/// [`Trouble::NoToken`] if it needs an access token and there is none; [`Trouble::Unsendable`] if that holds what
/// no header can.
pub(super) fn request(
    account: &AccountName,
    base_url: &Url,
    request: &ApiRequest,
    access_token: Option<&SecretString>,
) -> Result<HttpRequest, Trouble> {
    if request.needs_access_token() && access_token.is_none() {
        return Err(Trouble::NoToken(account.clone()));
    }
    let access_token = access_token.map_or("", ExposeSecret::expose_secret);
    let mut url = base_url.clone();
    url.set_path(&format!("{}{}", base_url.path().trim_end_matches('/'), request.path));
    url.set_fragment(None);
    url.set_query(None);
    if !request.query.is_empty() {
        url.set_query(Some(&encoded(&request.query, access_token)));
    }
    let mut headers = Vec::new();
    if request.is_bearer {
        // What a field value may hold (RFC 9110), less the space around and inside.
        if access_token.is_empty() || !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Trouble::Unsendable);
        }
        headers.push(("authorization", SecretString::from(format!("Bearer {access_token}"))));
    }
    let (method, body) = match request.method {
        Method::Get => ("GET", None),
        Method::Post => ("POST", Some((FORM, SecretString::from(encoded(&request.form, access_token))))),
    };
    Ok(HttpRequest { method, url, headers, body })
}

fn encoded(parameters: &[(&'static str, Held)], access_token: &str) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, held) in parameters {
        encoded.append_pair(
            name,
            match held {
                Held::Text(text) => text,
                Held::Secret(secret) => secret.expose_secret(),
                Held::AccessToken => access_token,
            },
        );
    }
    encoded.finish()
}

#[cfg(test)]
mod tests;
