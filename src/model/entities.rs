//! The attributes each noun can have: what platforms fill in, what events carry, what schemas say.
//!
//! `id` and `state` are not here: every entity has them (see `Event`). All fields are optional, because
//! no platform says everything and an absent one means "not said".

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One live session.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Broadcast {
    /// The platform's own noun where it is not "broadcast": `call`, `program`.
    pub kind: Option<String>,
    /// The channel (or room) it happens in.
    pub channel_id: Option<String>,
    /// The livedigital space it happens in.
    pub space_id: Option<String>,
    /// Title shown to viewers.
    pub title: Option<String>,
    /// When it began, by the platform's clock.
    pub started_at: Option<Timestamp>,
    /// When it was interrupted, by the platform's clock.
    pub paused_at: Option<Timestamp>,
    /// When it ended, by the platform's clock.
    pub ended_at: Option<Timestamp>,
}

/// A file made from a broadcast.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Recording {
    /// The platform's kind of recording, such as `segment`.
    pub kind: Option<String>,
    /// The broadcast it was made from.
    pub broadcast_id: Option<String>,
    /// The channel (or room) of that broadcast.
    pub channel_id: Option<String>,
    /// The livedigital space of that broadcast.
    pub space_id: Option<String>,
    /// Path of the file at the platform.
    pub file_name: Option<String>,
    /// Name of the file at the place it was transferred to.
    pub target_file_name: Option<String>,
}

/// A video-on-demand asset, from its upload on.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Content {
    /// Name of the uploaded file.
    pub file_name: Option<String>,
    /// The same with its folders.
    pub full_file_name: Option<String>,
    /// The channels it is in, as far as livehook was told.
    pub channels: Option<Vec<ContentChannel>>,
}

/// A channel that content is in.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContentChannel {
    /// The channel's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The content's key in this channel, as it was given.
    pub media_content_key: Option<String>,
    /// The same without a custom id behind the first hyphen.
    pub base_media_content_key: Option<String>,
    /// Keys of the transcoded profiles.
    pub profile_keys: Option<Vec<String>>,
}

/// A viewer playing: the latest figures of one session. They are cumulative; overwrite, never add.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Playback {
    /// `vod` or `live`.
    pub kind: Option<String>,
    /// The viewer, as the customer named them.
    pub client_user_id: Option<String>,
    /// The player's id.
    pub player_id: Option<String>,
    /// The device's hardware id.
    pub hardware_id: Option<String>,
    /// The device's model or system.
    pub device: Option<String>,
    /// Domain of the page that asked for the video.
    pub host_name: Option<String>,
    /// What is played, as it was given.
    pub media_content_key: Option<String>,
    /// The same without a custom id behind the first hyphen.
    pub base_media_content_key: Option<String>,
    /// The channel it is played from.
    pub channel_id: Option<String>,
    /// The transcoded profile.
    pub encoding_profile: Option<String>,
    /// What the player did last, in the platform's word: `play`, `stop`, ...
    pub status: Option<String>,
    /// When the session began; for offline copies by the device's clock.
    pub started_at: Option<Timestamp>,
    /// Length of the video.
    pub duration_seconds: Option<f64>,
    /// Time played.
    pub play_seconds: Option<f64>,
    /// Time played as the platform's "real play time" (its unit includes playback speed).
    pub real_play_seconds: Option<f64>,
    /// Share of the video played; above 100 when parts were played again.
    pub play_percent: Option<f64>,
    /// Position of the player.
    pub position_seconds: Option<f64>,
    /// Time the player has been open.
    pub run_seconds: Option<f64>,
    /// Time the player has been in its playing condition.
    pub show_seconds: Option<f64>,
    /// Which parts were played, in the platform's own form.
    pub blocks: Option<Value>,
    /// Values the customer attached to the session.
    pub user_values: Option<BTreeMap<String, Value>>,
}

/// A viewer's bookmark or resume point.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bookmark {
    /// The viewer, as the customer named them.
    pub client_user_id: Option<String>,
    /// The content.
    pub content_id: Option<String>,
    /// The content's key in a channel.
    pub media_content_key: Option<String>,
    /// Where in the video.
    pub position_seconds: Option<f64>,
    /// What the viewer called it.
    pub title: Option<String>,
    /// Title of the list it is in.
    pub label: Option<String>,
    /// When it was made, by the device's clock: do not order by it.
    pub made_at: Option<Timestamp>,
    /// Values the customer attached.
    pub user_values: Option<BTreeMap<String, Value>>,
}

/// A callback that could not be understood. Its bytes are kept: `livehook quarantine show <id>`.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QuarantinedDelivery {
    /// The callback it arrived on.
    pub callback: Option<String>,
    /// Why it could not be understood.
    pub reason: Option<String>,
    /// Length of its body.
    pub body_bytes: Option<u64>,
}

/// A callback whose meaning is undocumented, or an unknown event name; its fields are in `data.extra`.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Notice {
    /// The callback it arrived on.
    pub callback: Option<String>,
    /// The platform's name for what happened, where it gives one.
    pub name: Option<String>,
}
