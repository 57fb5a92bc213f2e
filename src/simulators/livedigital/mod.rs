//! A simulated livedigital: spaces with rooms, calls and records in them, the API that shows them, the webhooks.
//!
//! Move the world with its verbs ([`World::start_call`] and the rest): each is written to the journal and makes
//! its webhook, where the space has one. What the platform's documentation leaves open is in [`Options`]. Nobody
//! knows the platform's limits; those that a client should keep by itself are counted, and never enforced.

mod api;
mod calls;
mod lists;
mod look;
mod options;
mod places;
mod play;
mod records;
mod rows;
mod tokens;

use std::collections::VecDeque;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::{
    Fault, Push, Request, Response, Simulator, Transition, Violation,
    copies::Copies,
    dice::Dice,
    grants::Grants,
    limits::Limits,
    postbox::Postbox,
    script::Script,
    trick::{Trick, Tricks},
    wire::Object,
};
pub use options::{ClientToken, Download, LastCall, Options, Refusal, Unfinished, WithoutWebhook};
pub use places::RoomChange;

/// Not documented: what a client should keep.
const GAP: SignedDuration = SignedDuration::from_secs(1);
/// Not documented: what a client should keep.
const PER_MINUTE: usize = 40;

/// The spaces of one owner.
pub struct World {
    options: Options,
    now: Timestamp,
    /// For what the world is; apart from `whim`, so that reading does not change what happens.
    fate: Dice,
    /// For how answers look.
    whim: Dice,
    spaces: Vec<places::Space>,
    rooms: Vec<places::Room>,
    calls: Vec<calls::Call>,
    records: Vec<records::Record>,
    journal: Vec<Transition>,
    postbox: Postbox,
    limits: Limits,
    faults: VecDeque<Fault>,
    tricks: Tricks,
    copies: Copies,
    grants: Grants,
    script: Script<Self>,
}

impl World {
    /// A world without spaces.
    pub fn new(options: Options) -> Self {
        let mut dice = Dice::new(options.seed);
        Self {
            now: options.begins_at,
            fate: dice.fork(),
            whim: dice.fork(),
            postbox: Postbox::new(options.delivery.clone(), dice.fork()),
            spaces: Vec::new(),
            rooms: Vec::new(),
            calls: Vec::new(),
            records: Vec::new(),
            journal: Vec::new(),
            limits: Limits::new(GAP, PER_MINUTE),
            faults: VecDeque::new(),
            tricks: Tricks::default(),
            copies: Copies::default(),
            grants: Grants::new(options.seed),
            script: Script::beginning_at(options.begins_at),
            options,
        }
    }

    /// What kind of world it is; a change shows from the next answer on, in rows when they change.
    pub fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Plays `step` that long from now: from the step that is being played, or from the time handed in last.
    pub fn after(&mut self, delay: SignedDuration, step: impl FnOnce(&mut Self) + Send + 'static) {
        self.script.add(delay, step);
    }

    /// The next `times` answers that it can happen to mislead like this, beside whatever else is ordered.
    pub fn order(&mut self, trick: Trick, times: usize) {
        self.tricks.order(trick, times);
    }

    /// How many webhooks were lost.
    pub fn lost_pushes(&self) -> usize {
        self.postbox.lost()
    }

    fn tell(&mut self, noun: &str, id: &str, verb: &'static str) {
        self.journal.push(Transition { at: self.now, subject: format!("{noun}/{id}"), verb });
    }

    /// 24 hexadecimal digits, of which the first 8 are the time.
    fn id(&mut self) -> String {
        let seconds = self.now.as_second() & 0xffff_ffff;
        let (high, low) = (self.fate.number(), self.fate.number() & 0xffff_ffff);
        format!("{seconds:08x}{:08x}{low:08x}", high & 0xffff_ffff)
    }

    /// Sends a webhook if the space of this room has one; `false` if nobody gets it.
    fn push(&mut self, event: &str, room: usize, record_id: Option<&str>) -> bool {
        let room = &self.rooms[room];
        let space = &self.spaces[room.space];
        if !space.webhook.as_ref().is_some_and(|webhook| webhook.is_active) {
            return false;
        }
        let mut body = Object::new();
        body.text("eventName", event).text("roomId", &room.id).text("spaceId", &space.id);
        if let Some(id) = record_id {
            body.text("recordId", id);
        }
        let body = body.end();
        let signature = sign(&self.options.webhook_secret, &body);
        let body = Object::new().text("signature", &signature).raw("body", &body).end().into_bytes();
        self.postbox.post(Push { callback: "webhook", content_type: "application/json", body }, self.now)
    }
}

/// Lower-case hexadecimal HMAC-SHA256, keyed with the secret's text.
fn sign(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    hex::encode(mac.chain_update(body).finalize().into_bytes())
}

impl Simulator for World {
    fn platform(&self) -> &'static str {
        "livedigital"
    }

    fn respond(&mut self, request: &Request) -> Response {
        self.answer_well(request)
    }

    fn advance(&mut self, now: Timestamp) {
        while let Some((at, step)) = self.script.due(now) {
            self.now = self.now.max(at);
            step(self);
        }
        self.now = self.now.max(now);
    }

    fn journal(&self) -> &[Transition] {
        &self.journal
    }

    fn take_pushes(&mut self) -> Vec<Push> {
        self.postbox.take(self.now)
    }

    fn faults(&mut self) -> &mut VecDeque<Fault> {
        &mut self.faults
    }

    fn violations(&self) -> &[Violation] {
        self.limits.violations()
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
