//! What nobody looks at any more, because its list, its watch or its account was taken out of the configuration.
//!
//! Nothing is known of it from then on, so it is not told to be over or removed. It stands in no list any more, and
//! what was believed of it is forgotten after a while, unless somebody sees it again.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::{
    believe,
    watches::{self, WatchKey},
};
use crate::model::Noun;

/// A broadcast that nobody looks at is over before long.
const BROADCAST_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Whoever takes a watch out and puts it back within this time is not told of everything again.
const OTHERS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Strikes the lists of everything that is not watched any more. `watched` are the watches of each account that is
/// configured.
pub(super) fn leave(
    connection: &Connection,
    watched: &HashMap<i64, HashSet<&str>>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut without_a_watch = BTreeSet::new();
    for (account, watch, scope) in lists(connection)? {
        let watches = watched.get(&account);
        if watches.is_some_and(|watches| watches.contains(&*watch)) {
            continue;
        }
        strike_list(connection, WatchKey { account, watch: &watch }, &scope, now, usize::MAX)?;
        without_a_watch.extend(watches.map(|_| account));
    }
    // Some watches show broadcasts in no list.
    without_a_watch.into_iter().try_for_each(|account| fade_unlisted_broadcasts(connection, account, now))
}

/// Every list of every watch, in the order of accounts.
fn lists(connection: &Connection) -> rusqlite::Result<Vec<(i64, String, String)>> {
    let mut select = connection.prepare(
        "SELECT account, watch, scope FROM scope UNION SELECT account, watch, scope FROM sighting",
    )?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Strikes out so many entries of a list at most, and in the end the list.
pub(super) fn strike_list(
    connection: &Connection,
    key: WatchKey<'_>,
    scope: &str,
    now: Timestamp,
    entries_max: usize,
) -> rusqlite::Result<()> {
    let entries = watches::first_entries(connection, key, scope, entries_max)?;
    for entity in &entries {
        watches::strike_entry(connection, key, scope, entity)?;
        fade(connection, key.account, entity, now)?;
    }
    if entries.len() < entries_max {
        watches::delete_scope(connection, key, scope)?;
    }
    Ok(())
}

/// Lets something be forgotten after a while, unless it stands in another list.
fn fade(connection: &Connection, account: i64, entity: &str, now: Timestamp) -> rusqlite::Result<()> {
    let is_broadcast = entity.split('/').next() == Some(Noun::Broadcast.as_str());
    let kept = if is_broadcast { BROADCAST_KEPT } else { OTHERS_KEPT };
    let mut update = connection.prepare_cached(
        "UPDATE known SET fades_at = max(ifnull(fades_at, 0), ?3) WHERE account = ?1 AND entity = ?2
         AND NOT EXISTS (SELECT 1 FROM sighting INDEXED BY sighting_by_entity WHERE account = ?1 AND entity = ?2)",
    )?;
    update.execute((account, entity, (now + kept).as_millisecond())).map(drop)
}

fn fade_unlisted_broadcasts(connection: &Connection, account: i64, now: Timestamp) -> rusqlite::Result<()> {
    let (first, end) = believe::range(Noun::Broadcast);
    let mut update = connection.prepare_cached(
        "UPDATE known SET fades_at = ?4 WHERE account = ?1 AND entity >= ?2 AND entity < ?3 AND fades_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM sighting INDEXED BY sighting_by_entity
                         WHERE sighting.account = known.account AND sighting.entity = known.entity)",
    )?;
    update.execute((account, first, end, (now + BROADCAST_KEPT).as_millisecond())).map(drop)
}

/// Forgets a slice of what is known of accounts that are not configured any more; returns how many rows went.
pub(super) fn forget_left(connection: &Connection, now: Timestamp, slice: usize) -> rusqlite::Result<usize> {
    let (first, end) = believe::range(Noun::Broadcast);
    let everything = ("", "~");
    let mut forgotten = 0;
    for (kept, (first, end)) in [(BROADCAST_KEPT, (&*first, &*end)), (OTHERS_KEPT, everything)] {
        let mut delete = connection.prepare_cached(
            "DELETE FROM known WHERE (account, entity) IN (
                 SELECT account, entity FROM known
                 WHERE account IN (SELECT id FROM account WHERE left_at < ?1) AND entity >= ?2 AND entity < ?3
                 LIMIT ?4)",
        )?;
        forgotten += delete.execute(((now - kept).as_millisecond(), first, end, slice as i64))?;
    }
    Ok(forgotten)
}
