//! What the watch `records` remembers of a room: when to ask, and for recordings from when on.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A room is read with every sweep while its last call is younger than this, ...
const BUSY: SignedDuration = SignedDuration::from_hours(24);
/// ... and otherwise this often.
const IDLE_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How far back a room is read for the first time.
const FIRST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far behind the newest recording others are still looked at.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// How long the end of a recording is waited for.
const UNFINISHED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is remembered of a room.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Room {
    read_at: Option<Timestamp>,
    /// When the newest recording was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    /// When the oldest one was made that is not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<Timestamp>,
    is_readable: bool,
}

impl Room {
    /// When its recordings were asked for last.
    pub fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// Whether its recordings could be read when they were last asked for.
    pub fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Whether something happens in it, so that every sweep asks about it. A room that was never read is as quiet as
    /// the others.
    pub fn is_busy(&self, last_call_at: Option<Timestamp>, now: Timestamp) -> bool {
        let is_within =
            |since: Option<Timestamp>, limit| since.is_some_and(|since| now.duration_since(since) < limit);
        self.read_at.is_some() && (is_within(last_call_at, BUSY) || is_within(self.unfinished, UNFINISHED))
    }

    /// Whether it is to be asked about though nothing happens in it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        // A time in the future is one of a clock that was set back.
        let is_fresh = |read_at| (SignedDuration::ZERO..IDLE_EVERY).contains(&now.duration_since(read_at));
        !self.read_at.is_some_and(is_fresh)
    }

    /// From when on its recordings are wanted.
    pub fn window(&self, now: Timestamp) -> Timestamp {
        let earlier = |instant: Timestamp, by| instant.checked_sub(by).unwrap_or(Timestamp::MIN);
        // A time in the future must not close the window.
        let newest = self.newest.map(|newest| newest.min(now));
        let from = newest.map_or(earlier(now, FIRST), |newest| earlier(newest, OVERLAP));
        self.unfinished.map_or(from, |made| from.min(made.max(earlier(now, UNFINISHED))))
    }

    /// Its recordings were listed.
    pub fn note_read(&mut self, is_whole: bool, now: Timestamp) {
        self.read_at = Some(now);
        self.is_readable = true;
        if is_whole {
            self.unfinished = None;
        }
    }

    /// One of them was made then, and may not be finished.
    pub fn note_recording(&mut self, made: Option<Timestamp>, is_unfinished: bool) {
        self.newest = self.newest.max(made);
        if is_unfinished {
            self.unfinished = [self.unfinished, made].into_iter().flatten().min();
        }
    }

    /// Its recordings are not for us, or it is gone.
    pub fn note_refused(&mut self, now: Timestamp) {
        self.read_at = Some(now);
        self.is_readable = false;
    }
}
