//! The admin listener's routes: health, metrics, the API and the page that connects accounts.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    connect, credentials, events,
    host::{AllowedHosts, require_host},
    own_pages::require_own_page,
    problem::Problem,
    quarantine,
};
use crate::{
    grants::Desk,
    health::{Condition, Health},
    ingest::Ingest,
    poll::Board,
    store::Store,
};

/// What the admin routes need.
#[derive(Clone)]
pub struct AdminContext {
    /// The conditions of all components.
    pub health: Health,
    /// The events.
    pub store: Store,
    /// Looks at quarantined deliveries again.
    pub ingest: Ingest,
    /// How the reading of each account fares.
    pub board: Board,
    /// How access to each account stands, and where it is connected.
    pub grant_desk: Desk,
    /// What browsers know the public listener by.
    pub public_url: Option<String>,
    /// What forms of our own pages must carry; nobody else knows it.
    pub page_key: SecretString,
    /// `bus.prefix`: the first part of every event's bus subject.
    pub subject_prefix: String,
    /// The metrics.
    pub metrics: PrometheusHandle,
    /// The names we are reached by, besides `localhost` and addresses.
    pub hosts: AllowedHosts,
    /// Once cancelled, we are not ready any more and event streams end.
    pub draining: CancellationToken,
}

/// Longest body of a request.
const BODY_BYTES_MAX: usize = 4 * 1024;

/// The routes of the admin listener.
pub fn router(context: AdminContext) -> Router {
    let hosts = context.hosts.clone();
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "alive" }))))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/events", get(events::get))
        .route("/api/v1/watches", get(watches))
        .route("/api/v1/quarantine", get(quarantine::list))
        .route("/api/v1/quarantine/{id}", get(quarantine::show))
        .route("/api/v1/quarantine/{id}/retry", post(quarantine::retry))
        .route("/api/v1/credentials", get(credentials::list))
        .route("/api/v1/credentials/{account}", get(credentials::show))
        .route("/api/v1/credentials/{account}/connect", post(credentials::connect))
        .route("/api/v1/credentials/{account}/number", post(credentials::number))
        .route("/api/v1/credentials/{account}/confirm", post(credentials::confirm))
        .merge(connect::routes())
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "there is nothing here; see /api/v1/events"))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(require_own_page))
        .layer(middleware::from_fn_with_state(hosts, require_host))
        .with_state(context)
}

async fn readyz(State(context): State<AdminContext>) -> Response {
    let is_draining = context.draining.is_cancelled();
    let is_ready = context.health.is_ready() && !is_draining;
    let mut reasons: Vec<Value> = context.health.conditions().iter().filter_map(reason).collect();
    if is_draining {
        reasons.push(json!({ "component": "process", "condition": "down", "reason": "shutting down" }));
    }
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": is_ready, "reasons": reasons }))).into_response()
}

fn reason((component, condition): &(&'static str, Condition)) -> Option<Value> {
    let (condition, reason) = match condition {
        Condition::Ok => return None,
        Condition::Degraded(why) => ("degraded", why),
        Condition::Down(why) => ("down", why),
    };
    Some(json!({ "component": component, "condition": condition, "reason": reason }))
}

async fn watches(State(context): State<AdminContext>) -> Json<Value> {
    Json(json!({ "accounts": context.board.snapshot() }))
}

async fn metrics(State(context): State<AdminContext>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], context.metrics.render()).into_response()
}
