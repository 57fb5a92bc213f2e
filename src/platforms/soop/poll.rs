//! Reads the Open API: lists of what is on air, and what belongs to the streamer who gave the token.

pub mod answer;
pub mod broadcasts;
pub mod categories;
mod filters;
mod live_status;
mod question;
mod rows;
mod settings;
mod station;
mod values;
mod vods;

use super::Soop;
use crate::platform::{Poll, SweepTask, Walk};

impl Poll for Soop {
    // There are no callbacks, so nothing wakes a sweep for one thing only: `target` is always `None`.
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk> {
        match task.watch.name {
            "live_status" => live_status::walk(&task),
            "station" => station::walk(&task),
            "categories" => categories::walk(&task),
            "filters" => filters::walk(&task),
            "settings" => settings::walk(&task),
            "vods" => vods::walk(&task),
            _ => broadcasts::walk(&task),
        }
    }
}
