//! The attributes each noun can have: what platforms fill in, what events carry, what schemas say.
//!
//! `id` and `state` are not here: every entity has them (see `Event`). All fields are optional, because
//! no platform says everything and an absent one means "not said".

mod lists;
mod own;
mod places;
mod viewers;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use lists::{Category, Filter};
pub use own::{Credential, Notice, QuarantinedDelivery, Source};
pub use places::{Channel, Settings, Space, StreamKey};
pub use viewers::{Bookmark, Decided, Download, Playback};

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
    /// livedigital: the call that is, or was last, in the room.
    pub call_id: Option<String>,
    /// The category it is in.
    pub category_id: Option<String>,
    /// Who broadcasts, as viewers see the name.
    pub streamer_name: Option<String>,
    /// Whether viewers need a password.
    pub is_password_protected: Option<bool>,
    /// The lowest age of viewers, 0 for everybody.
    pub age_limit: Option<u32>,
    /// Whether others are asked not to show it on their own broadcasts.
    pub asks_not_to_restream: Option<bool>,
    /// Whether it contains paid promotion.
    pub is_paid_promotion: Option<bool>,
    /// Bit rate of the video.
    pub kilobits_per_second: Option<u32>,
    /// Size of the picture, such as `1920x1080`.
    pub resolution: Option<String>,
    /// Whether it happens in a side room of a meeting.
    pub is_breakout: Option<bool>,
    /// How many came, counting each visit; known after the end.
    pub visits: Option<u64>,
    /// How many different people came; known after the end.
    pub visitors: Option<u64>,
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
    /// What the platform calls it.
    pub title: Option<String>,
    /// livedigital: the call it was made from.
    pub call_id: Option<String>,
    /// The platform's word for where it stands; an open list.
    pub platform_state: Option<String>,
    /// Size of the file; known when it is finished.
    pub size_bytes: Option<u64>,
    /// When the platform made the entry.
    pub created_at: Option<Timestamp>,
    /// When recording began.
    pub started_at: Option<Timestamp>,
    /// When recording ended.
    pub finished_at: Option<Timestamp>,
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
    /// Title shown to viewers.
    pub title: Option<String>,
    /// Who published it.
    pub author_name: Option<String>,
    /// Where its author is found: host and path, without scheme.
    pub author_url: Option<String>,
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

/// What a viewer wrote.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Comment {
    /// The broadcast (OpenFRESH: program) it was written for.
    pub broadcast_id: Option<String>,
    /// The kind of author, in the platform's word: `user`.
    pub author_kind: Option<String>,
    /// Who wrote it.
    pub author_id: Option<String>,
    /// The name it was signed with, if it was.
    pub author_name: Option<String>,
    /// What was written, without the names it is addressed to.
    pub text: Option<String>,
    /// What was written, all of it.
    pub full_text: Option<String>,
    /// The names it is addressed to, without `@`.
    pub mentions: Option<Vec<String>>,
    /// Where in the broadcast, in milliseconds from its start; negative before it.
    pub position_ms: Option<i64>,
    /// When it was written.
    pub created_at: Option<Timestamp>,
}
