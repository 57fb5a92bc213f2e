//! Misbehaviour in what an answer says: the connection is well, the status is 200, and the content misleads.

use serde_json::Value;

use super::drift::Drift;

/// One way to mislead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    /// The rows stand in another order with every request, so that pages overlap and leave gaps.
    Shuffle,
    /// After the answer a row that stands behind it moves to the front, where nobody looks again. It stays there.
    /// Where there are no pages: the last row comes first.
    MoveEarlier,
    /// After the answer its first row moves to the end, where it is seen again. It stays there. Where there are no
    /// pages: the first row comes last.
    MoveLater,
    /// The page before the one asked for comes again. Where there are no pages: each row comes twice.
    RepeatPage,
    /// Half of the rows are missing, and the total tells.
    Truncate,
    /// Half of the rows are missing, and the total says that this is all.
    Shorten,
    /// No rows, though the total says that there are some.
    EmptyPage,
    /// No rows, and a total of 0.
    EmptyWorld,
    /// There is always one more page. Where there are no pages: always one more row in the total.
    Endless,
    /// The oldest answer that a cache still has for this URL.
    OldCopy,
    /// Rows and single objects have another shape.
    Drift(Drift),
}

impl Trick {
    /// Whether it changes what stands in a row, not which rows there are.
    pub fn is_inside_rows(&self) -> bool {
        matches!(self, Self::Drift(_))
    }
}

/// Tricks on order, each for a number of answers.
#[derive(Clone, Default, Debug)]
pub struct Tricks {
    ordered: Vec<(Trick, usize)>,
}

impl Tricks {
    /// The next `times` answers that it can be played on get this one, beside whatever else is ordered.
    pub fn order(&mut self, trick: Trick, times: usize) {
        self.ordered.push((trick, times));
    }

    /// Which are due for an answer; what is about lists waits for a list.
    pub fn due(&mut self, is_list: bool) -> Vec<Trick> {
        let mut due = Vec::new();
        for (trick, times) in &mut self.ordered {
            if is_list || trick.is_inside_rows() || *trick == Trick::OldCopy {
                *times = times.saturating_sub(1);
                due.push(*trick);
            }
        }
        self.ordered.retain(|(_, times)| *times > 0);
        due
    }
}

/// A row, changed by those of `tricks` that change rows.
pub fn spoil_row(row: &str, tricks: &[Trick]) -> String {
    let Ok(mut fields) = serde_json::from_str::<Value>(row) else { return row.to_owned() };
    for trick in tricks {
        if let Trick::Drift(drift) = trick {
            drift.bend(&mut fields);
        }
    }
    fields.to_string()
}
