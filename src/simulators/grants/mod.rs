//! What an authorisation server remembers: codes, families of tokens, and who asked for them.
//!
//! The platforms say what their requests and answers look like; here are the rules that all of them share. A family
//! is everything that came of one consent or one login: one token after the other. When something is used that was
//! used before, somebody has stolen something, and the whole family is revoked.

mod codes;
mod families;

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

pub use self::families::Rotation;
pub(super) use self::{
    codes::{CodeRefused, Consent},
    families::{Kind, RefreshRefused, Standing},
};
use super::{
    Response,
    dice::Dice,
    token_trick::{RedirectTrick, TokenTrick},
};

/// A request to the token endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenCall {
    /// When.
    pub at: Timestamp,
    /// Its `grant_type`; empty if there was none.
    pub grant_type: String,
    /// What became of it, whether or not the answer arrived.
    pub outcome: Outcome,
}

/// What became of a request to the token endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// There are new tokens.
    Issued,
    /// Refused, with this error.
    Refused(&'static str),
    /// Nobody looked at it: a fault came instead.
    Unheard,
}

/// A refusal of the token endpoint.
pub(super) struct Refusal {
    pub status: u16,
    pub error: &'static str,
    pub body: Value,
}

/// Codes, tokens, and every request for them.
#[derive(Clone, Debug)]
pub struct Grants {
    /// For codes and tokens only, so that a client that asks for many does not change the world's fate.
    dice: Dice,
    codes: HashMap<String, codes::Code>,
    tokens: HashMap<String, families::Token>,
    families: Vec<families::Family>,
    calls: Vec<TokenCall>,
    killed: usize,
    expired_uses: usize,
    token_tricks: VecDeque<TokenTrick>,
    redirect_tricks: VecDeque<RedirectTrick>,
}

impl Grants {
    /// Nothing is granted yet.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed ^ 0x6772_616e_7473),
            codes: HashMap::new(),
            tokens: HashMap::new(),
            families: Vec::new(),
            calls: Vec::new(),
            killed: 0,
            expired_uses: 0,
            token_tricks: VecDeque::new(),
            redirect_tricks: VecDeque::new(),
        }
    }

    /// So many bytes of chance, for a code or a token.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8)).flat_map(|_| self.dice.number().to_be_bytes()).take(count).collect()
    }

    /// Every request to the token endpoint, the first first.
    pub fn calls(&self) -> &[TokenCall] {
        &self.calls
    }

    /// How many requests came to the API with an access token that had expired.
    pub fn expired_uses(&self) -> usize {
        self.expired_uses
    }

    /// A request came to the API with an expired access token of another kind.
    pub(super) fn note_expired_use(&mut self) {
        self.expired_uses += 1;
    }

    /// Misbehaviour at the token endpoint: its next requests get these, one each.
    pub fn token_tricks(&mut self) -> &mut VecDeque<TokenTrick> {
        &mut self.token_tricks
    }

    /// Misbehaviour on the way back to the client: the next redirects get these, one each.
    pub fn redirect_tricks(&mut self) -> &mut VecDeque<RedirectTrick> {
        &mut self.redirect_tricks
    }

    /// Answers a request to the token endpoint: as `right` has it, or worse if that was ordered.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        grant_type: &str,
        right: impl FnOnce(&mut Self) -> Result<Value, Refusal>,
    ) -> Response {
        let trick = self.token_tricks.pop_front();
        let note = |grants: &mut Self, outcome| {
            grants.calls.push(TokenCall { at: now, grant_type: grant_type.to_owned(), outcome });
        };
        if let Some(TokenTrick::Instead(fault)) = trick {
            note(self, Outcome::Unheard);
            return fault.spoil(Response::text(200, "application/json", "{}"));
        }
        let response = match right(self) {
            Ok(mut answer) => {
                note(self, Outcome::Issued);
                if let Some(trick) = &trick {
                    trick.bend(&mut answer);
                }
                Response::json(200, &answer)
            }
            Err(Refusal { status, error, body }) => {
                note(self, Outcome::Refused(error));
                Response::json(status, &body)
            }
        };
        let response = response.header("cache-control", "no-store").header("pragma", "no-cache");
        match trick {
            Some(TokenTrick::Spoilt(fault)) => fault.spoil(response),
            _ => response,
        }
    }

    /// The way back to the client, with these parameters: right, or worse if that was ordered.
    pub(super) fn redirect(
        &mut self,
        redirect_uri: &str,
        mut parameters: Vec<(&'static str, String)>,
    ) -> Response {
        if let Some(trick) = self.redirect_tricks.pop_front() {
            trick.bend(&mut parameters);
        }
        let location = match url::Url::parse(redirect_uri) {
            Ok(mut url) if !parameters.is_empty() => {
                url.query_pairs_mut().extend_pairs(parameters);
                url.to_string()
            }
            _ => redirect_uri.to_owned(),
        };
        Response::text(302, "text/html; charset=utf-8", "")
            .header("location", location)
            .header("cache-control", "no-store")
    }
}

/// Whether somebody may be sent there: to what is registered, or anywhere if nothing is.
pub(super) fn may_redirect_to(redirect_uri: &str, registered: &str) -> bool {
    if registered.is_empty() { url::Url::parse(redirect_uri).is_ok() } else { redirect_uri == registered }
}

#[cfg(test)]
mod tests;
