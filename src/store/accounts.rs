//! Which accounts are configured, at which platforms and with which watches, and what becomes of those that were.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{ConfiguredAccount, FormerAccount, Store, StoreError, unwatched, watches, writer::Session};
use crate::model::{AccountName, PlatformId};

impl Store {
    /// Says which accounts are configured, and what is watched of them; to be called at start, before anything else.
    /// What earlier processes watched and this one does not is forgotten after a while, and not told to be over.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn register_accounts(
        &self,
        accounts: Vec<ConfiguredAccount>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut names: Vec<_> =
            accounts.iter().map(|account| (account.name.clone(), account.platform)).collect();
        names.sort_unstable();
        names.dedup();
        self.write(move |session| register(session, &accounts, now)).await?;
        *self.accounts_now() = names;
        Ok(())
    }

    /// The accounts that were registered since the store was opened.
    ///
    /// # Errors
    /// None with this engine; another one may have to ask.
    pub async fn accounts(&self) -> Result<Vec<(AccountName, PlatformId)>, StoreError> {
        Ok(self.accounts_now().clone())
    }

    /// The accounts that were configured once and are not now.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn former_accounts(&self) -> Result<Vec<FormerAccount>, StoreError> {
        self.read(former).await
    }
}

fn register(
    session: &mut Session<'_>,
    accounts: &[ConfiguredAccount],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut watched: HashMap<i64, HashSet<&str>> = HashMap::new();
    for account in accounts {
        let id = session.account_id(&account.name, account.platform)?;
        watched.entry(id).or_default().extend(&account.watches);
    }
    let connection = session.connection;
    let mut has_come_back = false;
    for (id, has_left) in all(connection)? {
        let left_at = match (watched.contains_key(&id), has_left) {
            (true, true) => {
                has_come_back = true;
                None
            }
            (false, false) => Some(now.as_millisecond()),
            _ => continue,
        };
        connection.execute("UPDATE account SET left_at = ?2 WHERE id = ?1", (id, left_at))?;
    }
    if has_come_back {
        // While it was away the bucket of current state did not follow it: it is filled again.
        connection.execute("DELETE FROM mirror", [])?;
    }
    unwatched::leave(connection, &watched, now)
}

/// Every account's row, and whether it is not configured any more as far as is known.
fn all(connection: &Connection) -> rusqlite::Result<Vec<(i64, bool)>> {
    let mut select = connection.prepare_cached("SELECT id, left_at IS NOT NULL FROM account")?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn former(connection: &Connection) -> rusqlite::Result<Vec<FormerAccount>> {
    let mut select = connection.prepare_cached(
        "SELECT name, platform, left_at FROM account WHERE left_at IS NOT NULL AND platform IS NOT NULL",
    )?;
    let rows = select.query_map([], |row| {
        let left_at = watches::time(row, 2)?.unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(FormerAccount { name: row.get(0)?, platform: row.get(1)?, left_at })
    })?;
    rows.collect()
}
