//! The watch `channels`: all channels, each with its latest broadcast.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    answer, get,
    latest::Latest,
    list::List,
    open::Open,
    rows::{Broadcast, Channel},
};
use crate::{
    model::Noun,
    platform::{ApiRequest, ApiResponse, Coverage, Failure, Findings, Listing, Sighting, SweepTask, Walk},
};

/// The name of the one list.
const ALL: &str = "all";

/// What is asked after the list of channels.
enum Question {
    /// The broadcasts of this channel.
    BroadcastsOf(String),
    /// This broadcast, whose end no channel shows any more.
    Broadcast(String),
}

/// What one sweep leaves for the next.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Cursor {
    latest: Latest,
    open: Open,
}

/// `GET /channels`, then `GET /channels/{channel_key}/broadcasts` where a latest broadcast has no key or is another
/// one than before, and `GET /broadcasts/{broadcast_key}` for those that are not the latest of any channel any more
/// and whose end was not seen.
pub(super) struct Channels {
    service_account: String,
    now: Timestamp,
    list: List<Channel>,
    cursor: Cursor,
    /// What is still to be asked; `None` while the list is being read.
    to_ask: Option<VecDeque<Question>>,
    broadcasts: Broadcasts,
    quirks: Vec<&'static str>,
}

/// What was said of broadcasts.
#[derive(Default)]
struct Broadcasts {
    /// With the time at which each began.
    sightings: Vec<(Option<Timestamp>, Sighting)>,
    /// The keys of those that a list shows.
    shown: HashSet<String>,
}

impl Broadcasts {
    /// A list shows one; one without a key is passed over.
    fn show(&mut self, mut broadcast: Broadcast, asked_at: Timestamp, open: &mut Open) {
        let Some(key) = broadcast.key.clone() else { return };
        open.see(&key, &mut broadcast.course);
        let sighting = Sighting::of(broadcast.observation(&key), asked_at);
        self.sightings.push((broadcast.course.started_at, sighting));
        self.shown.insert(key);
    }
}

impl Channels {
    pub(super) fn new(task: &SweepTask<'_>) -> Self {
        Self {
            service_account: task.account.service_account.clone(),
            now: task.now,
            list: List::new(task.listed.get(ALL)),
            cursor: task.cursor.and_then(|cursor| Cursor::deserialize(cursor).ok()).unwrap_or_default(),
            to_ask: None,
            broadcasts: Broadcasts::default(),
            quirks: Vec::new(),
        }
    }

    /// All pages were read: takes the latest broadcasts whose keys are known, and finds out what more has to be
    /// asked.
    fn end_of_list(&mut self) -> VecDeque<Question> {
        let Cursor { latest, open } = &mut self.cursor;
        if self.list.coverage() != Coverage::Partial {
            let there: HashSet<_> = self.list.rows().iter().map(|row| row.key.as_str()).collect();
            latest.retain(|channel_key| there.contains(channel_key));
        }
        for row in self.list.rows() {
            let key = latest.see(&row.key, row.value.latest.as_ref());
            let Some(broadcast) = &row.value.latest else { continue };
            if key.is_none() && broadcast.course.started_at.is_none() {
                self.quirks.push("broadcast-without-key");
            }
            self.broadcasts.show(Broadcast { key, ..broadcast.clone() }, row.asked_at, open);
        }
        let channels = self.list.rows().iter().map(|row| (row.key.as_str(), row.value.latest.as_ref()));
        let of_channels = latest.to_ask(channels, self.now).into_iter().map(Question::BroadcastsOf);
        let shown = &self.broadcasts.shown;
        let by_key = open.to_ask(|key| shown.contains(key), self.now).into_iter().map(Question::Broadcast);
        of_channels.chain(by_key).collect()
    }

    fn hear_broadcasts(&mut self, channel_key: &str, answer: &ApiResponse) -> Result<(), Failure> {
        let listed: Vec<_> = match answer::page(answer) {
            // The channel went away since the list was read, or is another's that we may only list.
            Err(Failure::NotFound | Failure::Forbidden) => Vec::new(),
            page => {
                let rows = page?.rows;
                rows.iter().flatten().map(|row| Broadcast::of(row, &mut self.quirks)).collect()
            }
        };
        let Some(row) = self.list.rows().iter().find(|row| row.key == channel_key) else {
            return Ok(());
        };
        let Cursor { latest, open } = &mut self.cursor;
        let broadcast = row.value.latest.as_ref();
        let told = latest.learn(&row.key, broadcast, &listed, open, self.now);
        for other in told.others {
            self.broadcasts.show(other, answer.asked_at, open);
        }
        match told.latest {
            Some(broadcast) => self.broadcasts.show(broadcast, row.asked_at, open),
            None if broadcast.is_some_and(|it| it.key.is_none()) && !latest.knows(&row.key) => {
                self.quirks.push("broadcast-without-key");
            }
            None => {}
        }
        Ok(())
    }

    fn hear_broadcast(&mut self, key: &str, answer: &ApiResponse) -> Result<(), Failure> {
        let said = self.cursor.open.hear(key, answer, self.now, &mut self.quirks)?;
        self.broadcasts.sightings.extend(said.map(|said| (None, Sighting::of(said, answer.asked_at))));
        Ok(())
    }
}

impl Walk for Channels {
    fn ask(&mut self) -> Option<ApiRequest> {
        let channels = get(&self.service_account, &["channels"])
            .query("live_status", "all")
            .query("shared_status", "all")
            .query("trashed", 0);
        if let Some(request) = self.list.ask(channels) {
            return Some(request);
        }
        if self.to_ask.is_none() {
            self.to_ask = Some(self.end_of_list());
        }
        let to_ask = self.to_ask.as_mut()?;
        // The list of its channel may have shown it meanwhile.
        let shown = &self.broadcasts.shown;
        to_ask.retain(|question| !matches!(question, Question::Broadcast(key) if shown.contains(key)));
        Some(match to_ask.front()? {
            Question::BroadcastsOf(channel_key) => {
                let broadcasts = get(&self.service_account, &["channels", channel_key, "broadcasts"]);
                broadcasts.query("order", "id_desc").query("per_page", 10)
            }
            Question::Broadcast(key) => get(&self.service_account, &["broadcasts", key]),
        })
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        match self.to_ask.as_mut().map(VecDeque::pop_front) {
            None => self.list.hear(answer, Channel::of),
            Some(None) => Ok(()),
            Some(Some(Question::BroadcastsOf(channel_key))) => self.hear_broadcasts(&channel_key, answer),
            Some(Some(Question::Broadcast(key))) => self.hear_broadcast(&key, answer),
        }
    }

    fn findings(mut self: Box<Self>) -> Findings {
        self.broadcasts.sightings.sort_by_key(|(started_at, _)| *started_at);
        let coverage = self.list.coverage();
        let (rows, mut quirks) = self.list.into_rows();
        quirks.extend(self.quirks);
        quirks.sort_unstable();
        quirks.dedup();
        let channels =
            rows.into_iter().map(|row| Sighting::in_list(row.value.observation, ALL, row.asked_at));
        let broadcasts = self.broadcasts.sightings.into_iter().map(|(_, sighting)| sighting);
        Findings {
            sightings: channels.chain(broadcasts).collect(),
            listings: vec![Listing::of(ALL, Noun::Channel, coverage)],
            cursor: Some(json!(self.cursor)),
            quirks,
            ..Findings::default()
        }
    }
}
