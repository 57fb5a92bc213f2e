//! What services said a moment ago, for questions that one decision may serve.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use crate::model::AccountName;

/// Replies that are kept; the oldest goes first.
const REPLIES_MAX: usize = 16 * 1024;
/// A larger reply is not kept: all replies together must not take more than 64 MiB.
const REPLY_BYTES_MAX: usize = 4096;

/// Replies by account and decision.
#[derive(Default)]
pub(super) struct Memory(Mutex<Kept>);

type Key = (AccountName, String);

#[derive(Default)]
struct Kept {
    replies: HashMap<Key, Reply>,
    /// In the order in which they came, with the time at which each is over.
    order: VecDeque<(Instant, Key)>,
}

struct Reply {
    reply: Bytes,
    until: Instant,
}

impl Memory {
    /// The reply that serves this decision now.
    pub(super) fn recall(&self, account: &AccountName, same_decision: &str) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.replies.get(&(account.clone(), same_decision.to_owned()))?;
        (found.until > Instant::now()).then(|| found.reply.clone())
    }

    /// Keeps a reply for a while; zero for not at all.
    pub(super) fn keep(&self, account: &AccountName, same_decision: &str, reply: Bytes, time: Duration) {
        if time.is_zero() || reply.len() > REPLY_BYTES_MAX {
            return;
        }
        let now = Instant::now();
        let (key, until) = ((account.clone(), same_decision.to_owned()), now + time);
        // A piece of what the client read would keep all of it.
        let reply = Bytes::copy_from_slice(&reply);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.order.push_back((until, key.clone()));
        kept.replies.insert(key, Reply { reply, until });
        while let Some((until, _)) = kept.order.front()
            && (*until <= now || kept.order.len() > REPLIES_MAX)
            && let Some((until, key)) = kept.order.pop_front()
        {
            // It may have been replaced by a younger one.
            if kept.replies.get(&key).is_some_and(|reply| reply.until == until) {
                kept.replies.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
