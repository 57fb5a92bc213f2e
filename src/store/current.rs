//! What is believed now, for the bucket of current state, and how far the bucket has been brought.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{CurrentEntity, Mirror, Store, StoreError, believe};
use crate::model::{AccountName, EntityKey, EventMark, Known, Noun};

/// What the bucket shows, in the order of these words.
pub(super) const NOUNS: &[Noun] = &[
    Noun::Broadcast,
    Noun::Category,
    Noun::Channel,
    Noun::Content,
    Noun::Filter,
    Noun::Recording,
    Noun::Space,
];

impl Store {
    /// Everything that the bucket shows and an event has told of, in a fixed order, from behind an account and
    /// an entity (`<noun>/<id>`) on. An empty page is the end. What is gone is among it.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn current_page(
        &self,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<CurrentEntity>, StoreError> {
        let mark = self.shared.mark.clone();
        self.compare(move |connection| page(connection, &mark, after.as_ref(), limit)).await
    }

    /// Entities of the events with a row above `after_row`, each once with its newest belief, and the row up to
    /// which that is all; it is `after_row` when nothing has happened since.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn changed_entities(
        &self,
        after_row: u64,
        limit: usize,
    ) -> Result<(Vec<CurrentEntity>, u64), StoreError> {
        let mark = self.shared.mark.clone();
        self.read(move |connection| changed(connection, &mark, after_row, limit)).await
    }

    /// How far a bucket has been brought; `None` before the first time.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn mirror(&self, bucket: &str) -> Result<Option<Mirror>, StoreError> {
        let bucket = bucket.to_owned();
        self.read(move |connection| mirror(connection, &bucket)).await
    }

    /// Remembers how far a bucket has been brought.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn set_mirror(&self, bucket: &str, mirror: Mirror) -> Result<(), StoreError> {
        let bucket = bucket.to_owned();
        self.write(move |session| set_mirror(session.connection, &bucket, &mirror)).await
    }
}

const COLUMNS: &str = "entity, revision, updated_at, belief, name, platform, left_at IS NOT NULL";

fn page(
    connection: &Connection,
    mark: &EventMark,
    after: Option<&(String, String)>,
    limit: usize,
) -> rusqlite::Result<Vec<CurrentEntity>> {
    // By noun, so that viewers' sessions, which may be very many, are not even looked at.
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM known JOIN account ON account.id = known.account
         WHERE account = ?1 AND entity > ?2 AND entity < ?3 AND revision > 0 AND platform IS NOT NULL
         ORDER BY entity"
    ))?;
    let mut page = Vec::new();
    for (name, account) in accounts(connection)? {
        let behind = match after {
            Some((after, _)) if name < *after => continue,
            Some((after, entity)) if name == *after => entity.as_str(),
            _ => "",
        };
        for noun in NOUNS {
            let (first, end) = believe::range(*noun);
            let from = first.as_str().max(behind);
            let mut rows = select.query((account, from, &end))?;
            while page.len() < limit
                && let Some(row) = rows.next()?
            {
                page.extend(passing_unreadable(current(row, mark))?);
            }
            if page.len() >= limit {
                return Ok(page);
            }
        }
    }
    Ok(page)
}

fn changed(
    connection: &Connection,
    mark: &EventMark,
    after_row: u64,
    limit: usize,
) -> rusqlite::Result<(Vec<CurrentEntity>, u64)> {
    // One commit for both statements.
    let connection = connection.unchecked_transaction()?;
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, event FROM known JOIN account ON account.id = known.account
         WHERE event > ?1 AND platform IS NOT NULL ORDER BY event LIMIT ?2"
    ))?;
    let mut rows = select.query((after_row as i64, limit as i64))?;
    let (mut entities, mut looked_at, mut row_read_to) = (Vec::new(), 0, after_row);
    while let Some(row) = rows.next()? {
        row_read_to = row.get::<_, i64>(7)?.unsigned_abs();
        entities.extend(passing_unreadable(current(row, mark))?);
        looked_at += 1;
    }
    if looked_at < limit {
        let newest = connection.query_row("SELECT ifnull(max(id), 0) FROM event", [], |row| row.get(0))?;
        row_read_to = row_read_to.max(i64::unsigned_abs(newest));
    }
    Ok((entities, row_read_to))
}

/// Names and rows, in the order of names.
fn accounts(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut select = connection.prepare_cached("SELECT name, id FROM account ORDER BY name")?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// From [`COLUMNS`].
fn current(row: &Row<'_>, mark: &EventMark) -> rusqlite::Result<Option<CurrentEntity>> {
    let entity = row.get_ref(0)?.as_str()?.split_once('/');
    let entity = entity.and_then(|(noun, id)| Some(EntityKey::new(Noun::parse(noun)?, id)));
    let name = AccountName::parse(row.get_ref(4)?.as_str()?).ok();
    let (Some(entity), Some(name)) = (entity, name) else { return Ok(None) };
    let known = believe::known_of(row.get(1)?, row.get_ref(3)?.as_str()?)?;
    let updated_at = Timestamp::from_millisecond(row.get(2)?).unwrap_or(Timestamp::UNIX_EPOCH);
    let platform: String = row.get(5)?;
    Ok(Some(CurrentEntity {
        event_id: mark.event_id(&platform, &name, &entity, known.revision),
        account: name.to_string(),
        platform,
        is_former: row.get(6)?,
        entity,
        updated_at: known.moved_at.unwrap_or(updated_at),
        known: Known {
            revision: known.revision,
            phase: known.phase,
            attributes: known.attributes,
            is_gone: known.is_gone,
            ..Known::default()
        },
    }))
}

/// What cannot be read back cannot be shown, and must not hide all others.
fn passing_unreadable(
    current: rusqlite::Result<Option<CurrentEntity>>,
) -> rusqlite::Result<Option<CurrentEntity>> {
    match current {
        Err(error) if believe::is_unreadable(&error) => Ok(None),
        current => current,
    }
}

fn mirror(connection: &Connection, bucket: &str) -> rusqlite::Result<Option<Mirror>> {
    let mut select =
        connection.prepare_cached("SELECT event, created, js_sequence FROM mirror WHERE bucket = ?1")?;
    let mirror = select.query_row([bucket], |row| {
        Ok(Mirror {
            row: row.get::<_, i64>(0)?.unsigned_abs(),
            created: row.get(1)?,
            js_sequence: row.get::<_, i64>(2)?.unsigned_abs(),
        })
    });
    mirror.optional()
}

fn set_mirror(connection: &Connection, bucket: &str, mirror: &Mirror) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT OR REPLACE INTO mirror (bucket, event, created, js_sequence) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let Mirror { row, created, js_sequence } = mirror;
    upsert.execute((bucket, *row as i64, created, *js_sequence as i64)).map(drop)
}
