//! Keeping PubAcks in the store's ledger.

use futures::{FutureExt, future::BoxFuture};

use super::{ACKS_MAX, AuditDue, Outlet, STORE_DELAY};
use crate::store::{LedgerEntry, StoreError};

/// A write under way, with what it writes.
pub(super) type Recording = BoxFuture<'static, (Vec<LedgerEntry>, Result<bool, StoreError>)>;

impl Outlet {
    /// Hands all PubAcks that are there to the store, if it has kept the ones before.
    pub(super) fn begin_recording(&mut self) {
        if self.recording.is_some() || self.acks.is_empty() {
            return;
        }
        let entries: Vec<_> = self.acks.drain(..self.acks.len().min(ACKS_MAX)).collect();
        let (store, now) = (self.store.clone(), self.clock.now());
        self.recording = Some(
            async move {
                let result = store.record_acks(entries.clone(), now).await;
                if result.is_err() {
                    tokio::time::sleep(STORE_DELAY).await;
                }
                (entries, result)
            }
            .boxed(),
        );
    }

    pub(super) fn recorded(&mut self, mut entries: Vec<LedgerEntry>, result: Result<bool, StoreError>) {
        self.recording = None;
        match result {
            Ok(has_replaced) => {
                entries.iter().for_each(|entry| self.window.forget(entry.row));
                if has_replaced {
                    self.want_audit(AuditDue::OddAnswer);
                }
            }
            Err(error) => {
                tracing::warn!("PubAcks cannot be kept: {error}");
                entries.append(&mut self.acks);
                self.acks = entries;
            }
        }
    }
}
