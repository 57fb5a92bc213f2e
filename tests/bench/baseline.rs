//! What livehook is compared with, each served by this program in a process of its own.

use std::sync::Arc;

use async_nats::jetstream::{self, stream};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use tokio::net::TcpListener;

/// The same paths as livehook's.
const CALLBACK: &str = "/callbacks/{account}/{token}/{callback}";

/// Reads the body and answers 200.
pub async fn serve_bare(address: &str) -> anyhow::Result<()> {
    let router = Router::new().route(CALLBACK, post(|body: Bytes| async move { drop(body) }));
    axum::serve(TcpListener::bind(address).await?, router).await?;
    Ok(())
}

/// Publishes the body to JetStream and answers 200 when the PubAck is there: no decoding, no store, no
/// identity, and 503 whenever the bus is away.
pub async fn serve_direct(address: &str, nats_url: &str) -> anyhow::Result<()> {
    let context = jetstream::new(async_nats::connect(nats_url).await?);
    let config = stream::Config {
        name: "DIRECT".to_owned(),
        subjects: vec!["direct".to_owned()],
        ..Default::default()
    };
    context.create_stream(config).await?;
    let router = Router::new().route(CALLBACK, post(publish)).with_state(Arc::new(context));
    axum::serve(TcpListener::bind(address).await?, router).await?;
    Ok(())
}

async fn publish(State(context): State<Arc<jetstream::Context>>, body: Bytes) -> StatusCode {
    let Ok(ack) = context.publish("direct", body).await else { return StatusCode::SERVICE_UNAVAILABLE };
    if ack.await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
