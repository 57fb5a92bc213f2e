//! Outbox and ledger: what waits for the bus, and what the bus said it holds.

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::{LedgerEntry, StoredEvent};

const EVENT_COLUMNS: &str = "event.id, account.name, route, entity, event_id, envelope";

pub(super) fn unpublished(
    connection: &Connection,
    is_playback: bool,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {EVENT_COLUMNS} FROM event
         JOIN account ON account.id = event.account
         LEFT JOIN ledger ON ledger.event = event.id
         WHERE event.id > ?1 AND is_playback = ?3 AND ledger.event IS NULL AND set_aside IS NULL
         ORDER BY event.id LIMIT ?2"
    ))?;
    select.query_map((after as i64, limit as i64, is_playback), stored_event)?.collect()
}

pub(super) fn events_after(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {EVENT_COLUMNS} FROM event JOIN account ON account.id = event.account
         WHERE event.id > ?1 ORDER BY event.id LIMIT ?2"
    ))?;
    select.query_map((after as i64, limit as i64), stored_event)?.collect()
}

/// What waits for the bus.
pub(super) struct Backlog {
    pub(super) count: u64,
    pub(super) oldest_at: Option<Timestamp>,
    /// No row up to here waits.
    pub(super) published_up_to: u64,
}

/// Of the rows above `after`.
pub(super) fn backlog(connection: &Connection, after: u64) -> rusqlite::Result<Backlog> {
    let mut select = connection.prepare_cached(
        "SELECT count(*), min(recorded_at),
                ifnull(min(event.id) - 1, (SELECT ifnull(max(id), 0) FROM event))
         FROM event LEFT JOIN ledger ON ledger.event = event.id
         WHERE event.id > ?1 AND ledger.event IS NULL AND set_aside IS NULL",
    )?;
    select.query_row([after as i64], |row| {
        Ok(Backlog {
            count: row.get::<_, i64>(0)?.unsigned_abs(),
            oldest_at: row.get::<_, Option<i64>>(1)?.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            published_up_to: row.get::<_, i64>(2)?.unsigned_abs(),
        })
    })
}

pub(super) fn at_or_below(
    connection: &Connection,
    js_stream: &str,
    js_sequence: u64,
) -> rusqlite::Result<Option<LedgerEntry>> {
    let mut select = connection.prepare_cached(
        "SELECT js_sequence, ledger.event, event.event_id FROM ledger
         JOIN event ON event.id = ledger.event
         WHERE js_stream = ?1 AND js_sequence <= ?2 ORDER BY js_sequence DESC LIMIT 1",
    )?;
    let js_sequence = i64::try_from(js_sequence).unwrap_or(i64::MAX);
    select
        .query_row((js_stream, js_sequence), |row| {
            Ok(LedgerEntry {
                js_stream: js_stream.to_owned(),
                js_sequence: row.get::<_, i64>(0)?.unsigned_abs(),
                row: row.get::<_, i64>(1)?.unsigned_abs(),
                event_id: row.get(2)?,
            })
        })
        .optional()
}

/// Returns whether an older entry at the same place of a stream had to go: its event waits again.
pub(super) fn record_acks(
    connection: &Connection,
    acks: &[LedgerEntry],
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO ledger (event, js_stream, js_sequence, acked_at) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut has_replaced = false;
    for ack in acks {
        let entry = (ack.row as i64, &ack.js_stream, ack.js_sequence as i64, now.as_millisecond());
        match insert.execute(entry) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                let mut replace = connection.prepare_cached(
                    "INSERT OR REPLACE INTO ledger (event, js_stream, js_sequence, acked_at) VALUES (?1, ?2, ?3, ?4)",
                )?;
                replace.execute(entry)?;
                has_replaced = true;
            }
            result => drop(result?),
        }
    }
    Ok(has_replaced)
}

pub(super) fn forget_above(
    connection: &Connection,
    js_stream: &str,
    js_sequence: u64,
) -> rusqlite::Result<u64> {
    let js_sequence = i64::try_from(js_sequence).unwrap_or(i64::MAX);
    let mut delete =
        connection.prepare_cached("DELETE FROM ledger WHERE js_stream = ?1 AND js_sequence > ?2")?;
    delete.execute((js_stream, js_sequence)).map(|forgotten| forgotten as u64)
}

pub(super) fn set_aside(connection: &Connection, row: u64, why: &str) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE event SET set_aside = ?2 WHERE id = ?1")?;
    update.execute((row as i64, why)).map(drop)
}

pub(super) fn js_stream_created(
    connection: &Connection,
    js_stream: &str,
) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT created FROM js_stream WHERE name = ?1")?;
    select.query_row([js_stream], |row| row.get(0)).optional()
}

pub(super) fn set_js_stream_created(
    connection: &Connection,
    js_stream: &str,
    created: &str,
) -> rusqlite::Result<()> {
    let mut upsert =
        connection.prepare_cached("INSERT OR REPLACE INTO js_stream (name, created) VALUES (?1, ?2)")?;
    upsert.execute((js_stream, created)).map(drop)
}

fn stored_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        row: row.get::<_, i64>(0)?.unsigned_abs(),
        account: row.get(1)?,
        route: row.get(2)?,
        entity: row.get(3)?,
        event_id: row.get(4)?,
        envelope: row.get::<_, Vec<u8>>(5)?.into(),
    })
}
