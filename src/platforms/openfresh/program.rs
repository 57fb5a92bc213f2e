//! One program, as it is remembered from sweep to sweep: where its comments were read to, and whether it is on air.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::wire::{Clock, Comment, Page};

/// How late a comment may be committed, in milliseconds.
pub(super) const OVERLAP: i64 = 5_000;
/// How often a program is asked for that is not there, not for us, or was over before we came.
const IDLE_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What is remembered of a program.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Program {
    pub condition: Condition,
    /// Nothing before this is told, in milliseconds; `None` until we know where to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The newest comment that was seen, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<i64>,
    /// From where on something may have been committed late, if that is further back than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<i64>,
    /// Where to go on, when the last sweep stopped among full pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<i64>,
    /// The comments that the next reading will meet again, with their places.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, i64>,
    /// Worked out from the first comment at hand, and kept: each comment would make it another second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The most comments that came in one page: if so many come again, there may be more.
    #[serde(skip_serializing_if = "is_nothing")]
    pub largest_page: usize,
    /// Answers in a row without news.
    #[serde(skip_serializing_if = "is_nothing")]
    pub quiet: u8,
    /// When it was asked for last, it was not for us to read.
    #[serde(skip_serializing_if = "is_nothing")]
    pub is_forbidden: bool,
    /// Not before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// Where a program stands, as far as its answers say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Condition {
    /// Not known.
    #[default]
    Unknown,
    /// Not on air, and nobody has written anything after its start.
    NotBegun,
    /// It was over before we came.
    Archive,
    /// On air.
    Live,
    /// It was on air, and since then it is not.
    Ending { since: Timestamp },
    /// Over, told and read to its end.
    Over,
}

fn is_nothing<N: PartialEq + Default>(value: &N) -> bool {
    *value == N::default()
}

impl Program {
    /// Whether it is to be asked for in a sweep that begins now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        // Only a clock that was set back can leave a time that is further away.
        let is_planned = |due_at: Timestamp| due_at > now && due_at.duration_since(now) <= IDLE_EVERY;
        self.condition != Condition::Over && !self.due_at.is_some_and(is_planned)
    }

    /// It is asked for again when an hour is over.
    pub fn put_off(&mut self, now: Timestamp) {
        self.due_at = now.checked_add(IDLE_EVERY).ok();
    }

    /// Everything before this was read when nothing more could come.
    pub fn settled_to(&self) -> Option<i64> {
        let settled = self.newest?.saturating_sub(OVERLAP);
        Some(self.unsettled.map_or(settled, |unsettled| unsettled.min(settled)))
    }

    /// Takes note of what a page says of the program itself.
    pub fn hear(&mut self, page: &Page) {
        self.condition = match (page.clock, self.condition) {
            (Clock::Runs(_), _) => Condition::Live,
            (Clock::Stands, Condition::Live) => Condition::Ending { since: page.asked_at },
            (Clock::Stands, Condition::Unknown | Condition::NotBegun) => {
                if page.latest.is_some_and(|latest| latest > 0) {
                    Condition::Archive
                } else {
                    Condition::NotBegun
                }
            }
            (Clock::Stands | Clock::Unsaid, condition) => condition,
        };
        if self.started_at.is_none() {
            self.started_at = page.comments.iter().find_map(start_by);
        }
    }
}

/// When the program began, by one of its comments; to the second, as precisely as comments are dated.
fn start_by(comment: &Comment) -> Option<Timestamp> {
    let start = comment.created_at?.checked_sub(SignedDuration::from_millis(comment.position)).ok()?;
    Timestamp::from_second(start.as_second()).ok()
}
