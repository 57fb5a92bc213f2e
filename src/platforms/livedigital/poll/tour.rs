//! The way of a sweep: the spaces, the rooms of each, then what a watch wants of them.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::wire::List;
use crate::platform::{ApiRequest, ApiResponse, Failure, Findings, Walk};

/// How much earlier recordings are asked for than they are wanted from: whether one at the bound belongs to the list,
/// and how precisely the bound is read, is not documented.
const EDGE: SignedDuration = SignedDuration::from_mins(1);

/// A room; the API asks for its space with everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub space_id: String,
    pub room_id: String,
}

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The spaces that the credential may see.
    Spaces,
    /// The rooms of a space.
    Rooms { space_id: String },
    /// The webhook of a space.
    Webhook { space_id: String },
    /// The recordings of a room, all of those made at an instant or later.
    Records { place: Place, from: Timestamp },
    /// The calls in a room on a day.
    Calls { place: Place, day: Date },
}

impl Step {
    fn request(&self) -> ApiRequest {
        let space = |space_id| ["v1", "spaces", space_id];
        let request = match self {
            Self::Spaces => ApiRequest::get(["v1", "spaces"]),
            Self::Rooms { space_id } => ApiRequest::get(space(space_id).iter().chain(&["rooms"])),
            Self::Webhook { space_id } => ApiRequest::get(space(space_id).iter().chain(&["webhook"])),
            Self::Records { place, from } => {
                let room = ["rooms", &place.room_id, "records"];
                let from = from.checked_sub(EDGE).unwrap_or(Timestamp::MIN);
                ApiRequest::get(space(&place.space_id).iter().chain(&room))
                    .query("dateFrom", format!("{from:.3}"))
            }
            Self::Calls { place, day } => {
                ApiRequest::get(space(&place.space_id).iter().chain(&["analytics", "calls"]))
                    .query("roomId", &place.room_id)
                    .query("date", day)
            }
        };
        request.bearer()
    }

    /// Whether it asks for a list in which spaces or rooms are found.
    fn is_search(&self) -> bool {
        matches!(self, Self::Spaces | Self::Rooms { .. })
    }

    /// The room that it asks about.
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Records { place, .. } | Self::Calls { place, .. } => Some(place),
            Self::Spaces | Self::Rooms { .. } | Self::Webhook { .. } => None,
        }
    }
}

/// What one watch makes of the answers.
pub(super) trait Visit: Send + 'static {
    /// Whether the lists of rooms are all that it reads.
    const ENDS_WITH_ROOMS: bool = false;

    /// The spaces were listed: what comes next?
    fn spaces(&mut self, list: &List, _found: &mut Findings) -> Vec<Step> {
        list.rows.iter().map(|(space_id, _)| Step::Rooms { space_id: space_id.clone() }).collect()
    }

    /// The rooms of a space were listed.
    fn rooms(&mut self, _space_id: &str, _list: &List, _found: &mut Findings) {}

    /// All lists of rooms were read: what comes next?
    fn choose(&mut self, _found: &mut Findings) -> Vec<Step> {
        Vec::new()
    }

    /// Something about one space or room was answered.
    fn detail(&mut self, _step: &Step, _answer: &ApiResponse, _found: &mut Findings) -> Result<(), Failure> {
        Ok(())
    }

    /// It is gone, or not ours to read, so the sweep went on without it.
    fn skip(&mut self, _step: &Step, _failure: &Failure) {}

    /// Whether an earlier sweep could read something of this kind, or a later one may.
    fn is_readable_at_times(&self) -> bool {
        false
    }

    /// Everything was read.
    fn end(&mut self, _found: &mut Findings) {}
}

/// The way of one watch.
pub(super) struct Tour<V> {
    visit: V,
    steps: VecDeque<Step>,
    found: Findings,
    /// The spaces came from a list, so one that cannot be read is one among others.
    is_listed: bool,
    is_any_read: bool,
    is_any_forbidden: bool,
}

impl<V: Visit> Tour<V> {
    pub fn begin(visit: V, step: Step) -> Box<dyn Walk> {
        Self::along(visit, vec![step])
    }

    pub fn along(visit: V, steps: Vec<Step>) -> Box<dyn Walk> {
        Box::new(Self {
            visit,
            steps: steps.into(),
            found: Findings::default(),
            is_listed: false,
            is_any_read: false,
            is_any_forbidden: false,
        })
    }

    fn read(&mut self, step: &Step, answer: &ApiResponse) -> Result<(), Failure> {
        match step {
            Step::Spaces => {
                let list = List::read(answer, &mut self.found.quirks)?;
                self.steps.extend(self.visit.spaces(&list, &mut self.found));
                self.is_listed = true;
            }
            Step::Rooms { space_id } => {
                let list = List::read(answer, &mut self.found.quirks)?;
                self.visit.rooms(space_id, &list, &mut self.found);
                self.is_any_read |= V::ENDS_WITH_ROOMS;
            }
            _ => {
                self.visit.detail(step, answer, &mut self.found)?;
                self.is_any_read = true;
            }
        }
        Ok(())
    }

    /// What is gone or forbidden is left out, where it is one among others.
    fn go_on_without(&mut self, step: &Step, failure: Failure) -> Result<(), Failure> {
        let is_one_of_many = match step {
            Step::Spaces => false,
            Step::Rooms { .. } | Step::Webhook { .. } => self.is_listed,
            Step::Records { .. } | Step::Calls { .. } => true,
        };
        let quirk = match (&failure, step.place()) {
            (Failure::NotFound, None) => "space-gone",
            (Failure::NotFound, Some(_)) => "room-gone",
            (Failure::Forbidden, None) => "space-forbidden",
            (Failure::Forbidden, Some(_)) => "room-forbidden",
            _ => return Err(failure),
        };
        if !is_one_of_many {
            return Err(failure);
        }
        self.found.quirks.push(quirk);
        self.is_any_forbidden |= failure == Failure::Forbidden;
        self.visit.skip(step, &failure);
        if let Some(place) = step.place() {
            self.steps.retain(|later| later.place() != Some(place));
        }
        Ok(())
    }
}

impl<V: Visit> Walk for Tour<V> {
    fn ask(&mut self) -> Option<ApiRequest> {
        self.steps.front().map(Step::request)
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let Some(step) = self.steps.pop_front() else { return Ok(()) };
        self.read(&step, answer).or_else(|failure| self.go_on_without(&step, failure))?;
        if step.is_search() && self.steps.is_empty() {
            self.steps.extend(self.visit.choose(&mut self.found));
        }
        // One forbidden room is an oddity. When there is nothing else, the credential or the plan is wrong.
        let is_nothing_readable = !self.is_any_read && !self.visit.is_readable_at_times();
        if self.steps.is_empty() && self.is_any_forbidden && is_nothing_readable {
            return Err(Failure::Forbidden);
        }
        Ok(())
    }

    fn findings(mut self: Box<Self>) -> Findings {
        self.visit.end(&mut self.found);
        self.found
    }
}
