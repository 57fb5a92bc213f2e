//! May this viewer play? Asked by `vod-play` (before playback and again when the player is ready) and `live-play`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{members::Members, question};
use crate::{
    platform::{AccountSettings, Malformed, Question, form::Form},
    platforms::kollus::wire::base_key,
};

/// A viewer wants to play a video.
#[derive(Serialize, JsonSchema, Debug)]
pub struct PlayQuestion {
    /// The platform's number of this kind of question: 1 or 3.
    pub kind: i64,
    /// Where playback stands.
    pub stage: Stage,
    /// The viewer, as the customer named them.
    pub client_user_id: String,
    /// The player's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player_id: Option<String>,
    /// The device's hardware id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// The device's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What is to be played, as it was given.
    pub media_content_key: String,
    /// The same without a custom id behind the first hyphen.
    pub base_media_content_key: String,
    /// What the customer attached to the link: `uservalue0` and the like.
    pub user_values: Map<String, Value>,
    /// Now, by the device's clock, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_time: Option<i64>,
    /// Further fields of the platform, by its own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// Where playback stands.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Kind 1: it has not begun; the answer sets its limits.
    Begin,
    /// Kind 3: the player is ready; the answer is the last word.
    Ready,
}

/// A viewer wants to watch a broadcast.
#[derive(Serialize, JsonSchema, Debug)]
pub struct LivePlayQuestion {
    /// The platform's number of this kind of question: 100.
    pub kind: i64,
    /// The viewer, as the customer named them.
    pub client_user_id: String,
    /// The player's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player_id: Option<String>,
    /// The device's hardware id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// The device's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The broadcast's key, says the documentation; samples call the channel's key so.
    pub media_content_key: String,
    /// The channel's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// What the customer attached to the link: `uservalue0` and the like.
    pub user_values: Map<String, Value>,
    /// Now, by the device's clock, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_time: Option<i64>,
    /// Further fields of the platform, by its own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// `vod-play`.
pub fn read_vod(form: &Form, account: &AccountSettings) -> Result<Question, Malformed> {
    let mut members = Members::of_form(form, account)?;
    let kind = members.kind([1, 3])?;
    let media_content_key = members.needed("media_content_key")?;
    Ok(same_for_a_while(question(
        "play",
        &PlayQuestion {
            kind,
            stage: if kind == 1 { Stage::Begin } else { Stage::Ready },
            client_user_id: members.needed("client_user_id")?,
            player_id: members.identity("player_id")?,
            hardware_id: members.identity("hardware_id")?,
            device: members.text(&["device_name", "deviceName"]),
            base_media_content_key: base_key(&media_content_key).to_owned(),
            media_content_key,
            user_values: members.user_values()?,
            device_time: members.integer("localtime")?,
            extra: members.into_extra(),
        },
    )))
}

/// `live-play`.
pub fn read_live(form: &Form, account: &AccountSettings) -> Result<Question, Malformed> {
    let mut members = Members::of_form(form, account)?;
    Ok(same_for_a_while(question(
        "live-play",
        &LivePlayQuestion {
            kind: members.kind([100])?,
            client_user_id: members.needed("client_user_id")?,
            player_id: members.identity("player_id")?,
            hardware_id: members.identity("hardware_id")?,
            device: members.text(&["device_name", "deviceName"]),
            media_content_key: members.needed("media_content_key")?,
            channel_id: members.identity("channel_key")?,
            user_values: members.user_values()?,
            device_time: members.integer("localtime")?,
            extra: members.into_extra(),
        },
    )))
}

/// One decision serves both questions of a playback, which differ in their kind and in the time they were asked.
fn same_for_a_while(question: Question) -> Question {
    let mut same = question.asked.clone();
    same.retain(|field, _| !["kind", "stage", "device_time"].contains(&field.as_str()));
    Question { same_decision: Some(format!("{} {}", question.name, Value::Object(same))), ..question }
}
