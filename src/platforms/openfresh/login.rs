//! A broadcaster's token for a user name and a password.
//!
//! Called OAuth at the platform, and none of it is: no grant type, no client, no refresh token, no scopes. There is no
//! revocation either, so a token that leaks is good for a year.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

use super::Openfresh;
use crate::platform::{
    AccountSettings, ApiRequest, ApiResponse, Denial, Described, Errand, Failure, Grants, Obtain, Tokens,
    Way,
    oauth::{self, Claims, OneRequest},
};

/// The two dates of a token are more than a day apart; the earlier one counts, less this.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

impl Grants for Openfresh {
    fn way(&self, account: &AccountSettings) -> Option<Way> {
        (account.username.is_some() && account.password.is_some()).then_some(Way::Password)
    }

    fn obtain(&self, account: &AccountSettings, with: Obtain<'_>) -> Option<Box<dyn Errand<Tokens>>> {
        let (Obtain::Configured, Some(username), Some(password)) =
            (with, &account.username, &account.password)
        else {
            return None;
        };
        let request = ApiRequest::post(["v1", "oauth", "token"])
            .form("username", username)
            .secret_form("password", password)
            .json();
        Some(Box::new(OneRequest::read_by(tokens, request)))
    }

    fn describe(&self, token: &SecretString) -> Described {
        let claims = Claims::of(token).unwrap_or_default();
        Described { expires_at: claims.expires_at(), identity: claims.identity(), ..Described::default() }
    }
}

fn tokens(answer: &ApiResponse) -> Result<Tokens, Denial> {
    let document = oauth::document(answer)?;
    let data = document.get("data");
    let text = |name: &str| data.and_then(|data| data.get(name)).and_then(Value::as_str);
    let token = text("token").filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Failure::malformed("the answer holds no token"))?;
    let access = token.into();
    let claims = Claims::of(&access).unwrap_or_default();
    // `expiredAt` is when it will expire.
    let told = text("expiredAt").and_then(|at| at.parse::<Timestamp>().ok());
    let earlier = [claims.expires_at(), told].into_iter().flatten().min();
    Ok(Tokens {
        access,
        refresh: None,
        asked_at: answer.asked_at,
        expires_at: earlier.and_then(|at| at.checked_sub(MARGIN).ok()),
        scopes: None,
        identity: claims.identity(),
        quirks: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
