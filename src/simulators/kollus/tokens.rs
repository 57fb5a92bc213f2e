//! `POST /oauth/token`, and who is let in with what it issued.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    BadRefresh, Options, Timestamp, World,
    consent::{CHECK_ALL, SCOPES},
};
use crate::simulators::{
    Request, Response,
    grants::{CodeRefused, Consent, Grants, Kind, RefreshRefused, Refusal, Rotation, Standing},
    jwt::jwt,
};

impl World {
    /// Whether a request may read: with the token that is always right, or with one that was issued.
    pub(super) fn is_let_in(&mut self, request: &Request) -> bool {
        let Some(token) = request.bearer().filter(|token| !token.is_empty()) else { return false };
        token == self.options.access_token
            || matches!(self.grants.standing(token, self.now), Standing::Good(_))
    }

    pub(super) fn token(&mut self, request: &Request) -> Response {
        let form = Form(request.form());
        let asking = Asking { form: &form, options: &self.options, now: self.now };
        self.grants.answer(self.now, form.get("grant_type"), |grants| asking.tokens(grants))
    }

    /// Text as Passport makes it for codes and refresh tokens.
    pub(super) fn def502(&mut self) -> String {
        def502(&mut self.grants)
    }
}

fn def502(grants: &mut Grants) -> String {
    format!("def50200{}", hex::encode(grants.bytes(300)))
}

struct Form(Vec<(String, String)>);

impl Form {
    /// Empty if there is none.
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        let missing = || refusal("invalid_request", Some(&format!("Check the `{name}` parameter")));
        Some(self.get(name)).filter(|value| !value.is_empty()).ok_or_else(missing)
    }
}

/// A request for tokens.
struct Asking<'r> {
    form: &'r Form,
    options: &'r Options,
    now: Timestamp,
}

impl Asking<'_> {
    fn tokens(&self, grants: &mut Grants) -> Result<Value, Refusal> {
        let grant_type = self.form.get("grant_type");
        let is_client_only = grant_type == "client_credentials" && self.options.has_client_credentials;
        if !is_client_only && !["authorization_code", "refresh_token"].contains(&grant_type) {
            return Err(refusal("unsupported_grant_type", Some(CHECK_ALL)));
        }
        let Options { client_id, client_secret, .. } = self.options;
        if self.form.required("client_id")? != client_id || self.form.get("client_secret") != client_secret {
            return Err(refusal("invalid_client", None));
        }
        match grant_type {
            "authorization_code" => self.by_code(grants),
            "refresh_token" => self.by_refresh(grants),
            _ => {
                let scope = self.asked_scope(&SCOPES)?;
                let family = grants.open("", scope);
                Ok(self.issue(grants, family, scope, None))
            }
        }
    }

    fn by_code(&self, grants: &mut Grants) -> Result<Value, Refusal> {
        let code = self.form.required("code")?;
        let consent = grants.look_up(code, self.now).map_err(|refused| {
            let hint = match refused {
                CodeRefused::Unknown => "Cannot decrypt the authorization code",
                CodeRefused::Used => "Authorization code has been revoked",
                CodeRefused::Expired => "Authorization code has expired",
            };
            refusal("invalid_grant", Some(hint))
        })?;
        if self.form.get("redirect_uri") != consent.redirect_uri {
            return Err(refusal("invalid_grant", Some("Invalid redirect URI")));
        }
        self.check_verifier(&consent)?;
        let family = grants.redeem(code, &consent);
        let refresh = def502(grants);
        Ok(self.issue(grants, family, &consent.scope, Some(&refresh)))
    }

    fn check_verifier(&self, consent: &Consent) -> Result<(), Refusal> {
        let Some(challenge) = &consent.challenge else {
            // Somebody took the challenge out on its way.
            let is_sent = !self.form.get("code_verifier").is_empty();
            let hint = "code_verifier received when no code_challenge is present";
            return if is_sent { Err(refusal("invalid_grant", Some(hint))) } else { Ok(()) };
        };
        let verifier = self.form.required("code_verifier")?;
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != *challenge {
            return Err(refusal("invalid_grant", Some("Failed to verify `code_verifier`.")));
        }
        Ok(())
    }

    fn by_refresh(&self, grants: &mut Grants) -> Result<Value, Refusal> {
        let old = self.form.required("refresh_token")?;
        let family = grants.look_up_refresh(old, self.now).map_err(|refused| {
            let hint = match refused {
                RefreshRefused::Unknown => "Cannot decrypt the refresh token",
                RefreshRefused::Used => "Token has been revoked",
                RefreshRefused::Expired => "Token has expired",
            };
            match self.options.bad_refresh {
                BadRefresh::Grant => refusal("invalid_grant", Some(hint)),
                BadRefresh::Request => bad_refresh(hint),
            }
        })?;
        let granted = grants.family(family).1.to_owned();
        let allowed: Vec<&str> = granted.split_whitespace().collect();
        let asked = self.asked_scope(&allowed)?;
        let scope = if asked.is_empty() { &granted } else { asked };
        grants.revoke_access(family);
        let new = def502(grants);
        let refresh = grants.rotate(old, Rotation::Always, new);
        Ok(self.issue(grants, family, scope, refresh.as_deref()))
    }

    /// The `scope` of the request, if all of it is allowed.
    fn asked_scope(&self, allowed: &[&str]) -> Result<&str, Refusal> {
        let scope = self.form.get("scope");
        match scope.split_whitespace().find(|scope| !allowed.contains(scope)) {
            Some(wrong) => Err(refusal("invalid_scope", Some(&format!("Check the `{wrong}` scope")))),
            None => Ok(scope),
        }
    }

    fn issue(&self, grants: &mut Grants, family: usize, scope: &str, refresh: Option<&str>) -> Value {
        let Options { access_life, refresh_life, client_id, .. } = self.options;
        let issued_at = self.now.as_second();
        let claims = json!({
            "aud": client_id,
            "jti": hex::encode(grants.bytes(40)),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at.saturating_add(access_life.as_secs()),
            "sub": grants.family(family).0,
            "scopes": scope.split_whitespace().collect::<Vec<_>>(),
        });
        let access = jwt("{\"typ\":\"JWT\",\"alg\":\"RS256\"}", &claims, &grants.bytes(256));
        grants.issue(&access, Kind::Access, family, self.now, *access_life);
        let mut answer =
            json!({ "token_type": "Bearer", "expires_in": access_life.as_secs(), "access_token": access });
        if let Some(refresh) = refresh {
            grants.issue(refresh, Kind::Refresh, family, self.now, *refresh_life);
            answer["refresh_token"] = json!(refresh);
        }
        answer
    }
}

/// A refusal as Passport writes it: the description twice, and mostly a hint.
pub(super) fn refusal(error: &'static str, hint: Option<&str>) -> Refusal {
    let status = if error == "invalid_client" { 401 } else { 400 };
    let description = description(error);
    let mut body = json!({ "error": error, "error_description": description });
    if let Some(hint) = hint {
        body["hint"] = json!(hint);
    }
    body["message"] = json!(description);
    Refusal { status, error, body }
}

fn bad_refresh(hint: &str) -> Refusal {
    let description = "The refresh token is invalid.";
    let body = json!({
        "error": "invalid_request", "error_description": description, "hint": hint, "message": description,
    });
    Refusal { status: 401, error: "invalid_request", body }
}

/// What Passport says of an error.
pub(super) fn description(error: &str) -> &'static str {
    match error {
        "access_denied" => "The resource owner or authorization server denied the request.",
        "invalid_client" => "Client authentication failed",
        "invalid_grant" => {
            "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh \
             token is invalid, expired, revoked, does not match the redirection URI used in the authorization \
             request, or was issued to another client."
        }
        "invalid_scope" => "The requested scope is invalid, unknown, or malformed",
        "unsupported_grant_type" => {
            "The authorization grant type is not supported by the authorization server."
        }
        _ => {
            "The request is missing a required parameter, includes an invalid parameter value, includes a \
             parameter more than once, or is otherwise malformed."
        }
    }
}
