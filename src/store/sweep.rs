//! What sweeps found, and how watches fare.

pub(super) mod compare;
mod prepare;
mod write;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    DEGRADED_AFTER, FailedSweep, Store, StoreError, SweepOutcome, SweepRecord, WatchStanding,
    believe::{Speaker, hear},
    watches::{self, WatchKey},
    writer::Session,
    writer_ended,
};
use crate::{
    model::{AccountName, Attributes, EntityKey, Hearing, Noun, Observation, Verb, entities},
    platform::{Listed, Priority},
};
use compare::compare;
use write::CommitSweep;

impl Store {
    /// Commits a sweep: known state, events, who stood in which list, and what the next sweep needs, in one
    /// transaction. Returns after fsync. What changes nothing costs the writer nothing.
    ///
    /// Sweeps of one watch must come one after the other, but for confirmations. The same sweep again changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the sweep was written, or livehook ended before it could be told.
    pub async fn commit_sweep(&self, record: SweepRecord) -> Result<SweepOutcome, StoreError> {
        if self.fullness().refuses(Priority::High) {
            return Err(StoreError("the store is full".to_owned()));
        }
        let began = *self.shared.first_sweep_at.get_or_init(|| record.began_at);
        let difference = self.compare(move |connection| compare(connection, record, began)).await?;
        let (waiter, answer) = oneshot::channel();
        let job = CommitSweep { difference, outcome: SweepOutcome::default(), waiter };
        self.jobs.send(Box::new(job)).await.map_err(|_| writer_ended())?;
        answer.await.map_err(|_| writer_ended())?
    }

    /// Counts a failure; nothing else changes. The third in a row is told as `source.degraded`, once until a
    /// sweep succeeds. Returns the types of the events.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub async fn sweep_failed(&self, failed: FailedSweep) -> Result<Vec<String>, StoreError> {
        self.write(move |session| note_failure(session, &failed)).await
    }

    /// How a watch fares; the default for one that was never swept.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn watch_standing(
        &self,
        account: &AccountName,
        watch: &'static str,
    ) -> Result<WatchStanding, StoreError> {
        let name = account.clone();
        self.read(move |connection| match watches::account_id(connection, name.as_str())? {
            Some(account) => watches::standing(connection, WatchKey { account, watch }),
            None => Ok(WatchStanding::default()),
        })
        .await
    }

    /// What earlier sweeps listed and what is still believed to be there.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn listed(&self, account: &AccountName, watch: &'static str) -> Result<Listed, StoreError> {
        let name = account.clone();
        self.compare(move |connection| match watches::account_id(connection, name.as_str())? {
            Some(account) => watches::listed(connection, WatchKey { account, watch }),
            None => Ok(Listed::default()),
        })
        .await
    }
}

fn note_failure(session: &mut Session<'_>, failed: &FailedSweep) -> rusqlite::Result<Vec<String>> {
    let account = session.account_id(&failed.account, failed.platform)?;
    let key = WatchKey { account, watch: failed.watch };
    watches::note_failure(session.connection, key, failed.at, &failed.reason, failed.retry.as_ref())?;
    let standing = watches::standing(session.connection, key)?;
    let mut event_types = Vec::new();
    if standing.failures == DEGRADED_AFTER {
        let reason = Some(failed.reason.clone());
        let degraded =
            own_word(failed.watch, Verb::Degraded, reason, DEGRADED_AFTER, standing.last_success_at);
        let speaker = Speaker { account, name: &failed.account, platform: failed.platform };
        hear(session, &speaker, &degraded, &Hearing::Own { at: failed.at }, &mut event_types)?;
    }
    Ok(event_types)
}

fn tell_unreadable(entity: &str) {
    tracing::error!(entity, "what is known of {entity} cannot be read, so it is passed over");
}

fn tell_defect(entity: &str) {
    tracing::error!(
        entity,
        "livehook panicked when it compared {entity} with what it knows: it is passed over"
    );
}

/// What livehook says of a watch.
fn own_word(
    watch: &str,
    verb: Verb,
    reason: Option<String>,
    failures: u32,
    last_success_at: Option<Timestamp>,
) -> Observation {
    let attributes = entities::Source {
        watch: Some(watch.to_owned()),
        reason,
        failures: Some(failures.into()),
        last_success_at,
    };
    Observation {
        told: Some(verb),
        attributes: Attributes::of(&attributes),
        ..Observation::of(EntityKey::new(Noun::Source, watch))
    }
}
