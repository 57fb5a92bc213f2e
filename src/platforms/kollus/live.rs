//! What Kollus's servers say of broadcasts and their recordings.

use super::wire::Fields;
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Phase, Rules, Verb, entities},
    platform::Malformed,
};

/// `live-state`.
pub fn broadcast(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let broadcast_key = fields.identity("broadcast_key")?;
    // Quirk 1: Kollus's own sample reads the misspelt name.
    let (right, misspelt) =
        (fields.identity_if_any("broadcast_state")?, fields.identity_if_any("braoadcast_state")?);
    if right.is_none() && misspelt.is_some() {
        fields.note("misspelt-broadcast-state");
    }
    let Some(broadcast_state) = right.or(misspelt) else {
        return Err(Malformed::because("the form has no field broadcast_state"));
    };
    let (phase, told) = match broadcast_state.as_str() {
        "start" => (Phase::Live, Some(Verb::Started)),
        "resume" => (Phase::Live, Some(Verb::Resumed)),
        "pause" => (Phase::Paused, None),
        "stop" => (Phase::Ended, None),
        _ => return Ok(fields.notice("live-state", Some(&broadcast_key), Some(broadcast_state))),
    };
    Ok(Observation {
        phase: Some(phase),
        told,
        attributes: Attributes::of(&entities::Broadcast {
            channel_id: fields.identity_if_any("channel_key")?,
            ..Default::default()
        }),
        rules: Rules::ONE_USE,
        ..Observation::of(EntityKey::new(Noun::Broadcast, broadcast_key))
    })
}

/// `live-recording`.
pub fn recording(fields: &mut Fields<'_>) -> Result<Observation, Malformed> {
    let file_id = fields.identity("recording_file_id")?;
    let result = fields.identity("recording_file_transfer_result")?;
    let phase = match result.as_str() {
        "1" => Phase::Available,
        "0" => Phase::Failed,
        _ => return Ok(fields.notice("live-recording", Some(&file_id), Some(result))),
    };
    Ok(Observation {
        phase: Some(phase),
        attributes: Attributes::of(&entities::Recording {
            kind: fields.take("recording_file_kind"),
            broadcast_id: fields.identity_if_any("broadcast_key")?,
            channel_id: fields.identity_if_any("channel_key")?,
            file_name: fields.take("recording_file_filename"),
            target_file_name: fields.take("target_filename"),
            ..Default::default()
        }),
        rules: Rules::ONE_USE,
        ..Observation::of(EntityKey::new(Noun::Recording, file_id))
    })
}
