//! Reading a list page by page, the newest row first.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::answer::{Row, page};
use crate::platform::{ApiRequest, ApiResponse, Coverage, Failure, paging::Pages};

/// A list without end is left here: with 100 rows on each, more than any account is known to have.
const PAGES_MAX: u32 = 100;

/// A row that was read, and when it was asked for.
pub(super) struct Read<T> {
    pub(super) key: String,
    pub(super) value: T,
    pub(super) asked_at: Timestamp,
}

/// The rows of a list by their keys, as far as they were read.
pub(super) struct List<T> {
    pages: Pages,
    rows: Vec<Read<T>>,
    places: HashMap<String, usize>,
    /// Something was there that cannot be told apart from others.
    has_gap: bool,
    quirks: Vec<&'static str>,
}

impl<T> List<T> {
    /// Of a list in which earlier sweeps saw `listed`.
    pub(super) fn new(listed: Option<&HashSet<String>>) -> Self {
        let pages = Pages::new(listed, PAGES_MAX);
        Self { pages, rows: Vec::new(), places: HashMap::new(), has_gap: false, quirks: Vec::new() }
    }

    /// The next page of `list`; `None` when enough was read.
    pub(super) fn ask(&self, list: ApiRequest) -> Option<ApiRequest> {
        let page = self.pages.next()?.page;
        Some(list.query("order", "id_desc").query("per_page", 100).query("page", page))
    }

    /// Reads the page that was asked for, each row with `read`, which gives its key. A row that comes again, on
    /// a later page or in a second pass, replaces the earlier one.
    ///
    /// # Errors
    /// [`Failure`] as for any answer, and when it is another page.
    pub(super) fn hear(
        &mut self,
        answer: &ApiResponse,
        read: impl Fn(&Row, &mut Vec<&'static str>) -> Option<(String, T)>,
    ) -> Result<(), Failure> {
        let Some(asked) = self.pages.next() else { return Ok(()) };
        let page = page(answer)?;
        if page.current_page.is_some_and(|current| current != u64::from(asked.page)) {
            return Err(Failure::malformed("the list is at another page than the one that was asked for"));
        }
        if page.total.is_none() || page.last_page.is_none() {
            // One page may be all there is, or all that anybody gets.
            self.has_gap = true;
            self.note("no-page-numbers");
        }
        let mut keys = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            match row.as_ref().and_then(|row| read(row, &mut self.quirks)) {
                Some((key, value)) => {
                    keys.push(key.clone());
                    self.keep(Read { key, value, asked_at: answer.asked_at });
                }
                None => {
                    self.has_gap = true;
                    self.note("row-without-key");
                }
            }
        }
        self.pages.take(keys, page.total, page.last_page.unwrap_or(1));
        Ok(())
    }

    fn keep(&mut self, row: Read<T>) {
        match self.places.get(&row.key) {
            Some(&place) => self.rows[place] = row,
            None => {
                self.places.insert(row.key.clone(), self.rows.len());
                self.rows.push(row);
            }
        }
    }

    fn note(&mut self, quirk: &'static str) {
        self.quirks.push(quirk);
    }

    /// How much of the list was seen.
    pub(super) fn coverage(&self) -> Coverage {
        if self.has_gap { Coverage::Partial } else { self.pages.coverage() }
    }

    /// The rows, the newest first.
    pub(super) fn rows(&self) -> &[Read<T>] {
        &self.rows
    }

    /// The same, to say more of them.
    pub(super) fn rows_mut(&mut self) -> &mut [Read<T>] {
        &mut self.rows
    }

    /// The rows, the oldest first, and the oddities met.
    pub(super) fn into_rows(mut self) -> (Vec<Read<T>>, Vec<&'static str>) {
        self.rows.reverse();
        (self.rows, self.quirks)
    }
}
