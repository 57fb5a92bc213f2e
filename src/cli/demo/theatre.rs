//! Where the story is played: beats become changes of the worlds and callbacks to livehook.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    audience::Audience,
    dimmed,
    samples::Samples,
    story::{Beat, STORY},
    worlds::{self, Worlds},
};
use crate::cli::send;

/// Time between two beats of the story: slow enough to read along.
const PAUSE: Duration = Duration::from_millis(900);
/// How often platforms push, and the end is looked for.
const TICK: Duration = Duration::from_millis(100);
/// Longest time until the last poll has told what happened.
const LAST_SWEEPS: Duration = Duration::from_secs(12);
/// What must have come by then: the end that only two lists without the broadcast can tell.
const LAST_EVENT: &str = "broadcast.ended games";

/// The platforms, and the way from them to livehook.
pub(super) struct Theatre {
    pub(super) worlds: Worlds,
    pub(super) samples: Samples,
    /// Where livehook accepts callbacks.
    pub(super) base: String,
}

impl Theatre {
    /// Plays the story once; returns how many callbacks that were.
    pub(super) async fn play(&self, round: u32) -> anyhow::Result<usize> {
        let mut told = 0;
        for beat in STORY {
            match beat {
                Beat::World(what, change) => {
                    self.worlds.advance();
                    dimmed(what);
                    change(&self.worlds);
                }
                Beat::Sample(account, callback, case) => {
                    let (content_type, body) = self.samples.body(account, callback, case, round)?;
                    let url = format!("{}{}", self.base, self.samples.path(account, callback));
                    let status = send::deliver(&url, content_type.as_deref(), body).await?;
                    dimmed(&format!("POST  {account}/{callback} ({case}): {status}"));
                    told += 1;
                }
            }
            told += self.wait(PAUSE).await?;
        }
        Ok(told)
    }

    /// Waits until the last poll has told what happened; returns how many callbacks came meanwhile.
    pub(super) async fn settle(&self, audience: &mut Audience) -> anyhow::Result<usize> {
        let mut told = 0;
        let until = Instant::now() + LAST_SWEEPS;
        while !audience.has_seen(LAST_EVENT) && Instant::now() < until {
            told += self.wait(TICK).await?;
        }
        // The last events are on their way.
        Ok(told + self.wait(PAUSE).await?)
    }

    /// Delivers what the platforms push for a while; returns how many that were.
    async fn wait(&self, time: Duration) -> anyhow::Result<usize> {
        let until = Instant::now() + time;
        let mut told = 0;
        while Instant::now() < until {
            for (account, push) in self.worlds.take_pushes() {
                let callback = push.callback;
                let url = format!("{}{}", self.base, self.samples.path(account, callback));
                let status = worlds::deliver(&url, push).await?;
                dimmed(&format!("POST  {account}/{callback}: {status}"));
                told += 1;
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(told)
    }
}
