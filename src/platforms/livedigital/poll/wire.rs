//! The wire: how livedigital's lists and fields are read.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::platform::{ApiResponse, Coverage, Failure, exchange::publishable_url, json};

/// One object of a list.
pub(super) type Row = Map<String, Value>;

/// `{"items": […], "total": …}`; how to ask for a second page is not documented.
pub(super) struct List {
    /// Each row with its id; no id twice.
    pub rows: Vec<(String, Row)>,
    /// How much of the list is here.
    pub coverage: Coverage,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

impl List {
    /// Reads a list, and counts what is odd about it.
    pub fn read(answer: &ApiResponse, quirks: &mut Vec<&'static str>) -> Result<Self, Failure> {
        let mut list = object(answer)?;
        let Some(Value::Array(items)) = list.remove("items") else {
            return Err(Failure::malformed("the answer has no list in its field items"));
        };
        let mut rows = Vec::with_capacity(items.len());
        let mut met = HashSet::new();
        let mut coverage = Coverage::Whole;
        for item in items {
            let Value::Object(row) = item else {
                return Err(Failure::malformed("an item of the list is not an object"));
            };
            let Some(id) = text(&row, "id") else {
                // Whichever it is, it may be one that we would miss.
                quirks.push("row-without-id");
                coverage = Coverage::Partial;
                continue;
            };
            if met.insert(id.clone()) {
                rows.push((id, row));
            } else {
                quirks.push("row-twice");
            }
        }
        if number(&list, "total").is_some_and(|total| total > rows.len() as u64) {
            quirks.push("list-truncated");
            coverage = Coverage::Partial;
        }
        Ok(Self { rows, coverage, asked_at: answer.asked_at })
    }
}

/// The object in a good answer.
pub(super) fn object(answer: &ApiResponse) -> Result<Row, Failure> {
    match json::parse_answer(answer.success()?)? {
        Value::Object(row) => Ok(row),
        _ => Err(Failure::malformed("the answer is not a JSON object")),
    }
}

/// A text that is there.
pub(super) fn text(row: &Row, field: &str) -> Option<String> {
    row.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text that somebody may take away: an explicit `null` is told as the empty text, because what is absent
/// would mean "not said".
pub(super) fn clearable_text(row: &Row, field: &str) -> Option<String> {
    match row.get(field)? {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The same for an address: published without what may be a secret in it.
pub(super) fn clearable_url(row: &Row, field: &str) -> Option<String> {
    let url = clearable_text(row, field)?;
    Some(publishable_url(&url).unwrap_or_default())
}

/// `true` or `false`.
pub(super) fn switch(row: &Row, field: &str) -> Option<bool> {
    row.get(field).and_then(Value::as_bool)
}

/// A whole number that is not negative.
pub(super) fn number(row: &Row, field: &str) -> Option<u64> {
    row.get(field).and_then(Value::as_u64)
}

/// An instant in ISO 8601.
pub(super) fn instant(row: &Row, field: &str) -> Option<Timestamp> {
    row.get(field)?.as_str()?.parse().ok()
}
