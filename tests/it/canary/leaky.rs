//! A simulated platform whose answers hold secrets in many places, and that sends back what it was asked.

use std::collections::VecDeque;

use jiff::Timestamp;
use livehook::simulators::{
    Fault, Push, Request, Response, Simulator, Transition, Violation, grants::Grants,
};
use serde_json::{Map, Value};

/// See the module.
pub struct Leaky<W> {
    pub world: W,
    /// What each object in a list is given, and what its members of that name say instead.
    pub planted: Map<String, Value>,
    /// The next requests are answered with all that they hold.
    pub echoes: VecDeque<Echo>,
    /// How many requests were answered with something planted.
    pub answered: usize,
}

/// Ways to send back a request.
#[derive(Clone, Copy, Debug)]
pub enum Echo {
    /// In a text that says why, with this status.
    Said(u16),
    /// As the address that one is sent to.
    Redirected,
    /// In JSON with status 200, where something else is looked for.
    Listed,
}

impl<W> Leaky<W> {
    pub fn new<const N: usize>(world: W, planted: [(&str, Value); N]) -> Self {
        let planted = planted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { world, planted, echoes: VecDeque::new(), answered: 0 }
    }

    /// Rows are what stands in the outermost lists.
    fn plant(&self, value: &mut Value, may_hold_rows: bool) {
        match value {
            Value::Array(rows) => {
                for row in rows {
                    self.plant(row, false);
                    if let Value::Object(members) = row
                        && may_hold_rows
                    {
                        members.extend(self.planted.clone());
                    }
                }
            }
            Value::Object(members) => {
                members.values_mut().for_each(|member| self.plant(member, may_hold_rows));
                for (name, member) in members {
                    if let Some(secret) = self.planted.get(name) {
                        *member = secret.clone();
                    }
                }
            }
            _ => {}
        }
    }
}

impl<W: Simulator> Simulator for Leaky<W> {
    fn platform(&self) -> &'static str {
        self.world.platform()
    }

    fn respond(&mut self, request: &Request) -> Response {
        let mut right = self.world.respond(request);
        if let Some(echo) = self.echoes.pop_front() {
            return echo.of(request);
        }
        if let Ok(mut body) = serde_json::from_slice::<Value>(&right.body) {
            self.plant(&mut body, true);
            right.body = body.to_string().into_bytes();
            self.answered += 1;
        }
        right
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

impl Echo {
    fn of(self, request: &Request) -> Response {
        let body = String::from_utf8_lossy(&request.body);
        let said = format!(
            "not so: {:?} {} {} {body}",
            request.headers,
            request.path,
            request.query.iter().map(|(name, value)| format!("{name}={value}&")).collect::<String>()
        );
        match self {
            Self::Said(status) => Response::text(status, "text/plain", said),
            Self::Redirected => {
                let query = url::form_urlencoded::byte_serialize(said.as_bytes()).collect::<String>();
                let address = format!("https://login.example.com/?from={query}");
                Response::text(302, "text/html", "").header("location", address)
            }
            Self::Listed => Response::json(200, &serde_json::json!({ "message": said, "error": said })),
        }
    }
}
