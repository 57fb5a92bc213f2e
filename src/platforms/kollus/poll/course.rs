//! Where a broadcast stands, from its times and `is_onair`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{super::wire::number, answer::Row};
use crate::model::Phase;

/// The times of a broadcast. Absent ones are not said, or have not come yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) started_at: Option<Timestamp>,
    pub(super) paused_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) is_onair: Option<bool>,
    /// `None` while it has not begun, and when a time cannot be read.
    pub(super) phase: Option<Phase>,
}

impl Course {
    /// Reads `started_at`, `paused_at`, `ended_at` and `is_onair`.
    pub(super) fn of(row: &Row, quirks: &mut Vec<&'static str>) -> Self {
        let moment = |name| Moment::of(row.get(name));
        let (started, paused, ended) = (moment("started_at"), moment("paused_at"), moment("ended_at"));
        let is_onair = row.get("is_onair").and_then(flag);
        let phase = match (ended, paused) {
            (Moment::At(_), _) => Some(Phase::Ended),
            // It may mean an end.
            (Moment::Unreadable, _) | (_, Moment::Unreadable) => None,
            // On air and paused may be paused, or on air again: only a later answer can say.
            (Moment::Unset, Moment::At(_)) => (is_onair == Some(false)).then_some(Phase::Paused),
            (Moment::Unset, Moment::Unset) => (is_onair == Some(true)).then_some(Phase::Live),
        };
        if [started, paused, ended].contains(&Moment::Unreadable) {
            quirks.push("unreadable-time");
        }
        if (ended, is_onair) == (Moment::Unset, Some(true)) && paused.instant().is_some() {
            quirks.push("paused-and-on-air");
        }
        Self {
            started_at: started.instant(),
            paused_at: paused.instant(),
            ended_at: ended.instant(),
            is_onair,
            phase,
        }
    }

    /// Whether it may still go on.
    pub(super) fn is_open(&self) -> bool {
        self.phase != Some(Phase::Ended)
    }

    /// Whether it has begun and not ended.
    pub(super) fn is_running(&self) -> bool {
        self.is_open() && (self.is_onair == Some(true) || self.phase == Some(Phase::Paused))
    }

    /// Whether it is not on air, and nothing says why.
    pub(super) fn is_off_air(&self) -> bool {
        self.phase.is_none() && self.is_onair == Some(false)
    }

    /// Of a broadcast that goes off the air when it is paused: on air, it is live.
    pub(super) fn on_air_is_live(&mut self) {
        let is_unclear = self.phase.is_none() && self.paused_at.is_some() && self.ended_at.is_none();
        if is_unclear && self.is_onair == Some(true) {
            self.phase = Some(Phase::Live);
        }
    }
}

/// What stands where a time may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    Unset,
    At(Timestamp),
    Unreadable,
}

impl Moment {
    fn of(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null | Value::Bool(false)) => Self::Unset,
            // PHP's ways of saying nothing.
            Some(Value::Array(items)) if items.is_empty() => Self::Unset,
            Some(Value::Object(members)) if members.is_empty() => Self::Unset,
            Some(Value::String(text)) => match text.trim() {
                "" | "0" => Self::Unset,
                text if text.starts_with("0000-00-00") => Self::Unset,
                text => text.parse().map_or(Self::Unreadable, Self::At),
            },
            Some(value) if number(value) == Some(0.0) => Self::Unset,
            Some(_) => Self::Unreadable,
        }
    }

    fn instant(self) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(instant),
            Self::Unset | Self::Unreadable => None,
        }
    }
}

/// The instant that a field holds, if it is one that says from which clock it is.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    Moment::of(Some(value)).instant()
}

/// A truth value, also as number or text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        value => match number(value)? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
    }
}
