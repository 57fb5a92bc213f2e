//! `POST /v1/auth/token`, and who is let in with what it issued.

use jiff::SignedDuration;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{ClientToken, Options, Timestamp, World, api::Refused};
use crate::simulators::{
    Request, Response,
    grants::{Grants, Kind, RefreshRefused, Refusal, Standing},
    jwt::jwt,
};

/// Ids as the platform keeps them.
const OWNER_ID: &str = "64a1ee55b7e4d90012ab3402";
const CLIENT_ID: &str = "64a1ee00b7e4d90012ab3401";

/// Who sent a request. Families of tokens belong to one or the other, by the name that stands in `aud`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Caller {
    /// The owner of the spaces.
    Owner,
    /// The application alone.
    Client,
}

impl Caller {
    const fn aud(self) -> &'static str {
        match self {
            Self::Owner => "user",
            Self::Client => "client",
        }
    }

    fn of(aud: &str) -> Self {
        if aud == Self::Owner.aud() { Self::Owner } else { Self::Client }
    }
}

impl World {
    /// Who sent a request; `None` if it does not say, or cannot show it.
    pub(super) fn caller(&mut self, request: &Request) -> Option<Caller> {
        let token = request.bearer().filter(|token| !token.is_empty())?;
        if token == self.options.access_token {
            return Some(Caller::Owner);
        }
        if token == self.options.client_token {
            return Some(Caller::Client);
        }
        match self.grants.standing(token, self.now) {
            Standing::Good(aud) => Some(Caller::of(&aud)),
            Standing::Expired | Standing::Worthless => None,
        }
    }

    pub(super) fn tokens(&mut self, request: &Request) -> Result<Response, Refused> {
        self.refuse_cookies(request)?;
        if request.method != "POST" {
            return Err(Refused::NotFound);
        }
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let grant_type = body["grant_type"].as_str().unwrap_or_default();
        let is_clients = |token: &str| {
            let issued = Standing::Good(Caller::Client.aud().to_owned());
            token == self.options.client_token || self.grants.worth(token, self.now) == issued
        };
        let has_right_authorization = match self.options.client_token_beside_password {
            ClientToken::Required => request.bearer().is_some_and(is_clients),
            ClientToken::Tolerated => true,
            ClientToken::Refused => request.header("authorization").is_none(),
        };
        let asking = Asking { body: &body, options: &self.options, now: self.now, has_right_authorization };
        Ok(self.grants.answer(self.now, grant_type, |grants| asking.tokens(grants, grant_type)))
    }
}

/// A request for tokens.
struct Asking<'r> {
    body: &'r Value,
    options: &'r Options,
    now: Timestamp,
    has_right_authorization: bool,
}

impl Asking<'_> {
    fn is(&self, name: &str, expected: &str) -> bool {
        self.body[name].as_str() == Some(expected)
    }

    fn tokens(&self, grants: &mut Grants, grant_type: &str) -> Result<Value, Refusal> {
        let Options { client_id, client_secret, username, password, refresh, .. } = self.options;
        if self.body["grant_type"].is_null() {
            return Err(refusal(400, "invalid_request", "Missing parameter: `grant_type`"));
        }
        if !self.is("client_id", client_id) || !self.is("client_secret", client_secret) {
            return Err(refusal(401, "invalid_client", "Invalid client: client is invalid"));
        }
        match (grant_type, refresh) {
            ("client_credentials", _) => {
                let family = grants.open(Caller::Client.aud(), "");
                let new = self.text(grants, family, Kind::Refresh);
                Ok(self.issue(grants, family, Some(new)))
            }
            ("password", _) => {
                if !self.has_right_authorization {
                    return Err(refusal(401, "unauthorized", "Unauthorized"));
                }
                if !self.is("username", username) || !self.is("password", password) {
                    return Err(refusal(400, "invalid_grant", "Invalid credentials"));
                }
                let family = grants.open(Caller::Owner.aud(), "");
                let new = self.text(grants, family, Kind::Refresh);
                Ok(self.issue(grants, family, Some(new)))
            }
            ("refresh_token", Some(rotation)) => {
                let old = self.body["refresh_token"].as_str().unwrap_or_default();
                let family = grants.look_up_refresh(old, self.now).map_err(|refused| {
                    let description = match refused {
                        RefreshRefused::Unknown | RefreshRefused::Used => {
                            "Invalid grant: refresh token is invalid"
                        }
                        RefreshRefused::Expired => "Invalid grant: refresh token has expired",
                    };
                    refusal(400, "invalid_grant", description)
                })?;
                let new = self.text(grants, family, Kind::Refresh);
                let new = grants.rotate(old, *rotation, new);
                Ok(self.issue(grants, family, new))
            }
            _ => {
                let description = "Unsupported grant type: `grant_type` is invalid";
                Err(refusal(400, "unsupported_grant_type", description))
            }
        }
    }

    fn issue(&self, grants: &mut Grants, family: usize, refresh: Option<String>) -> Value {
        let access = self.text(grants, family, Kind::Access);
        grants.issue(&access, Kind::Access, family, self.now, self.life(Kind::Access));
        let mut answer = json!({ "token_type": "Bearer", "access_token": access });
        if let Some(refresh) = refresh {
            grants.issue(&refresh, Kind::Refresh, family, self.now, self.life(Kind::Refresh));
            answer["refresh_token"] = json!(refresh);
        }
        answer
    }

    fn life(&self, kind: Kind) -> SignedDuration {
        match kind {
            Kind::Access => self.options.access_life,
            Kind::Refresh => self.options.refresh_life,
        }
    }

    /// A new token.
    fn text(&self, grants: &mut Grants, family: usize, kind: Kind) -> String {
        if self.options.has_opaque_tokens {
            return hex::encode(grants.bytes(32));
        }
        let caller = Caller::of(grants.family(family).0);
        let issued_at = self.now.as_second();
        let mut claims = json!({
            "sub": if caller == Caller::Owner { OWNER_ID } else { CLIENT_ID },
            "aud": caller.aud(),
            "type": if kind == Kind::Access { "accessToken" } else { "refreshToken" },
            "cId": CLIENT_ID,
            "jti": &hex::encode(grants.bytes(11))[1..],
        });
        if caller == Caller::Owner {
            claims["sgn"] = json!(hex::encode(&Md5::digest(self.options.password.as_bytes())[..5]));
        }
        claims["iat"] = json!(issued_at);
        claims["exp"] = json!(issued_at.saturating_add(self.life(kind).as_secs()));
        jwt("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", &claims, &grants.bytes(32))
    }
}

fn refusal(status: u16, error: &'static str, description: &str) -> Refusal {
    Refusal { status, error, body: json!({ "error": error, "error_description": description }) }
}
