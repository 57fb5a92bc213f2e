//! What is seen for the first time, worked out beside the writer, behind which callbacks wait: the first sweep of
//! a long list is nothing but such. What is left to the writer is what only it knows: ids, places in the order,
//! and whether somebody else told of it meanwhile.

use jiff::SignedDuration;

use crate::{
    model::{AccountName, EventId, EventType, Hearing, Observation, PlatformId, event::Event, subject},
    store::{
        believe::{self, EventRow, Speaker, Weighed},
        writer::Session,
    },
};

/// What is to be written of something of which nothing is known.
pub(super) struct Prepared {
    /// `<noun>/<id>`.
    entity: String,
    steps: Vec<Step>,
    /// Of what is known in the end.
    revision: u64,
    kept: Option<SignedDuration>,
    belief: String,
}

/// An event that has no id yet, and no place in the order.
struct Step {
    revision: u64,
    event_type: EventType,
    route: String,
    envelope: Template,
}

impl Prepared {
    /// `None` when the writer has to look at it itself.
    pub(super) fn of(
        name: &AccountName,
        platform: PlatformId,
        observation: &Observation,
        hearing: &Hearing,
        weighed: Weighed,
    ) -> Option<Self> {
        if weighed.doubtful_until.is_some() || weighed.changes.is_empty() {
            return None;
        }
        let origin = believe::origin(name, platform, hearing);
        let mut steps = Vec::with_capacity(weighed.changes.len());
        for (known, change) in &weighed.changes {
            let no_id = EventId::from(String::new());
            let event = Event::of(&origin, &no_id, 0, observation, known, change);
            steps.push(Step {
                revision: known.revision,
                event_type: change.event_type,
                route: subject::route(platform, name, change.event_type),
                envelope: Template::of(event)?,
            });
        }
        let last_change = weighed.changes.into_iter().next_back().map(|(known, _)| known);
        let known = weighed.rest.or(last_change)?;
        let belief = serde_json::to_string(&known).ok()?;
        Some(Self {
            entity: observation.entity.to_string(),
            steps,
            revision: known.revision,
            kept: believe::kept(observation.entity.noun, &known),
            belief,
        })
    }

    /// Writes it, and adds the events' types; `false` when something is known of it by now: then nothing was
    /// written.
    pub(super) fn write(
        &self,
        session: &mut Session<'_>,
        speaker: &Speaker<'_>,
        observation: &Observation,
        hearing: &Hearing,
        event_types: &mut Vec<String>,
    ) -> rusqlite::Result<bool> {
        let entity = (observation.entity.noun, &*self.entity);
        let forgotten = believe::forgotten_revisions(session)?;
        let known = (self.kept, self.revision + forgotten, &*self.belief);
        let newest_row = session.newest.event + self.steps.len() as u64;
        if !believe::insert(session, speaker.account, entity, known, newest_row, hearing.at())? {
            return Ok(false);
        }
        for step in &self.steps {
            let revision = step.revision + forgotten;
            let id = session.mark.event_id(speaker.platform, speaker.name, &observation.entity, revision);
            let sequence = session.next_sequence(speaker.name);
            let row = EventRow {
                event_type: step.event_type,
                route: &step.route,
                entity: &self.entity,
                id: id.as_str(),
                recorded_at: hearing.at(),
                envelope: &step.envelope.filled(id.as_str(), sequence),
            };
            believe::insert_event(session, speaker.account, &row)?;
            event_types.push(step.event_type.to_string());
        }
        Ok(true)
    }
}

/// An envelope as it is published, with two gaps: its id and its place in the order.
struct Template {
    bytes: Vec<u8>,
    id_at: usize,
    sequence_at: usize,
}

impl Template {
    fn of(mut event: Event) -> Option<Self> {
        (event.id, event.sequence) = (String::new(), String::new());
        let text = serde_json::to_string(&event).ok()?;
        // Both stand before all that a platform said, and inside of a text there is no bare quotation mark.
        let behind = |gap: &str| text.find(gap).map(|at| at + gap.len() - 1);
        let (id_at, sequence_at) = (behind(r#","id":"""#)?, behind(r#","sequence":"""#)?);
        Some(Self { bytes: text.into_bytes(), id_at, sequence_at })
    }

    fn filled(&self, id: &str, sequence: u64) -> Vec<u8> {
        let sequence = format!("{sequence:016}");
        let mut filled = Vec::with_capacity(self.bytes.len() + id.len() + sequence.len());
        filled.extend_from_slice(&self.bytes[..self.id_at]);
        filled.extend_from_slice(id.as_bytes());
        filled.extend_from_slice(&self.bytes[self.id_at..self.sequence_at]);
        filled.extend_from_slice(sequence.as_bytes());
        filled.extend_from_slice(&self.bytes[self.sequence_at..]);
        filled
    }
}
