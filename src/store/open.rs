//! Opens the database: one process, one version, a file that is whole; or says clearly why not.

use std::{
    fs::{self, File, TryLockError},
    io::Read as _,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::migrate::{self, SCHEMA_VERSION};
use crate::model::EventMark;

const SCHEMA: &str = include_str!("schema.sql");
/// "LvHk": tells our file from any other SQLite database.
const APPLICATION_ID: i64 = 0x4c76_486b;
/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// A file up to this size is checked page by page at every start; a larger one would delay it too long.
const FULL_CHECK_BYTES_MAX: u64 = 256 << 20;

/// Memory for pages that the writer has at hand.
const WRITER_CACHE_KIB: i64 = 16 << 10;

/// Where the store is, and how it may behave.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Directory of the database; created if absent, readable by its owner only.
    pub dir: PathBuf,
    /// Bytes that the store may use.
    pub bytes_max: u64,
    /// Whether a bus is configured: without one, events are trimmed by age although nobody took them.
    pub has_bus: bool,
    /// Skips fsync. Loses what was acknowledged when the power fails; exists to prove that tests notice.
    pub unsafe_no_fsync: bool,
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two processes must not share a store.
    #[error(
        "another livehook is using the store in {0}: stop it first, or give this one a store.dir of its own"
    )]
    InUse(PathBuf),
    /// The directory or a file in it cannot be used.
    #[error(
        "the store in {dir} cannot be opened: {why}. Check that store.dir is a directory on a local disk that livehook may write"
    )]
    Unusable {
        /// Directory of the store.
        dir: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Written by a later version.
    #[error(
        "the store in {dir} has schema version {found}, this livehook knows up to {SCHEMA_VERSION}: run the newer livehook that wrote it"
    )]
    Newer {
        /// Directory of the store.
        dir: PathBuf,
        /// Version in the file.
        found: i64,
    },
    /// Another program's database.
    #[error("{0} is a database of another program: point store.dir to another directory")]
    Foreign(PathBuf),
    /// Damaged.
    #[error(
        "the store {file} is damaged ({why}). Nothing was changed: keep a copy, then restore a backup, or move livehook.sqlite and livehook.sqlite-wal away to begin with an empty store"
    )]
    Corrupt {
        /// The database file.
        file: PathBuf,
        /// What SQLite says.
        why: String,
    },
}

/// An open database, ready to be divided into its writer and its readers.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) reader: Connection,
    /// For comparing sweeps, which takes long.
    pub(super) comparer: Connection,
    /// For moving what was committed out of the log.
    pub(super) checkpointer: Connection,
    pub(super) mark: EventMark,
    pub(super) newest_event: u64,
    /// Held as long as the store is open.
    pub(super) lock: File,
}

/// Name of the database file in `store.dir`.
pub(super) const FILE_NAME: &str = "livehook.sqlite";

/// `new_mark` becomes the key of event ids if the store is new.
pub(super) fn open(options: &StoreOptions, new_mark: [u8; 32]) -> Result<Opened, OpenError> {
    let dir = &options.dir;
    let lock = lock(dir)?;

    let file = dir.join(FILE_NAME);
    let sqlite = |error| sqlite_error(&file, dir, error);
    if !file.exists() {
        let log = dir.join(format!("{FILE_NAME}-wal"));
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            // SQLite would take it for the log of the new file.
            return Err(corrupt(&log, "it is there without livehook.sqlite"));
        }
        create(&file, dir, new_mark)?;
    }
    let writer = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite)?;
    // Before anything is set: another program's file must stay as it is.
    let version = check_identity(&writer, &file, dir)?;
    configure(&writer, options).map_err(sqlite)?;
    check_integrity(&writer, &file, dir)?;
    migrate::migrate(&writer, version).map_err(sqlite)?;
    doubt_last_answers(&writer).map_err(sqlite)?;

    let mark = writer.query_row("SELECT value FROM meta WHERE name = 'event_mark'", [], |row| row.get(0));
    let mark = EventMark::new(mark.map_err(sqlite)?);
    let newest_event = writer.query_row("SELECT ifnull(max(id), 0) FROM event", [], |row| row.get(0));
    let newest_event: i64 = newest_event.map_err(sqlite)?;

    let [reader, comparer] = [reader(&file).map_err(sqlite)?, reader(&file).map_err(sqlite)?];
    let checkpointer = checkpointer(&file, options).map_err(sqlite)?;
    let newest_event = newest_event.unsigned_abs();
    Ok(Opened { writer, reader, comparer, checkpointer, mark, newest_event, lock })
}

fn checkpointer(file: &Path, options: &StoreOptions) -> rusqlite::Result<Connection> {
    let checkpointer = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    checkpointer.pragma_update(None, "synchronous", synchronous(options))?;
    Ok(checkpointer)
}

fn synchronous(options: &StoreOptions) -> &'static str {
    if options.unsafe_no_fsync { "OFF" } else { "FULL" }
}

fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let reader = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    reader.pragma_update(None, "query_only", true)?;
    reader.set_prepared_statement_cache_capacity(32);
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(reader)
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let unusable = |why: std::io::Error| OpenError::Unusable { dir: dir.to_owned(), why: why.to_string() };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unusable)?;
    let file = File::options().create(true).append(true).open(dir.join("livehook.lock")).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn configure(connection: &Connection, options: &StoreOptions) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous(options))?;
    // What one large sweep changes should fit in.
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // The log's file never shrinks by itself, so it gets a small share of a small bound. It grows so long only if
    // `checkpoint` does not keep up.
    let checkpoint_pages = (options.bytes_max / 16 / 4096).clamp(64, 16_000);
    connection.pragma_update(None, "wal_autocheckpoint", checkpoint_pages as i64)?;
    connection.pragma_update(None, "journal_size_limit", (options.bytes_max / 8).min(64 << 20) as i64)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise a statement is planned anew whenever a value bound to it changes: that is, always.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Makes the file under another name first: whoever finds one under its own name finds a whole one, even
/// after a power cut in the middle of this.
fn create(file: &Path, dir: &Path, new_mark: [u8; 32]) -> Result<(), OpenError> {
    let unusable = |why: std::io::Error| OpenError::Unusable { dir: dir.to_owned(), why: why.to_string() };
    let draft = file.with_extension("draft");
    let journal = file.with_extension("draft-journal");
    for left_over in [&draft, &journal].into_iter().filter(|path| path.exists()) {
        fs::remove_file(left_over).map_err(unusable)?;
    }
    fill(&draft, new_mark).map_err(|error| sqlite_error(&draft, dir, error))?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).map_err(unusable)?;
    fs::rename(&draft, file).map_err(unusable)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(unusable)
}

fn fill(draft: &Path, new_mark: [u8; 32]) -> rusqlite::Result<()> {
    let connection = Connection::open(draft)?;
    // Must come before the first table.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT INTO meta (name, value) VALUES ('event_mark', ?1)", [new_mark])?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)
}

/// Returns the version of its schema.
fn check_identity(connection: &Connection, file: &Path, dir: &Path) -> Result<i64, OpenError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let sqlite = |error| sqlite_error(file, dir, error);
    let mut beginning = [0; MAGIC.len()];
    let _ = File::open(file).and_then(|mut file| file.read_exact(&mut beginning));
    if beginning != *MAGIC {
        return Err(corrupt(file, "it does not begin as a database does"));
    }
    if pragma("application_id").map_err(sqlite)? != APPLICATION_ID {
        return Err(OpenError::Foreign(file.to_owned()));
    }
    match pragma("user_version").map_err(sqlite)? {
        found if migrate::can_read(found) => Ok(found),
        found if found > SCHEMA_VERSION => Err(OpenError::Newer { dir: dir.to_owned(), found }),
        found => Err(corrupt(file, format!("schema version {found}"))),
    }
}

fn check_integrity(connection: &Connection, file: &Path, dir: &Path) -> Result<(), OpenError> {
    let len = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let page_size = connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0));
    let page_size = page_size.map_err(|error| sqlite_error(file, dir, error))?.unsigned_abs();
    // SQLite takes the missing rest of the last page for zeros. A log that is not empty may hold the page.
    if len(file) % page_size != 0 && len(&dir.join(format!("{FILE_NAME}-wal"))) == 0 {
        return Err(corrupt(file, "its end is missing"));
    }
    if len(file) > FULL_CHECK_BYTES_MAX {
        return Ok(());
    }
    let verdict = connection.pragma_query_value(None, "quick_check", |row| row.get::<_, String>(0));
    match verdict.map_err(|error| sqlite_error(file, dir, error))?.as_str() {
        "ok" => Ok(()),
        why => Err(corrupt(file, why)),
    }
}

/// Written when the store is closed in order.
const CLEAN_END: &str = "clean_end";

pub(super) fn mark_clean_end(connection: &Connection) {
    // Without the mark the next start doubts some answers that did leave.
    let _ = connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, x'')", [CLEAN_END]);
}

/// After a crash nobody knows whether the last 200s left: their deliveries count as unanswered.
fn doubt_last_answers(connection: &Connection) -> rusqlite::Result<()> {
    if connection.execute("DELETE FROM meta WHERE name = ?1", [CLEAN_END])? == 0 {
        connection.execute(
            "UPDATE delivery SET unanswered = 1
             WHERE id > (SELECT max(id) FROM delivery) - 100000
               AND received_at > (SELECT received_at FROM delivery ORDER BY id DESC LIMIT 1) - 3000",
            [],
        )?;
    }
    Ok(())
}

fn corrupt(file: &Path, why: impl Into<String>) -> OpenError {
    OpenError::Corrupt { file: file.to_owned(), why: why.into() }
}

fn sqlite_error(file: &Path, dir: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => corrupt(file, error.to_string()),
        _ => OpenError::Unusable { dir: dir.to_owned(), why: error.to_string() },
    }
}
