//! `POST /v1/oauth/token` and `POST /v1/comments`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{World, comments::japanese_time, error};
use crate::simulators::{Request, Response};

/// How long a token is good for, by `expiredAt`.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How much earlier than `expiredAt` the token itself says that it ends.
const TOKEN_ENDS_EARLIER: SignedDuration = SignedDuration::from_hours(29);

impl World {
    pub(super) fn issue_token(&mut self, request: &Request) -> Response {
        let Some(body) = json_body(request) else { return error(400, "invalid request.") };
        let is = |name: &str, expected: &str| body[name].as_str() == Some(expected);
        if !is("username", &self.options.username) || !is("password", &self.options.password) {
            return error(401, "unauthorized");
        }
        let expires_at = self.now.checked_add(YEAR).unwrap_or(self.now);
        let exp = expires_at.checked_sub(TOKEN_ENDS_EARLIER).unwrap_or(expires_at).as_second();
        let claims = json!({ "id": "16", "exp": exp, "status": "broadcast" }).to_string();
        let signature: Vec<u8> = (0..4).flat_map(|_| self.dice.number().to_be_bytes()).collect();
        let parts = [&b"{\"alg\":\"HS256\"}"[..], claims.as_bytes(), &signature];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        self.tokens.insert(token.clone(), expires_at);
        let expired_at = japanese_time(expires_at, "%Y-%m-%dT%H:%M:%S%.3f");
        Response::json(200, &json!({ "meta": {}, "data": { "token": token, "expiredAt": expired_at } }))
    }

    /// Whether a request carries a token that is good.
    pub(super) fn is_let_in(&self, request: &Request) -> bool {
        let expires_at = request.bearer().and_then(|token| self.tokens.get(token));
        expires_at.is_some_and(|expires_at| *expires_at > self.now)
    }

    pub(super) fn write_comment(&mut self, request: &Request) -> Response {
        if !self.is_let_in(request) {
            return error(401, "unauthorized");
        }
        let body = json_body(request).unwrap_or_default();
        let id = body["programId"].as_str().and_then(|id| id.parse::<u64>().ok());
        let (Some(id), Some(raw)) = (id, body["comment"].as_str().filter(|raw| !raw.is_empty())) else {
            return error(400, "invalid request.");
        };
        let Some(program) = self.programs.get(&id) else {
            return error(404, &format!("programId={id} is not found."));
        };
        if !program.is_on_air() {
            return error(403, "this program is not onair.");
        }
        self.comment(id, raw);
        Response::json(201, &json!({ "meta": {}, "data": {} }))
    }
}

/// The body, if it is said to be JSON, and is.
fn json_body(request: &Request) -> Option<Value> {
    request.header("content-type").filter(|content_type| content_type.starts_with("application/json"))?;
    serde_json::from_slice(&request.body).ok()
}
