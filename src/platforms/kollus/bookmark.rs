//! What players say of viewers' bookmarks and resume points.

use serde_json::Value;

use super::{
    progress,
    pseudonym::Pseudonyms,
    wire::{Fields, base_key, instant, joined_id, number, plain_number},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Verb, entities},
    platform::{AccountSettings, Malformed},
};

/// `bookmark`.
pub fn of(fields: &mut Fields<'_>, account: &AccountSettings) -> Result<Observation, Malformed> {
    let pseudonyms = Pseudonyms::of_account(account);
    let client_user_id = fields.identity_if_any("client_user_id")?.map(|id| {
        pseudonyms.map_or_else(|| id.clone(), |pseudonyms| pseudonyms.of_id("client_user_id", &id))
    });
    let upload_file_key = fields.identity_if_any("upload_file_key")?;
    let media_content_key = fields.identity_if_any("media_content_key")?;
    let position = fields.identity_if_any("position")?;
    let content_key = upload_file_key.as_deref().or(media_content_key.as_deref().map(base_key));
    let id = joined_id([
        ("viewer (client_user_id)", client_user_id.as_deref()),
        ("content (upload_file_key)", content_key),
        ("position", position.as_deref().map(plain_number).as_deref()),
    ])?;

    let position_seconds = position.as_deref().and_then(|position| number(&Value::from(position)));
    if let (None, Some(position)) = (position_seconds, position) {
        fields.keep("position", position);
    }
    let made_at = fields.peek("localtime").and_then(instant);
    if made_at.is_some() {
        fields.take("localtime");
    }
    Ok(Observation {
        told: Some(Verb::Changed),
        attributes: Attributes::of(&entities::Bookmark {
            client_user_id,
            content_id: content_key.map(str::to_owned),
            // What the customer adds to it may be a person's id.
            media_content_key: media_content_key
                .map(|key| if pseudonyms.is_some() { base_key(&key).to_owned() } else { key }),
            position_seconds,
            title: fields.take("value"),
            label: fields.take("label"),
            made_at,
            user_values: progress::flat_user_values(fields),
        }),
        ..Observation::of(EntityKey::new(Noun::Bookmark, id))
    })
}
