//! `/auth/code`: how a streamer lets an application in, in a browser or with a number from the mobile app.
//!
//! A program that plays the streamer sends `POST /login` with `flow` and `account` (a login of
//! [`Options::accounts`]), and then `POST /auth/consent` with `flow`; with `answer=refuse` beside it to refuse. Each
//! `flow` stands in the page before, and the cookie `soop_session` from the login must come with the second.
//!
//! [`Options::accounts`]: super::Options::accounts

use jiff::Timestamp;
use serde_json::json;

use super::{
    Denial, World,
    wire::{Answer, parameter},
};
use crate::simulators::{
    Request, Response,
    door::{Asked, Words},
    grants::{Consent, may_redirect_to},
};

/// Of the pages.
pub(super) const WORDS: Words = Words {
    language: "ko",
    title: "SOOP",
    cookie: "soop_session",
    log_in: "로그인",
    agree: "동의",
    cancel: "취소",
    action: "/auth/consent",
    cancels: ("answer", "refuse"),
};

/// Certification numbers that the app shows, each with whose it is and when it ends.
pub(super) type Numbers = Vec<(String, String, Timestamp)>;

impl World {
    /// The number that the mobile app shows to the owner of this login now: 6 digits, good once. `None` if nobody has
    /// the login.
    pub fn certification_number(&mut self, login: &str) -> Option<String> {
        self.place_of(login)?;
        let bytes = self.grants.bytes(4).into_iter().fold(0, |number, byte| number * 256 + u32::from(byte));
        let number = format!("{:06}", 100_000 + bytes % 900_000);
        let ends_at = self.now.saturating_add(self.options.certification_life).unwrap_or(self.now);
        self.numbers.push((number.clone(), login.to_owned(), ends_at));
        Some(number)
    }

    /// The answer of the authorisation server, if this is for it. Nothing here counts against the API's limits.
    pub(super) fn authorisation(&mut self, request: &Request) -> Option<Response> {
        let answer = match (&*request.method, &*request.path) {
            ("GET", "/auth/code") => return Some(self.authorize(request)),
            ("POST", "/auth/consent") => return Some(self.decided(request)),
            ("POST", "/auth/code") => self.code_by_number(request),
            ("POST", "/auth/token") => return Some(self.token(request)),
            ("POST", "/login") => {
                let logins: Vec<&str> = self.options.accounts.iter().map(|it| it.login.as_str()).collect();
                return Some(self.door.log_in(request, &logins));
            }
            (_, "/auth/code" | "/auth/consent" | "/auth/token" | "/login") => Answer::page(405),
            // What browsers ask for by themselves.
            (_, "/favicon.ico") => Answer::page(404),
            _ => return None,
        };
        Some(answer.send("application/json"))
    }

    fn authorize(&mut self, request: &Request) -> Response {
        if let Some(refusal) = self.refuse_client(request, false) {
            return refusal.send("application/json");
        }
        let registered = &self.options.redirect_uri;
        let redirect_uri = request.query("redirect_uri").unwrap_or(registered).to_owned();
        // Nobody is sent to an address that is not the application's.
        if !may_redirect_to(&redirect_uri, registered) {
            let description = "The redirect URI provided is missing or does not match";
            return wrong("redirect_uri_mismatch", description).send("application/json");
        }
        let scope = request.query("scope").unwrap_or_default().to_owned();
        let consent = Consent { scope, redirect_uri, ..Consent::default() };
        let state = request.query("state").map(str::to_owned).filter(|_| self.options.echoes_state);
        let logins: Vec<&str> = self.options.accounts.iter().map(|it| it.login.as_str()).collect();
        self.door.ask(request, Asked { consent, state }, &logins)
    }

    fn decided(&mut self, request: &Request) -> Response {
        let (Asked { consent, state }, agrees) = match self.door.decide(request) {
            Ok(decision) => decision,
            Err(page) => return page,
        };
        let redirect_uri = consent.redirect_uri.clone();
        let mut parameters = match (agrees, self.options.denial) {
            (true, _) => vec![("code", self.write_code(consent))],
            (false, Denial::Error) => vec![
                ("error", "access_denied".to_owned()),
                ("error_description", "The user denied access to your application".to_owned()),
            ],
            (false, Denial::NoCode) => Vec::new(),
        };
        parameters.extend(state.map(|state| ("state", state)));
        self.grants.redirect(&redirect_uri, parameters)
    }

    fn code_by_number(&mut self, request: &Request) -> Answer {
        if let Some(refusal) = self.refuse_client(request, false) {
            return refusal;
        }
        let text = |name| parameter(request, name).map(String::from).unwrap_or_default();
        if text("auth_type") != "api" {
            return wrong("invalid_request", "Missing parameter: \"auth_type\" is required");
        }
        let number = text("certification_number");
        let place = self.numbers.iter().position(|(known, ..)| *known == number);
        let Some((_, who, ends_at)) = place.map(|place| self.numbers.swap_remove(place)) else {
            return wrong("invalid_grant", "The certification number is not valid");
        };
        if self.now >= ends_at {
            return wrong("invalid_grant", "The certification number has expired");
        }
        let code = self.write_code(Consent { who, scope: text("scope"), ..Consent::default() });
        Answer::json(&json!({ "code": code }))
    }

    fn write_code(&mut self, consent: Consent) -> String {
        let code = hex::encode(self.grants.bytes(10));
        self.grants.write_code(code.clone(), consent, self.now, self.options.code_life);
        code
    }
}

fn wrong(error: &str, description: &str) -> Answer {
    let body = json!({ "error": error, "error_description": description });
    Answer { status: 400, ..Answer::json(&body) }
}
