//! What is not known any more goes out of the bucket, and in the end its marks do.

use std::{collections::HashSet, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{BUCKET, IN_FLIGHT_MAX, MirrorError, Mirroring, PAGE, Seen, entry};
use crate::ports::bus::{Bucket, BucketKey, BusError};

/// How often the bucket is pruned.
const PRUNE_EVERY: Duration = Duration::from_hours(24);
/// How long the mark of a deleted key stays: who watches has seen it by then. Measured from the newest message in
/// the bucket: where nothing is put, nothing grows.
const MARKS_KEPT: SignedDuration = SignedDuration::from_hours(24);

impl Mirroring {
    /// Prunes if it is time for that.
    pub(super) async fn prune_in_time(
        &self,
        seen: &mut Seen,
        pruned_at: &mut Option<Instant>,
    ) -> Result<(), MirrorError> {
        if pruned_at.is_some_and(|pruned_at| pruned_at.elapsed() < PRUNE_EVERY) {
            return Ok(());
        }
        let accounts = self.store.accounts().await?;
        // At the very start nobody has said yet which accounts are ours.
        if !accounts.is_empty() {
            let mut ours: Vec<_> = accounts
                .iter()
                .map(|(name, platform)| Ours { prefix: entry::prefix(platform, name.as_str()), until: None })
                .collect();
            ours.extend(self.store.former_accounts().await?.into_iter().map(|former| Ours {
                prefix: entry::prefix(&former.platform, &former.name),
                until: Some(former.left_at),
            }));
            self.prune(seen, &ours).await?;
            *pruned_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Deletes our keys that nothing is known of any more, and forgets those deleted long ago.
    async fn prune(&self, seen: &mut Seen, ours: &[Ours]) -> Result<(), MirrorError> {
        // The keys first: what comes to be known meanwhile is not among them, or its event puts it again.
        let mut keys = seen.bucket.keys(|key| ours.iter().any(|it| key.starts_with(&it.prefix))).await?;
        keys.retain(|key| ours.iter().any(|it| it.owns(key)));
        let (deleted, there): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.is_deleted);
        let newest = deleted.iter().chain(&there).map(|key| key.put_at).max();

        let mut unknown: HashSet<_> = there.into_iter().map(|key| key.key).collect();
        let mut after = None;
        loop {
            let page = self.store.current_page(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.account.clone(), last.entity.to_string()));
            for key in page.iter().filter(|current| !current.known.is_gone).filter_map(entry::key) {
                unknown.remove(&key);
            }
        }
        let deletes = stream::iter(unknown).map(|key| delete(seen.bucket.clone(), key));
        let highest = async |highest: u64, js_sequence| Ok(highest.max(js_sequence));
        let highest = deletes.buffer_unordered(IN_FLIGHT_MAX).try_fold(0, highest).await?;
        if highest > seen.mirror.js_sequence {
            seen.mirror.js_sequence = highest;
            self.store.set_mirror(BUCKET, seen.mirror.clone()).await?;
        }

        let forgets = old_marks(deleted, newest).into_iter().map(|key| forget(seen.bucket.clone(), key));
        if let Err(error) = stream::iter(forgets).buffer_unordered(IN_FLIGHT_MAX).try_collect::<()>().await {
            // They take up space, and nothing else.
            tracing::warn!("marks of deleted keys stay in the bucket {BUCKET}: {error}");
        }
        Ok(())
    }
}

/// Keys of an account.
struct Ours {
    prefix: String,
    /// When the account left: what was put since is another livehook's, which has it now.
    until: Option<Timestamp>,
}

impl Ours {
    fn owns(&self, key: &BucketKey) -> bool {
        key.key.starts_with(&self.prefix) && self.until.is_none_or(|until| key.put_at < until)
    }
}

/// Those that were put long before the newest message.
fn old_marks(mut deleted: Vec<BucketKey>, newest: Option<Timestamp>) -> Vec<BucketKey> {
    deleted.retain(|key| newest.is_some_and(|newest| newest.duration_since(key.put_at) > MARKS_KEPT));
    deleted
}

async fn delete(bucket: Bucket, key: String) -> Result<u64, BusError> {
    bucket.delete(&key).await
}

async fn forget(bucket: Bucket, deleted: BucketKey) -> Result<(), BusError> {
    bucket.forget(&deleted).await
}

#[cfg(test)]
mod tests;
