//! Where broadcasts happen, and how they are set up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The lasting place where broadcasts happen.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Channel {
    /// The platform's own noun where it is not "channel": `room`, `station`.
    pub kind: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The livedigital space it is in.
    pub space_id: Option<String>,
    /// The part of its link that names it.
    pub alias: Option<String>,
    /// Whether everybody may enter.
    pub is_public: Option<bool>,
    /// Whether it is shared with other accounts.
    pub is_shared: Option<bool>,
    /// What it is made for, in the platform's word: `lesson`, `webinar`.
    pub room_type: Option<String>,
    /// Who has to wait before being let in, in the platform's word.
    pub waiting_room_audience: Option<String>,
    /// What is allowed in it, by the platform's name: `{"isChatAllowed": true}`.
    pub permissions: Option<BTreeMap<String, bool>>,
    /// What people are asked before they enter, in the platform's own form.
    pub join_settings: Option<Value>,
    /// Where people are sent afterwards.
    pub redirect_url: Option<String>,
    /// Whether it can be divided into side rooms, in the platform's word.
    pub breakout_status: Option<String>,
    /// How far the division into side rooms is, in the platform's word.
    pub breakout_session: Option<String>,
    /// Picture shown while nothing is on air.
    pub idle_screen_url: Option<String>,
    /// Whether viewers can chat.
    pub has_chat: Option<bool>,
    /// Which players may be used, in the platform's own form.
    pub player_policy: Option<Value>,
    /// Who broadcasts there, as viewers see the name.
    pub streamer_name: Option<String>,
    /// Its picture: host and path, without scheme.
    pub image_url: Option<String>,
    /// When the last broadcast there began, by the platform's clock.
    pub last_broadcast_at: Option<Timestamp>,
}

/// A livedigital space: rooms that belong together.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Space {
    /// What it is called.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its picture.
    pub logo_url: Option<String>,
    /// Whether everybody may see it.
    pub is_public: Option<bool>,
    /// Whether it has a webhook that is switched on.
    pub is_webhook_active: Option<bool>,
    /// The host its webhook calls; the rest of that URL is a secret.
    pub webhook_host: Option<String>,
    /// Keyed fingerprint of its webhook's URL: another one means another URL.
    pub webhook_fingerprint: Option<String>,
}

/// How a streamer has set up the next broadcast.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Title shown to viewers.
    pub title: Option<String>,
    /// The category it will be in.
    pub category_id: Option<String>,
    /// How many may watch.
    pub viewers_max: Option<u64>,
    /// Whether viewers need a password.
    pub is_password_protected: Option<bool>,
    /// Whether it is kept out of lists.
    pub is_hidden: Option<bool>,
    /// The lowest age of viewers, 0 for everybody.
    pub age_limit: Option<u32>,
    /// Words to find it by.
    pub hashtags: Option<Vec<String>>,
    /// What is shown at the end.
    pub ending_message: Option<String>,
    /// Whether there is a waiting room.
    pub has_waiting_room: Option<bool>,
    /// How long the waiting room is open.
    pub waiting_minutes: Option<u32>,
    /// Where the watermark is: 1 to 6 from top left to bottom right.
    pub watermark: Option<u32>,
    /// Whether others are asked not to show it on their own broadcasts.
    pub asks_not_to_restream: Option<bool>,
    /// Whether it contains paid promotion.
    pub is_paid_promotion: Option<bool>,
    /// Where video is sent to; the key is never told.
    pub ingest_url: Option<String>,
}

/// The key with which video is sent in. It is a password, so only its fingerprint is told.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StreamKey {
    /// Keyed fingerprint: another one means another key.
    pub fingerprint: Option<String>,
}
