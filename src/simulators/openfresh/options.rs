//! How a world is set up: what the documentation leaves open is chosen here.

use jiff::{SignedDuration, Timestamp};

use crate::simulators::drift::Drift;

/// How a world is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Equal seeds make equal worlds.
    pub seed: u64,
    /// The time until another is handed in.
    pub begins_at: Timestamp,
    /// Who may get a token.
    pub username: String,
    /// With what.
    pub password: String,
    /// How long a token is good, by `expiredAt`.
    pub token_life: SignedDuration,
    /// How much earlier than `expiredAt` the token itself says that it ends.
    pub claim_ends_earlier: SignedDuration,
    /// Whether a token is good only as long as it says itself.
    pub ends_by_claim: bool,
    /// The most comments in one answer, whatever is asked for.
    pub limit_max: usize,
    /// Whether a comment at `sinceMillisecond` itself is answered.
    pub is_since_inclusive: bool,
    /// What stands in `meta`.
    pub meta: Meta,
    /// A single comment is `data` itself, not an array of one.
    pub is_single_an_object: bool,
    /// No comments are `null`, not an empty array.
    pub is_none_null: bool,
    /// How much later than it was written a comment becomes visible, at most. Every third is late.
    pub late_max: SignedDuration,
    /// With the end of a program everything written becomes visible. Otherwise late comments come after the end.
    pub commits_at_end: bool,
    /// The status for whoever is not let in to a program: 401 or 403.
    pub refusal: u16,
    /// What becomes of a request that comes too early; it is a violation in any case.
    pub over_limit: OverLimit,
    /// The service is closed, as the real one is.
    pub closed: Option<Closed>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            begins_at: Timestamp::constant(1_489_007_795, 0),
            username: "username".to_owned(),
            password: "password".to_owned(),
            token_life: SignedDuration::from_hours(365 * 24),
            claim_ends_earlier: SignedDuration::from_hours(29),
            ends_by_claim: false,
            limit_max: 500,
            is_since_inclusive: true,
            meta: Meta::LatestOfProgram,
            is_single_an_object: false,
            is_none_null: false,
            late_max: SignedDuration::from_secs(2),
            commits_at_end: true,
            refusal: 403,
            over_limit: OverLimit::Refused,
            closed: None,
        }
    }
}

/// What stands in `meta`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meta {
    /// `nowMillisecond`, and as `latestMillisecond` the newest comment of the program.
    LatestOfProgram,
    /// `nowMillisecond`, and as `latestMillisecond` the newest comment of the answer, as documented.
    LatestOfPage,
    /// `nowMillisecond` only while the program runs, and no `latestMillisecond`: all fields of it are optional.
    Little,
    /// The text `Hello, world!`, which stands in the rendered documentation.
    HelloWorld,
}

/// What becomes of a request that comes too early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OverLimit {
    /// It is answered as if nothing were wrong.
    Answered,
    /// Status 429 with some body, and `Retry-After` in all its forms in turn.
    Refused,
}

/// How a closed service answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closed {
    /// With a page that says farewell, and status 200.
    Page,
    /// With the end of the connection.
    Refuses,
}

/// What becomes of one answer with comments. [`super::World::order`] puts it into a queue; the next request for
/// comments gets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    /// The comments of the page in any order.
    Shuffle,
    /// The comments that were answered last, to whatever question.
    RepeatPage,
    /// The second half of the comments is missing.
    Truncate,
    /// No comments, though there may be some.
    EmptyPage,
    /// As many comments as were asked for, the last ones again and again.
    Endless,
    /// What would have been answered so long ago.
    OldCopy(SignedDuration),
    /// Another shape.
    Drift(Drift),
}
