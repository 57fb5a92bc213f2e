//! What viewers do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Where playback stood when the player asked last: `begin`, `ready`.
    pub stage: Option<String>,
    /// What the player was told when it asked last.
    pub decision: Option<Decided>,
}

/// A viewer's offline copy on one device.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Download {
    /// What the player asked about last: `download`, `completed`, `play`.
    pub action: Option<String>,
    /// The viewer, as the customer named them.
    pub client_user_id: Option<String>,
    /// The player's id.
    pub player_id: Option<String>,
    /// The device's hardware id.
    pub hardware_id: Option<String>,
    /// The device's model or system.
    pub device: Option<String>,
    /// The content, as it was given.
    pub media_content_key: Option<String>,
    /// The same without a custom id behind the first hyphen.
    pub base_media_content_key: Option<String>,
    /// When it was played last, by the device's clock: do not order by it.
    pub started_at: Option<Timestamp>,
    /// Whether it had expired on the device when it was played last.
    pub expired: Option<bool>,
    /// When it expires, as the device knew it when it was played last; in Unix seconds, 0 for never.
    pub expires_at: Option<i64>,
    /// Values the customer attached.
    pub user_values: Option<BTreeMap<String, Value>>,
    /// What the player was told when it asked last.
    pub decision: Option<Decided>,
}

/// What a player was told, and who decided.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Decided {
    /// `allow` or `deny`.
    pub result: String,
    /// `service`: a decision service replied. `memory`: one did, some seconds before. `policy`: none did, and the
    /// account's `on_no_answer` was followed.
    pub decided_by: String,
    /// Why the policy decided: `no_responder`, `timeout`, `invalid_reply`, `bus_down`, `over_capacity`, `unreadable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The decision service's own reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The limits that were given, in the words of a reply (`schemas/questions/`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<BTreeMap<String, Value>>,
    /// From the question's head to its answer.
    pub latency_ms: u64,
    /// The `id` that the decision service was asked with.
    pub question_id: String,
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
