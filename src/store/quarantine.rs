//! Deliveries that could not be understood, kept as they came.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{QuarantinedRow, commit::proof_of};

const COLUMNS: &str =
    "delivery.id, account.name, callback, received_at, quarantined, proof, content_type, body";

/// Those with an id above `after`, oldest first.
pub(super) fn list(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<QuarantinedRow>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery JOIN account ON account.id = delivery.account
         WHERE quarantined IS NOT NULL AND delivery.id > ?1 ORDER BY delivery.id LIMIT ?2"
    ))?;
    select.query_map((after as i64, limit as i64), quarantined)?.collect()
}

pub(super) fn get(connection: &Connection, id: u64) -> rusqlite::Result<Option<QuarantinedRow>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery JOIN account ON account.id = delivery.account
         WHERE quarantined IS NOT NULL AND delivery.id = ?1"
    ))?;
    select.query_row([id as i64], quarantined).optional()
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM delivery WHERE quarantined IS NOT NULL";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<QuarantinedRow> {
    Ok(QuarantinedRow {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        account: row.get(1)?,
        callback: row.get(2)?,
        received_at: Timestamp::from_millisecond(row.get(3)?).unwrap_or(Timestamp::UNIX_EPOCH),
        reason: row.get(4)?,
        proof: proof_of(&row.get::<_, String>(5)?),
        content_type: row.get(6)?,
        body: row.get::<_, Vec<u8>>(7)?.into(),
    })
}
