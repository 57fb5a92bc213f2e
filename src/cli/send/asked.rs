//! What a callback that asks is answered, for people: the question, who decided what, and the decoded answer.

use std::time::Duration;

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::say;
use crate::{
    ingest::Receiver,
    platform::{Asked, CallbackKind, Delivery},
    ports,
};

/// Longest time that the event of an exchange may take to be in the log.
const PATIENCE: Duration = Duration::from_secs(3);

/// Prints the questions of a delivery as a decision service gets them, without what livehook adds to each; returns
/// how many events will tell of them.
pub(super) fn show_questions(
    receiver: &Receiver,
    callback: &'static CallbackKind,
    content_type: Option<&str>,
    body: &[u8],
) -> usize {
    let Receiver { platform, settings, .. } = receiver;
    let delivery = Delivery {
        callback,
        content_type: content_type.map(str::to_owned),
        body: Bytes::copy_from_slice(body),
        received_at: Timestamp::UNIX_EPOCH,
    };
    let (Some(callbacks), Some(questions)) = (platform.callbacks(), platform.questions()) else { return 0 };
    let Ok(verified) = callbacks.verify(&delivery, settings) else { return 0 };
    match questions.read(&verified, settings) {
        Ok(Asked::Questions { questions, .. }) => {
            let count = questions.len();
            for question in questions {
                let subject = format!("ask.{}.{}.{}", platform.descriptor().id, settings.name, question.name);
                say(format!("question  {subject} {}", Value::Object(question.asked)));
            }
            count
        }
        Ok(Asked::Probe) => {
            say("question  none: an empty form only tries the URL");
            0
        }
        Err(why) => {
            say(format!("question  none: {why}; the policy answers"));
            1
        }
    }
}

/// What is published of questions from now on.
pub(super) struct Tale {
    events: reqwest::Response,
    unread: Vec<u8>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    event_type: String,
    data: serde_json::Map<String, Value>,
}

impl Tale {
    /// Begins to listen at the admin listener.
    pub(super) async fn listen(admin: &str, subject: &str) -> anyhow::Result<Self> {
        let request = ports::http::client()
            .get(format!("{admin}/api/v1/events?subject={subject}"))
            .header("accept", "text/event-stream");
        let events =
            request.send().await.context("the admin listener does not answer")?.error_for_status()?;
        Ok(Self { events, unread: Vec::new() })
    }

    /// Prints how the next `count` questions were decided; says so if that is not told in time.
    pub(super) async fn show(mut self, count: usize) {
        let all = async {
            for _ in 0..count {
                let Some(told) = self.next().await else { return };
                let decision = told.data.values().find_map(|entity| entity.get("decision"));
                let decision = decision.map_or_else(|| "not told".to_owned(), Value::to_string);
                say(format!("decided   {} {decision}", told.event_type));
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            say("decided   not told in time; see the log of livehook");
        }
    }

    async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let told = line.strip_prefix(b"data:").map(|json| serde_json::from_slice(json.trim_ascii()));
                if let Some(Ok(told)) = told {
                    return Some(told);
                }
            }
            self.unread.extend_from_slice(&self.events.chunk().await.ok()??);
        }
    }
}

/// Prints an answer, decoded if it is a JWT.
pub(super) fn show_answer(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let part = |text: &str| Some(String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(text).ok()?).into_owned());
    let mut parts = text.split('.');
    let decoded = (|| Some((part(parts.next()?)?, part(parts.next()?)?)))();
    match decoded {
        Some((header, payload)) => say(format!("answer    {payload}, signed {header}\n          {text}")),
        None => say(format!("answer    {text}")),
    }
}
