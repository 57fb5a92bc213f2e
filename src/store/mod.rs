//! The one database, and the only place with SQL: deliveries, sweeps, what is known, events, the ledger of
//! PubAcks.
//!
//! One thread writes. It commits whatever is waiting in one transaction, fsyncs, and then tells each
//! waiter; a delivery's [`Durable`] exists only after that. Reads have a connection of their own and see
//! the latest commit. Methods speak of deliveries, sweeps, events and PubAcks; no SQL type leaves this module, so
//! that another engine can stand behind the same methods.

mod absence;
mod accounts;
mod believe;
mod budget;
mod checkpoint;
mod commit;
mod credentials;
mod current;
mod ledger;
mod migrate;
mod newest;
mod open;
mod quarantine;
mod space;
mod sweep;
mod types;
mod unwatched;
mod watches;
mod write;
mod writer;

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::JoinHandle,
};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

pub use open::{OpenError, StoreOptions};
pub use space::{Fullness, Usage};
pub use types::*;

use commit::{CommitDelivery, Requeue};
use newest::NewestSeen;
use space::{Ballast, Trimmed};
use write::{Unanswered, Write};
use writer::{Job, QUEUE_MAX, Session, Writer};

use crate::model::{AccountName, EventMark, PlatformId};

/// A handle to the open store; cheap to clone. Dropping the last one ends the writer.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Box<dyn Job>>,
    shared: Arc<Shared>,
}

struct Shared {
    reader: Mutex<Connection>,
    /// Reads as well, for what takes long.
    comparer: Mutex<Connection>,
    checkpointer: Mutex<Connection>,
    mark: EventMark,
    accounts: Mutex<Vec<(AccountName, PlatformId)>>,
    /// When livehook began to read platforms, this time.
    first_sweep_at: OnceLock<Timestamp>,
    newest: NewestSeen,
    failed: watch::Receiver<Option<String>>,
    fullness: AtomicU8,
    published: Mutex<Published>,
    trimmed_to: Trimmed,
    ballast: Ballast,
    dir: PathBuf,
    bytes_max: u64,
    has_bus: bool,
    _lock: File,
}

/// Where reading what waits for the bus begins.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Published {
    /// Every event up to this row is published or set aside.
    up_to: u64,
    /// How often PubAcks were forgotten; what was read before that says nothing about `up_to`.
    forgets: u64,
}

/// The writer's thread, to be waited for after the last [`Store`] was dropped.
#[must_use]
pub struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Waits until everything handed over is committed and the file is closed.
    pub fn join(self) {
        // A panic in the writer was logged where it happened.
        let _ = self.0.join();
    }
}

impl Store {
    /// Opens or creates the store. `new_mark` is 32 random bytes, used if it is new.
    ///
    /// # Errors
    /// [`OpenError`] names the directory and the remedy.
    pub fn open(options: StoreOptions, new_mark: [u8; 32]) -> Result<(Self, WriterThread), OpenError> {
        let opened = open::open(&options, new_mark)?;
        if options.unsafe_no_fsync {
            tracing::warn!(
                "store.unsafe_no_fsync is on: what is acknowledged may be lost when the power fails"
            );
        }
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        let (newest, newest_seen) = newest::channels(opened.newest_event);
        let (failed, failed_seen) = watch::channel(None);
        let mark = opened.mark.clone();
        let writer = Writer {
            connection: opened.writer,
            mark: opened.mark,
            newest,
            accounts: Default::default(),
            failed,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(|error| OpenError::Unusable { dir: options.dir.clone(), why: error.to_string() })?;
        let shared = Shared {
            reader: Mutex::new(opened.reader),
            comparer: Mutex::new(opened.comparer),
            checkpointer: Mutex::new(opened.checkpointer),
            mark,
            accounts: Mutex::default(),
            first_sweep_at: OnceLock::new(),
            newest: newest_seen,
            failed: failed_seen,
            fullness: AtomicU8::new(0),
            published: Mutex::default(),
            trimmed_to: Trimmed::default(),
            ballast: Ballast::new(&options.dir),
            dir: options.dir,
            bytes_max: options.bytes_max,
            has_bus: options.has_bus,
            _lock: opened.lock,
        };
        Ok((Self { jobs, shared: Arc::new(shared) }, WriterThread(thread)))
    }

    /// Commits a delivery: raw bytes, known state and events in one transaction. Returns after fsync.
    ///
    /// Once called it is carried through, even if the returned future is dropped.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing of the delivery was written, and the platform should come again.
    pub async fn commit(&self, record: DeliveryRecord) -> Result<Durable, CommitError> {
        if self.fullness().refuses(record.priority) {
            return Err(CommitError::Full);
        }
        let (waiter, answer) = oneshot::channel();
        let unanswered = Unanswered(self.jobs.downgrade());
        let job = CommitDelivery { record, written: None, unanswered, waiter };
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CommitError::Busy,
            mpsc::error::TrySendError::Closed(_) => CommitError::Failed("the writer has ended".to_owned()),
        })?;
        let result = answer.await.map_err(|_| CommitError::Failed("the writer has ended".to_owned()))?;
        if matches!(result, Err(CommitError::Full)) {
            self.shared.fullness.store(Fullness::Full as u8, Ordering::Relaxed);
            self.shared.ballast.keep(true);
        }
        result
    }

    /// Gives the observations of a quarantined delivery, now that it can be understood, to the reducer;
    /// returns the types of the events that came of it, nothing if it was not in quarantine any more.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; it stays in quarantine.
    pub async fn requeue(&self, delivery: u64, record: DeliveryRecord) -> Result<Vec<String>, StoreError> {
        let (waiter, answer) = oneshot::channel();
        let job = Requeue { delivery, record, event_types: Vec::new(), waiter };
        self.jobs.send(Box::new(job)).await.map_err(|_| writer_ended())?;
        answer.await.map_err(|_| writer_ended())?
    }

    /// 16 hexadecimal digits that are equal for equal secrets in this store, and meaningless elsewhere: for
    /// secrets that are compared and never kept.
    pub fn fingerprint(&self, secret: &str) -> String {
        self.shared.mark.fingerprint(secret)
    }

    /// Row of the newest committed event; a change wakes the publisher and the readers of the log.
    pub fn newest_event(&self) -> watch::Receiver<u64> {
        self.shared.newest.event.clone()
    }

    /// The same for the events of one JetStream stream: viewers' or all others.
    pub fn newest_event_of(&self, is_playback: bool) -> watch::Receiver<u64> {
        self.shared.newest.of(is_playback).clone()
    }

    /// Becomes `Some` when the disk failed: nothing is acknowledged any more, and the process should end.
    pub fn failed(&self) -> watch::Receiver<Option<String>> {
        self.shared.failed.clone()
    }

    /// Events of one JetStream stream (viewers' or all others) that no PubAck is kept for, with a row above
    /// `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn unpublished(
        &self,
        is_playback: bool,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let from = after.max(self.published().up_to);
        self.read(move |connection| ledger::unpublished(connection, is_playback, from, limit)).await
    }

    /// How many events wait for the bus, and since when the oldest has. To be called every few seconds: it
    /// also moves on the place from which reading what waits begins.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn backlog(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let published = *self.published();
        let backlog = self.read(move |connection| ledger::backlog(connection, published.up_to)).await?;
        let mut now = self.published();
        if *now == published {
            now.up_to = backlog.published_up_to;
        }
        Ok((backlog.count, backlog.oldest_at))
    }

    /// Keeps PubAcks that came at `now`. An older entry at the same place of a stream is replaced, and its
    /// event waits again; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be written; the events will be published again.
    pub async fn record_acks(&self, acks: Vec<LedgerEntry>, now: Timestamp) -> Result<bool, StoreError> {
        let has_replaced =
            self.write(move |session| ledger::record_acks(session.connection, &acks, now)).await?;
        if has_replaced {
            self.forget_published();
        }
        Ok(has_replaced)
    }

    /// Sets an event aside that the bus will never take, so that those behind it can go on.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn set_aside(&self, row: u64, why: String) -> Result<(), StoreError> {
        self.write(move |session| ledger::set_aside(session.connection, row, &why)).await
    }

    /// The kept PubAck with the highest sequence not above `js_sequence`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn ledger_at_or_below(
        &self,
        js_stream: &str,
        js_sequence: u64,
    ) -> Result<Option<LedgerEntry>, StoreError> {
        let js_stream = js_stream.to_owned();
        self.read(move |connection| ledger::at_or_below(connection, &js_stream, js_sequence)).await
    }

    /// Forgets PubAcks of a stream above `js_sequence`; returns how many events wait again.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; nothing is forgotten then.
    pub async fn forget_acks_above(&self, js_stream: &str, js_sequence: u64) -> Result<u64, StoreError> {
        let js_stream = js_stream.to_owned();
        let forgotten = self
            .write(move |session| ledger::forget_above(session.connection, &js_stream, js_sequence))
            .await?;
        self.forget_published();
        Ok(forgotten)
    }

    /// When the stream was created, as last seen at the server (RFC 3339); `None` before the first time.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn js_stream_created(&self, js_stream: &str) -> Result<Option<String>, StoreError> {
        let js_stream = js_stream.to_owned();
        self.read(move |connection| ledger::js_stream_created(connection, &js_stream)).await
    }

    /// Remembers when the stream was created.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn set_js_stream_created(&self, js_stream: &str, created: String) -> Result<(), StoreError> {
        let js_stream = js_stream.to_owned();
        self.write(move |session| ledger::set_js_stream_created(session.connection, &js_stream, &created))
            .await
    }

    /// Events of the log with a row above `after`, oldest first, whether published or not.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn events_after(&self, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(move |connection| ledger::events_after(connection, after, limit)).await
    }

    /// Deliveries in quarantine with a number above `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn quarantined(&self, after: u64, limit: usize) -> Result<Vec<QuarantinedRow>, StoreError> {
        self.read(move |connection| quarantine::list(connection, after, limit)).await
    }

    /// One delivery in quarantine.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn quarantined_delivery(&self, id: u64) -> Result<Option<QuarantinedRow>, StoreError> {
        self.read(move |connection| quarantine::get(connection, id)).await
    }

    /// How many deliveries are in quarantine.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn quarantined_count(&self) -> Result<u64, StoreError> {
        self.read(quarantine::count).await
    }

    /// How full the store is, as last measured by [`Store::tidy`].
    pub fn fullness(&self) -> Fullness {
        Fullness::of_u8(self.shared.fullness.load(Ordering::Relaxed))
    }

    /// Measures the store, deletes what need not be kept any longer, empties the log, keeps the ballast; to be called
    /// every few seconds. `Ok((usage, rows deleted))`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read or written.
    pub async fn tidy(&self, now: Timestamp) -> Result<(Usage, usize), StoreError> {
        let usage = self.measure().await?;
        let fullness = usage.fullness();
        // Before anything is written, which may fail for want of space.
        self.shared.fullness.store(fullness as u8, Ordering::Relaxed);
        self.shared.ballast.keep(fullness == Fullness::Full);
        let (has_bus, cursors) = (self.shared.has_bus, self.shared.trimmed_to.get());
        let trim =
            move |session: &mut Session<'_>| space::trim(session.connection, now, fullness, has_bus, cursors);
        let (trimmed, cursors) = self.write(trim).await?;
        self.shared.trimmed_to.set(cursors);
        self.checkpoint().await?;
        let usage = self.measure().await?;
        self.shared.fullness.store(usage.fullness() as u8, Ordering::Relaxed);
        Ok((usage, trimmed))
    }

    async fn measure(&self) -> Result<Usage, StoreError> {
        let (dir, bytes_max) = (self.shared.dir.clone(), self.shared.bytes_max);
        self.read(move |connection| space::measure(connection, &dir, bytes_max)).await
    }

    fn published(&self) -> MutexGuard<'_, Published> {
        self.shared.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_published(&self) {
        let mut published = self.published();
        *published = Published { up_to: 0, forgets: published.forgets + 1 };
    }

    fn accounts_now(&self) -> MutexGuard<'_, Vec<(AccountName, PlatformId)>> {
        self.shared.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_with(|shared| &shared.reader, query).await
    }

    /// As [`Store::read`], for what takes long: nobody who is in a hurry waits behind it.
    async fn compare<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_with(|shared| &shared.comparer, query).await
    }

    async fn read_with<T: Send + 'static>(
        &self,
        connection: impl FnOnce(&Shared) -> &Mutex<Connection> + Send + 'static,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let query = move || query(&connection(&shared).lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(query).await {
            Ok(result) => result.map_err(|error| StoreError(error.to_string())),
            // What a panic says may hold a piece of what was compared.
            Err(_) => Err(StoreError("reading the store panicked".to_owned())),
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnMut(&mut Session<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = Write::awaited(write);
        self.jobs.send(Box::new(job)).await.map_err(|_| writer_ended())?;
        answer.await.map_err(|_| writer_ended())?
    }
}

fn writer_ended() -> StoreError {
    StoreError("the writer has ended".to_owned())
}

#[cfg(test)]
mod tests;
