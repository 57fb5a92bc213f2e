//! The wire: a page of comments, as lenient as the reference contradicts itself.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Rules, entities},
    platform::{ApiResponse, Failure, json},
};

/// A year, in milliseconds.
const POSITION_MAX: u64 = 366 * 24 * 3_600_000;

/// What came back for one program.
pub(super) enum Answer {
    /// Comments, perhaps none.
    Page(Page),
    /// There is no such program, by the name of the quirk.
    Unknown(&'static str),
    /// The platform says in its own form that the program is not for us to read.
    Forbidden(Failure),
}

/// A page of comments.
pub(super) struct Page {
    /// Where the program is.
    pub clock: Clock,
    /// The place of the newest comment, in milliseconds; documented as the newest here, more probably of all.
    pub latest: Option<i64>,
    /// How many rows came, readable or not, without those that came twice.
    pub rows: usize,
    /// Those that are readable, each once.
    pub comments: Vec<Comment>,
    /// When the request was sent.
    pub asked_at: Timestamp,
}

impl Page {
    /// The place of its last comment.
    pub fn last(&self) -> Option<i64> {
        self.comments.iter().map(|comment| comment.position).max()
    }
}

/// `meta.nowMillisecond`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Clock {
    /// The program is on air for so long.
    Runs(i64),
    /// It is not on air.
    Stands,
    /// Nothing was said.
    Unsaid,
}

/// One comment.
pub(super) struct Comment {
    pub id: String,
    /// Milliseconds from the start of the program, negative before it.
    pub position: i64,
    pub created_at: Option<Timestamp>,
    row: Map<String, Value>,
}

impl Answer {
    /// Reads an answer about a program.
    ///
    /// # Errors
    /// [`Failure::Gone`] for what is no JSON: where the service was, anything may answer now.
    pub fn read(
        answer: &ApiResponse,
        program_id: &str,
        quirks: &mut Vec<&'static str>,
    ) -> Result<Self, Failure> {
        match answer.status {
            300..=399 => return Err(Failure::Gone),
            408 | 429 | 500..=599 => {
                answer.success()?;
            }
            _ => {}
        }
        let mut body = envelope(&answer.body)?;
        let status = match body.get("error") {
            // The error's own status counts, should it come with another one.
            Some(Value::Object(error)) if (200..300).contains(&answer.status) => {
                let status = error.get("status").and_then(Value::as_u64);
                status.and_then(|status| u16::try_from(status).ok()).unwrap_or(500)
            }
            _ => answer.status,
        };
        if let Err(failure) = (ApiResponse { status, ..answer.clone() }).success() {
            let is_of_the_platform = matches!(body.get("error"), Some(Value::Object(_)));
            return match failure {
                Failure::NotFound => Ok(Self::Unknown("program-not-found")),
                // What an id gets that is no number is not documented.
                Failure::Refused { .. } if status == 400 => Ok(Self::Unknown("program-refused")),
                Failure::Unauthorized | Failure::Forbidden if is_of_the_platform => {
                    Ok(Self::Forbidden(failure))
                }
                failure => Err(failure),
            };
        }
        let rows = match body.remove("data") {
            Some(Value::Array(rows)) => rows,
            Some(row @ Value::Object(_)) => vec![row],
            Some(Value::Null) => Vec::new(),
            _ => return Err(Failure::malformed("the answer has neither data nor an error")),
        };
        let meta = body.get("meta").and_then(Value::as_object);
        let meta_place = |name: &str| place(meta?.get(name));
        let mut comments: Vec<_> =
            rows.iter().filter_map(|row| Comment::read(row, program_id, quirks)).collect();
        let twice = remove_repeated(&mut comments);
        quirks.extend((0..twice).map(|_| "comment-twice"));
        Ok(Self::Page(Page {
            clock: match meta.map(|meta| (meta.is_empty(), meta.get("nowMillisecond"))) {
                // All of it is optional, so nothing at all is said where nothing runs.
                Some((true, _) | (_, Some(Value::Null))) => Clock::Stands,
                _ => meta_place("nowMillisecond").map_or(Clock::Unsaid, Clock::Runs),
            },
            latest: meta_place("latestMillisecond"),
            rows: rows.len() - twice,
            comments,
            asked_at: answer.asked_at,
        }))
    }
}

fn envelope(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    match json::parse_answer(body) {
        Ok(Value::Object(envelope)) => Ok(envelope),
        Ok(_) => Err(Failure::malformed("the answer is not a JSON object")),
        Err(malformed) if body.trim_ascii_start().starts_with(b"{") => Err(malformed.into()),
        Err(_) => Err(Failure::Gone),
    }
}

/// Leaves each comment once; returns how many went.
fn remove_repeated(comments: &mut Vec<Comment>) -> usize {
    let (mut met, before) = (HashSet::new(), comments.len());
    comments.retain(|comment| met.insert(comment.id.clone()));
    before - comments.len()
}

impl Comment {
    fn read(row: &Value, program_id: &str, quirks: &mut Vec<&'static str>) -> Option<Self> {
        let Value::Object(row) = row else {
            quirks.push("comment-unreadable");
            return None;
        };
        if word(row, "programId").is_some_and(|theirs| theirs != program_id) {
            quirks.push("comment-of-another-program");
            return None;
        }
        let (Some(id), Some(position)) = (word(row, "id"), place(row.get("millisecond"))) else {
            quirks.push("comment-unreadable");
            return None;
        };
        let created_at = row.get("createdAt").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Some(Self { id, position, created_at, row: row.clone() })
    }

    /// What it says.
    pub fn observation(&self, program_id: &str) -> Observation {
        let text = |name: &str| self.row.get(name).and_then(Value::as_str).map(str::to_owned);
        let attributes = entities::Comment {
            broadcast_id: Some(program_id.to_owned()),
            author_kind: text("type"),
            author_id: word(&self.row, "freshId"),
            author_name: text("username"),
            text: text("text"),
            full_text: text("raw"),
            mentions: self
                .row
                .get("atmark")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            position_ms: Some(self.position),
            created_at: self.created_at,
        };
        Observation {
            attributes: Attributes::of(&attributes),
            at: self.created_at,
            rules: Rules::ONE_USE,
            ..Observation::of(EntityKey::new(Noun::Comment, &self.id))
        }
    }
}

/// Milliseconds from the start of a program. What no program can have would lead the next readings astray.
fn place(value: Option<&Value>) -> Option<i64> {
    value?.as_i64().filter(|place| place.unsigned_abs() <= POSITION_MAX)
}

/// A text that is not empty, or the digits of a number: ids are sent as both.
fn word(row: &Map<String, Value>, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
