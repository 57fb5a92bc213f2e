//! Reading a list by page numbers while it moves.
//!
//! A row that moves to an earlier page between two requests is missed, though it is there. So when something
//! that was listed before is missing, and the first time, the list is read a second time. What both passes saw was there at the
//! moment between them; if that is as many as the list says it has, it is all of it, and what neither pass saw
//! was not there. A list that fits into one page needs no such proof: one answer is one moment.

use std::collections::HashSet;

use smol_str::SmolStr;

use super::poll::Coverage;

/// The way through the pages of one list.
#[derive(Clone, Debug)]
pub struct Pages {
    listed: HashSet<SmolStr>,
    pages_max: u32,
    passes: Vec<HashSet<SmolStr>>,
    page: u32,
    /// How many rows the list has, as the latest page says.
    total: Option<u64>,
    /// The same on the last page of the first pass.
    total_between: Option<u64>,
    done: Option<Coverage>,
}

/// A page to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageNumber {
    /// 1 or 2: a list that can be ordered in two ways is read once in each.
    pub pass: u8,
    /// From 1 on.
    pub page: u32,
}

impl Pages {
    /// For a list in which earlier sweeps saw `listed`; a platform that never stops giving pages is left at
    /// `pages_max`.
    pub fn new(listed: Option<&HashSet<String>>, pages_max: u32) -> Self {
        Self {
            listed: listed.into_iter().flatten().map(SmolStr::from).collect(),
            pages_max,
            passes: vec![HashSet::new()],
            page: 1,
            total: None,
            total_between: None,
            done: None,
        }
    }

    /// The page to ask for; `None` when enough was read.
    pub fn next(&self) -> Option<PageNumber> {
        let pass = self.passes.len() as u8;
        self.done.is_none().then_some(PageNumber { pass, page: self.page })
    }

    /// Takes in the page that was asked for: its ids, how many rows the list has, how many pages.
    pub fn take<I>(&mut self, ids: impl IntoIterator<Item = I>, total: Option<u64>, last_page: u32)
    where
        I: Into<SmolStr>,
    {
        let Some(pass) = self.passes.last_mut() else { return };
        let before = pass.len();
        let mut rows = 0;
        pass.extend(ids.into_iter().inspect(|_| rows += 1).map(Into::into));
        let seen = pass.len();
        self.total = total.or(self.total);
        if self.page == 1 && last_page <= 1 {
            let is_all = rows == seen - before && self.total.is_none_or(|total| total == rows as u64);
            self.done = Some(if is_all { Coverage::Whole } else { Coverage::Partial });
        } else if rows == 0 || self.page >= last_page {
            self.end_pass();
        } else if self.page >= self.pages_max {
            self.done = Some(Coverage::Partial);
        } else {
            self.page += 1;
        }
    }

    /// How much was seen, once [`Pages::next`] is `None`; before that, only some.
    pub fn coverage(&self) -> Coverage {
        self.done.unwrap_or(Coverage::Partial)
    }

    fn end_pass(&mut self) {
        match self.passes.as_slice() {
            [first] => {
                let is_all = self.total.is_some_and(|total| first.len() as u64 == total);
                if is_all && !self.listed.is_empty() && self.listed.is_subset(first) {
                    // Nothing is missing that was there before, so nothing needs proof. The first time it does: what
                    // is missed then would later look new.
                    self.done = Some(Coverage::Whole);
                    return;
                }
                self.total_between = self.total;
                self.passes.push(HashSet::new());
                self.page = 1;
            }
            [first, second] => {
                let in_both = first.intersection(second).count() as u64;
                let in_any = first.union(second).count() as u64;
                self.done = Some(match self.total_between {
                    Some(total) if total == in_both => Coverage::Whole,
                    Some(total) if in_any * 100 >= total.max(self.total.unwrap_or(0)) * 99 => {
                        Coverage::Nearly
                    }
                    None if in_both == in_any => Coverage::Nearly,
                    _ => Coverage::Partial,
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
