//! The one writer: a thread that commits whatever is waiting in one transaction, fsyncs, and only then
//! tells each waiter.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, watch};

use super::{
    CommitError, StoreError,
    newest::{Newest, NewestTold},
    open,
};
use crate::model::{AccountName, EventMark};

/// Jobs that may wait for the writer; more are refused, so that nobody waits longer than a platform does.
pub(super) const QUEUE_MAX: usize = 8192;
/// Jobs in one transaction.
const BATCH_JOBS_MAX: usize = 512;
/// So many jobs in a transaction mean load.
const BUSY_JOBS: usize = 4;
/// How long jobs are gathered under load.
const GATHER: Duration = Duration::from_millis(1);
/// Body bytes in one transaction.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Something to write. `run` may be called again after a rollback; `finish` is called once, after the
/// transaction is on disk or has failed.
pub(super) trait Job: Send {
    /// Writes.
    fn run(&mut self, writer: &mut Session<'_>) -> rusqlite::Result<()>;
    /// Tells whoever waits.
    fn finish(self: Box<Self>, result: Result<(), WriteError>);
    /// Replaces what it writes after `run` panicked or was refused; `false` if there is nothing else to write.
    fn give_in(&mut self) -> bool {
        false
    }
    /// How much it writes, for the bound on a batch.
    fn bytes(&self) -> usize {
        0
    }
}

/// What shares one transaction.
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    bytes: usize,
}

impl Batch {
    fn of(first: Box<dyn Job>) -> Self {
        Self { bytes: first.bytes(), jobs: vec![first] }
    }

    fn fill(&mut self, waiting: &mut mpsc::Receiver<Box<dyn Job>>) {
        while self.jobs.len() < BATCH_JOBS_MAX && self.bytes < BATCH_BYTES_MAX {
            let Ok(job) = waiting.try_recv() else { return };
            self.bytes += job.bytes();
            self.jobs.push(job);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the writer is a thread, no task")]
fn pause() {
    std::thread::sleep(GATHER);
}

/// Why a job was not written.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("the disk is full")]
    Full,
    /// Somebody else's program holds the write lock; that passes.
    #[error("another program is writing to the store")]
    Busy,
    #[error("{0}")]
    Failed(String),
}

impl From<WriteError> for CommitError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Full => CommitError::Full,
            WriteError::Busy => CommitError::Busy,
            WriteError::Failed(why) => CommitError::Failed(why),
        }
    }
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        StoreError(error.to_string())
    }
}

/// An account as the writer keeps it between jobs.
pub(super) struct Account {
    id: i64,
    platform: String,
    sequence: u64,
    is_changed: bool,
}

/// What jobs write with: the connection inside a transaction, and what is worth remembering.
pub(super) struct Session<'a> {
    pub(super) connection: &'a Connection,
    pub(super) mark: &'a EventMark,
    accounts: &'a mut HashMap<AccountName, Account>,
    pub(super) newest: Newest,
}

impl Session<'_> {
    /// The account's row; made when it is first used, and told which platform the account is at.
    pub(super) fn account_id(&mut self, name: &AccountName, platform: &str) -> rusqlite::Result<i64> {
        if let Some(account) = self.accounts.get(name)
            && account.platform == platform
        {
            return Ok(account.id);
        }
        // What is kept of the account may be newer than its row.
        self.write_sequences()?;
        let upsert = "INSERT INTO account (name, platform) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET platform = excluded.platform
             RETURNING id, sequence";
        let (id, sequence) = self
            .connection
            .query_row(upsert, (name.as_str(), platform), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
        let account = Account {
            id,
            platform: platform.to_owned(),
            sequence: sequence.unsigned_abs(),
            is_changed: false,
        };
        self.accounts.insert(name.clone(), account);
        Ok(id)
    }

    /// The next place in the account's order of commits.
    pub(super) fn next_sequence(&mut self, name: &AccountName) -> u64 {
        let account = self.accounts.get_mut(name).expect("account_id was called for this account before");
        account.sequence += 1;
        account.is_changed = true;
        account.sequence
    }

    fn write_sequences(&mut self) -> rusqlite::Result<()> {
        for account in self.accounts.values_mut().filter(|account| account.is_changed) {
            let mut update =
                self.connection.prepare_cached("UPDATE account SET sequence = ?2 WHERE id = ?1")?;
            update.execute((account.id, account.sequence as i64))?;
            account.is_changed = false;
        }
        Ok(())
    }
}

/// The thread's own state.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) mark: EventMark,
    pub(super) newest: NewestTold,
    pub(super) accounts: HashMap<AccountName, Account>,
    /// Why nothing is written any more: after an I/O error the kernel may have dropped what it could not
    /// write, and a later fsync would report success for it.
    pub(super) failed: watch::Sender<Option<String>>,
}

impl Writer {
    /// Serves jobs until all senders are gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut is_busy = false;
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = Batch::of(first);
            batch.fill(&mut jobs);
            // Under load a moment's patience lets many share one fsync; alone, nobody is kept waiting.
            if is_busy {
                pause();
                batch.fill(&mut jobs);
            }
            let batch = batch.jobs;
            is_busy = batch.len() >= BUSY_JOBS;
            metrics::histogram!(crate::telemetry::COMMIT_BATCH_JOBS).record(batch.len() as f64);
            self.write(batch);
        }
        if self.failed.borrow().is_none() {
            open::mark_clean_end(&self.connection);
            // Leaves one file behind instead of two; not needed for safety.
            let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    fn write(&mut self, mut batch: Vec<Box<dyn Job>>) {
        match self.transaction(&mut batch) {
            Ok(()) => finish(batch, Ok(())),
            Err(Trouble::Disk(error)) => finish(batch, Err(error)),
            // One job may be the cause: each gets a transaction of its own.
            Err(Trouble::Job(_)) => batch.into_iter().for_each(|job| self.write_alone(job)),
        }
    }

    fn write_alone(&mut self, job: Box<dyn Job>) {
        let mut batch = vec![job];
        let mut result = self.transaction(&mut batch);
        if let Err(Trouble::Job(trouble)) = &result
            && batch[0].give_in()
        {
            tracing::error!("a delivery goes into quarantine because writing it {trouble}");
            result = self.transaction(&mut batch);
        }
        finish(
            batch,
            result.map_err(|trouble| match trouble {
                Trouble::Disk(error) => error,
                Trouble::Job(trouble) => WriteError::Failed(format!("writing it {trouble}")),
            }),
        );
    }

    fn transaction(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        if let Some(why) = &*self.failed.borrow() {
            return Err(Trouble::Disk(WriteError::Failed(why.clone())));
        }
        let mut session = Session {
            connection: &self.connection,
            mark: &self.mark,
            accounts: &mut self.accounts,
            newest: self.newest.current(),
        };
        let written = run_all(&mut session, batch);
        let newest = session.newest;
        match written {
            Ok(()) => {
                self.newest.tell(newest);
                Ok(())
            }
            Err(trouble) => {
                // After a failed COMMIT there may be no transaction left to roll back.
                let _ = self.connection.execute_batch("ROLLBACK");
                self.accounts.clear();
                if let Trouble::Disk(WriteError::Failed(why)) = &trouble {
                    tracing::error!("the store failed, nothing is acknowledged any more: {why}");
                    self.failed.send_replace(Some(why.clone()));
                }
                Err(trouble)
            }
        }
    }
}

fn run_all(session: &mut Session<'_>, batch: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
    statement(session.connection, "BEGIN IMMEDIATE")?;
    for job in batch {
        catch_unwind(AssertUnwindSafe(|| job.run(session)))
            .map_err(|_| Trouble::Job(JobTrouble::Panicked))?
            .map_err(Trouble::of)?;
    }
    session.write_sequences().map_err(Trouble::of)?;
    statement(session.connection, "COMMIT")
}

fn statement(connection: &Connection, sql: &str) -> Result<(), Trouble> {
    let executed = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    executed.map(drop).map_err(Trouble::of)
}

fn finish(batch: Vec<Box<dyn Job>>, result: Result<(), WriteError>) {
    for job in batch {
        job.finish(result.clone());
    }
}

enum Trouble {
    /// No job can be written now.
    Disk(WriteError),
    /// This job, or one of its batch, cannot be written.
    Job(JobTrouble),
}

#[derive(thiserror::Error, Debug)]
enum JobTrouble {
    #[error("panicked")]
    Panicked,
    #[error("failed: {0}")]
    Refused(String),
}

impl Trouble {
    fn of(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Trouble::Disk(WriteError::Full),
            Some(ErrorCode::DatabaseBusy) => Trouble::Disk(WriteError::Busy),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen,
            ) => Trouble::Disk(WriteError::Failed(error.to_string())),
            _ => Trouble::Job(JobTrouble::Refused(error.to_string())),
        }
    }
}
