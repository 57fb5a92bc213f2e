//! SOOP as a world: broadcasts, categories, filter lists, linked accounts, videos.
//!
//! The journal begins with the beginnings: what is there from the start is told as `started` or `created` at
//! [`Options::begins_at`]. Its subjects are `broadcast/<broad_no>`, `category/<8 digits>`, `filter/<kind>:<value>`,
//! `content/<video>`, and `channel/`, `settings/`, `stream_key/` with [`Account::id`]. A start is an update of the
//! linked station too, if it falls into another minute than the one before. Beside the contract's verbs it
//! notes `hidden` and `shown` of a broadcast that goes out of the list, or comes back, while it stays on air: by its
//! streamer's wish or by a filter. Nothing tells a client that this is no end.
//!
//! Assumed, because the documentation does not know: the answer to a wrong `client_secret` (as to a wrong `client_id`), that a
//! category filter covers the categories below, the order of equals (newest first), answers to unknown paths (404).

mod account;
mod broadcasts;
mod catalogue;
mod consent;
mod lapse;
mod list;
mod lists;
mod options;
mod own;
mod play;
mod things;
mod tokens;
mod wire;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use lapse::Lapse;
pub use options::{Denial, Options, OverLimit, Refusal, VodGone};
pub use things::{Account, Broadcast, Category, Filter, FilterKind, Station, StreamSettings, Vod};

use self::{lapse::Asked, wire::Answer};
use super::{
    Fault, RateMeter, Request, Response, Simulator, Transition, Violation,
    copies::{Copies, url},
    dice::Dice,
    door::Door,
    drift,
    grants::Grants,
    script::Script,
};

/// A SOOP of its own. Verbs happen at the time that was last handed in, and do nothing to what is not there.
#[derive(Debug)]
pub struct World {
    options: Options,
    now: Timestamp,
    dice: Dice,
    script: Script<Self>,
    on_air: BTreeMap<u64, OnAir>,
    last_no: u64,
    last_login: u64,
    last_key: u64,
    categories: Vec<Category>,
    filters: Vec<Filter>,
    vods: BTreeMap<u64, Vod>,
    orders: HashMap<(list::Order, Option<String>), Arc<[u64]>>,
    paid_told: HashMap<u64, Option<bool>>,
    copies: Copies,
    grants: Grants,
    door: Door,
    numbers: consent::Numbers,
    lapses: VecDeque<Lapse>,
    always: Option<Lapse>,
    journal: Vec<Transition>,
    faults: VecDeque<Fault>,
    meter: RateMeter,
    violations: Vec<Violation>,
}

/// A broadcast, and what its world knows beside.
#[derive(Debug)]
struct OnAir {
    broadcast: Broadcast,
    started: String,
    is_listed: bool,
}

impl World {
    /// A world with the categories of the documentation and nobody on air.
    pub fn new(options: Options) -> Self {
        let mut world = Self {
            now: options.begins_at,
            dice: Dice::new(options.seed),
            script: Script::beginning_at(options.begins_at),
            on_air: BTreeMap::new(),
            last_no: 244_390_302,
            last_login: 0,
            last_key: 1,
            categories: Vec::new(),
            filters: Vec::new(),
            vods: BTreeMap::new(),
            orders: HashMap::new(),
            paid_told: HashMap::new(),
            copies: Copies::default(),
            grants: Grants::new(options.seed),
            door: Door::new(&consent::WORDS, options.seed),
            numbers: consent::Numbers::default(),
            lapses: VecDeque::new(),
            always: None,
            journal: Vec::new(),
            faults: VecDeque::new(),
            meter: RateMeter::new(SignedDuration::from_millis(500), 60),
            violations: Vec::new(),
            options,
        };
        for index in 0..world.options.accounts.len() {
            world.tell("channel", &world.options.accounts[index].id.clone(), "created");
        }
        for (no, name) in [("00130000", "토크/캠방"), ("00040000", "게임")] {
            world.add_category_as(None, no, name);
        }
        for (no, name) in [("00040019", "LOL"), ("00040066", "배틀그라운드")] {
            world.add_category_as(Some("00040000"), no, name);
        }
        world
    }

    /// Plays `step` that long from now: from the step that is being played, or from the time handed in last.
    pub fn after(&mut self, delay: SignedDuration, step: impl FnOnce(&mut Self) + Send + 'static) {
        self.script.add(delay, step);
    }

    /// Orders a lapse for the next request that it can happen to.
    pub fn order(&mut self, lapse: Lapse) {
        self.lapses.push_back(lapse);
    }

    /// From now on every request gets this lapse, if it can happen to it and no other was ordered; `None` ends it.
    pub fn always(&mut self, lapse: Option<Lapse>) {
        self.always = lapse;
    }

    /// How the world is set up; may be changed at any time.
    pub fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn tell(&mut self, noun: &str, id: &str, verb: &'static str) {
        self.journal.push(Transition { at: self.now, subject: format!("{noun}/{id}"), verb });
    }

    fn lapse_for(&mut self, asked: Asked) -> Option<Lapse> {
        if self.lapses.front().is_some_and(|lapse| lapse.can_happen_to(asked)) {
            return self.lapses.pop_front();
        }
        self.always.filter(|lapse| lapse.can_happen_to(asked))
    }

    fn right(&mut self, request: &Request) -> Response {
        let asked = match &*request.path {
            "/broad/list" => Asked::Broadcasts,
            "/broad/category/list" => Asked::List,
            path if path.starts_with("/filter/") => Asked::List,
            _ => Asked::One,
        };
        let lapse = self.lapse_for(asked);
        let mut answer = match (&*request.method, &*request.path) {
            ("GET", "/broad/list") => self.broadcast_list(request, lapse),
            ("GET", "/broad/category/list") => self.category_list(request),
            ("GET", path) if path.starts_with("/filter/") => self.filter_list(request),
            ("POST", "/user/stationinfo") => self.station_info(request),
            ("POST", "/validate/live/status") => self.live_status(request),
            ("POST", "/broad/access/chatinfo") => self.chat_info(request),
            ("POST", "/broad/rtmp") => self.stream_settings(request),
            ("POST", "/broad/rtmp/reset") => self.reset_by_request(request),
            ("POST", "/broad/info/update") => self.update_by_request(request),
            ("GET" | "POST", "/oembed/embedinfo") => self.embed_info(request),
            _ => Answer::page(404),
        };
        if answer.is_list {
            self.keep_copies(request, lapse, &mut answer);
        }
        if let Some(lapse) = lapse {
            answer.body = bent(&answer.body, lapse);
        }
        if let Some(function) = request.query("callback").filter(|_| asked == Asked::Broadcasts) {
            answer.body = format!("{function}({});", answer.body);
        }
        let content_type =
            if self.varies(60) { *self.dice.pick(&wire::CONTENT_TYPES) } else { wire::CONTENT_TYPES[0] };
        answer.send(content_type)
    }

    fn keep_copies(&mut self, request: &Request, lapse: Option<Lapse>, answer: &mut Answer) {
        let url = url(request);
        let copy = match lapse {
            Some(Lapse::OldCopy) => self.copies.oldest(&url),
            Some(_) => return,
            None => self.copies.cached(&url, self.options.cache, self.now, &mut self.dice),
        };
        match copy {
            Some(copy) => copy.clone_into(&mut answer.body),
            None => self.copies.keep(&url, &answer.body, self.now),
        }
    }
}

/// The lapses that need no world.
fn bent(body: &str, lapse: Lapse) -> String {
    const LISTS: [&str; 3] = ["broad", "broad_category", "filter_list"];
    let Ok(mut answer) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let list = LISTS.iter().find(|name| answer[**name].is_array());
    let rows = list.and_then(|name| answer[*name].as_array_mut());
    match (lapse, rows) {
        (Lapse::Drift(drift), _) => drift.bend(&mut answer),
        (Lapse::Truncate, Some(rows)) => rows.truncate(rows.len() / 2),
        (Lapse::EmptyPage, Some(rows)) => rows.clear(),
        (Lapse::EmptyWorld, Some(rows)) => {
            rows.clear();
            if !answer["total_cnt"].is_null() {
                answer["total_cnt"] = 0.into();
            }
        }
        _ => return body.to_owned(),
    }
    answer.to_string()
}

impl Simulator for World {
    fn platform(&self) -> &'static str {
        "soop"
    }

    fn respond(&mut self, request: &Request) -> Response {
        if let Some(response) = self.authorisation(request) {
            return response;
        }
        let caller = wire::caller(request);
        let is_early = !self.meter.note(&caller, self.now);
        if is_early {
            self.violations.extend(self.meter.violations().last().cloned());
        }
        if is_early && self.options.over_limit == OverLimit::Refused {
            let refusal = Response::text(429, "text/html", "Too Many Requests");
            match drift::retry_after(self.violations.len(), self.now) {
                Some(value) => refusal.header("retry-after", value),
                None => refusal,
            }
        } else {
            self.right(request)
        }
    }

    fn advance(&mut self, now: Timestamp) {
        while let Some((at, step)) = self.script.due(now) {
            self.now = at;
            step(self);
        }
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
