//! Accept a delivery: find whose it is, verify, decode, commit.
use bytes::Bytes;
use jiff::Timestamp;

#[derive(Clone)]
pub struct Ingest;
/// A callback URL that was right: account, token and callback.
pub struct Route;
impl Route {
    /// Whether viewers' browsers post here, so that cross-origin requests are allowed.
    pub fn is_from_browsers(&self) -> bool { todo!() }
}

impl Ingest {
    /// Whose callback this is; `None` if account, token or callback is wrong, taking equally long.
    pub fn route(&self, _account: &str, _url_token: &str, _callback: &str) -> Option<Route> { todo!() }
    /// Verify, decode, commit. Must be given up after the delivery deadline by the caller (drop the future).
    pub async fn accept(&self, _route: &Route, _content_type: Option<String>, _body: Bytes, _received_at: Timestamp) -> Outcome { todo!() }
    /// Counts and logs a delivery that ended before `accept` could (late, oversized body, ...).
    pub fn unavailable(&self, _route: &Route, _why: &'static str) -> Outcome { todo!() }
}

/// The one fate of a delivery; also its metric label.
#[must_use]
#[derive(Debug)]
pub enum Outcome {
    /// Committed; so many events came of it (may be none).
    Accepted { events: usize },
    /// Committed before.
    Duplicate,
    /// An empty form: a console tries the URL.
    Probe,
    /// Committed raw, could not be understood.
    Quarantined,
    /// Not from the platform.
    Refused,
    /// Ours: please come again.
    Unavailable,
}
