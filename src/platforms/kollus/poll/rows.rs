//! Rows of the API in our words.
//!
//! Only fields whose meaning is known are published as they are. Of the others, `extra` gets truth values, numbers
//! and times: any text could be a key for sending video.

use serde_json::{Map, Value, json};

use super::{
    super::wire::{is_secret, text},
    answer::Row,
    course::{Course, flag, instant},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Rules, entities},
    platform::{exchange::publishable_url, form::IDENTITY_BYTES_MAX},
};

/// Fields of a channel that have a place of their own.
const OF_CHANNELS: [&str; 8] = [
    "key",
    "title",
    "is_shared",
    "created_at",
    "idle_screen_url",
    "use_chatting_service",
    "media_player_policy",
    "latest_broadcast",
];

/// Fields of a broadcast that have a place of their own.
const OF_BROADCASTS: [&str; 8] =
    ["key", "broadcast_key", "channel", "channel_key", "title", "started_at", "paused_at", "ended_at"];

/// A broadcast as the API shows it, perhaps without saying which one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Broadcast {
    pub(super) key: Option<String>,
    pub(super) channel_key: Option<String>,
    pub(super) title: Option<String>,
    pub(super) course: Course,
    pub(super) extra: Attributes,
}

impl Broadcast {
    /// Reads a row of a list, a single resource, or the `latest_broadcast` of a channel.
    pub(super) fn of(row: &Row, quirks: &mut Vec<&'static str>) -> Self {
        let channel = row.get("channel").and_then(|channel| channel.get("key"));
        Self {
            key: key(row.get("key")).or_else(|| key(row.get("broadcast_key"))),
            channel_key: key(row.get("channel_key")).or_else(|| key(channel)),
            title: row.get("title").and_then(text),
            course: Course::of(row, quirks),
            extra: extra(row, &OF_BROADCASTS),
        }
    }

    /// What was said of the broadcast with this key.
    pub(super) fn observation(&self, key: &str) -> Observation {
        Observation {
            phase: self.course.phase,
            attributes: Attributes::of(&entities::Broadcast {
                channel_id: self.channel_key.clone(),
                title: self.title.clone(),
                started_at: self.course.started_at,
                paused_at: self.course.paused_at,
                ended_at: self.course.ended_at,
                ..Default::default()
            }),
            extra: self.extra.clone(),
            rules: Rules::ONE_USE,
            ..Observation::of(EntityKey::new(Noun::Broadcast, key))
        }
    }
}

/// A channel as the API shows it.
pub(super) struct Channel {
    pub(super) observation: Observation,
    /// `{}`, `[]`, `null` and nothing at all mean that there was none yet.
    pub(super) latest: Option<Broadcast>,
}

impl Channel {
    /// Reads a row; `None` if it does not say which channel it is.
    pub(super) fn of(row: &Row, quirks: &mut Vec<&'static str>) -> Option<(String, Self)> {
        let channel_key = key(row.get("key"))?;
        let latest = row.get("latest_broadcast").and_then(Value::as_object).filter(|row| !row.is_empty());
        let latest = latest.map(|row| Broadcast::of(row, quirks));
        let attributes = Attributes::of(&entities::Channel {
            title: row.get("title").and_then(text),
            created_at: row.get("created_at").and_then(instant),
            is_shared: row.get("is_shared").and_then(flag),
            idle_screen_url: row.get("idle_screen_url").and_then(plain_url),
            has_chat: row.get("use_chatting_service").and_then(flag),
            player_policy: row.get("media_player_policy").and_then(player_policy),
            ..Default::default()
        });
        let observation = Observation {
            attributes,
            extra: extra(row, &OF_CHANNELS),
            ..Observation::of(EntityKey::new(Noun::Channel, channel_key.clone()))
        };
        let latest = latest.map(|latest| Broadcast { channel_key: Some(channel_key.clone()), ..latest });
        Some((channel_key, Self { observation, latest }))
    }
}

/// A key that says which one is meant.
fn key(value: Option<&Value>) -> Option<String> {
    let key = text(value?)?;
    (key.len() <= IDENTITY_BYTES_MAX && !key.chars().any(char::is_control)).then_some(key)
}

/// `{"type": …, "value": …}`; the value comes as text or number.
fn player_policy(value: &Value) -> Option<Value> {
    let kind = value.get("type").and_then(text)?;
    let value = match value.get("value")? {
        Value::Bool(is) => Some(u8::from(*is).to_string()),
        value => text(value),
    };
    Some(json!({ "type": kind, "value": value? }))
}

/// An address without what could be a key to it.
fn plain_url(value: &Value) -> Option<String> {
    publishable_url(value.as_str()?)
}

fn extra(row: &Row, taken: &[&str]) -> Attributes {
    let is_harmless = |value: &Value| match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.parse::<jiff::Timestamp>().is_ok(),
        _ => false,
    };
    let others = row
        .iter()
        .filter(|(name, value)| !taken.contains(&name.as_str()) && !is_secret(name) && is_harmless(value));
    let mut extra: Map<_, _> = others.map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Some(is_onair) = row.get("is_onair").and_then(flag) {
        extra.insert("is_onair".to_owned(), is_onair.into());
    }
    extra.into()
}
