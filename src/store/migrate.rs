//! Brings the file of an earlier version up to the present one, step by step, all in one transaction.

use rusqlite::Connection;

/// The version that [`super::open`] makes, and that everything else expects.
pub(super) const SCHEMA_VERSION: i64 = 4;

/// What turns version 1 into 2, 2 into 3, and so on. A step is never changed once it was released.
const STEPS: &[&str] =
    &[include_str!("migrate/to_2.sql"), include_str!("migrate/to_3.sql"), include_str!("migrate/to_4.sql")];
const _: () = assert!(STEPS.len() as i64 == SCHEMA_VERSION - 1, "each version needs its step");

/// Whether a file of this version can be brought up to date.
pub(super) fn can_read(version: i64) -> bool {
    (1..=SCHEMA_VERSION).contains(&version)
}

/// Brings it up to date. `version` is that of the file, and [`can_read`] it. After an error it is as it was.
pub(super) fn migrate(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    let steps = STEPS.get(usize::try_from(version - 1).unwrap_or(0)..).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    tracing::info!("bringing the store from schema version {version} to {SCHEMA_VERSION}");
    let transaction = connection.unchecked_transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()
}
