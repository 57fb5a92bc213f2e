//! `GET /api/v1/events`: the log of events, as it is in the store.
//!
//! As JSON, a page: from the oldest kept event, or behind the row `after`. As server-sent events
//! (`Accept: text/event-stream`), without end: behind `Last-Event-ID`, else behind `after`, else only what is
//! committed from now on. `subject` is a NATS filter over the whole bus subject.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header::ACCEPT},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::{admin::AdminContext, problem::Problem};
use crate::{
    model::subject,
    store::{Store, StoreError, StoredEvent},
};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
/// Rows read at once, and looked at for one page: a filter that fits nothing must not read the whole log.
const READ_ROWS: usize = 512;
const PAGE_ROWS_MAX: usize = 16 * READ_ROWS;
/// A silent stream says something this often, so that neither side takes the other for gone.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The query as text, so that each parameter's error can name it.
#[derive(Deserialize)]
pub(super) struct Params {
    after: Option<String>,
    subject: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
struct Page<'e> {
    events: Vec<&'e RawValue>,
    /// Where to go on. Equal to `after` at the end of the log, and only there: a page may be empty, or
    /// shorter than its limit, because nothing of what was looked at fits the filter.
    next: String,
}

pub(super) async fn get(
    State(context): State<AdminContext>,
    params: Result<Query<Params>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the query cannot be read; use after, subject and limit, each once",
        )
    })?;
    let filter = Filter::new(context.subject_prefix, params.subject)?;
    let after = params.after.map(|after| row("after", &after)).transpose()?;
    let limit = params.limit.map_or(Ok(LIMIT_DEFAULT), |limit| {
        let limit = limit.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| {
            Problem::with_parameter("limit", format!("limit must be a number from 1 to {LIMIT_MAX}"))
        })
    })?;
    if !wants_stream(&headers) {
        return page(&context.store, after.unwrap_or(0), &filter, limit).await;
    }
    let last_event_id =
        headers.get("last-event-id").map(|id| row("Last-Event-ID", id.to_str().unwrap_or_default()));
    let newest = context.store.newest_event();
    let after = last_event_id.transpose()?.or(after).unwrap_or_else(|| *newest.borrow());
    let tail = Tail { store: context.store, newest, after, filter, read: VecDeque::new() };
    let events = tail.into_stream().take_until(context.draining.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn row(parameter: &'static str, text: &str) -> Result<u64, Problem> {
    let remedy =
        || format!("{parameter} must be a row number: the `next` of a page or the id of a server-sent event");
    text.parse().map_err(|_| Problem::with_parameter(parameter, remedy()))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.split([',', ';']).any(|part| part.trim() == "text/event-stream"))
}

async fn page(store: &Store, after: u64, filter: &Filter, limit: usize) -> Result<Response, Problem> {
    let mut found: Vec<StoredEvent> = Vec::new();
    let mut next = after;
    let mut looked_at = 0;
    while found.len() < limit && looked_at < PAGE_ROWS_MAX {
        let events = store.events_after(next, READ_ROWS).await.map_err(store_problem)?;
        looked_at += READ_ROWS;
        let is_end = events.len() < READ_ROWS;
        for event in events {
            if found.len() == limit {
                break;
            }
            next = event.row;
            if filter.fits(&event) {
                found.push(event);
            }
        }
        if is_end {
            break;
        }
    }
    let envelopes = found.iter().map(|event| serde_json::from_slice::<&RawValue>(&event.envelope));
    let events =
        envelopes.collect::<Result<_, _>>().map_err(|error| store_problem(StoreError(error.to_string())))?;
    Ok(Json(Page { events, next: next.to_string() }).into_response())
}

fn store_problem(error: StoreError) -> Problem {
    tracing::error!(%error, "the log of events cannot be read: {error}");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the log of events cannot be read; the reason is in livehook's own log",
    )
}

/// Which events are wanted.
struct Filter {
    prefix: String,
    subject: Option<String>,
}

impl Filter {
    fn new(prefix: String, subject: Option<String>) -> Result<Self, Problem> {
        if let Some(subject) = &subject
            && !is_filter(subject)
        {
            let detail = "subject must be a NATS filter such as live.*.*.broadcast.> : parts between dots, * for one, a final > for the rest";
            return Err(Problem::with_parameter("subject", detail));
        }
        Ok(Self { prefix, subject })
    }

    fn fits(&self, event: &StoredEvent) -> bool {
        let Self { prefix, subject } = self;
        subject.as_ref().is_none_or(|filter| subject::matches(filter, &subject::of(prefix, &event.route)))
    }
}

fn is_filter(subject: &str) -> bool {
    let mut parts = subject.split('.').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let has_wildcard = part.contains(['*', '>']);
        let is_wildcard = part == "*" || (part == ">" && is_last);
        if part.is_empty() || part.contains(char::is_whitespace) || (has_wildcard && !is_wildcard) {
            return false;
        }
    }
    true
}

/// Reads the log as it grows.
struct Tail {
    store: Store,
    newest: watch::Receiver<u64>,
    after: u64,
    filter: Filter,
    read: VecDeque<StoredEvent>,
}

impl Tail {
    fn into_stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, async |mut tail| {
            let event = tail.next().await?;
            let data = String::from_utf8_lossy(&event.envelope);
            Some((Ok(sse::Event::default().id(event.row.to_string()).data(data)), tail))
        })
    }

    /// The next event that is wanted, when there is one; `None` when the store is closed or cannot be read.
    async fn next(&mut self) -> Option<StoredEvent> {
        loop {
            while let Some(event) = self.read.pop_front() {
                self.after = event.row;
                if self.filter.fits(&event) {
                    return Some(event);
                }
            }
            let events = self.store.events_after(self.after, READ_ROWS).await;
            self.read = events
                .inspect_err(|error| tracing::error!(%error, "the log of events cannot be read: {error}"))
                .ok()?
                .into();
            // What was committed since the last time we waited ends this wait at once.
            if self.read.is_empty() {
                self.newest.changed().await.ok()?;
            }
        }
    }
}
