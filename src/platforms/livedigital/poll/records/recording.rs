//! One recording, as the list of its room shows it.

use super::super::{
    tour::Place,
    wire::{Row, instant, number, text},
};
use crate::model::{Attributes, EntityKey, Noun, Observation, Phase, Rules, entities};

/// Of the platform's words only `new` is documented; the others are those of the webhook.
pub(super) fn phase(row: &Row) -> Phase {
    match (instant(row, "finishedAt"), text(row, "state").as_deref()) {
        (Some(_), _) => Phase::Available,
        (None, Some("failed")) => Phase::Failed,
        (None, Some("aborted")) => Phase::Aborted,
        (None, _) => Phase::Recording,
    }
}

/// What a row says.
pub(super) fn observation(id: &str, place: &Place, row: &Row) -> Observation {
    let finished_at = instant(row, "finishedAt");
    let started_at = instant(row, "startedAt");
    let attributes = entities::Recording {
        title: text(row, "name"),
        channel_id: Some(text(row, "roomId").unwrap_or_else(|| place.room_id.clone())),
        space_id: Some(text(row, "spaceId").unwrap_or_else(|| place.space_id.clone())),
        call_id: text(row, "callId"),
        platform_state: text(row, "state"),
        // It grows with every look at it until then.
        size_bytes: finished_at.and_then(|_| number(row, "fileSize")),
        created_at: instant(row, "createdAt"),
        started_at,
        finished_at,
        ..Default::default()
    };
    Observation {
        phase: Some(phase(row)),
        attributes: Attributes::of(&attributes),
        // When it failed or was aborted is not said.
        at: finished_at.or(started_at.filter(|_| phase(row) == Phase::Recording)),
        rules: Rules::ONE_USE,
        ..Observation::of(EntityKey::new(Noun::Recording, id))
    }
}
