//! One attempt to publish one event.

use std::sync::Arc;

use crate::{
    ports::bus::{Bus, BusError, JsStream, PubAck, PublishError},
    store::StoredEvent,
};

/// How an attempt ended.
pub(super) struct Attempt {
    /// What was to be published.
    pub(super) event: Arc<StoredEvent>,
    /// The highest sequence acknowledged when it began: a healthy stream answers with a higher one.
    pub(super) highest_before: u64,
    /// The PubAck, or why there is none.
    pub(super) outcome: Result<PubAck, Failure>,
}

/// Why an event is not known to be on the bus.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// It was called a duplicate, and whether it is could not be looked up.
    #[error(transparent)]
    Check(#[from] BusError),
    /// It was called a duplicate of a message that is another one.
    #[error("JetStream calls event {event_id} a duplicate of sequence {js_sequence}, which holds {found}")]
    Swallowed { event_id: String, js_sequence: u64, found: String },
}

/// Publishes an event once. A PubAck that calls it a duplicate is believed only after the stored
/// message was looked at: somebody else could have used the id.
pub(super) async fn attempt(
    bus: Bus,
    js_stream: JsStream,
    event: Arc<StoredEvent>,
    highest_before: u64,
) -> Attempt {
    let outcome = publish(&bus, js_stream, &event).await;
    Attempt { event, highest_before, outcome }
}

async fn publish(bus: &Bus, js_stream: JsStream, event: &StoredEvent) -> Result<PubAck, Failure> {
    let ack = bus.publish(js_stream, &event.route, &event.event_id, event.envelope.clone()).await?;
    if ack.is_duplicate {
        let found = bus.message_id_at(js_stream, ack.js_sequence).await?;
        if found.as_deref() != Some(&event.event_id) {
            return Err(Failure::Swallowed {
                event_id: event.event_id.clone(),
                js_sequence: ack.js_sequence,
                found: found.unwrap_or_else(|| "nothing".to_owned()),
            });
        }
    }
    Ok(ack)
}
