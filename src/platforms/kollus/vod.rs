//! What Kollus's servers say of content: uploads, transcoding, edits, channels.

use serde_json::json;

use super::wire::{Fields, base_key};
use crate::{
    model::{Attributes, EntityKey, Member, Noun, Observation, Phase, Verb, entities},
    platform::Malformed,
};

/// `vod-upload`.
pub fn upload(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let content = content(fields)?;
    Ok(Observation {
        phase: Some(Phase::Uploaded),
        told: Some(Verb::Uploaded),
        attributes: names(fields),
        ..Observation::of(content)
    })
}

/// `vod-transcoding`.
pub fn transcoding(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let content = content(fields)?;
    let result = fields.identity("transcoding_result")?;
    let (phase, verb) = match result.as_str() {
        "success" => (Phase::Transcoded, Verb::Transcoded),
        "fail" => (Phase::TranscodingFailed, Verb::TranscodingFailed),
        _ => return Ok(fields.notice("vod-transcoding", Some(&content.id), Some(result))),
    };
    // Quirk 2: here `filename` is what the other callbacks call `full_filename`.
    let full_file_name = fields.take("full_filename");
    let full_file_name = full_file_name.or_else(|| fields.take("filename"));
    Ok(Observation {
        phase: Some(phase),
        told: Some(verb),
        attributes: Attributes::of(&entities::Content { full_file_name, ..Default::default() }),
        ..Observation::of(content)
    })
}

/// `vod-content-update`. The values of `update_type` are not documented; deleting is one of them.
pub fn content_update(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let content = content(fields)?;
    Ok(Observation { told: Some(Verb::Updated), attributes: names(fields), ..Observation::of(content) })
}

/// `vod-channel-join`.
pub fn channel_join(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let content = content(fields)?;
    let channel_key = fields.identity("channel_key")?;
    let media_content_key = fields.take("media_content_key");
    let profile_keys = fields.take("profile_key").map(|keys| keys.split('|').map(str::to_owned).collect());
    let entry = Attributes::of(&entities::ContentChannel {
        id: channel_key.clone(),
        name: fields.take("channel_name"),
        base_media_content_key: media_content_key.as_deref().map(base_key).map(str::to_owned),
        media_content_key,
        profile_keys,
    });
    // The list of channels does not say which of them is new.
    fields.keep("channel_key", channel_key.as_str());
    Ok(Observation {
        told: Some(Verb::ChannelJoined),
        attributes: names(fields),
        member: Some(Box::new(Member { list: "channels", id: channel_key, entry: Some(json!(entry)) })),
        ..Observation::of(content)
    })
}

/// `vod-channel-leave`. What it says of the channel has no other place than `extra`.
pub fn channel_leave(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let content = content(fields)?;
    let channel_key = fields.identity("channel_key")?;
    fields.keep("channel_key", channel_key.as_str());
    Ok(Observation {
        told: Some(Verb::ChannelLeft),
        attributes: names(fields),
        member: Some(Box::new(Member { list: "channels", id: channel_key, entry: None })),
        ..Observation::of(content)
    })
}

/// `vod-drop-off`: named in a list of callbacks, described nowhere.
pub fn drop_off(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let mut id = None;
    for name in ["upload_file_key", "media_content_key"] {
        id = id.or(fields.identity_if_any(name)?);
    }
    Ok(fields.notice("vod-drop-off", id.as_deref(), None))
}

/// The upload; where Kollus leaves its key out, the key that the content has in a channel.
fn content(fields: &mut Fields<'_>) -> Result<EntityKey, Malformed> {
    fields.check_identity("media_content_key")?;
    let upload_file_key = fields.identity_if_any("upload_file_key")?;
    let id = upload_file_key.as_deref().or(fields.peek("media_content_key").map(base_key));
    match id {
        Some(id) if !id.is_empty() => Ok(EntityKey::new(Noun::Content, id)),
        _ => Err(Malformed::because("the form has neither upload_file_key nor media_content_key")),
    }
}

fn names(fields: &mut Fields<'_>) -> Attributes {
    Attributes::of(&entities::Content {
        file_name: fields.take("filename"),
        full_file_name: fields.take("full_filename"),
        ..Default::default()
    })
}
