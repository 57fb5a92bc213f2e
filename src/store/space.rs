//! How full the store is, what is given up as it fills, and how long rows are kept.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::{believe, open::FILE_NAME};
use crate::platform::Priority;

/// How full the store is, by what is given up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Fullness {
    /// Nothing to do.
    Fine = 0,
    /// From 70 %: an alarm.
    Alarm = 1,
    /// From 85 %: rows that are no longer needed are kept for six hours only.
    Shrinking = 2,
    /// From 95 %: deliveries of low priority are refused.
    Shedding = 3,
    /// From 99 %, or when the disk has no reserve left: every delivery is refused.
    Full = 4,
}

impl Fullness {
    pub(super) fn of_u8(value: u8) -> Self {
        [Self::Fine, Self::Alarm, Self::Shrinking, Self::Shedding][..]
            .get(usize::from(value))
            .copied()
            .unwrap_or(Self::Full)
    }

    /// Whether a delivery of this priority is refused.
    pub fn refuses(self, priority: Priority) -> bool {
        match priority {
            Priority::Low => self >= Self::Shedding,
            Priority::High => self >= Self::Full,
        }
    }
}

/// What the store and its disk hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Bytes in use by rows and by the write-ahead log.
    pub used_bytes: u64,
    /// Bytes the store could use in all: its own bound, or what the disk leaves it.
    pub budget_bytes: u64,
}

impl Usage {
    /// Where this stands.
    pub fn fullness(self) -> Fullness {
        let percent = (self.used_bytes.saturating_mul(100)).checked_div(self.budget_bytes).unwrap_or(100);
        match percent {
            0..70 => Fullness::Fine,
            70..85 => Fullness::Alarm,
            85..95 => Fullness::Shrinking,
            95..99 => Fullness::Shedding,
            _ => Fullness::Full,
        }
    }
}

/// Disk space set aside, so that rows can still be deleted when the disk is full.
#[derive(Debug)]
pub(super) struct Ballast {
    file: PathBuf,
}

/// Size of the ballast on a disk that is large enough for it.
const BALLAST_BYTES: u64 = 64 << 20;

impl Ballast {
    pub(super) fn new(dir: &Path) -> Self {
        Self { file: dir.join("ballast") }
    }

    /// Takes the space if it is free, and gives it back if the disk has none left.
    pub(super) fn keep(&self, is_full: bool) {
        if is_full {
            let _ = fs::remove_file(&self.file);
            return;
        }
        let Ok(disk) = rustix::fs::statvfs(self.file.parent().unwrap_or(Path::new("."))) else { return };
        let wanted = BALLAST_BYTES.min(disk.f_blocks * disk.f_frsize / 20);
        let is_there = fs::metadata(&self.file).is_ok_and(|ballast| ballast.len() >= wanted);
        if is_there || disk.f_bavail * disk.f_frsize < 3 * wanted {
            return;
        }
        let taken = File::create(&self.file).and_then(|file| {
            let mode = rustix::fs::FallocateFlags::empty();
            rustix::fs::fallocate(&file, mode, 0, wanted).map_err(std::io::Error::from)
        });
        if taken.is_err() {
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// Measures the store and its disk.
pub(super) fn measure(connection: &Connection, dir: &Path, bytes_max: u64) -> rusqlite::Result<Usage> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    let rows_bytes = pages.unsigned_abs() * pragma("page_size")?.unsigned_abs();
    let log = dir.join(format!("{FILE_NAME}-wal"));
    let log_bytes = fs::metadata(log).map_or(0, |metadata| metadata.len());
    let used_bytes = rows_bytes + log_bytes;
    let budget_bytes = match rustix::fs::statvfs(dir) {
        Ok(disk) => {
            let total = disk.f_blocks * disk.f_frsize;
            // Checkpoints copy pages before the log shrinks, so the last of the disk is not ours to fill.
            let reserve = BALLAST_BYTES.min(total / 20);
            let free = (disk.f_bavail * disk.f_frsize).saturating_sub(reserve);
            bytes_max.min(used_bytes + free)
        }
        Err(_) => bytes_max,
    };
    Ok(Usage { used_bytes, budget_bytes })
}

/// How long rows are kept.
struct Retention {
    delivery: SignedDuration,
    quarantined: SignedDuration,
    /// Counted from the PubAck.
    published_event: SignedDuration,
    /// Without a bus nobody takes events away.
    untaken_event: SignedDuration,
}

impl Retention {
    fn at(fullness: Fullness) -> Self {
        let hours = SignedDuration::from_hours;
        if fullness >= Fullness::Shrinking {
            Self {
                delivery: hours(6),
                quarantined: hours(7 * 24),
                published_event: hours(6),
                untaken_event: hours(6),
            }
        } else {
            Self {
                delivery: hours(7 * 24),
                quarantined: hours(30 * 24),
                published_event: hours(72),
                untaken_event: hours(7 * 24),
            }
        }
    }
}

/// Rows deleted in one transaction, so that no delivery waits long behind it.
const SLICE_ROWS: usize = 1000;
/// Rows looked at for that: old ones that must stay, because they wait for the bus, may be many.
const SCAN_ROWS_MAX: usize = 20 * SLICE_ROWS;

/// How far each table was looked through for what may go: past old rows that must stay.
#[derive(Default)]
pub(super) struct Trimmed(Mutex<Cursors>);

/// For deliveries, quarantined deliveries, events.
pub(super) type Cursors = [i64; 3];

impl Trimmed {
    pub(super) fn get(&self) -> Cursors {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, cursors: Cursors) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cursors;
    }
}

/// Deletes a slice of what need not be kept any longer; returns how many rows went, and where to go on.
pub(super) fn trim(
    connection: &Connection,
    now: Timestamp,
    fullness: Fullness,
    has_bus: bool,
    [deliveries, quarantined, events]: Cursors,
) -> rusqlite::Result<(usize, Cursors)> {
    let retention = Retention::at(fullness);
    let before = |kept: SignedDuration| (now - kept).as_millisecond();
    let mut trimmed = 0;

    // The newest delivery and event stay for ever: the next ones' numbers are counted from them.
    let understood = "SELECT id, received_at, quarantined IS NULL AND id < (SELECT max(id) FROM delivery)
         FROM delivery WHERE id > ?1 ORDER BY id";
    let (old, deliveries) = oldest(connection, understood, deliveries, before(retention.delivery))?;
    trimmed += delete(connection, "DELETE FROM delivery WHERE id = ?1", &old)?;
    let not_understood = "SELECT id, received_at, id < (SELECT max(id) FROM delivery)
         FROM delivery WHERE quarantined IS NOT NULL AND id > ?1 ORDER BY id";
    let (old, quarantined) = oldest(connection, not_understood, quarantined, before(retention.quarantined))?;
    trimmed += delete(connection, "DELETE FROM delivery WHERE id = ?1", &old)?;

    let (old, events) = if has_bus {
        let published = format!(
            "SELECT event.id, recorded_at, event.id < (SELECT max(id) FROM event)
                 AND (set_aside IS NOT NULL OR ifnull(acked_at < {}, 0))
             FROM event LEFT JOIN ledger ON ledger.event = event.id
             WHERE event.id > ?1 ORDER BY event.id",
            before(retention.published_event)
        );
        oldest(connection, &published, events, before(retention.published_event))?
    } else {
        let any =
            "SELECT id, recorded_at, id < (SELECT max(id) FROM event) FROM event WHERE id > ?1 ORDER BY id";
        oldest(connection, any, events, before(retention.untaken_event))?
    };
    trimmed += delete(connection, "DELETE FROM event WHERE id = ?1", &old)?;
    delete(connection, "DELETE FROM ledger WHERE event = ?1", &old)?;

    trimmed += believe::forget(connection, now, SLICE_ROWS)?;
    // It gives back one page a step.
    let mut give_back = connection.prepare_cached("PRAGMA incremental_vacuum(500)")?;
    let mut pages = give_back.query([])?;
    while pages.next()?.is_some() {}
    Ok((trimmed, [deliveries, quarantined, events]))
}

/// Ids of the oldest rows that may go, and the id to go on behind next time. `rows` yields (id, time, may
/// go) in the order of commits, so the first row younger than `before` ends the search, and the next one
/// begins from the start.
fn oldest(
    connection: &Connection,
    rows: &str,
    behind: i64,
    before: i64,
) -> rusqlite::Result<(Vec<i64>, i64)> {
    let mut select = connection.prepare(rows)?;
    let mut rows = select.query([behind])?;
    let (mut old, mut reached) = (Vec::new(), behind);
    for _ in 0..SCAN_ROWS_MAX {
        let Some(row) = rows.next()? else { return Ok((old, 0)) };
        if row.get::<_, i64>(1)? >= before {
            return Ok((old, 0));
        }
        reached = row.get(0)?;
        if row.get(2)? {
            old.push(reached);
        }
        if old.len() == SLICE_ROWS {
            break;
        }
    }
    Ok((old, reached))
}

fn delete(connection: &Connection, sql: &str, ids: &[i64]) -> rusqlite::Result<usize> {
    let mut delete = connection.prepare_cached(sql)?;
    let mut deleted = 0;
    for id in ids {
        deleted += delete.execute([id])?;
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests;
