//! Keeping PubAcks in the store's ledger.

use futures::{FutureExt, future::BoxFuture};

use super::{ACKS_MAX, Outlet, STORE_DELAY};
use crate::store::{LedgerEntry, StoreError};

/// A write under way, with what it writes.
pub(super) type Recording = BoxFuture<'static, (Vec<LedgerEntry>, Result<(), StoreError>)>;

impl Outlet {
    /// Hands all PubAcks that are there to the store, if it has kept the ones before.
    pub(super) fn begin_recording(&mut self) {
        if self.recording.is_some() || self.acks.is_empty() {
            return;
        }
        let entries: Vec<_> = self.acks.drain(..self.acks.len().min(ACKS_MAX)).collect();
        let store = self.store.clone();
        self.recording = Some(
            async move {
                let result = store.record_acks(entries.clone()).await;
                if result.is_err() {
                    tokio::time::sleep(STORE_DELAY).await;
                }
                (entries, result)
            }
            .boxed(),
        );
    }

    pub(super) fn recorded(&mut self, mut entries: Vec<LedgerEntry>, result: Result<(), StoreError>) {
        self.recording = None;
        match result {
            Ok(()) => entries.iter().for_each(|entry| self.window.forget(entry.row)),
            Err(error) => {
                tracing::warn!("PubAcks cannot be kept: {error}");
                entries.append(&mut self.acks);
                self.acks = entries;
            }
        }
    }
}
