//! What is around the rows of an answer: `{"data": …, "meta": …}`.

use serde_json::{Map, Value};

use super::super::wire::number;
use crate::platform::{ApiResponse, Failure, json};

/// A row as it came.
pub(super) type Row = Map<String, Value>;

/// A page of a list.
pub(super) struct Page {
    /// Its rows; `None` for what is no object.
    pub(super) rows: Vec<Option<Row>>,
    /// Which page it says it is.
    pub(super) current_page: Option<u64>,
    /// How many rows the list has.
    pub(super) total: Option<u64>,
    /// How many pages the list has.
    pub(super) last_page: Option<u32>,
}

/// Reads a list.
///
/// # Errors
/// [`Failure`] by status, or when there is no list: nothing at all is never an empty list.
pub(super) fn page(answer: &ApiResponse) -> Result<Page, Failure> {
    let mut members = members(answer)?;
    let Some(Value::Array(rows)) = members.remove("data") else {
        return Err(Failure::malformed("the document has no list in data"));
    };
    let meta = members.remove("meta").unwrap_or_default();
    let count =
        |name| meta.get(name).and_then(number).filter(|count| *count >= 0.0).map(|count| count as u64);
    Ok(Page {
        rows: rows.into_iter().map(object).collect(),
        current_page: count("current_page"),
        total: count("total"),
        last_page: count("last_page").map(|pages| u32::try_from(pages).unwrap_or(u32::MAX)),
    })
}

/// Reads a single resource.
///
/// # Errors
/// [`Failure`] by status, or when there is no resource.
pub(super) fn single(answer: &ApiResponse) -> Result<Row, Failure> {
    let data = members(answer)?.remove("data").and_then(object).filter(|row| !row.is_empty());
    data.ok_or_else(|| Failure::malformed("the document has no object in data"))
}

fn members(answer: &ApiResponse) -> Result<Row, Failure> {
    object(json::parse_answer(answer.success()?)?)
        .ok_or_else(|| Failure::malformed("the document is not an object"))
}

fn object(value: Value) -> Option<Row> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
