//! OpenFRESH as a world: programs, comments, a token nobody needs for reading.
//!
//! Subjects in the journal are `broadcast/<programId>` and `comment/<id>`. A comment is told as `created` when it is
//! written; it becomes visible then or up to [`Options::late_max`] later. Equals in milliseconds stand in the order of
//! their ids, so that a late one can come between two that were read already.
//!
//! Assumed, because the documentation does not know: the answers to unreadable requests (400) and to bad credentials (401),
//! that programs for members are refused in the documented form (401 or 403), that a `limit` above the maximum is lowered to it, and that a program which is announced but not yet on air has no
//! `nowMillisecond`. The service is closed; this is how it was, or would have been.

mod comments;
mod options;
mod play;
mod programs;
mod write;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use options::{Closed, Meta, Options, OverLimit, Trick};
pub use programs::{Comment, Program};

use self::programs::Burst;
use super::{
    Fault, Manner, RateMeter, Request, Response, Simulator, Transition, Violation, dice::Dice, drift,
    grants::Grants, script::Script,
};

/// An OpenFRESH of its own. Verbs happen at the time that was last handed in, and do nothing to what is not there.
#[derive(Debug)]
pub struct World {
    options: Options,
    now: Timestamp,
    dice: Dice,
    script: Script<Self>,
    bursts: Vec<Burst>,
    programs: BTreeMap<u64, Program>,
    grants: Grants,
    tricks: VecDeque<Trick>,
    always: Option<Trick>,
    last_page: Vec<Value>,
    journal: Vec<Transition>,
    faults: VecDeque<Fault>,
    meter: RateMeter,
    violations: Vec<Violation>,
}

/// One counter for everybody: whether hosts or users are counted is told in both ways.
const EVERYBODY: &str = "everybody";
const TOKEN_PATH: &str = "/v1/oauth/token";

impl World {
    /// A world without programs.
    pub fn new(options: Options) -> Self {
        Self {
            now: options.begins_at,
            dice: Dice::new(options.seed),
            script: Script::beginning_at(options.begins_at),
            bursts: Vec::new(),
            programs: BTreeMap::new(),
            grants: Grants::new(options.seed),
            tricks: VecDeque::new(),
            always: None,
            last_page: Vec::new(),
            journal: Vec::new(),
            faults: VecDeque::new(),
            meter: RateMeter::new(SignedDuration::ZERO, 60),
            violations: Vec::new(),
            options,
        }
    }

    /// Plays `step` that long from now: from the step that is being played, or from the time handed in last.
    pub fn after(&mut self, delay: SignedDuration, step: impl FnOnce(&mut Self) + Send + 'static) {
        self.script.add(delay, step);
    }

    /// Orders a trick for the next request for comments.
    pub fn order(&mut self, trick: Trick) {
        self.tricks.push_back(trick);
    }

    /// From now on every request for comments gets this trick, if no other was ordered; `None` ends it.
    pub fn always(&mut self, trick: Option<Trick>) {
        self.always = trick;
    }

    /// How the world is set up; may be changed at any time.
    pub fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn tell(&mut self, at: Timestamp, subject: String, verb: &'static str) {
        self.journal.push(Transition { at, subject, verb });
    }

    fn right(&mut self, request: &Request) -> Response {
        match (&*request.method, &*request.path) {
            ("GET", "/v1/comments") => self.read_comments(request),
            ("POST", "/v1/comments") => self.write_comment(request),
            ("POST", TOKEN_PATH) => self.issue_token(request),
            (_, "/v1/comments" | TOKEN_PATH) => error(405, "method not allowed."),
            _ => error(404, "not found."),
        }
    }

    fn too_many(&mut self) -> Response {
        let refusal = match self.dice.below(3) {
            0 => error(429, "too many requests."),
            1 => Response::text(429, "text/html", "<html><body><h1>429 Too Many Requests</h1></body></html>"),
            _ => Response::text(429, "text/plain", ""),
        };
        match drift::retry_after(self.violations.len(), self.now) {
            Some(value) => refusal.header("retry-after", value),
            None => refusal,
        }
    }
}

/// The documented shape of an error.
fn error(status: u16, message: &str) -> Response {
    Response::json(status, &error_body(status, message))
}

fn error_body(status: u16, message: &str) -> Value {
    json!({ "error": { "status": status, "message": message, "errorData": {} } })
}

const FAREWELL: &str = "<!doctype html><html lang=ja><head><title>サービス終了のお知らせ</title></head>\
    <body>ご利用ありがとうございました。</body></html>";

impl Simulator for World {
    fn platform(&self) -> &'static str {
        "openfresh"
    }

    fn respond(&mut self, request: &Request) -> Response {
        let is_login = request.path == TOKEN_PATH;
        let is_early = !is_login && !self.meter.note(EVERYBODY, self.now);
        if is_early {
            self.violations.extend(self.meter.violations().last().cloned());
        }
        match self.options.closed {
            Some(Closed::Page) => Response::text(200, "text/html; charset=utf-8", FAREWELL),
            Some(Closed::Refuses) => {
                Response { manner: Manner::Cut, ..Response::text(200, "text/plain", "") }
            }
            None if is_early && self.options.over_limit == OverLimit::Refused => self.too_many(),
            None => self.right(request),
        }
    }

    fn advance(&mut self, now: Timestamp) {
        while let Some((at, step)) = self.script.due(now) {
            self.play_bursts(at);
            self.now = at;
            step(self);
        }
        self.play_bursts(now);
        self.now = now;
    }

    fn journal(&self) -> &[Transition] {
        &self.journal
    }

    fn faults(&mut self) -> &mut VecDeque<Fault> {
        &mut self.faults
    }

    fn violations(&self) -> &[Violation] {
        &self.violations
    }

    fn grants(&self) -> &Grants {
        &self.grants
    }

    fn grants_mut(&mut self) -> &mut Grants {
        &mut self.grants
    }
}

#[cfg(test)]
mod tests;
