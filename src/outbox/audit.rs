//! Comparing the ledger with what a JetStream stream really holds.
//!
//! A PubAck is not durability: with its default settings a server that loses power forgets the last
//! minutes it acknowledged, or the whole stream. What it forgot is found here, and waits again.

use crate::{
    ports::bus::{Bus, BusError, JsStream},
    store::{LedgerEntry, Store, StoreError},
};

/// What an audit found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Finding {
    /// The stream holds what it acknowledged.
    Intact,
    /// We never saw this stream before.
    FirstSight,
    /// It is another stream than the one that acknowledged: so many events wait again.
    Replaced { waiting_again: u64 },
    /// It lost everything above a sequence: so many events wait again.
    RolledBack { js_sequence: u64, waiting_again: u64 },
}

impl Finding {
    /// One word, for metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::FirstSight => "first_sight",
            Self::Replaced { .. } => "replaced",
            Self::RolledBack { .. } => "rolled_back",
        }
    }
}

/// Why an audit could not be finished; it is repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Audits a stream, makes it if it is missing, and forgets the PubAcks that are not true any more.
/// Also returns the highest sequence that still counts as acknowledged.
///
/// Nothing of this stream may be in flight meanwhile.
pub(super) async fn audit(
    store: &Store,
    bus: &Bus,
    js_stream: JsStream,
) -> Result<(Finding, u64), AuditError> {
    let name = js_stream.as_str();
    let standing = bus.ensure_stream(js_stream).await?;
    let remembered = store.js_stream_created(name).await?;
    if remembered.as_deref() != Some(standing.created.as_str()) {
        // Forgotten first: if we end between the two, the next audit does both again.
        let waiting_again = store.forget_acks_above(name, 0).await?;
        store.set_js_stream_created(name, standing.created).await?;
        let finding = match remembered {
            None if waiting_again == 0 => Finding::FirstSight,
            _ => Finding::Replaced { waiting_again },
        };
        return Ok((finding, 0));
    }

    let Some(newest) = store.ledger_at_or_below(name, u64::MAX).await? else {
        return Ok((Finding::Intact, 0));
    };
    let holds = async |entry: &LedgerEntry| -> Result<bool, AuditError> {
        if entry.js_sequence > standing.last_js_sequence {
            return Ok(false);
        }
        // Below the first one nothing can be compared: it grew too old, as it was configured to.
        if entry.js_sequence < standing.first_js_sequence {
            return Ok(true);
        }
        Ok(bus.message_id_at(js_stream, entry.js_sequence).await?.as_deref() == Some(&entry.event_id))
    };
    if holds(&newest).await? {
        return Ok((Finding::Intact, newest.js_sequence));
    }

    // The newest entry that still holds lies in [low, high]; all up to `low` do, none above `high`.
    let mut low = standing.first_js_sequence.saturating_sub(1).min(newest.js_sequence.saturating_sub(1));
    let mut high = (newest.js_sequence.saturating_sub(1)).min(standing.last_js_sequence).max(low);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match store.ledger_at_or_below(name, middle).await? {
            Some(entry) if entry.js_sequence > low => {
                if holds(&entry).await? {
                    low = middle;
                } else {
                    high = entry.js_sequence - 1;
                }
            }
            _ => low = middle,
        }
    }
    let waiting_again = store.forget_acks_above(name, low).await?;
    Ok((Finding::RolledBack { js_sequence: low, waiting_again }, low))
}
