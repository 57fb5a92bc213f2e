//! The watch `broadcasts`: everything that began since a while before the last sweep, and what goes on from before.

use std::collections::{HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{get, list::List, open::Open, rows::Broadcast};
use crate::{
    model::{Noun, Rules},
    platform::{ApiRequest, ApiResponse, Failure, Findings, Listing, Sighting, SweepTask, Walk},
};

/// The name of the one list.
const ALL: &str = "all";
/// How far back the first sweep looks, and how long one that does not end is looked for in the list. One that goes on
/// for longer is asked for by its key, or the list would grow with it.
const FIRST: SignedDuration = SignedDuration::from_hours(24);
/// How far a sweep looks back behind the last one.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// Which of a broadcast's times `start_date` is compared with is not documented, so absence means something only
/// for those that began so long after it.
const DOUBT: SignedDuration = SignedDuration::from_mins(30);

/// What one sweep leaves for the next.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Cursor {
    read_at: Option<Timestamp>,
    open: Open,
}

impl Cursor {
    /// From when on to read.
    fn start(&self, now: Timestamp) -> Timestamp {
        let Some(read_at) = self.read_at else { return now - FIRST };
        let start = read_at.min(now) - OVERLAP;
        let open_since = self.open.oldest_since(now - FIRST).map(|at| (at - DOUBT).max(now - FIRST));
        open_since.map_or(start, |open_since| start.min(open_since))
    }
}

/// `GET /broadcasts`, then `GET /broadcasts/{broadcast_key}` for those that are not in it and whose end was not seen.
pub(super) struct Broadcasts {
    service_account: String,
    list: List<Broadcast>,
    cursor: Cursor,
    start: Timestamp,
    now: Timestamp,
    /// Which ones are still to be asked for by their keys; `None` while the list is being read.
    to_ask: Option<VecDeque<String>>,
    /// What was said of these.
    by_key: Vec<Sighting>,
    quirks: Vec<&'static str>,
}

impl Broadcasts {
    pub(super) fn new(task: &SweepTask<'_>) -> Self {
        let cursor = task.cursor.and_then(|cursor| Cursor::deserialize(cursor).ok()).unwrap_or_default();
        // Whole seconds, because that is what the API takes.
        let start = Timestamp::from_second(cursor.start(task.now).as_second()).unwrap_or(task.now);
        Self {
            service_account: task.account.service_account.clone(),
            list: List::new(Some(&task.listed.since(ALL, start + DOUBT))),
            cursor,
            start,
            now: task.now,
            to_ask: None,
            by_key: Vec::new(),
            quirks: Vec::new(),
        }
    }

    /// All pages were read: finds out which broadcasts they should have shown, or cannot show any more.
    fn end_of_list(&mut self) -> VecDeque<String> {
        let open = &mut self.cursor.open;
        for row in self.list.rows_mut() {
            open.see(&row.key, &mut row.value.course);
        }
        let shown: HashSet<_> = self.list.rows().iter().map(|row| row.key.as_str()).collect();
        open.to_ask(|key| shown.contains(key), self.now).into()
    }
}

impl Walk for Broadcasts {
    fn ask(&mut self) -> Option<ApiRequest> {
        let start_date = self.start.strftime("%Y-%m-%dT%H:%M:%S+00:00");
        let list = get(&self.service_account, &["broadcasts"]).query("start_date", start_date);
        if let Some(request) = self.list.ask(list) {
            return Some(request);
        }
        if self.to_ask.is_none() {
            self.to_ask = Some(self.end_of_list());
        }
        let key = self.to_ask.as_ref()?.front()?;
        Some(get(&self.service_account, &["broadcasts", key]))
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        match self.to_ask.as_mut().map(VecDeque::pop_front) {
            None => self.list.hear(answer, |row, quirks| {
                let broadcast = Broadcast::of(row, quirks);
                Some((broadcast.key.clone()?, broadcast))
            }),
            Some(None) => Ok(()),
            Some(Some(key)) => {
                let said = self.cursor.open.hear(&key, answer, self.now, &mut self.quirks)?;
                self.by_key.extend(said.map(|said| Sighting::of(said, answer.asked_at)));
                Ok(())
            }
        }
    }

    fn findings(self: Box<Self>) -> Findings {
        let cursor = json!(Cursor { read_at: Some(self.now), ..self.cursor });
        let coverage = self.list.coverage();
        let (rows, mut quirks) = self.list.into_rows();
        quirks.extend(self.quirks);
        let listed = rows.into_iter().map(|row| Sighting {
            listed_from: row.value.course.started_at,
            ..Sighting::in_list(row.value.observation(&row.key), ALL, row.asked_at)
        });
        Findings {
            sightings: listed.chain(self.by_key).collect(),
            listings: vec![Listing {
                rules: Rules::ONE_USE,
                from: Some(self.start + DOUBT),
                ..Listing::of(ALL, Noun::Broadcast, coverage)
            }],
            cursor: Some(cursor),
            quirks,
            ..Findings::default()
        }
    }
}
