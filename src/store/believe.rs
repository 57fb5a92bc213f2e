//! What is known of an entity, compared with what was said of it; the events that follow are written with it.
//! Deliveries and sweeps share this.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::{current, unwatched, writer::Session};
use crate::model::{
    AccountName, Change, EntityKey, EventType, Hearing, Known, Noun, Observation, Phase, PlatformId,
    event::{Event, Origin},
    reduce, subject,
};

/// What one observation of a sweep can be at most: discovered, begun, changed, over.
const CHANGES_MAX: usize = 4;

/// Viewers' sessions and what a viewer wrote are forgotten so long after they were last heard of.
const VIEWER_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Broadcasts that are over, and stand in no list any more.
pub(super) const ENDED_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whose observations they are.
pub(super) struct Speaker<'a> {
    pub(super) account: i64,
    pub(super) name: &'a AccountName,
    pub(super) platform: PlatformId,
}

/// An entity's row.
#[derive(Default)]
pub(super) struct Believed {
    pub(super) known: Known,
    /// When it may be forgotten, in milliseconds.
    pub(super) fades_at: Option<i64>,
}

/// What an observation makes of what was known.
pub(super) struct Weighed {
    /// Each change with what is known after it.
    pub(super) changes: Vec<(Known, Change)>,
    /// What is known in the end, if it is not what the last change left.
    pub(super) rest: Option<Known>,
    pub(super) doubtful_until: Option<Timestamp>,
}

impl Weighed {
    /// Whether everything stays as it was.
    pub(super) fn is_nothing(&self, known: &Known) -> bool {
        self.changes.is_empty() && self.doubtful_until.is_none() && self.rest.as_ref() == Some(known)
    }
}

/// Reduces; what a sweep shows may be several changes at once.
pub(super) fn weigh(known: Option<&Known>, observation: &Observation, hearing: &Hearing) -> Weighed {
    #[cfg(test)]
    assert!(observation.extra.get("defect").is_none(), "as the test wants it");
    let changes_max = if matches!(hearing, Hearing::Sweep { .. }) { CHANGES_MAX } else { 1 };
    let mut weighed = Weighed { changes: Vec::new(), rest: None, doubtful_until: None };
    while weighed.changes.len() < changes_max {
        let latest = weighed.changes.last().map(|(known, _)| known).or(known);
        let reduced = reduce(latest, observation, hearing);
        weighed.doubtful_until = weighed.doubtful_until.or(reduced.doubtful_until);
        match reduced.change {
            Some(change) => weighed.changes.push((reduced.known, change)),
            None => {
                weighed.rest = Some(reduced.known);
                break;
            }
        }
    }
    weighed
}

/// What comes of it; `None` if livehook panics at it, which is told where it happens.
pub(super) fn unless_it_panics<T>(weigh: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(weigh)).ok()
}

/// Compares with what is known and writes what follows; adds the events' types. Returns until when it is
/// doubtful, if it is: then nothing was believed.
pub(super) fn hear(
    session: &mut Session<'_>,
    speaker: &Speaker<'_>,
    observation: &Observation,
    hearing: &Hearing,
    event_types: &mut Vec<String>,
) -> rusqlite::Result<Option<Timestamp>> {
    let entity = observation.entity.to_string();
    let known = load(session.connection, speaker.account, &entity)?.map(|believed| believed.known);
    let weighed = weigh(known.as_ref(), observation, hearing);
    learn(session, speaker, (observation, hearing), known, weighed, event_types)
}

/// Writes what follows from weighing it with what is known. Returns as [`hear`] does.
pub(super) fn learn(
    session: &mut Session<'_>,
    speaker: &Speaker<'_>,
    (observation, hearing): (&Observation, &Hearing),
    known: Option<Known>,
    weighed: Weighed,
    event_types: &mut Vec<String>,
) -> rusqlite::Result<Option<Timestamp>> {
    let noun = observation.entity.noun;
    let is_first_change = known.as_ref().is_none_or(|known| known.revision == 0);
    let forgotten = if is_first_change { forgotten_revisions(session)? } else { 0 };

    let mut newest_row = None;
    for (next, change) in &weighed.changes {
        let revision = next.revision + forgotten;
        newest_row = Some(write_event(session, speaker, observation, hearing, next, revision, change)?);
        event_types.push(change.event_type.to_string());
    }
    let last_change = weighed.changes.into_iter().next_back().map(|(known, _)| known);
    if let Some(mut last) = weighed.rest.or(last_change)
        && last != known.unwrap_or_default()
    {
        if last.revision > 0 {
            last.revision += forgotten;
        }
        let row = newest_row.filter(|_| current::NOUNS.contains(&noun));
        write(session, speaker.account, &observation.entity, &last, row, hearing.at())?;
    }
    Ok(weighed.doubtful_until)
}

/// No less than any revision of what was known and forgotten: what is known again must not repeat them, for an event's
/// id follows from its revision.
pub(super) fn forgotten_revisions(session: &Session<'_>) -> rusqlite::Result<u64> {
    let mut select = session.connection.prepare_cached("SELECT value FROM meta WHERE name = 'forgotten'")?;
    let row: Option<i64> = select.query_row([], |row| row.get(0)).optional()?;
    Ok(row.unwrap_or(0).unsigned_abs())
}

/// Notes that something was forgotten: no revision is above the newest event's row.
fn note_forgotten(connection: &Connection) -> rusqlite::Result<()> {
    let newest =
        "INSERT OR REPLACE INTO meta (name, value) SELECT 'forgotten', ifnull(max(id), 0) FROM event";
    connection.execute(newest, []).map(drop)
}

/// Between which words everything of a noun stands, the second one excluded.
pub(super) fn range(noun: Noun) -> (String, String) {
    (format!("{noun}/"), format!("{noun}0"))
}

/// What is known of an entity; an error that [`is_unreadable`] tells when its row cannot be understood.
pub(super) fn load(
    connection: &Connection,
    account: i64,
    entity: &str,
) -> rusqlite::Result<Option<Believed>> {
    let mut select = connection
        .prepare_cached("SELECT revision, belief, fades_at FROM known WHERE account = ?1 AND entity = ?2")?;
    let mut rows = select.query((account, entity))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let known = known_of(row.get(0)?, row.get_ref(1)?.as_str()?)?;
    Ok(Some(Believed { known, fades_at: row.get(2)? }))
}

/// From the columns `revision` and `belief`.
pub(super) fn known_of(revision: i64, belief: &str) -> rusqlite::Result<Known> {
    let mut known: Known = serde_json::from_str(belief).map_err(to_sql_error)?;
    known.revision = revision.unsigned_abs();
    Ok(known)
}

/// Whether a row of `known` was written that cannot be read back: it is nested too deep.
pub(super) fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::ToSqlConversionFailure(_))
}

fn write(
    session: &Session<'_>,
    account: i64,
    entity: &EntityKey,
    known: &Known,
    row: Option<u64>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let belief = serde_json::to_string(known).map_err(to_sql_error)?;
    let mut upsert = session.connection.prepare_cached(
        "INSERT INTO known (account, entity, revision, updated_at, belief, fades_at, event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (account, entity) DO UPDATE
         SET revision = excluded.revision, updated_at = excluded.updated_at, belief = excluded.belief,
             fades_at = excluded.fades_at, event = ifnull(excluded.event, event)",
    )?;
    upsert.execute((
        account,
        entity.to_string(),
        known.revision as i64,
        now.as_millisecond(),
        belief,
        kept(entity.noun, known).map(|kept| (now + kept).as_millisecond()),
        row.map(|row| row as i64),
    ))?;
    Ok(())
}

/// Writes the first that is known of an entity: for how long, its revision, its belief as it is written, and when.
/// `newest_row` is that of its newest event. Returns `false`, and writes nothing, if something is known already.
pub(super) fn insert(
    session: &Session<'_>,
    account: i64,
    (noun, entity): (Noun, &str),
    (kept, revision, belief): (Option<SignedDuration>, u64, &str),
    newest_row: u64,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO known (account, entity, revision, updated_at, belief, fades_at, event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?;
    let inserted = insert.execute((
        account,
        entity,
        revision as i64,
        now.as_millisecond(),
        belief,
        kept.map(|kept| (now + kept).as_millisecond()),
        current::NOUNS.contains(&noun).then_some(newest_row as i64),
    ))?;
    Ok(inserted == 1)
}

/// How long it is known after it was last heard of; `None` for as long as somebody looks at it.
pub(super) fn kept(noun: Noun, known: &Known) -> Option<SignedDuration> {
    if noun.fades() || noun == Noun::Comment {
        Some(VIEWER_KEPT)
    } else {
        (noun == Noun::Broadcast && known.phase == Some(Phase::Ended)).then_some(ENDED_KEPT)
    }
}

/// Puts off the day on which it may be forgotten; `None` means for ever.
pub(super) fn put_off(
    connection: &Connection,
    account: i64,
    entity: &str,
    fades_at: Option<i64>,
) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE known SET fades_at = ?3
         WHERE account = ?1 AND entity = ?2 AND (?3 IS NULL OR fades_at < ?3)",
    )?;
    update.execute((account, entity, fades_at)).map(drop)
}

/// Forgets a slice of what may be forgotten; returns how many rows went. What still stands in a list stays.
pub(super) fn forget(connection: &Connection, now: Timestamp, slice: usize) -> rusqlite::Result<usize> {
    let mut select =
        connection.prepare_cached("SELECT account, entity FROM known WHERE fades_at < ?1 LIMIT ?2")?;
    let rows =
        select.query_map((now.as_millisecond(), slice as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let due: Vec<(i64, String)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut sighted = connection.prepare_cached(
        "SELECT 1 FROM sighting INDEXED BY sighting_by_entity WHERE account = ?1 AND entity = ?2 LIMIT 1",
    )?;
    let mut delete = connection.prepare_cached("DELETE FROM known WHERE account = ?1 AND entity = ?2")?;
    let mut forgotten = 0;
    for (account, entity) in due {
        if sighted.exists((account, &entity))? {
            put_off(connection, account, &entity, Some((now + VIEWER_KEPT).as_millisecond()))?;
        } else {
            forgotten += delete.execute((account, &entity))?;
        }
    }
    forgotten += unwatched::forget_left(connection, now, slice)?;
    if forgotten > 0 {
        note_forgotten(connection)?;
    }
    Ok(forgotten)
}

/// Returns its row.
fn write_event(
    session: &mut Session<'_>,
    speaker: &Speaker<'_>,
    observation: &Observation,
    hearing: &Hearing,
    known: &Known,
    revision: u64,
    change: &Change,
) -> rusqlite::Result<u64> {
    let origin = origin(speaker.name, speaker.platform, hearing);
    let id = session.mark.event_id(speaker.platform, speaker.name, &observation.entity, revision);
    let sequence = session.next_sequence(speaker.name);
    let event = Event::of(&origin, &id, sequence, observation, known, change);
    let row = EventRow {
        event_type: change.event_type,
        route: &subject::route(speaker.platform, speaker.name, change.event_type),
        entity: &event.subject,
        id: &event.id,
        recorded_at: event.recordedtime,
        envelope: &serde_json::to_vec(&event).map_err(to_sql_error)?,
    };
    insert_event(session, speaker.account, &row)
}

/// Where an event comes from.
pub(super) fn origin(name: &AccountName, platform: PlatformId, hearing: &Hearing) -> Origin {
    Origin {
        platform,
        account: name.clone(),
        via: hearing.via(),
        proof: hearing.proof(),
        recorded_at: hearing.at(),
    }
}

/// An event as it is kept.
pub(super) struct EventRow<'e> {
    pub(super) event_type: EventType,
    pub(super) route: &'e str,
    pub(super) entity: &'e str,
    pub(super) id: &'e str,
    pub(super) recorded_at: Timestamp,
    pub(super) envelope: &'e [u8],
}

/// Returns its row.
pub(super) fn insert_event(
    session: &mut Session<'_>,
    account: i64,
    event: &EventRow<'_>,
) -> rusqlite::Result<u64> {
    let is_playback = event.event_type.noun().is_playback();
    let row = session.newest.event + 1;
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO event (id, account, route, entity, is_playback, event_id, recorded_at, envelope)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute((
        row as i64,
        account,
        event.route,
        event.entity,
        is_playback,
        event.id,
        event.recorded_at.as_millisecond(),
        event.envelope,
    ))?;
    session.newest.note(row, is_playback);
    Ok(row)
}

fn to_sql_error(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
