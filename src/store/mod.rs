//! The one database, and the only place with SQL.
pub mod types;
pub use types::*;

#[derive(Clone)]
pub struct Store;

impl Store {
    /// Commits a delivery: raw bytes, known state and events in one transaction; returns after fsync.
    pub async fn commit(&self, _record: DeliveryRecord) -> Result<Durable, CommitError> { todo!() }
    /// Notes that our 200 for a delivery left after so many milliseconds. Not waited for.
    pub fn note_answered(&self, _durable: &Durable, _after_ms: u32) { todo!() }
    /// Row of the newest committed event; changes wake the publisher and the readers of the log.
    pub fn newest_event(&self) -> tokio::sync::watch::Receiver<u64> { todo!() }
    /// Events that no PubAck is kept for, with a row above `after`, oldest first.
    pub async fn unpublished(&self, _after: u64, _limit: usize) -> Result<Vec<StoredEvent>, StoreError> { todo!() }
    /// How many events wait for the bus, and since when the oldest has.
    pub async fn backlog(&self) -> Result<(u64, Option<jiff::Timestamp>), StoreError> { todo!() }
    /// Keeps PubAcks. An older entry at the same place of a stream is replaced; its event waits again.
    pub async fn record_acks(&self, _acks: Vec<LedgerEntry>) -> Result<(), StoreError> { todo!() }
    /// Sets an event aside that the bus will never take, so that those behind it can go on.
    pub async fn set_aside(&self, _row: u64, _why: String) -> Result<(), StoreError> { todo!() }
    /// The kept PubAck with the highest sequence not above `js_sequence`.
    pub async fn ledger_at_or_below(&self, _js_stream: &str, _js_sequence: u64) -> Result<Option<LedgerEntry>, StoreError> { todo!() }
    /// Forgets PubAcks of a stream above `js_sequence`; returns how many events wait again.
    pub async fn forget_acks_above(&self, _js_stream: &str, _js_sequence: u64) -> Result<u64, StoreError> { todo!() }
    /// When the stream was created, as last seen at the server (RFC 3339); `None` before the first time.
    pub async fn js_stream_created(&self, _js_stream: &str) -> Result<Option<String>, StoreError> { todo!() }
    /// Remembers when the stream was created.
    pub async fn set_js_stream_created(&self, _js_stream: &str, _created: String) -> Result<(), StoreError> { todo!() }
    /// Events of the log with a row above `after`, oldest first, whether published or not.
    pub async fn events_after(&self, _after: u64, _limit: usize) -> Result<Vec<StoredEvent>, StoreError> { todo!() }
}
