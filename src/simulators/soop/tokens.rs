//! `POST /auth/token`, and whose account a token opens.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Options, Request, Response, World, wire::parameter};
use crate::simulators::grants::{
    CodeRefused, Grants, Kind, RefreshRefused, Refusal, Standing, may_redirect_to,
};

impl World {
    /// Whose access token this is: the one that a linked account has from the start, or one that was issued.
    pub(super) fn standing(&mut self, token: &str) -> Standing {
        let account =
            self.options.accounts.iter().find(|known| !token.is_empty() && known.access_token == token);
        match account {
            Some(account) if !account.is_token_expired => Standing::Good(account.login.clone()),
            Some(_) => {
                self.grants.note_expired_use();
                Standing::Expired
            }
            None => self.grants.standing(token, self.now),
        }
    }

    pub(super) fn place_of(&self, login: &str) -> Option<usize> {
        self.options.accounts.iter().position(|account| account.login == login)
    }

    pub(super) fn token(&mut self, request: &Request) -> Response {
        let grant_type = parameter(request, "grant_type").unwrap_or_default();
        let asking = Asking { request, options: &self.options, now: self.now };
        self.grants.answer(self.now, &grant_type, |grants| asking.tokens(grants, &grant_type))
    }
}

/// A request for tokens.
struct Asking<'r> {
    request: &'r Request,
    options: &'r Options,
    now: Timestamp,
}

impl Asking<'_> {
    fn get(&self, name: &str) -> Option<String> {
        parameter(self.request, name).map(String::from)
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        let missing = || refusal("invalid_request", &format!("Missing parameter: \"{name}\" is required"));
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    fn tokens(&self, grants: &mut Grants, grant_type: &str) -> Result<Value, Refusal> {
        if grant_type.is_empty() {
            return Err(refusal("invalid_request", "The grant type was not specified in the request"));
        }
        let Options { client_id, client_secret, .. } = self.options;
        let is = |name, expected: &String| self.get(name).as_ref() == Some(expected);
        if !is("client_id", client_id) || !is("client_secret", client_secret) {
            return Err(refusal("invalid_client", "The client credentials are invalid"));
        }
        match grant_type {
            "authorization_code" => self.by_code(grants),
            "refresh_token" => self.by_refresh(grants),
            _ => {
                let description = format!("Grant type \"{grant_type}\" not supported");
                Err(refusal("unsupported_grant_type", &description))
            }
        }
    }

    fn by_code(&self, grants: &mut Grants) -> Result<Value, Refusal> {
        let code = self.required("code")?;
        let consent = grants.look_up(&code, self.now).map_err(|refused| {
            let description = match refused {
                CodeRefused::Unknown | CodeRefused::Used => {
                    "Authorization code doesn't exist or is invalid for the client"
                }
                CodeRefused::Expired => "The authorization code has expired",
            };
            refusal("invalid_grant", description)
        })?;
        // A code that came by a number was sent nowhere.
        let sent_to =
            if consent.redirect_uri.is_empty() { &self.options.redirect_uri } else { &consent.redirect_uri };
        let is_right = |uri: String| may_redirect_to(&uri, sent_to);
        if !self.get("redirect_uri").is_none_or(is_right) {
            return Err(refusal("redirect_uri_mismatch", "The redirect URI is missing or do not match"));
        }
        let family = grants.redeem(&code, &consent);
        let refresh = opaque(grants);
        Ok(self.issue(grants, family, Some(refresh)))
    }

    fn by_refresh(&self, grants: &mut Grants) -> Result<Value, Refusal> {
        let old = self.required("refresh_token")?;
        let family = grants.look_up_refresh(&old, self.now).map_err(|refused| {
            let description = match refused {
                RefreshRefused::Unknown | RefreshRefused::Used => "Invalid refresh token",
                RefreshRefused::Expired => "Refresh token has expired",
            };
            refusal("invalid_grant", description)
        })?;
        let new = opaque(grants);
        let refresh = grants.rotate(&old, self.options.rotation, new);
        Ok(self.issue(grants, family, refresh))
    }

    fn issue(&self, grants: &mut Grants, family: usize, refresh: Option<String>) -> Value {
        let Options { access_life, refresh_life, .. } = self.options;
        let access = opaque(grants);
        grants.issue(&access, Kind::Access, family, self.now, *access_life);
        let scope = Some(grants.family(family).1).filter(|_| self.options.says_scope);
        let mut answer = json!({
            "access_token": access,
            "expires_in": access_life.as_secs(),
            "token_type": "Bearer",
            "scope": scope,
        });
        if let Some(refresh) = refresh {
            grants.issue(&refresh, Kind::Refresh, family, self.now, *refresh_life);
            answer["refresh_token"] = json!(refresh);
        }
        answer
    }
}

fn opaque(grants: &mut Grants) -> String {
    hex::encode(grants.bytes(20))
}

fn refusal(error: &'static str, description: &str) -> Refusal {
    let status = if error == "invalid_client" { 401 } else { 400 };
    Refusal { status, error, body: json!({ "error": error, "error_description": description }) }
}
