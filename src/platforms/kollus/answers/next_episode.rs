//! Which video comes next? The names of the fields are chosen in the console, but for a few that samples use.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{members::Members, question};
use crate::{
    platform::{AccountSettings, Malformed, Question, form::Form},
    platforms::kollus::wire::base_key,
};

/// Names of fields → what they carry, unless the account says otherwise.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("mck", "media_content_key"),
    ("media_content_key", "media_content_key"),
    ("client_user_id", "client_user_id"),
    ("player_id", "player_id"),
    ("hardware_id", "hardware_id"),
    ("device_name", "device"),
    ("deviceName", "device"),
    ("channel_key", "channel_id"),
];

/// A player wants to know which video comes next.
#[derive(Serialize, JsonSchema, Debug)]
pub struct NextEpisodeQuestion {
    /// The viewer, as the customer named them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_user_id: Option<String>,
    /// The player's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player_id: Option<String>,
    /// The device's hardware id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// The device's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What is played now, as it was given.
    pub media_content_key: String,
    /// The same without a custom id behind the first hyphen.
    pub base_media_content_key: String,
    /// The channel it is played from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// What the customer attached to the link: `uservalue0` and the like.
    pub user_values: Map<String, Value>,
    /// Further fields of the platform, by its own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// `next-episode`.
pub fn read(form: &Form, account: &AccountSettings) -> Result<Question, Malformed> {
    let mut members = Members::of_form(form, account)?;
    let chosen = account.questions.iter().flat_map(|settings| &settings.next_episode_fields);
    let chosen: Vec<_> = chosen.map(|(name, carries)| (name.as_str(), carries.as_str())).collect();
    let is_chosen = |name: &str| chosen.iter().any(|(other, _)| *other == name);
    let well_known = WELL_KNOWN.iter().copied().filter(|(name, _)| !is_chosen(name));
    let mut attached = Map::new();
    let mut carried = Vec::new();
    for (name, carries) in chosen.iter().copied().chain(well_known) {
        match carries.strip_prefix("user_values.") {
            Some(key) => attached.extend(members.text(&[name]).map(|value| (key.to_owned(), value.into()))),
            None => carried.push((name, carries)),
        }
    }
    // The first of them that says something; they are asked for in the order of the account's choice.
    let mut identity = |attribute: &str| {
        let names = carried.iter().filter(|(_, carries)| *carries == attribute).map(|(name, _)| name);
        let mut found = None;
        for name in names {
            if found.is_none() {
                found = members.identity(name)?;
            }
        }
        Ok(found)
    };
    let media_content_key = identity("media_content_key")?.ok_or_else(|| {
        Malformed::because("the form has no field that carries media_content_key, such as mck")
    })?;
    let client_user_id = identity("client_user_id")?;
    let player_id = identity("player_id")?;
    let hardware_id = identity("hardware_id")?;
    let device = identity("device")?;
    let channel_id = identity("channel_id")?;
    let mut user_values = members.user_values()?;
    user_values.extend(attached);
    let asked = NextEpisodeQuestion {
        client_user_id,
        player_id,
        hardware_id,
        device,
        base_media_content_key: base_key(&media_content_key).to_owned(),
        media_content_key,
        channel_id,
        user_values,
        extra: members.into_extra(),
    };
    Ok(question("next-episode", &asked))
}
