//! Rows of watches, of their lists, and of what stood in these.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    Retry, WatchStanding,
    absence::{GONE_AT, Scope, speaks},
    believe,
};
use crate::{model::Noun, platform::Listed};

/// Which watch.
#[derive(Clone, Copy, Debug)]
pub(super) struct WatchKey<'a> {
    pub(super) account: i64,
    pub(super) watch: &'a str,
}

/// An account's row, if it has one.
pub(super) fn account_id(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM account WHERE name = ?1")?;
    select.query_row([name], |row| row.get(0)).optional()
}

pub(super) fn standing(connection: &Connection, key: WatchKey<'_>) -> rusqlite::Result<WatchStanding> {
    let mut select = connection.prepare_cached(
        "SELECT cursor, last_success_at, last_requests, last_failure_at, last_failure, failures,
             retry_at, is_lasting, asked_as
         FROM watch WHERE account = ?1 AND watch = ?2",
    )?;
    let standing = select.query_row((key.account, key.watch), |row| {
        let cursor: Option<String> = row.get(0)?;
        Ok(WatchStanding {
            // It was written from JSON.
            cursor: cursor.and_then(|cursor| serde_json::from_str(&cursor).ok()),
            last_success_at: time(row, 1)?,
            last_requests: row.get(2)?,
            last_failure_at: time(row, 3)?,
            last_failure: row.get(4)?,
            failures: row.get(5)?,
            retry: match (time(row, 6)?, row.get(8)?) {
                (Some(at), Some(asked_as)) => Some(Retry { at, is_lasting: row.get(7)?, asked_as }),
                _ => None,
            },
        })
    });
    Ok(standing.optional()?.unwrap_or_default())
}

/// `cursor: None` leaves it as it is.
pub(super) fn note_success(
    connection: &Connection,
    key: WatchKey<'_>,
    cursor: Option<&str>,
    at: Timestamp,
    requests: u32,
) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO watch (account, watch, cursor, last_success_at, last_requests) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account, watch) DO UPDATE
         SET cursor = ifnull(excluded.cursor, cursor), last_success_at = excluded.last_success_at,
             last_requests = excluded.last_requests, failures = 0, retry_at = NULL, is_lasting = 0, asked_as = NULL",
    )?;
    upsert.execute((key.account, key.watch, cursor, at.as_millisecond(), requests)).map(drop)
}

pub(super) fn note_failure(
    connection: &Connection,
    key: WatchKey<'_>,
    at: Timestamp,
    reason: &str,
    retry: Option<&Retry>,
) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO watch (account, watch, last_failure_at, last_failure, failures, retry_at, is_lasting, asked_as)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)
         ON CONFLICT (account, watch) DO UPDATE
         SET last_failure_at = excluded.last_failure_at, last_failure = excluded.last_failure,
             failures = failures + 1, retry_at = excluded.retry_at, is_lasting = excluded.is_lasting,
             asked_as = excluded.asked_as",
    )?;
    upsert.execute((
        key.account,
        key.watch,
        at.as_millisecond(),
        reason,
        retry.map(|retry| retry.at.as_millisecond()),
        retry.is_some_and(|retry| retry.is_lasting),
        retry.map(|retry| &*retry.asked_as),
    ))?;
    Ok(())
}

/// The lists of a watch by name.
pub(super) fn scopes(connection: &Connection, key: WatchKey<'_>) -> rusqlite::Result<HashMap<String, Scope>> {
    let mut select = connection.prepare_cached(
        "SELECT known_since, swept_at, swept_before, is_doubted, scope FROM scope
         WHERE account = ?1 AND watch = ?2",
    )?;
    let rows = select.query_map((key.account, key.watch), |row| Ok((row.get(4)?, scope(row)?)))?;
    rows.collect()
}

pub(super) fn write_scope(
    connection: &Connection,
    key: WatchKey<'_>,
    name: &str,
    scope: &Scope,
) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT OR REPLACE INTO scope (account, watch, scope, known_since, swept_at, swept_before, is_doubted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    upsert.execute((
        key.account,
        key.watch,
        name,
        ms(scope.known_since),
        ms(scope.swept_at),
        ms(scope.swept_before),
        scope.is_doubted,
    ))?;
    Ok(())
}

/// Columns known_since, swept_at, swept_before, is_doubted.
fn scope(row: &Row<'_>) -> rusqlite::Result<Scope> {
    Ok(Scope {
        known_since: time(row, 0)?,
        swept_at: time(row, 1)?,
        swept_before: time(row, 2)?,
        is_doubted: row.get(3)?,
    })
}

/// A column of milliseconds.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
}

/// An entry of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) absences: u8,
    pub(super) listed_from: Option<Timestamp>,
}

pub(super) fn entry(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    entity: &str,
) -> rusqlite::Result<Option<Entry>> {
    let mut select = connection.prepare_cached(
        "SELECT absences, listed_from FROM sighting
         WHERE account = ?1 AND watch = ?2 AND scope = ?3 AND entity = ?4",
    )?;
    let found = select.query_row((key.account, key.watch, scope, entity), |row| {
        Ok(Entry { absences: row.get(0)?, listed_from: time(row, 1)? })
    });
    found.optional()
}

/// Calls `each` with every entry of a list that is of this noun.
pub(super) fn each_entry(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    noun: Noun,
    mut each: impl FnMut(&str, Entry),
) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(
        "SELECT entity, absences, listed_from FROM sighting
         WHERE account = ?1 AND watch = ?2 AND scope = ?3 AND entity >= ?4 AND entity < ?5",
    )?;
    let (first, end) = believe::range(noun);
    let mut rows = select.query((key.account, key.watch, scope, first, end))?;
    while let Some(row) = rows.next()? {
        each(row.get_ref(0)?.as_str()?, Entry { absences: row.get(1)?, listed_from: time(row, 2)? });
    }
    Ok(())
}

/// It stands in the list. `resets` is whether that ends an absence.
pub(super) fn note_entry(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    entity: &str,
    listed_from: Option<Timestamp>,
    resets: bool,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(if resets {
        "INSERT INTO sighting (account, watch, scope, entity, listed_from) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET absences = 0, listed_from = excluded.listed_from"
    } else {
        "INSERT INTO sighting (account, watch, scope, entity, listed_from) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING"
    })?;
    let listed_from = listed_from.map(Timestamp::as_millisecond);
    insert.execute((key.account, key.watch, scope, entity, listed_from)).map(drop)
}

pub(super) fn set_absences(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    entity: &str,
    absences: u8,
) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE sighting SET absences = ?5 WHERE account = ?1 AND watch = ?2 AND scope = ?3 AND entity = ?4",
    )?;
    update.execute((key.account, key.watch, scope, entity, absences)).map(drop)
}

/// The first entries of a list.
pub(super) fn first_entries(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    entries_max: usize,
) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare_cached(
        "SELECT entity FROM sighting WHERE account = ?1 AND watch = ?2 AND scope = ?3 LIMIT ?4",
    )?;
    let entries_max = i64::try_from(entries_max).unwrap_or(i64::MAX);
    select.query_map((key.account, key.watch, scope, entries_max), |row| row.get(0))?.collect()
}

/// Names of the lists of a watch in which something stands.
pub(super) fn lists_with_entries(
    connection: &Connection,
    key: WatchKey<'_>,
) -> rusqlite::Result<Vec<String>> {
    // Leaps from list to list, past the entries.
    let mut select = connection.prepare_cached(
        "SELECT scope FROM sighting WHERE account = ?1 AND watch = ?2 AND scope > ?3 ORDER BY scope LIMIT 1",
    )?;
    let mut names: Vec<String> = Vec::new();
    loop {
        let behind = names.last().map_or("", String::as_str);
        match select.query_row((key.account, key.watch, behind), |row| row.get(0)).optional()? {
            Some(name) => names.push(name),
            None => return Ok(names),
        }
    }
}

/// Strikes it from one list.
pub(super) fn strike_entry(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    entity: &str,
) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM sighting WHERE account = ?1 AND watch = ?2 AND scope = ?3 AND entity = ?4",
    )?;
    delete.execute((key.account, key.watch, scope, entity)).map(drop)
}

/// Forgets a list.
pub(super) fn delete_scope(connection: &Connection, key: WatchKey<'_>, scope: &str) -> rusqlite::Result<()> {
    let mut delete =
        connection.prepare_cached("DELETE FROM scope WHERE account = ?1 AND watch = ?2 AND scope = ?3")?;
    delete.execute((key.account, key.watch, scope)).map(drop)
}

/// Strikes it from all lists.
pub(super) fn strike(connection: &Connection, account: i64, entity: &str) -> rusqlite::Result<()> {
    // Left to itself, SQLite looks through all that the account lists.
    let mut delete = connection.prepare_cached(
        "DELETE FROM sighting INDEXED BY sighting_by_entity WHERE account = ?1 AND entity = ?2",
    )?;
    delete.execute((account, entity)).map(drop)
}

/// Whether another list that is still read holds it. `began` is when livehook began to read anything.
pub(super) fn is_listed_elsewhere(
    connection: &Connection,
    key: WatchKey<'_>,
    scope_name: &str,
    entity: &str,
    began: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached(
        "SELECT known_since, swept_at, swept_before, is_doubted, last_failure_at
         FROM sighting AS other INDEXED BY sighting_by_entity
         CROSS JOIN scope USING (account, watch, scope) LEFT JOIN watch USING (account, watch)
         WHERE other.account = ?1 AND other.entity = ?2 AND other.absences < ?3
           AND NOT (other.watch = ?4 AND other.scope = ?5)",
    )?;
    let mut rows = select.query((key.account, entity, GONE_AT, key.watch, scope_name))?;
    while let Some(row) = rows.next()? {
        let tried_at = time(row, 4)?.unwrap_or(began).max(began);
        if speaks(&scope(row)?, tried_at, now) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is believed to stand in each list of a watch.
pub(super) fn listed(connection: &Connection, key: WatchKey<'_>) -> rusqlite::Result<Listed> {
    let mut select = connection.prepare_cached(
        "SELECT scope, entity, listed_from FROM sighting WHERE account = ?1 AND watch = ?2 AND absences < ?3",
    )?;
    let mut rows = select.query((key.account, key.watch, GONE_AT))?;
    let mut listed = Listed::default();
    while let Some(row) = rows.next()? {
        let (scope, entity) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
        let id = entity.split_once('/').map_or(entity, |(_, id)| id);
        listed.note(scope, id, time(row, 2)?);
    }
    Ok(listed)
}
