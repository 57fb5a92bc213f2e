//! A program in the middle of a sweep: which page to ask for, and what of it is new.
//!
//! The reference advises to go on from `nowMillisecond`. That loses what is committed late and what does not fit
//! into a page. So a reading begins a little before the newest comment that was seen, and tells by their ids
//! which are new; each full page is followed by the next one, from its own last comment on. Pages wait for their turn,
//! and what is committed late meanwhile stands before them: so the next reading begins a little before the place that
//! was new when the first of such pages was answered.

use jiff::{SignedDuration, Timestamp};

use super::{
    program::{Condition, OVERLAP, Program},
    wire::{Clock, Page},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Phase, Rules, entities},
    platform::{ApiRequest, Findings, Sighting},
};

/// Comments in one page.
const LIMIT: usize = 500;
/// Where the comments of a program begin: some are written before its start, in milliseconds.
const BEGINNING: i64 = -600_000;
/// Rows that a platform gives unless asked for more: none will allow fewer.
const LIMIT_MIN: usize = 20;
/// Answers without news after which an archive is read to its end: one may be empty by mistake.
const QUIET_AT: u8 = 2;
/// How long the end of a program is told and its last comments are read.
const SETTLING: SignedDuration = SignedDuration::from_secs(30);

/// See the module.
pub(super) struct Reading {
    program_id: String,
    program: Program,
    now: Timestamp,
    /// What the request asks for: comments from here on, or one comment for the sake of the clock.
    since: Option<i64>,
    pages: u32,
    pages_max: u32,
    /// From where on this reading may have come too early for some.
    unsettled: Option<i64>,
    /// It was ending when the sweep began, so an answer that says so again confirms it.
    was_ending: bool,
    /// An answer of this sweep says that it is not on air.
    stands: bool,
    asked_at: Timestamp,
    fresh: Vec<(i64, Sighting)>,
    has_more: bool,
}

impl Reading {
    /// Begins to read a program that is due, `pages_max` pages of it at most.
    pub fn begin(
        program_id: String,
        mut program: Program,
        has_history: bool,
        pages_max: u32,
        now: Timestamp,
    ) -> Self {
        (program.due_at, program.is_forbidden) = (None, false);
        if has_history && program.from.is_none() {
            program.from = Some(BEGINNING);
        }
        let since = program.from.map(|from| {
            let overlapping = program.settled_to().map_or(from, |settled| settled.max(from));
            program.resume.unwrap_or(overlapping)
        });
        // A reading that goes on has not been where it began a second time.
        let unsettled = program.unsettled.take().filter(|_| program.resume.is_some());
        Self {
            unsettled,
            was_ending: matches!(program.condition, Condition::Ending { .. }),
            stands: false,
            program_id,
            program,
            now,
            since,
            pages: 0,
            pages_max,
            asked_at: now,
            fresh: Vec::new(),
            has_more: false,
        }
    }

    /// Whose comments these are.
    pub fn program_id(&self) -> &str {
        &self.program_id
    }

    /// The next request.
    pub fn request(&self) -> ApiRequest {
        ApiRequest::get(["v1", "comments"])
            .query("programId", &self.program_id)
            .query("limit", self.since.map_or(1, |_| LIMIT))
            .query("sinceMillisecond", self.since.unwrap_or(0))
            .query("order", "asc")
            // Programs for members are read with a broadcaster's token, all others without.
            .bearer_if_any()
    }

    /// Takes in a page; `true` when there is another one to ask for.
    pub fn take(&mut self, page: Page, quirks: &mut Vec<&'static str>) -> bool {
        let was_awaited = self.program.condition == Condition::NotBegun;
        self.program.hear(&page);
        self.stands |= page.clock == Clock::Stands;
        self.asked_at = page.asked_at;
        let Some(since) = self.since else {
            self.program.from = match page.clock {
                // It began while we watched, so all of it is told.
                Clock::Runs(_) if was_awaited => Some(BEGINNING),
                Clock::Runs(now) => Some(now),
                Clock::Stands => None,
                Clock::Unsaid => {
                    quirks.push("clock-unsaid");
                    None
                }
            };
            self.since = self.program.from.filter(|_| was_awaited);
            return self.since.is_some();
        };

        let next = self.next(&page, since, quirks);
        self.program.largest_page = self.program.largest_page.max(page.rows);
        if let (Clock::Runs(now), Some(last)) = (page.clock, page.last())
            && last > now.saturating_sub(OVERLAP)
        {
            let settled = now.saturating_sub(OVERLAP);
            self.unsettled = Some(self.unsettled.map_or(settled, |unsettled| unsettled.min(settled)));
        }
        for comment in page.comments {
            // What was not asked for would be told again and again.
            if comment.position < since || self.program.seen.contains_key(&comment.id) {
                continue;
            }
            let sighting = Sighting::of(comment.observation(&self.program_id), page.asked_at);
            self.fresh.push((comment.position, sighting));
            self.program.newest = self.program.newest.max(Some(comment.position));
            self.program.seen.insert(comment.id, comment.position);
        }
        self.pages += 1;
        self.has_more = next.is_some() && self.pages >= self.pages_max;
        self.program.resume = next.filter(|_| self.has_more);
        self.since = next.or(self.since);
        next.is_some() && !self.has_more
    }

    /// Where the page behind this one begins; `None` if there is none.
    fn next(&self, page: &Page, since: i64, quirks: &mut Vec<&'static str>) -> Option<i64> {
        let last = page.last()?;
        // Whether the bound belongs to the page is not documented; one before it is safe either way.
        let next = Some(last.saturating_sub(1)).filter(|next| *next > since);
        // A platform may allow fewer than we ask for, and how many is not documented.
        let is_as_large_as_ever = page.rows >= LIMIT_MIN.max(self.program.largest_page);
        if page.rows >= LIMIT || is_as_large_as_ever {
            return next.or_else(|| {
                // More comments share a place than fit into a page, and there is no way to the rest.
                quirks.push("comments-gap-possible");
                Some(since.saturating_add(1))
            });
        }
        let ends_before_the_newest = self.program.newest.is_some_and(|newest| last < newest);
        next.filter(|_| ends_before_the_newest)
    }

    /// There is no such program now; perhaps there will be one.
    pub fn put_off(&mut self) {
        self.program.put_off(self.now);
    }

    /// The program is not for us to read; perhaps it will be.
    pub fn forbid(&mut self) {
        self.program.is_forbidden = true;
        self.put_off();
    }

    /// Tells what was read; returns what to remember.
    pub fn finish(mut self, found: &mut Findings) -> (String, Program) {
        let is_there = self.program.due_at.is_none();
        let is_quiet = self.fresh.is_empty() && !self.has_more;
        let is_read_to_its_end = self.program.condition == Condition::Archive && is_quiet;
        self.program.quiet = if is_read_to_its_end { self.program.quiet.saturating_add(1) } else { 0 };
        if self.program.quiet >= QUIET_AT {
            self.program.quiet = QUIET_AT;
            self.put_off();
        }
        if self.program.condition == Condition::Live && is_there {
            found.sightings.push(self.sighting(Phase::Live));
        }
        self.fresh.sort_by(|(position, one), (other_position, other)| {
            (position, &one.observation.entity).cmp(&(other_position, &other.observation.entity))
        });
        found.sightings.extend(std::mem::take(&mut self.fresh).into_iter().map(|(_, sighting)| sighting));
        if let Condition::Ending { since } = self.program.condition
            && self.was_ending
            && self.stands
            && is_there
            && !self.has_more
        {
            found.sightings.push(self.sighting(Phase::Ended));
            if self.asked_at.duration_since(since) >= SETTLING {
                self.program.condition = Condition::Over;
            }
        }
        found.has_more |= self.has_more;
        self.program.unsettled = self.unsettled;
        let kept = self.program.settled_to().unwrap_or(i64::MIN);
        let is_over = self.program.condition == Condition::Over;
        self.program.seen.retain(|_, position| !is_over && *position >= kept);
        (self.program_id, self.program)
    }

    fn sighting(&self, phase: Phase) -> Sighting {
        let attributes = entities::Broadcast {
            kind: Some("program".to_owned()),
            started_at: self.program.started_at,
            ..Default::default()
        };
        let observation = Observation {
            phase: Some(phase),
            attributes: Attributes::of(&attributes),
            at: self.program.started_at.filter(|_| phase == Phase::Live),
            rules: Rules::ONE_USE,
            ..Observation::of(EntityKey::new(Noun::Broadcast, &self.program_id))
        };
        Sighting::of(observation, self.asked_at)
    }
}
