//! Limits of platforms survive a restart: what was asked when.

use jiff::Timestamp;
use rusqlite::Connection;

use super::{Store, StoreError};

impl Store {
    /// When the recent requests of a limit were sent, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn budget(&self, name: &str) -> Result<Vec<Timestamp>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| times(connection, &name)).await
    }

    /// Remembers a request that is to be sent at `at`, and forgets those of the same limit before `keep_from`.
    /// Returns after fsync: only then may it be sent, or a crash would make room for one too many.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn spend(&self, name: &str, at: Timestamp, keep_from: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |session| spend(session.connection, &name, at, keep_from)).await
    }
}

fn times(connection: &Connection, name: &str) -> rusqlite::Result<Vec<Timestamp>> {
    let mut select = connection.prepare_cached("SELECT at, count FROM budget WHERE name = ?1 ORDER BY at")?;
    let mut rows = select.query([name])?;
    let mut times = Vec::new();
    while let Some(row) = rows.next()? {
        let at = Timestamp::from_millisecond(row.get(0)?).unwrap_or(Timestamp::UNIX_EPOCH);
        times.extend(std::iter::repeat_n(at, row.get::<_, u32>(1)? as usize));
    }
    Ok(times)
}

fn spend(connection: &Connection, name: &str, at: Timestamp, keep_from: Timestamp) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM budget WHERE name = ?1 AND at < ?2")?;
    delete.execute((name, keep_from.as_millisecond()))?;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO budget (name, at, count) VALUES (?1, ?2, 1) ON CONFLICT DO UPDATE SET count = count + 1",
    )?;
    upsert.execute((name, at.as_millisecond())).map(drop)
}
