//! `GET /oauth/authorize` and what a person answers: the browser's part of Passport.
//!
//! A program that plays the person sends `POST /login` with `flow` and `account` (one of [`Options::users`]), and then
//! `POST /oauth/authorize` with `flow`; with `_method=DELETE` beside it to refuse. Each `flow` stands in the page before,
//! and the cookie `laravel_session` from the login must come with the second.
//!
//! [`Options::users`]: super::Options::users

use super::{
    World,
    api::refused,
    tokens::{description, refusal},
};
use crate::simulators::{
    Request, Response,
    door::{Asked, Words},
    grants::{Consent, Refusal, may_redirect_to},
};

/// Of the pages.
pub(super) const WORDS: Words = Words {
    language: "en",
    title: "Kollus Live",
    cookie: "laravel_session",
    log_in: "Log in",
    agree: "Authorize",
    cancel: "Cancel",
    action: "/oauth/authorize",
    cancels: ("_method", "DELETE"),
};

/// What an application may ask for.
pub(super) const SCOPES: [&str; 2] = ["live:control", "live:statistics"];

impl World {
    /// The answer of the authorisation server, if this is for it. Nothing here counts against the API's limits.
    pub(super) fn authorisation(&mut self, request: &Request) -> Option<Response> {
        Some(match (&*request.method, &*request.path) {
            ("GET", "/oauth/authorize") => self.authorize(request),
            ("POST", "/oauth/authorize") => self.decided(request),
            ("POST", "/oauth/token") => self.token(request),
            ("POST", "/login") => {
                let users: Vec<&str> = self.options.users.iter().map(String::as_str).collect();
                self.door.log_in(request, &users)
            }
            (_, "/oauth/authorize" | "/oauth/token" | "/login") => refused(405, "Method not allowed."),
            // What browsers ask for by themselves.
            (_, "/favicon.ico") => refused(404, "Not Found"),
            _ => return None,
        })
    }

    fn authorize(&mut self, request: &Request) -> Response {
        let registered = &self.options.redirect_uri;
        let redirect_uri = request.query("redirect_uri").unwrap_or(registered).to_owned();
        let is_known = request.query("client_id") == Some(&self.options.client_id);
        // Nobody is sent to an address that is not the application's.
        if !is_known || !may_redirect_to(&redirect_uri, registered) {
            return page(&refusal("invalid_client", None));
        }
        if request.query("response_type") != Some("code") {
            return page(&refusal("unsupported_grant_type", Some(CHECK_ALL)));
        }
        let challenge = request.query("code_challenge").map(str::to_owned);
        if let Some(challenge) = &challenge {
            if request.query("code_challenge_method") != Some("S256") {
                let hint = "Code challenge method must be one of `S256`";
                return page(&refusal("invalid_request", Some(hint)));
            }
            if !is_challenge(challenge) {
                let hint = "Code challenge must follow the specifications of RFC-7636.";
                return page(&refusal("invalid_request", Some(hint)));
            }
        }
        let state = request.query("state").map(str::to_owned);
        let scope = request.query("scope").unwrap_or_default().to_owned();
        if !scope.split_whitespace().all(|scope| SCOPES.contains(&scope)) {
            return self.send_back(&redirect_uri, "invalid_scope", state);
        }
        let consent = Consent { who: String::new(), scope, redirect_uri, challenge };
        let users: Vec<&str> = self.options.users.iter().map(String::as_str).collect();
        self.door.ask(request, Asked { consent, state }, &users)
    }

    fn decided(&mut self, request: &Request) -> Response {
        let (Asked { consent, state }, agrees) = match self.door.decide(request) {
            Ok(decision) => decision,
            Err(page) => return page,
        };
        let redirect_uri = consent.redirect_uri.clone();
        if !agrees {
            return self.send_back(&redirect_uri, "access_denied", state);
        }
        let code = self.def502();
        self.grants.write_code(code.clone(), consent, self.now, self.options.code_life);
        let mut parameters = vec![("code", code)];
        parameters.extend(state.map(|state| ("state", state)));
        self.grants.redirect(&redirect_uri, parameters)
    }

    fn send_back(&mut self, redirect_uri: &str, error: &'static str, state: Option<String>) -> Response {
        let description = description(error).to_owned();
        let mut parameters = vec![("error", error.to_owned()), ("error_description", description)];
        parameters.extend(state.map(|state| ("state", state)));
        self.grants.redirect(redirect_uri, parameters)
    }
}

/// What Passport hints at when it does not know better.
pub(super) const CHECK_ALL: &str = "Check that all required parameters have been provided";

fn page(refusal: &Refusal) -> Response {
    Response::json(refusal.status, &refusal.body)
}

/// 43 to 128 of the characters that need no escape in a URL.
fn is_challenge(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}
