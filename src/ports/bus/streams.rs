//! The JetStream streams: what they must be, making them, and looking into them.

mod drift;

use std::{fmt, time::Duration};

use async_nats::jetstream::{
    self, ErrorCode,
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    stream::{Config, DiscardPolicy, Info, RawMessageErrorKind, RetentionPolicy, StorageType},
};
use jiff::Timestamp;

pub use self::drift::Drift;
use self::drift::differences;
use super::{Bus, BusError, BusOptions, publish::said};
use crate::model::Noun;

/// How long JetStream remembers message ids. Two minutes, its default, are shorter than one outage.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(6 * 60 * 60);

/// The streams of the public contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum JsStream {
    /// All events but viewers'.
    Live,
    /// Viewers' events: many, kept for a shorter time.
    LivePlayback,
}

impl JsStream {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::LivePlayback];

    /// Its name at the server.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "LIVE",
            Self::LivePlayback => "LIVE_PLAYBACK",
        }
    }

    /// Whether it takes viewers' events.
    pub const fn is_playback(self) -> bool {
        matches!(self, Self::LivePlayback)
    }

    /// The subjects it takes: `<prefix>.<platform>.<account>.<noun>.<verb>` of its nouns.
    pub fn subjects(self, prefix: &str) -> Vec<String> {
        let nouns = Noun::ALL.iter().filter(|noun| noun.is_playback() == self.is_playback());
        nouns.map(|noun| format!("{prefix}.*.*.{noun}.*")).collect()
    }

    /// How it must be configured.
    pub(super) fn wanted(self, options: &BusOptions) -> Config {
        let limits = match self {
            Self::Live => options.live,
            Self::LivePlayback => options.live_playback,
        };
        Config {
            name: self.as_str().to_owned(),
            subjects: self.subjects(&options.prefix),
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            // A full stream then refuses new events, which wait here, instead of dropping old ones in silence.
            discard: DiscardPolicy::New,
            max_age: limits.max_age,
            duplicate_window: DUPLICATE_WINDOW.min(limits.max_age),
            max_bytes: limits.bytes_max.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            max_messages: -1,
            max_messages_per_subject: -1,
            max_message_size: -1,
            num_replicas: options.replicas,
            allow_direct: true,
            deny_delete: true,
            deny_purge: true,
            ..Config::default()
        }
    }
}

impl AsRef<str> for JsStream {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for JsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a stream holds right now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamStanding {
    /// When it was created, RFC 3339; another one with the same name has another time.
    pub created: String,
    /// The lowest sequence it holds; one above `last_js_sequence` when it is empty.
    pub first_js_sequence: u64,
    /// The highest sequence it ever gave away.
    pub last_js_sequence: u64,
}

impl Bus {
    /// Checks the server's version, makes the streams that are missing, and compares both with what is
    /// wanted of them, field by field.
    pub async fn ensure_streams(&self) -> Result<(), BusError> {
        self.check_server_version().await?;
        for js_stream in JsStream::ALL {
            self.ensure_stream(js_stream).await?;
        }
        Ok(())
    }

    /// Makes the stream if it is missing, reads it back, and compares it with what is wanted.
    pub async fn ensure_stream(&self, js_stream: JsStream) -> Result<StreamStanding, BusError> {
        let wanted = js_stream.wanted(&self.options);
        let found = match self.read_stream(js_stream).await? {
            Some(found) => found,
            None => {
                self.create_stream(js_stream, &wanted).await?;
                tracing::info!(%js_stream, "created JetStream stream {js_stream}");
                self.read_stream(js_stream).await?.ok_or(BusError::StreamMissing(js_stream))?
            }
        };
        match differences(js_stream, &wanted, &found.config).into_iter().next() {
            Some(drift) => Err(BusError::Drift(drift)),
            None => Ok(standing(&found)),
        }
    }

    /// What a stream holds; `None` when it does not exist.
    pub async fn stream_info(&self, js_stream: JsStream) -> Result<Option<StreamStanding>, BusError> {
        Ok(self.read_stream(js_stream).await?.as_ref().map(standing))
    }

    /// Every way in which a stream differs from what is wanted of it, for `check`; empty when it is missing.
    pub async fn drifts(&self, js_stream: JsStream) -> Result<Vec<Drift>, BusError> {
        let found = self.read_stream(js_stream).await?;
        let wanted = js_stream.wanted(&self.options);
        Ok(found.map_or_else(Vec::new, |found| differences(js_stream, &wanted, &found.config)))
    }

    /// The id of the message that a stream holds at a sequence; `None` when it holds none there.
    ///
    /// Asks the stream's leader: a replica could answer from before a loss.
    pub async fn message_id_at(
        &self,
        js_stream: JsStream,
        js_sequence: u64,
    ) -> Result<Option<String>, BusError> {
        let read = async {
            let handle = self.jetstream.get_stream_no_info(js_stream).await.map_err(|e| e.to_string())?;
            match handle.get_raw_message(js_sequence).await {
                Ok(message) => {
                    Ok(message.headers.get(async_nats::header::NATS_MESSAGE_ID).map(ToString::to_string))
                }
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
                Err(error) => Err(said(&error)),
            }
        };
        self.in_time(read).await?.map_err(|why| BusError::Refused { what: "reading a message back", why })
    }

    async fn read_stream(&self, js_stream: JsStream) -> Result<Option<Info>, BusError> {
        match self.in_time(self.jetstream.get_stream(js_stream)).await? {
            Ok(handle) => Ok(Some(handle.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                GetStreamErrorKind::JetStream(answer) => Err(refused("reading a JetStream stream", &answer)),
                _ => Err(BusError::Refused { what: "reading a JetStream stream", why: said(&error) }),
            },
        }
    }

    async fn create_stream(&self, js_stream: JsStream, wanted: &Config) -> Result<(), BusError> {
        match self.in_time(self.jetstream.create_stream(wanted)).await? {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                // Somebody was faster; whether theirs is right is looked at next.
                CreateStreamErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NAME_EXIST =>
                {
                    tracing::debug!(%js_stream, "created by another");
                    Ok(())
                }
                CreateStreamErrorKind::JetStream(answer) => {
                    Err(refused("creating a JetStream stream", &answer))
                }
                _ => Err(BusError::Refused { what: "creating a JetStream stream", why: said(&error) }),
            },
        }
    }
}

pub(super) fn refused(what: &'static str, answer: &jetstream::Error) -> BusError {
    match answer.error_code() {
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            BusError::NoJetStream
        }
        _ => BusError::Refused { what, why: answer.to_string() },
    }
}

pub(super) fn standing(info: &Info) -> StreamStanding {
    let created = Timestamp::from_nanosecond(info.created.unix_timestamp_nanos()).unwrap_or_default();
    StreamStanding {
        created: created.to_string(),
        first_js_sequence: info.state.first_sequence,
        last_js_sequence: info.state.last_sequence,
    }
}

#[cfg(test)]
mod tests;
