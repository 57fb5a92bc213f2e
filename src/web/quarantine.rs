//! The admin API of deliveries that could not be understood: list, look, try again.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection, rejection::QueryRejection},
    http::StatusCode,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admin::AdminContext, problem::Problem};
use crate::{
    ingest::RetryError,
    store::{QuarantinedRow, StoreError},
};

/// Deliveries in one answer.
const LIMIT: usize = 200;

#[derive(Deserialize)]
pub(super) struct Params {
    /// Number of the last delivery of the previous answer.
    #[serde(default)]
    after: u64,
}

pub(super) async fn list(
    State(context): State<AdminContext>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(Params { after }) = params.map_err(|_| {
        Problem::with_parameter("after", "after is the number of a delivery: give a whole number")
    })?;
    let rows = context.store.quarantined(after, LIMIT).await.map_err(unreadable)?;
    let next = (rows.len() == LIMIT).then(|| rows.last().map(|row| row.id)).flatten();
    let deliveries: Vec<_> = rows.iter().map(head).collect();
    Ok(Json(json!({ "deliveries": deliveries, "next": next })))
}

pub(super) async fn show(
    State(context): State<AdminContext>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let id = number(id)?;
    let row = context.store.quarantined_delivery(id).await.map_err(unreadable)?;
    let row = row.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, RetryError::Unknown(id).to_string()))?;
    let body = context.ingest.masked_body(&row);
    let mut shown = head(&row);
    match String::from_utf8(body) {
        Ok(text) => shown["body"] = text.into(),
        Err(error) => shown["body_base64"] = BASE64_STANDARD.encode(error.as_bytes()).into(),
    }
    Ok(Json(shown))
}

pub(super) async fn retry(
    State(context): State<AdminContext>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let id = number(id)?;
    match context.ingest.retry_quarantined(id).await {
        Ok(events) => Ok(Json(json!({ "events": events }))),
        Err(RetryError::Store(error)) => Err(unreadable(error)),
        Err(error @ RetryError::Unknown(_)) => Err(Problem::new(StatusCode::NOT_FOUND, error.to_string())),
        Err(error) => Err(Problem::new(StatusCode::CONFLICT, error.to_string())),
    }
}

fn number(id: Result<Path<u64>, PathRejection>) -> Result<u64, Problem> {
    id.map(|Path(id)| id).map_err(|_| {
        Problem::with_parameter("id", "a delivery is named by its number; see /api/v1/quarantine")
    })
}

fn unreadable(error: StoreError) -> Problem {
    tracing::error!("the quarantine cannot be read: {error}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the store cannot be read now; livehook's log says why")
}

/// Everything but the bytes.
fn head(row: &QuarantinedRow) -> Value {
    json!({
        "id": row.id,
        "account": row.account,
        "callback": row.callback,
        "received_at": row.received_at,
        "reason": row.reason,
        "content_type": row.content_type,
        "body_bytes": row.body.len(),
    })
}
