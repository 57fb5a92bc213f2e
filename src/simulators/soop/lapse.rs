//! Misbehaviour that needs a world: pages that do not fit together, answers of yesterday.

use crate::simulators::drift::Drift;

/// What becomes of one answer. [`super::World::order`] puts it into a queue; the next request that it can happen to
/// gets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lapse {
    /// Before the page is cut, all rows get another order. Broadcasts only.
    Shuffle,
    /// The first row of the page has moved to the page before (for the first page: its last row to the page after),
    /// and that page's row has come here. Broadcasts only.
    CrossBoundary,
    /// The rows of the page before, under the number of this page. Broadcasts only.
    RepeatPage,
    /// The second half of the rows is missing. Any list.
    Truncate,
    /// No rows, though there should be some. Any list.
    EmptyPage,
    /// Nothing at all, and a total that says the same. Any list.
    EmptyWorld,
    /// A full page wherever the list should be over, and a total that is never reached. Broadcasts only.
    Endless,
    /// What was answered to the same question some sweeps ago, with the time of then. Any list that was read before.
    OldCopy,
    /// A total that is wrong by so much. Broadcasts only.
    WrongTotal(i64),
    /// Another shape. Any answer.
    Drift(Drift),
}

/// What a request asks for, as far as lapses can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// A page of broadcasts.
    Broadcasts,
    /// Another list.
    List,
    /// One thing.
    One,
}

impl Lapse {
    pub(super) const fn can_happen_to(self, asked: Asked) -> bool {
        match self {
            Self::Drift(_) => true,
            Self::Truncate | Self::EmptyPage | Self::EmptyWorld | Self::OldCopy => {
                matches!(asked, Asked::Broadcasts | Asked::List)
            }
            Self::Shuffle | Self::CrossBoundary | Self::RepeatPage | Self::Endless | Self::WrongTotal(_) => {
                matches!(asked, Asked::Broadcasts)
            }
        }
    }
}
