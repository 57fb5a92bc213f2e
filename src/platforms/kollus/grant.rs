//! Access to the Live API: OAuth 2.0 as Laravel Passport does it, in the console's own address.

use secrecy::SecretString;
use url::Url;

use super::Kollus;
use crate::platform::{
    AccountSettings, ApiResponse, Consent, Denial, Described, Errand, Grants, Obtain, Tokens, Way,
    oauth::{self, Claims, OneRequest},
};

/// What the API's reading side asks for.
const SCOPES: [&str; 2] = ["live:control", "live:statistics"];
/// Documented for personal access tokens; they cannot be read again, nor renewed.
const PERSONAL_DAYS: u32 = 365;
const TOKEN_PATH: [&str; 2] = ["oauth", "token"];

fn scopes(account: &AccountSettings) -> Vec<String> {
    match &*account.scopes {
        [] => SCOPES.map(str::to_owned).to_vec(),
        scopes => scopes.to_vec(),
    }
}

impl Grants for Kollus {
    fn way(&self, account: &AccountSettings) -> Option<Way> {
        (account.client_id.is_some() && account.client_secret.is_some()).then_some(Way::Browser)
    }

    fn consent_url(&self, account: &AccountSettings, auth_url: &Url, consent: &Consent<'_>) -> Option<Url> {
        oauth::consent_url(account, oauth::below(auth_url, "/oauth/authorize"), scopes(account), consent)
    }

    fn obtain(&self, account: &AccountSettings, with: Obtain<'_>) -> Option<Box<dyn Errand<Tokens>>> {
        let request = match with {
            Obtain::Code { code, verifier, redirect_uri } => {
                let request = oauth::token_request(TOKEN_PATH, "authorization_code", account);
                let request = request.form("redirect_uri", redirect_uri).secret_form("code", code);
                request.secret_form("code_verifier", verifier)
            }
            // One of the two documents writes `refresh_code`, which no OAuth server knows. Without `scope` it is what was
            // granted (RFC 6749 §6); asking for what the configuration says by now could be asking for more.
            Obtain::Refresh(refresh) => oauth::token_request(TOKEN_PATH, "refresh_token", account)
                .secret_form("refresh_token", refresh),
            Obtain::Number(_) | Obtain::Configured => return None,
        };
        Some(Box::new(OneRequest::read_by(tokens, request)))
    }

    fn describe(&self, token: &SecretString) -> Described {
        let claims = Claims::of(token).unwrap_or_default();
        Described {
            expires_at: claims.expires_at(),
            days_max: Some(PERSONAL_DAYS),
            scopes: claims.scopes(),
            identity: claims.identity(),
        }
    }
}

/// The tokens in an answer; the access token itself says whose it is, and what it permits.
fn tokens(answer: &ApiResponse) -> Result<Tokens, Denial> {
    let tokens = oauth::tokens(answer)?;
    let claims = Claims::of(&tokens.access).unwrap_or_default();
    Ok(Tokens {
        identity: claims.identity(),
        scopes: tokens.scopes.or_else(|| claims.scopes()),
        expires_at: tokens.expires_at.or_else(|| claims.expires_at()),
        ..tokens
    })
}

#[cfg(test)]
mod tests;
