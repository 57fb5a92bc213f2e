//! May this viewer keep a copy, or play the one they kept? One `download` callback asks about several copies at once.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{members::Members, question};
use crate::{
    platform::{AccountSettings, Asked, Delivery, Malformed, Question, form::Form, json},
    platforms::kollus::wire::base_key,
};

/// The most that is asked at once; players ask for a handful.
const ITEMS_MAX: usize = 100;
/// Of the JSON, decoded.
const ITEMS_BYTES_MAX: usize = 64 * 1024;

/// A viewer wants to keep a copy on a device, has got one, or plays one.
#[derive(Serialize, JsonSchema, Debug)]
pub struct DownloadQuestion {
    /// The platform's number of this kind of question: 1, 2 or 3.
    pub kind: i64,
    /// What is being done.
    pub action: Action,
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
    /// The content, as it was given.
    pub media_content_key: String,
    /// The same without a custom id behind the first hyphen.
    pub base_media_content_key: String,
    /// The player's session. Whoever knows it could answer for it: keep it to yourself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// When the session began, by the device's clock, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// Whether the copy has expired on the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
    /// Whether the time has come at which the copy was to be checked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_due: Option<bool>,
    /// Whether the viewer asked to refresh all copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_requested: Option<bool>,
    /// When the copy expires as the device knows it, in Unix seconds; 0 for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// What the customer attached to the link: `uservalue0` and the like.
    pub user_values: Map<String, Value>,
    /// Now, by the device's clock, in Unix seconds. What was done offline is told later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_time: Option<i64>,
    /// Further fields of the platform, by its own names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// What is being done with a copy.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Kind 1: it is to be downloaded.
    Download,
    /// Kind 2: it was downloaded.
    Completed,
    /// Kind 3: it is to be played.
    Play,
}

/// `download`.
pub fn read(delivery: &Delivery, account: &AccountSettings) -> Result<Asked, Malformed> {
    // Some players write JSON without escaping it. That must be seen before the form is decoded, for `+` and `&` mean
    // something else there. A list that is escaped begins with `%5B`.
    let raw = delivery.body.strip_prefix(b"items=").and_then(|raw| json::parse(raw).ok());
    let mut quirks = Vec::new();
    let mut beside = Map::new();
    let items = match raw {
        Some(items) => {
            quirks.push("items-not-escaped");
            items
        }
        None => {
            let content_type = delivery.content_type.as_deref();
            let form = Form::decode_within(ITEMS_BYTES_MAX, &delivery.body, content_type, account.charset)?;
            if form.is_empty() {
                return Ok(Asked::Probe);
            }
            quirks.extend(form.quirk());
            // They go for every item that has none of its own.
            beside = Members::of_form(&form, account)?.user_values()?;
            let items = form.get("items").ok_or_else(|| Malformed::because("the form has no field items"))?;
            json::parse(items.as_bytes())
                .map_err(|Malformed(why)| Malformed(format!("the field items cannot be read: {why}")))?
        }
    };
    let Value::Array(items) = items else {
        return Err(Malformed::because("the field items is not a JSON list"));
    };
    if items.len() > ITEMS_MAX {
        return Err(Malformed(format!("the field items has more than {ITEMS_MAX} entries")));
    }
    let read_item = |(index, item)| one(Members::of_item("items", index, item, account)?, &beside);
    let questions = items.into_iter().enumerate().map(read_item).collect::<Result<_, _>>()?;
    Ok(Asked::Questions { questions, quirks })
}

fn one(mut members: Members, beside: &Map<String, Value>) -> Result<Question, Malformed> {
    let kind = members.kind([1, 2, 3])?;
    let media_content_key = members.needed("media_content_key")?;
    let mut user_values = members.user_values()?;
    for (name, value) in beside {
        user_values.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let asked = DownloadQuestion {
        kind,
        action: match kind {
            1 => Action::Download,
            2 => Action::Completed,
            _ => Action::Play,
        },
        client_user_id: members.needed("client_user_id")?,
        player_id: members.identity("player_id")?,
        hardware_id: members.identity("hardware_id")?,
        device: members.text(&["device_name", "deviceName"]),
        base_media_content_key: base_key(&media_content_key).to_owned(),
        media_content_key,
        session_key: members.identity("session_key")?,
        started_at: members.integer("start_at")?,
        expired: members.flag("content_expired")?,
        check_due: members.flag("check_expired")?,
        refresh_requested: members.flag("reset_req")?,
        expires_at: members.integer("expiration_date")?,
        user_values,
        device_time: members.integer("localtime")?,
        extra: members.into_extra(),
    };
    Ok(question("download", &asked))
}
