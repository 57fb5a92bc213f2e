//! Simulated platforms: worlds that change by script and answer as the real APIs do, with their traps, their
//! rate limits, and misbehaviour on order. For tests, for `livehook demo`, and by hand (`livehook simulate`).
//!
//! Each is written from the documentation of its platform and knows nothing of livehook's client for it, so that
//! one cannot hide the other's mistake. A simulator is a value: it gets a request and the time, and returns an
//! answer. `serve` puts one on a loopback port.

mod copies;
pub mod dice;
mod door;
pub mod drift;
mod fault;
pub mod grants;
mod jwt;
pub mod kollus;
mod limits;
pub mod livedigital;
pub mod openfresh;
pub mod postbox;
mod rate;
pub mod script;
pub mod serve;
pub mod soop;
pub mod token_trick;
pub mod trick;
mod wire;

use std::collections::VecDeque;

use jiff::Timestamp;

use self::{
    grants::{Grants, TokenCall},
    token_trick::TokenTrick,
};
pub use copies::Cache;
pub use fault::Fault;
pub use rate::{RateMeter, Violation};

/// A request as it came over the wire.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Decoded, without the query.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

impl Request {
    /// The first parameter of the query with this name.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The header with this name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The fields of a form in the body.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// What stands behind `Authorization: Bearer `.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

fn first<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// An answer as it goes over the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case. `content-length` is added by whoever sends it.
    pub headers: Vec<(String, String)>,
    /// The body, in whatever encoding its headers say.
    pub body: Vec<u8>,
    /// How it is sent.
    pub manner: Manner,
}

/// How an answer is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// At once and whole.
    Whole,
    /// The connection breaks in the middle of the body.
    Cut,
    /// Nothing comes for so long that every client gives up.
    Never,
}

impl Response {
    /// JSON with this status.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// Any text.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), manner: Manner::Whole }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Something that happened in a world, in the words of the public contract: what must be published of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    /// When.
    pub at: Timestamp,
    /// `<noun>/<id>`, the CloudEvents `subject`.
    pub subject: String,
    /// The verb.
    pub verb: &'static str,
}

/// A callback that the platform would deliver now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// Its name in livehook's URL: `live-state`.
    pub callback: &'static str,
    /// Header `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// A simulated platform.
pub trait Simulator: Send {
    /// The platform's id.
    fn platform(&self) -> &'static str;

    /// The answer as it should be, at the time handed in last; counts the request against the platform's limits.
    fn respond(&mut self, request: &Request) -> Response;

    /// Answers a request that arrives at `now`, and misbehaves if that was ordered.
    fn answer(&mut self, request: &Request, now: Timestamp) -> Response {
        self.advance(now);
        let right = self.respond(request);
        match self.faults().pop_front() {
            Some(fault) => fault.spoil(right),
            None => right,
        }
    }

    /// Lets the script play up to `now`.
    fn advance(&mut self, now: Timestamp);

    /// Everything that happened so far, in order.
    fn journal(&self) -> &[Transition];

    /// The callbacks that are due, each once; none from a platform that calls nobody.
    fn take_pushes(&mut self) -> Vec<Push> {
        Vec::new()
    }

    /// Orders misbehaviour: the next requests get these, one each, before anything is answered well again.
    fn faults(&mut self) -> &mut VecDeque<Fault>;

    /// Requests that broke the platform's limits. Those to the token endpoint do not count.
    fn violations(&self) -> &[Violation];

    /// What its authorisation server remembers.
    fn grants(&self) -> &Grants;

    /// The same, to order misbehaviour, to revoke, to let expire.
    fn grants_mut(&mut self) -> &mut Grants;

    /// Every request to the token endpoint, the first first.
    fn token_calls(&self) -> &[TokenCall] {
        self.grants().calls()
    }

    /// How many families of tokens were revoked because something of them was used a second time.
    fn killed_families(&self) -> usize {
        self.grants().killed_families()
    }

    /// How many requests came to the API with an access token that had expired.
    fn requests_with_expired_token(&self) -> usize {
        self.grants().expired_uses()
    }

    /// Orders misbehaviour of the token endpoint alone: its next requests get these, one each.
    fn token_tricks(&mut self) -> &mut VecDeque<TokenTrick> {
        self.grants_mut().token_tricks()
    }
}
