//! Reads the Live API, version 1: channels with their latest broadcast, broadcasts, and one broadcast alone.

mod answer;
mod broadcasts;
mod channels;
mod confirmation;
mod course;
mod latest;
mod list;
mod open;
mod rows;

use super::Kollus;
use crate::platform::{ApiRequest, Poll, SweepTask, Wake, Walk, form::Form};

impl Poll for Kollus {
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk> {
        match (task.target, task.watch.name) {
            (Some(broadcast_key), _) => {
                Box::new(confirmation::Confirmation::new(&task.account.service_account, broadcast_key))
            }
            (None, "channels") => Box::new(channels::Channels::new(&task)),
            (None, _) => Box::new(broadcasts::Broadcasts::new(&task)),
        }
    }
}

/// What the API can say of a callback. Also of a state that is not documented: then most of all.
pub(super) fn wakes(callback: &str, form: &Form) -> Vec<Wake> {
    let broadcast_key = form.get("broadcast_key").filter(|_| callback == "live-state");
    let wake = |key: &str| Wake { watches: &["channels", "broadcasts"], target: key.to_owned() };
    broadcast_key.map(wake).into_iter().collect()
}

/// `GET` below the service account.
fn get(service_account: &str, segments: &[&str]) -> ApiRequest {
    ApiRequest::get([&[service_account], segments].concat()).bearer()
}

#[cfg(test)]
mod tests;
