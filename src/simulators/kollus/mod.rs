//! A simulated Kollus Live: channels with broadcasts, the API that shows them page by page, the callbacks.
//!
//! Move the world with its verbs ([`World::start`] and the rest): each is written to the journal and makes its
//! callback. What the platform's documentation leaves open is in [`Options`].

mod api;
mod consent;
mod lists;
mod options;
mod play;
mod rows;
mod tokens;
mod verbs;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::{
    Fault, Push, Request, Response, Simulator, Transition, Violation,
    copies::Copies,
    dice::Dice,
    door::Door,
    grants::Grants,
    limits::Limits,
    postbox::Postbox,
    script::Script,
    trick::{Trick, Tricks},
    wire::Moment,
};
pub use options::{BadRefresh, BasePath, ChannelOf, Empty, Options, PerPage};

/// Documented: at most one request in a second.
const GAP: SignedDuration = SignedDuration::from_secs(1);
/// Documented.
const PER_MINUTE: usize = 60;

/// One service account.
pub struct World {
    options: Options,
    now: Timestamp,
    /// For what the world is; apart from `whim`, so that reading does not change what happens.
    fate: Dice,
    /// For how answers look.
    whim: Dice,
    channels: Vec<Channel>,
    broadcasts: Vec<Broadcast>,
    /// Channels as they are listed, the first made first; a trick can change that.
    channel_order: Vec<usize>,
    broadcast_order: Vec<usize>,
    journal: Vec<Transition>,
    postbox: Postbox,
    limits: Limits,
    faults: VecDeque<Fault>,
    tricks: Tricks,
    copies: Copies,
    grants: Grants,
    door: Door,
    script: Script<Self>,
}

/// A channel as it is, for whoever compares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelNow<'w> {
    /// Its key.
    pub key: &'w str,
    /// Its title.
    pub title: &'w str,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A broadcast that is live or paused, for whoever compares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BroadcastNow<'w> {
    /// Its key.
    pub key: &'w str,
    /// Its title.
    pub title: &'w str,
    /// The key of its channel.
    pub channel_key: &'w str,
    /// When it began.
    pub started_at: Timestamp,
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
}

/// A channel.
struct Channel {
    key: String,
    title: String,
    stream_key: String,
    created: Moment,
    is_trashed: bool,
    /// The place of its latest broadcast.
    latest: Option<usize>,
    /// As it is listed; empty if that has to be written again.
    row: String,
}

/// A broadcast.
struct Broadcast {
    key: String,
    title: String,
    /// The place of its channel.
    channel: usize,
    started: Moment,
    paused: Option<Moment>,
    ended: Option<Moment>,
    /// As it is listed; empty if that has to be written again.
    row: String,
}

impl Broadcast {
    fn is_live(&self) -> bool {
        self.ended.is_none()
    }
}

impl World {
    /// A world without channels.
    pub fn new(options: Options) -> Self {
        let mut dice = Dice::new(options.seed);
        Self {
            now: options.begins_at,
            fate: dice.fork(),
            whim: dice.fork(),
            postbox: Postbox::new(options.delivery.clone(), dice.fork()),
            channels: Vec::new(),
            broadcasts: Vec::new(),
            channel_order: Vec::new(),
            broadcast_order: Vec::new(),
            journal: Vec::new(),
            limits: Limits::new(GAP, PER_MINUTE),
            faults: VecDeque::new(),
            tricks: Tricks::default(),
            copies: Copies::default(),
            grants: Grants::new(options.seed),
            door: Door::new(&consent::WORDS, options.seed),
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

    /// The keys of the channels that are there, the first made first.
    pub fn channel_keys(&self) -> Vec<String> {
        let present = self.channels.iter().filter(|channel| !channel.is_trashed);
        present.map(|channel| channel.key.clone()).collect()
    }

    /// The channels that are there, the first made first.
    pub fn channels(&self) -> impl Iterator<Item = ChannelNow<'_>> {
        let present = self.channels.iter().filter(|channel| !channel.is_trashed);
        present.map(|it| ChannelNow { key: &it.key, title: &it.title, created_at: it.created.at })
    }

    /// The broadcasts that are live or paused, the first begun first.
    pub fn live_broadcasts(&self) -> impl Iterator<Item = BroadcastNow<'_>> {
        self.broadcasts.iter().filter(|broadcast| broadcast.is_live()).map(|it| BroadcastNow {
            key: &it.key,
            title: &it.title,
            channel_key: &self.channels[it.channel].key,
            started_at: it.started.at,
            paused_at: it.paused.as_ref().map(|paused| paused.at),
        })
    }

    /// The key of the broadcast that is live, or paused, in a channel.
    pub fn live_broadcast(&self, channel_key: &str) -> Option<&str> {
        let place = self.live_in(self.place_of(channel_key)?)?;
        Some(&self.broadcasts[place].key)
    }

    /// How many callbacks were lost.
    pub fn lost_pushes(&self) -> usize {
        self.postbox.lost()
    }

    fn place_of(&self, channel_key: &str) -> Option<usize> {
        self.channels.iter().position(|channel| channel.key == channel_key && !channel.is_trashed)
    }

    fn live_in(&self, channel: usize) -> Option<usize> {
        self.channels[channel].latest.filter(|place| self.broadcasts[*place].is_live())
    }
}

impl Simulator for World {
    fn platform(&self) -> &'static str {
        "kollus"
    }

    fn respond(&mut self, request: &Request) -> Response {
        self.authorisation(request).unwrap_or_else(|| self.answer_well(request))
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
