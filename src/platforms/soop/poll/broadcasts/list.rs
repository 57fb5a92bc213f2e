//! One list of broadcasts, read page by page, each page as old as it says.

use std::{collections::HashMap, mem, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    super::{
        answer::{Fields, Quirks},
        rows::{Entries, Entry},
    },
    broadcast, on_air,
    times::Times,
};
use crate::{
    model::{Attributes, Noun, Rules},
    platform::{
        Coverage, Failure, Listing, Sighting, SweepTask,
        paging::{PageNumber, Pages},
    },
};

/// Rows of a page that does not say how many it has.
pub(super) const PAGE_BLOCK: u64 = 60;
/// Pages that are read at most, twelve thousand broadcasts.
const PAGES_MAX: u32 = 200;
/// Members of a row that say nothing about the broadcast: they change with every answer.
const NOISE: [&str; 3] = ["total_view_cnt", "profile_img", "broad_thumb"];

/// A list, and what was read of it.
pub(super) struct List {
    scope: Arc<str>,
    pages: Pages,
    times: Times,
    /// Every row said which broadcast it is about.
    is_clear: bool,
    sightings: Vec<Sighting>,
    places: HashMap<SmolStr, usize>,
}

impl List {
    pub(super) fn new(task: &SweepTask<'_>, scope: String) -> Self {
        let time = task.cursor.and_then(|cursor| cursor.get(&scope)).and_then(Value::as_i64);
        Self {
            pages: Pages::new(task.listed.get(&scope), PAGES_MAX),
            times: Times::after(time, task.now),
            is_clear: true,
            sightings: Vec::new(),
            places: HashMap::new(),
            scope: scope.into(),
        }
    }

    /// The page to ask for; `None` when enough was read.
    pub(super) fn next_page(&self) -> Option<PageNumber> {
        self.pages.next()
    }

    /// Takes in the page that was asked for.
    ///
    /// # Errors
    /// When it is no such page, or older than any cache should keep it.
    pub(super) fn take(
        &mut self,
        mut document: Fields,
        asked_at: Timestamp,
        quirks: &mut Quirks,
    ) -> Result<(), Failure> {
        let Some(PageNumber { page: asked, .. }) = self.next_page() else { return Ok(()) };
        let rows = document.rows("broad")?;
        let no_list = || Failure::malformed("the answer has no list of broadcasts");
        if rows.is_none() && asked == 1 {
            return Err(no_list());
        }
        let total = document.whole("total_cnt");
        let total = total.ok_or_else(|| Failure::malformed("the list does not say how long it is"))?;
        let block = document.whole("page_block").filter(|block| *block > 0).unwrap_or(PAGE_BLOCK);
        let last_page = u32::try_from(total.div_ceil(block)).unwrap_or(u32::MAX);
        if document.small("page_no").is_some_and(|page| page != asked) {
            quirks.note("other-page");
        }
        let age = self.times.age(document.whole("time"), asked_at, quirks)?;

        let rows = match rows {
            Some(rows) => rows,
            // Behind the last page there is no list any more.
            None if asked > last_page => Vec::new(),
            None => return Err(no_list()),
        };
        let entries = Entries::read(rows, quirks, entry)?;
        self.is_clear &= entries.are_clear();
        self.pages.take(entries.ids(), Some(total), last_page);
        for entry in entries {
            let id = SmolStr::from(&entry.id);
            let sighting = Sighting::in_list(on_air(entry), self.scope.clone(), asked_at);
            self.keep(id, Sighting { age, ..sighting });
        }
        // What else the document says is about the list, not about a broadcast.
        document.rest(quirks);
        Ok(())
    }

    fn keep(&mut self, id: SmolStr, sighting: Sighting) {
        match self.places.get(&id).and_then(|&place| self.sightings.get_mut(place)) {
            // It was on another page before.
            Some(known) => join(known, sighting),
            None => {
                self.places.insert(id, self.sightings.len());
                self.sightings.push(sighting);
            }
        }
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// What the pages said of when they were made.
    pub(super) fn times(&self) -> &Times {
        &self.times
    }

    pub(super) fn listing(&self) -> Listing {
        let clear = if self.is_clear { Coverage::Whole } else { Coverage::Partial };
        let coverage = self.pages.coverage().min(clear).min(self.times.coverage_max());
        Listing { rules: Rules::ONE_USE, ..Listing::of(&*self.scope, Noun::Broadcast, coverage) }
    }

    pub(super) fn into_sightings(self) -> Vec<Sighting> {
        self.sightings
    }
}

fn entry(mut fields: Fields, quirks: &mut Quirks) -> Option<Entry> {
    let id = fields.number_id("broad_no")?;
    let attributes = Attributes::of(&broadcast(&mut fields));
    fields.skip(&NOISE);
    Some(Entry { id, attributes, extra: fields.rest(quirks) })
}

/// What was said later is right; what it leaves out was said before.
fn join(known: &mut Sighting, mut other: Sighting) {
    let made_at = |sighting: &Sighting| sighting.asked_at - sighting.age.unwrap_or_default();
    if made_at(&other) < made_at(known) {
        mem::swap(known, &mut other);
    }
    let said = mem::replace(&mut other.observation.attributes, mem::take(&mut known.observation.attributes));
    other.observation.attributes.merge(&said);
    *known = other;
}
