//! A JetStream key-value bucket: one message per key, the newest wins.

use async_nats::jetstream::{
    ErrorCode,
    consumer::{DeliverPolicy, pull},
    context::GetStreamErrorKind,
    kv,
    message::PublishMessage,
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
};
use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;

use super::{
    Bus, BusError,
    publish::said,
    streams::{StreamStanding, refused, standing},
};

/// What marks a message as the end of its key.
const OPERATION: &str = "KV-Operation";
/// Set aside of what a message may hold, for its headers.
const HEADER_BYTES: usize = 512;

/// A bucket that exists and is as it must be; a cheap handle that can be cloned.
#[derive(Clone)]
pub struct Bucket {
    name: &'static str,
    stream: Stream,
    bus: Bus,
}

/// A key of a bucket, or the mark of one that was deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketKey {
    /// The key.
    pub key: String,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// When its value or mark was put, by the server's clock.
    pub put_at: Timestamp,
    /// JetStream sequence of its value or mark.
    pub js_sequence: u64,
}

/// Whether a subject that we may not publish to belongs to a bucket.
pub(super) fn is_of_a_bucket(subject: &str) -> bool {
    subject.starts_with("$KV.") || subject.contains("KV_")
}

impl Bus {
    /// Makes the bucket if it is missing, reads it back, and says what it holds.
    ///
    /// # Errors
    /// [`BusError`] when it cannot be made or read, or would forget or refuse values.
    pub async fn ensure_bucket(&self, name: &'static str) -> Result<(Bucket, StreamStanding), BusError> {
        let stream = match self.read_bucket(name).await? {
            Some(stream) => stream,
            None => {
                let created = self.create_bucket(name).await;
                match self.read_bucket(name).await? {
                    Some(stream) => stream,
                    None => {
                        let vanished = "it vanished; is somebody deleting it?".to_owned();
                        created?;
                        return Err(cannot("creating the bucket")(vanished));
                    }
                }
            }
        };
        let info = stream.cached_info();
        if let Some(why) = unfit(&info.config) {
            return Err(BusError::Bucket { name, why });
        }
        let standing = standing(info);
        Ok((Bucket { name, stream, bus: self.clone() }, standing))
    }

    async fn read_bucket(&self, name: &str) -> Result<Option<Stream>, BusError> {
        match self.in_bucket_time(self.jetstream.get_stream(format!("KV_{name}"))).await? {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                GetStreamErrorKind::JetStream(answer) => Err(refused("reading the bucket", &answer)),
                _ => Err(cannot("reading the bucket")(said(&error))),
            },
        }
    }

    /// Fails also when somebody was faster: whether theirs is right is looked at next.
    async fn create_bucket(&self, name: &str) -> Result<(), BusError> {
        let config = kv::Config {
            bucket: name.to_owned(),
            description: "What livehook knows now; keys are <platform>.<account>.<noun>.<id>".to_owned(),
            history: 1,
            storage: StorageType::File,
            num_replicas: self.options.replicas,
            ..kv::Config::default()
        };
        let created = self.in_bucket_time(self.jetstream.create_key_value(config)).await?;
        created.map_err(|error| cannot("creating the bucket")(said(&error)))?;
        tracing::info!("created key-value bucket {name}");
        Ok(())
    }

    /// [`Bus::in_time`], for questions to a bucket.
    async fn in_bucket_time<T>(&self, answer: impl Future<Output = T>) -> Result<T, BusError> {
        self.in_time_unless_denied(is_of_a_bucket, answer).await
    }
}

fn cannot(what: &'static str) -> impl Fn(String) -> BusError {
    move |why| BusError::Refused { what, why }
}

/// Why a bucket that somebody made cannot be used.
fn unfit(config: &Config) -> Option<&'static str> {
    let has_limit = config.max_bytes > 0 || config.max_messages > 0;
    if config.storage != StorageType::File {
        Some("it is kept in memory")
    } else if !config.max_age.is_zero() {
        Some("it forgets values by their age")
    } else if has_limit && config.discard != DiscardPolicy::New {
        Some("it forgets values when it is full")
    } else if config.retention != RetentionPolicy::Limits {
        Some("it forgets values that were read")
    } else if config.max_messages_per_subject < 1 || config.no_ack {
        Some("it is no key-value bucket")
    } else {
        None
    }
}

impl Bucket {
    /// The longest value that it takes, in bytes.
    pub fn value_bytes_max(&self) -> usize {
        let server = self.bus.client.server_info().max_payload;
        let own = usize::try_from(self.stream.cached_info().config.max_message_size).unwrap_or(usize::MAX);
        server.min(own).saturating_sub(HEADER_BYTES)
    }

    /// Sets a key; returns the JetStream sequence of the value.
    ///
    /// # Errors
    /// [`BusError`] when it is not known to have been set.
    pub async fn put(&self, key: &str, value: Bytes) -> Result<u64, BusError> {
        self.publish(key, PublishMessage::build().payload(value), "setting a key").await
    }

    /// Takes a key away; one that is not there is no error. Returns the JetStream sequence of the mark that stays.
    ///
    /// # Errors
    /// [`BusError`] when it is not known to be gone.
    pub async fn delete(&self, key: &str) -> Result<u64, BusError> {
        self.publish(key, PublishMessage::build().header(OPERATION, "DEL"), "deleting a key").await
    }

    async fn publish(&self, key: &str, message: PublishMessage, what: &'static str) -> Result<u64, BusError> {
        let subject = format!("$KV.{}.{key}", self.name);
        let sent = async { self.bus.jetstream.send_publish(subject, message).await?.await };
        let ack = self.bus.in_bucket_time(sent).await?.map_err(|error| cannot(what)(said(&error)))?;
        let ours = self.stream.cached_info().config.name.as_str();
        match ack.stream == ours {
            true => Ok(ack.sequence),
            false => {
                Err(cannot(what)(format!("JetStream stream {} takes what is meant for {ours}", ack.stream)))
            }
        }
    }

    /// Every key that `wanted` accepts, those of deleted ones too.
    ///
    /// # Errors
    /// [`BusError`] when not all could be read.
    pub async fn keys(&self, wanted: impl Fn(&str) -> bool + Send) -> Result<Vec<BucketKey>, BusError> {
        let cannot = |error: &dyn std::error::Error| cannot("listing the keys")(said(error));
        let prefix = format!("$KV.{}.", self.name);
        let config = pull::OrderedConfig {
            filter_subject: format!("{prefix}>"),
            deliver_policy: DeliverPolicy::LastPerSubject,
            headers_only: true,
            ..Default::default()
        };
        let consumer = self.bus.in_bucket_time(self.stream.create_consumer(config)).await?;
        let consumer = consumer.map_err(|error| cannot(&error))?;
        let mut keys = Vec::new();
        if consumer.cached_info().num_pending == 0 {
            return Ok(keys);
        }
        let mut messages = consumer.messages().await.map_err(|error| cannot(&error))?;
        while let Some(message) = self.bus.in_bucket_time(messages.next()).await? {
            let message = message.map_err(|error| cannot(&error))?;
            let info = message.info().map_err(|error| cannot(&*error))?;
            if let Some(key) = message.subject.strip_prefix(&*prefix).filter(|key| wanted(key)) {
                let put_at = Timestamp::from_nanosecond(info.published.unix_timestamp_nanos());
                keys.push(BucketKey {
                    key: key.to_owned(),
                    is_deleted: message.headers.as_ref().is_some_and(|it| it.get(OPERATION).is_some()),
                    put_at: put_at.unwrap_or_default(),
                    js_sequence: info.stream_sequence,
                });
            }
            if info.pending == 0 {
                break;
            }
        }
        Ok(keys)
    }

    /// Removes the mark that a deleted key left behind. What was put under that key since stays.
    ///
    /// # Errors
    /// [`BusError`] when it is not known to be gone.
    pub async fn forget(&self, deleted: &BucketKey) -> Result<(), BusError> {
        let subject = format!("$KV.{}.{}", self.name, deleted.key);
        let purge = self.stream.purge().filter(subject).sequence(deleted.js_sequence + 1);
        let purged = self.bus.in_bucket_time(purge.into_future()).await?;
        purged.map(drop).map_err(|error| cannot("forgetting a key")(said(&error)))
    }
}
