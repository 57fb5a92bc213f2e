//! Publishing one event, and what can come back.

use std::error::Error as _;

use async_nats::jetstream::{
    self, ErrorCode,
    context::{PublishError as ClientError, PublishErrorKind},
    message::PublishMessage,
};
use bytes::Bytes;

use super::{Bus, JsStream};
use crate::model::subject;

/// JetStream says that it holds an event. Not yet that it will after a power cut: see the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PubAck {
    /// The stream that holds it.
    pub js_stream: JsStream,
    /// Its sequence in that stream.
    pub js_sequence: u64,
    /// A message with the same id was already there; `js_sequence` is that one's.
    pub is_duplicate: bool,
}

/// Why there is no PubAck. Whether the event was stored is only known to be "no" where it says so.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PublishError {
    /// Not stored: no stream takes the subject, or its cluster is electing a leader.
    #[error("no JetStream stream takes it; it is missing, or its servers are electing a leader")]
    NoStream,
    /// Perhaps stored.
    #[error(
        "no PubAck came in time; if this lasts, look whether the server's disk is full, and restart it then"
    )]
    Timeout,
    /// Not stored.
    #[error("livehook's user may not publish to `{0}`: allow it in the server's configuration")]
    PermissionDenied(String),
    /// Not stored.
    #[error("JetStream stream {0} is full: raise its max_bytes, or give the server more storage")]
    StreamFull(JsStream),
    /// Not stored, and never will be.
    #[error("the message is too large for the bus: {0}")]
    TooLarge(String),
    /// Not stored: another stream takes this subject.
    #[error("another JetStream stream than {0} takes the subject: remove that subject from the other one")]
    WrongStream(JsStream),
    /// Perhaps stored.
    #[error("the connection to the bus ended")]
    Disconnected,
    /// In the server's words.
    #[error("{0}")]
    Other(String),
}

impl PublishError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::TooLarge(_))
    }

    /// One word of a closed set, for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoStream => "no_stream",
            Self::Timeout => "timeout",
            Self::PermissionDenied(_) => "permission_denied",
            Self::StreamFull(_) => "stream_full",
            Self::TooLarge(_) => "too_large",
            Self::WrongStream(_) => "wrong_stream",
            Self::Disconnected => "disconnected",
            Self::Other(_) => "other",
        }
    }
}

impl Bus {
    /// Publishes an event and waits for its PubAck, at most `answer_timeout` from now.
    ///
    /// `route` is the subject without the prefix, `envelope` the CloudEvents JSON.
    pub async fn publish(
        &self,
        js_stream: JsStream,
        route: &str,
        event_id: &str,
        envelope: Bytes,
    ) -> Result<PubAck, PublishError> {
        let subject = subject::of(&self.options.prefix, route);
        let mut link = self.link();
        let connects = link.borrow_and_update().connects;
        let mut denied = self.events.denied.subscribe();
        let is_denied = async {
            loop {
                match denied.recv().await {
                    Ok(other) if *other == *subject => return,
                    Ok(_) => {}
                    // It missed some: then the timeout answers.
                    Err(_) => std::future::pending().await,
                }
            }
        };

        let message = PublishMessage::build()
            .payload(envelope)
            .message_id(event_id)
            .header("Content-Type", "application/cloudevents+json")
            .expected_stream(js_stream);
        let sent = async {
            let ack = self.jetstream.send_publish(subject.clone(), message).await?;
            ack.await
        };
        tokio::select! {
            biased;
            answer = tokio::time::timeout(self.options.answer_timeout, sent) => match answer {
                Ok(Ok(ack)) => acknowledged(js_stream, ack),
                Ok(Err(error)) => Err(classify(js_stream, &error)),
                Err(_) => Err(PublishError::Timeout),
            },
            () = is_denied => Err(PublishError::PermissionDenied(subject.clone())),
            // The answer was to come over that connection; waiting longer gains nothing.
            _ = link.wait_for(|link| link.connects != connects || !link.is_up) => Err(PublishError::Disconnected),
        }
    }
}

fn acknowledged(wanted: JsStream, ack: jetstream::publish::PublishAck) -> Result<PubAck, PublishError> {
    if ack.stream != wanted.as_str() {
        return Err(PublishError::WrongStream(wanted));
    }
    Ok(PubAck { js_stream: wanted, js_sequence: ack.sequence, is_duplicate: ack.duplicate })
}

fn classify(js_stream: JsStream, error: &ClientError) -> PublishError {
    match error.kind() {
        PublishErrorKind::StreamNotFound => PublishError::NoStream,
        PublishErrorKind::TimedOut => PublishError::Timeout,
        PublishErrorKind::BrokenPipe => PublishError::Disconnected,
        PublishErrorKind::MaxPayloadExceeded => PublishError::TooLarge(said(error)),
        _ => match error.source().and_then(|source| source.downcast_ref::<jetstream::Error>()) {
            Some(answer) => classify_answer(js_stream, answer),
            None => PublishError::Other(said(error)),
        },
    }
}

fn classify_answer(js_stream: JsStream, answer: &jetstream::Error) -> PublishError {
    match answer.error_code() {
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM => PublishError::TooLarge(answer.to_string()),
        ErrorCode::STREAM_NOT_MATCH => PublishError::WrongStream(js_stream),
        ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES => PublishError::StreamFull(js_stream),
        // The same code for every failed write; only "maximum messages/bytes exceeded" is a limit of ours.
        ErrorCode::STREAM_STORE_FAILED if answer.to_string().contains("maximum") => {
            PublishError::StreamFull(js_stream)
        }
        _ => PublishError::Other(answer.to_string()),
    }
}

/// An error and what it came from, in one line.
pub(super) fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
