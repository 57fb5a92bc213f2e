//! A simulated platform that remembers every secret that goes over the wire, and sends some back where they do not
//! belong.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use livehook::simulators::{
    Fault, Push, Request, Response, Simulator, Transition, Violation, grants::Grants,
};
use serde_json::{Value, json};

/// Names under which secrets travel.
const NAMES: [&str; 9] = [
    "code",
    "state",
    "code_verifier",
    "code_challenge",
    "client_secret",
    "password",
    "access_token",
    "refresh_token",
    "token",
];

/// See the module.
pub struct Tap<W> {
    pub world: W,
    /// What was seen, with the name it had.
    pub seen: BTreeMap<String, &'static str>,
    /// The next requests for tokens are answered with what they hold, with these statuses: in ways that a program may
    /// want to show.
    pub echoes: VecDeque<u16>,
}

impl<W: Simulator> Tap<W> {
    pub fn new(world: W) -> Self {
        Self { world, seen: BTreeMap::new(), echoes: VecDeque::new() }
    }

    fn note(&mut self, pairs: &[(String, String)]) {
        for (name, value) in pairs {
            // Shorter ones, and those without a digit, are words and not secrets.
            let is_secret = value.len() > 12 && value.bytes().any(|byte| byte.is_ascii_digit());
            if let Some(name) = NAMES.into_iter().find(|known| known == name).filter(|_| is_secret) {
                self.seen.insert(value.clone(), name);
            }
        }
    }

    fn note_json(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) => self.note(&[(name.clone(), text.clone())]),
                        value => self.note_json(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.note_json(value)),
            _ => {}
        }
    }
}

fn echo(request: &Request, status: u16) -> Response {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    match status {
        500.. => Response::text(status, "text/plain", body),
        400.. => Response::json(status, &json!({ "error": body, "error_description": body })),
        _ => Response::json(status, &json!({ "message": body, "access": body })),
    }
}

impl<W: Simulator> Simulator for Tap<W> {
    fn platform(&self) -> &'static str {
        self.world.platform()
    }

    fn respond(&mut self, request: &Request) -> Response {
        self.note(&request.query);
        self.note(&request.form());
        self.note_json(&serde_json::from_slice(&request.body).unwrap_or_default());
        if request.method == "POST"
            && request.path.ends_with("/token")
            && let Some(status) = self.echoes.pop_front()
        {
            return echo(request, status);
        }
        let response = self.world.respond(request);
        self.note_json(&serde_json::from_slice(&response.body).unwrap_or_default());
        let location = response.headers.iter().find(|(name, _)| name == "location");
        if let Some(url) = location.and_then(|(_, url)| url.parse::<url::Url>().ok()) {
            self.note(&url.query_pairs().into_owned().collect::<Vec<_>>());
        }
        response
    }

    fn advance(&mut self, now: Timestamp) {
        self.world.advance(now);
    }

    fn journal(&self) -> &[Transition] {
        self.world.journal()
    }

    fn take_pushes(&mut self) -> Vec<Push> {
        self.world.take_pushes()
    }

    fn faults(&mut self) -> &mut VecDeque<Fault> {
        self.world.faults()
    }

    fn violations(&self) -> &[Violation] {
        self.world.violations()
    }

    fn grants(&self) -> &Grants {
        self.world.grants()
    }

    fn grants_mut(&mut self) -> &mut Grants {
        self.world.grants_mut()
    }
}
