//! `POST /v1/oauth/token` and `POST /v1/comments`.

use serde_json::{Value, json};

use super::{Options, World, comments::japanese_time, error, error_body};
use crate::simulators::{
    Request, Response,
    grants::{Kind, Refusal, Standing},
    jwt::jwt,
};

impl World {
    pub(super) fn issue_token(&mut self, request: &Request) -> Response {
        let asked = json_body(request);
        let Options { token_life, claim_ends_earlier, ends_by_claim, .. } = self.options;
        let Options { username, password, .. } = &self.options;
        let now = self.now;
        self.grants.answer(now, "password", |grants| {
            let Some(asked) = asked else { return Err(refusal(400, "invalid request.")) };
            let is = |name: &str, expected: &str| asked[name].as_str() == Some(expected);
            if !is("username", username) || !is("password", password) {
                return Err(refusal(401, "unauthorized"));
            }
            let expired_at = now.saturating_add(token_life).unwrap_or(now);
            let exp = expired_at.saturating_sub(claim_ends_earlier).unwrap_or(now);
            let claims = json!({ "id": "16", "exp": exp.as_second(), "status": "broadcast" });
            let token = jwt("{\"alg\":\"HS256\"}", &claims, &grants.bytes(32));
            let family = grants.open(username, "");
            let life = if ends_by_claim { exp.duration_since(now) } else { token_life };
            grants.issue(&token, Kind::Access, family, now, life);
            let expired_at = japanese_time(expired_at, "%Y-%m-%dT%H:%M:%S%.3f");
            Ok(json!({ "meta": {}, "data": { "token": token, "expiredAt": expired_at } }))
        })
    }

    /// What the token of a request is worth; `None` if it has none.
    pub(super) fn standing(&mut self, request: &Request) -> Option<Standing> {
        Some(self.grants.standing(request.bearer()?, self.now))
    }

    pub(super) fn write_comment(&mut self, request: &Request) -> Response {
        if !matches!(self.standing(request), Some(Standing::Good(_))) {
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

fn refusal(status: u16, message: &'static str) -> Refusal {
    Refusal { status, error: message, body: error_body(status, message) }
}
