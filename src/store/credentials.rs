//! How each account's access stands. Tokens come sealed, and leave sealed.

use rusqlite::{Connection, OptionalExtension};

use super::{
    CredentialRecord, Store, StoreError, StoredCredential,
    believe::{Speaker, hear},
    watches,
    writer::Session,
};
use crate::model::AccountName;

impl Store {
    /// How an account's access stands; `None` if nothing was ever kept.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn credential(&self, account: &AccountName) -> Result<Option<StoredCredential>, StoreError> {
        let name = account.clone();
        self.read(move |connection| match watches::account_id(connection, name.as_str())? {
            Some(account) => credential(connection, account),
            None => Ok(None),
        })
        .await
    }

    /// Keeps how an account's access stands, with what is told of it, in one transaction. Returns after fsync, with
    /// the types of the events.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; then all is as before.
    pub async fn keep_credential(&self, record: CredentialRecord) -> Result<Vec<String>, StoreError> {
        self.write(move |session| keep(session, &record)).await
    }
}

fn credential(connection: &Connection, account: i64) -> rusqlite::Result<Option<StoredCredential>> {
    let mut select = connection
        .prepare_cached("SELECT version, standing, sealed, waiting FROM credential WHERE account = ?1")?;
    let found = select.query_row([account], |row| {
        let (version, standing): (i64, String) = (row.get(0)?, row.get(1)?);
        Ok(StoredCredential {
            version: version.unsigned_abs(),
            // It was written from JSON.
            standing: serde_json::from_str(&standing).unwrap_or_default(),
            sealed: row.get(2)?,
            waiting: row.get(3)?,
        })
    });
    found.optional()
}

fn keep(session: &mut Session<'_>, record: &CredentialRecord) -> rusqlite::Result<Vec<String>> {
    let account = session.account_id(&record.account, record.platform)?;
    let StoredCredential { version, standing, sealed, waiting } = &record.credential;
    let mut upsert = session.connection.prepare_cached(
        "INSERT OR REPLACE INTO credential (account, version, standing, sealed, waiting)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    upsert.execute((account, version.cast_signed(), standing.to_string(), sealed, waiting))?;
    drop(upsert);
    let speaker = Speaker { account, name: &record.account, platform: record.platform };
    let mut event_types = Vec::new();
    for (observation, hearing) in &record.told {
        hear(session, &speaker, observation, hearing, &mut event_types)?;
    }
    Ok(event_types)
}
