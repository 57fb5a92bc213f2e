//! How a platform's API is read. A sweep is a conversation: the platform says what to ask, the engine asks,
//! the platform reads the answer, until it says what it found.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    descriptor::WatchKind,
    exchange::{ApiRequest, ApiResponse, Failure},
    listed::Listed,
    seal::Seal,
    settings::AccountSettings,
};
use crate::model::{Noun, Observation, Rules};

/// What a platform with an API must be able to do. Pure: no clock, no IO.
pub trait Poll: Send + Sync {
    /// Begins to read what the task says.
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk>;
}

/// The way of one sweep through the pages. Dropped when a request fails: then nothing of it counts.
pub trait Walk: Send {
    /// The next request; `None` when everything was read. Asked again only after [`Walk::hear`].
    fn ask(&mut self) -> Option<ApiRequest>;

    /// Reads the answer to the last request.
    ///
    /// # Errors
    /// [`Failure`]: the sweep ends here, and nothing of it counts.
    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure>;

    /// What was found; called once, after [`Walk::ask`] returned `None`.
    fn findings(self: Box<Self>) -> Findings;
}

/// What to read, and what is known of it.
pub struct SweepTask<'t> {
    /// The watch.
    pub watch: &'static WatchKind,
    /// Whose.
    pub account: &'t AccountSettings,
    /// One thing only, as named in a [`Wake`]; `None` for everything.
    pub target: Option<&'t str>,
    /// What the last sweep left for this one; `None` on the first.
    pub cursor: Option<&'t Value>,
    /// What earlier sweeps saw in the lists; nothing if one thing only is to be read.
    pub listed: &'t Listed,
    /// When the sweep begins.
    pub now: Timestamp,
    /// Makes a keyed fingerprint of a secret: equal for equal secrets in this store, and meaningless elsewhere.
    pub fingerprint: &'t dyn Fn(&str) -> String,
}

impl SweepTask<'_> {
    /// For the fingerprints of one kind of secret, which are made when the task is over.
    pub fn seal(&self, kind: &str) -> Seal {
        Seal::new((self.fingerprint)(kind))
    }
}

/// What a sweep found.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Findings {
    /// What was said, in the order in which it happened where that is known.
    pub sightings: Vec<Sighting>,
    /// The lists that were read, each by its scope.
    pub listings: Vec<Listing>,
    /// What the next sweep needs; `None` leaves it as it is.
    pub cursor: Option<Value>,
    /// Every answer told when it was made, and that was later than anything read before: no cache can undo what
    /// was learned.
    pub is_dated: bool,
    /// There is more to read: the next sweep is due at once.
    pub has_more: bool,
    /// Though there is more to read, each part was read at least once: what begins from now on is new.
    pub is_known_throughout: bool,
    /// Names of the oddities met, counted on a metric.
    pub quirks: Vec<&'static str>,
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Sighting {
    /// What was said of it.
    pub observation: Observation,
    /// The list it was seen in, if its absence from there would mean something: the scope of a [`Listing`].
    pub scope: Option<Arc<str>>,
    /// Its place in time, for lists that are read from some time on.
    pub listed_from: Option<Timestamp>,
    /// When the request was sent whose answer shows it.
    pub asked_at: Timestamp,
    /// How much earlier the answer was made, if it says so. Else it may be as old as the platform's caches allow.
    pub age: Option<SignedDuration>,
    /// It only says more of what another watch finds. What that one does not know yet, or knows to be gone, is passed
    /// over: nobody would tell that it is over.
    pub fills_in: bool,
}

impl Sighting {
    /// Of something whose absence means nothing.
    pub fn of(observation: Observation, asked_at: Timestamp) -> Self {
        Self { observation, scope: None, listed_from: None, asked_at, age: None, fills_in: false }
    }

    /// Of an entry of a list.
    pub fn in_list(observation: Observation, scope: impl Into<Arc<str>>, asked_at: Timestamp) -> Self {
        Self { scope: Some(scope.into()), ..Self::of(observation, asked_at) }
    }
}

/// A list that was read: what is not among the sightings of its scope is absent from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Its name within the watch: `all`, a category, a room.
    pub scope: String,
    /// What kind of thing it lists.
    pub noun: Noun,
    /// How these things behave.
    pub rules: Rules,
    /// How much of it was seen.
    pub coverage: Coverage,
    /// Only entries with a [`Sighting::listed_from`] of this or later were asked for.
    pub from: Option<Timestamp>,
}

impl Listing {
    /// Of things whose ids are used again, whenever they began.
    pub fn of(scope: impl Into<String>, noun: Noun, coverage: Coverage) -> Self {
        Self { scope: scope.into(), noun, rules: Rules::default(), coverage, from: None }
    }
}

/// How much of a list a sweep has seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Coverage {
    /// Some of it: what is absent may be there.
    Partial,
    /// At least 99 in 100 of a list that did not stand still: absence counts half.
    Nearly,
    /// All of it: what is absent was not there at some moment during the sweep.
    Whole,
}

/// A callback says something that the API can confirm: read it soon.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Wake {
    /// The watches that can confirm it, the best one first; the first that is switched on does.
    pub watches: &'static [&'static str],
    /// The one thing to read.
    pub target: String,
}
