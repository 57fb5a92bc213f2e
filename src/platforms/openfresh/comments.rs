//! The watch `comments`: one program after the other, each from where the last sweep left it.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{program::Program, reading::Reading, wire::Answer};
use crate::platform::{ApiRequest, ApiResponse, Failure, Findings, SweepTask, Walk};

/// Pages of one program in one sweep, ...
const PAGES_MAX: u32 = 40;
/// ... and of all together: a sweep of a thousand requests is taken for lost.
const PAGES_OF_ALL_MAX: u32 = 500;

/// A sweep through the configured programs.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    Box::new(Comments::new(task))
}

struct Comments {
    now: Timestamp,
    waiting: VecDeque<(String, Program)>,
    /// Pages of each program.
    pages_max: u32,
    reading: Option<Reading>,
    cursor: Cursor,
    found: Findings,
    has_history: bool,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    programs: BTreeMap<String, Program>,
}

impl Comments {
    fn new(task: &SweepTask<'_>) -> Self {
        let before = task.cursor.and_then(|cursor| Cursor::deserialize(cursor).ok()).unwrap_or_default();
        let settings = task.account.watches.get(task.watch.name);
        // What is not watched any more is forgotten.
        let mut cursor = Cursor::default();
        let mut waiting = VecDeque::new();
        for program_id in settings.map(|settings| settings.list("programs")).unwrap_or_default() {
            let program = before.programs.get(program_id).cloned().unwrap_or_default();
            let is_new = cursor.programs.insert(program_id.clone(), program.clone()).is_none();
            if is_new && program.is_due(task.now) {
                waiting.push_back((program_id.clone(), program));
            }
        }
        let programs = u32::try_from(waiting.len()).unwrap_or(u32::MAX).max(1);
        Self {
            now: task.now,
            waiting,
            pages_max: (PAGES_OF_ALL_MAX / programs).clamp(1, PAGES_MAX),
            reading: None,
            cursor,
            found: Findings::default(),
            has_history: settings.is_some_and(|settings| settings.is_on("history")),
        }
    }

    fn finish(&mut self, reading: Reading) {
        let (program_id, program) = reading.finish(&mut self.found);
        self.cursor.programs.insert(program_id, program);
    }
}

impl Walk for Comments {
    fn ask(&mut self) -> Option<ApiRequest> {
        if self.reading.is_none() {
            let (program_id, program) = self.waiting.pop_front()?;
            let Self { has_history, pages_max, now, .. } = *self;
            self.reading = Some(Reading::begin(program_id, program, has_history, pages_max, now));
        }
        self.reading.as_ref().map(Reading::request)
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let Some(mut reading) = self.reading.take() else { return Ok(()) };
        let mut refusal = None;
        let goes_on = match Answer::read(answer, reading.program_id(), &mut self.found.quirks)? {
            Answer::Page(page) => reading.take(page, &mut self.found.quirks),
            Answer::Unknown(quirk) => {
                self.found.quirks.push(quirk);
                reading.put_off();
                false
            }
            Answer::Forbidden(failure) => {
                self.found.quirks.push("program-forbidden");
                reading.forbid();
                refusal = Some(failure);
                false
            }
        };
        if goes_on {
            self.reading = Some(reading);
        } else {
            self.finish(reading);
        }
        // One forbidden program is one for members. When there is nothing else, we are not let in.
        let is_nothing_readable = || self.cursor.programs.values().all(|program| program.is_forbidden);
        match refusal {
            Some(refusal) if self.waiting.is_empty() && is_nothing_readable() => Err(refusal),
            _ => Ok(()),
        }
    }

    fn findings(mut self: Box<Self>) -> Findings {
        self.found.cursor = Some(json!(self.cursor));
        self.found
    }
}

#[cfg(test)]
mod tests;
