//! How livedigital's API is read: five watches, one way to the spaces and their rooms.

mod calls;
mod records;
mod rooms;
mod spaces;
mod tour;
mod turns;
mod webhook;
mod wire;

use tour::{Place, Step, Tour};

use super::{Livedigital, is_space_id};
use crate::platform::{AccountSettings, Poll, SweepTask, Walk};

impl Poll for Livedigital {
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk> {
        let only_space = only_space(task.account);
        let rooms_of = |space_id: &String| Step::Rooms { space_id: space_id.clone() };
        match task.watch.name {
            // There is no way to ask for one space, so the list is read for it.
            "spaces" => Tour::begin(spaces::Spaces::new(only_space), Step::Spaces),
            "webhook" => {
                let step = only_space.map(|space_id| Step::Webhook { space_id });
                Tour::begin(webhook::Webhook::new(&task), step.unwrap_or(Step::Spaces))
            }
            "records" => {
                let records = records::Records::new(&task);
                let step = match target(&task) {
                    Some(place) => records.step(place),
                    None => only_space.as_ref().map_or(Step::Spaces, rooms_of),
                };
                Tour::begin(records, step)
            }
            "calls" => {
                let mut calls = calls::Calls::new(&task);
                match target(&task) {
                    Some(place) => {
                        let steps = calls.confirm(&place);
                        Tour::along(calls, steps)
                    }
                    None => Tour::begin(calls, only_space.as_ref().map_or(Step::Spaces, rooms_of)),
                }
            }
            _ => Tour::begin(
                rooms::Rooms::new(task.listed.scopes().cloned()),
                only_space.as_ref().map_or(Step::Spaces, rooms_of),
            ),
        }
    }
}

/// The one space that is watched, when the account is configured with its id.
fn only_space(account: &AccountSettings) -> Option<String> {
    let id = &account.service_account;
    is_space_id(id).then(|| id.to_ascii_lowercase())
}

/// The room of a [`Wake`](crate::platform::Wake): `<spaceId>/<roomId>`.
fn target(task: &SweepTask<'_>) -> Option<Place> {
    let (space_id, room_id) = task.target?.split_once('/')?;
    Some(Place { space_id: space_id.to_owned(), room_id: room_id.to_owned() })
}

#[cfg(test)]
mod tests;
