//! Moves what was committed from the write-ahead log into the file. It takes long after a large sweep, so it is done
//! beside the writer, behind which callbacks wait; the writer does it itself only if the log grows too long.

use rusqlite::{Connection, ErrorCode};

use super::{Store, StoreError};

/// Pages of the log that are worth moving.
const WORTH_PAGES: i64 = 1_000;

impl Store {
    /// Empties the log, if there is much in it.
    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        let checkpoint = |connection: &Connection| Ok(checkpoint(connection).err());
        let error = self.read_with(|shared| &shared.checkpointer, checkpoint).await?;
        // While the disk is full it stays in the log, and nothing is lost.
        let Some(error) = error.filter(|error| !is_passing(error)) else { return Ok(()) };
        // The kernel may have dropped what it could not write, and the next attempt would look like a success: the
        // writer must not go on.
        let mut error = Some(error);
        self.write(move |_| error.take().map_or(Ok(()), Err)).await
    }
}

fn is_passing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    let (in_log, moved): (i64, i64) =
        connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    if in_log - moved >= WORTH_PAGES {
        // Waits for nobody, and nobody waits for it.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok(())
}
