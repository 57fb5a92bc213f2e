//! Sweeps: what reading, comparing and committing a list of broadcasts costs, and how long callbacks wait behind it.
//!
//! The simulator's answers are written down before, and read by a process of its own: neither its CPU time nor its
//! memory is in the figures. Only sockets and the waiting between requests are missing.

pub mod callbacks;
pub mod reading;
pub mod report;
mod world;

use std::{
    fmt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::support::rig::setting_or;

/// So many broadcasts are on air; each ten times as many as before.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// What has happened since the sweep before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// There was none before.
    First,
    /// Nothing but the number of viewers changed.
    Still,
    /// One in a hundred changed, one in a hundred ended, as many began.
    Changing,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::First, Self::Still, Self::Changing];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "(a) the first",
            Self::Still => "(b) nothing changed",
            Self::Changing => "(c) 1 % changed, 1 % ended, 1 % new",
        })
    }
}

/// The sweeps that are made, in this order; those that are not counted only bring about the right condition.
const SWEEPS: [(Kind, bool); 6] = [
    (Kind::First, true),
    (Kind::Still, true),
    (Kind::Still, true),
    // What ended is told by the next sweep only.
    (Kind::Changing, false),
    (Kind::Changing, true),
    (Kind::Changing, true),
];

/// What was measured of sweeps of one kind; of several the mean, but of memory and waiting the worst.
#[derive(Clone, Debug)]
pub struct Figures {
    pub broadcasts: usize,
    pub kind: Kind,
    /// Rows on a page: a walk reads 200 pages at most.
    pub page_block: usize,
    pub requests: usize,
    pub events: usize,
    /// Reading the answers.
    pub read_cpu: Duration,
    /// Comparing and committing.
    pub commit_cpu: Duration,
    /// That part of it for which the one writer was busy.
    pub writer_cpu: Duration,
    pub read_wall: Duration,
    pub commit_wall: Duration,
    /// The most memory of the whole process.
    pub peak_rss_bytes: u64,
    /// The same before the first sweep.
    pub start_rss_bytes: u64,
    /// How long callbacks waited until they were committed, while the sweep was compared and committed.
    pub waits: callbacks::Waits,
    /// The same when there was no sweep.
    pub usual_waits: callbacks::Waits,
}

impl Figures {
    pub fn cpu(&self) -> Duration {
        self.read_cpu + self.commit_cpu
    }

    pub fn cpu_per_broadcast(&self) -> Duration {
        self.cpu() / self.broadcasts as u32
    }
}

/// Sweeps worlds of each size, or up to a size that is set.
pub fn measure() -> anyhow::Result<Vec<Figures>> {
    let most = setting_or("LIVEHOOK_BENCH_BROADCASTS", SIZES[2] as u64) as usize;
    let mut figures = Vec::new();
    for broadcasts in SIZES.into_iter().filter(|size| *size <= most) {
        eprintln!("bench: sweeps of {broadcasts} broadcasts");
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let page_block = world::write_down(broadcasts, dir.path())?;
        let alone = sweep(broadcasts, dir.path(), false)?;
        let beside_callbacks = sweep(broadcasts, dir.path(), true)?;
        for kind in Kind::ALL {
            figures.push(summed_up(broadcasts, kind, page_block, &alone, &beside_callbacks));
        }
    }
    Ok(figures)
}

/// In a process of its own.
fn sweep(broadcasts: usize, dir: &Path, with_callbacks: bool) -> anyhow::Result<reading::Run> {
    let output = Command::new(std::env::current_exe()?)
        .arg("read")
        .arg(dir)
        .arg(with_callbacks.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    anyhow::ensure!(output.status.success(), "sweeping {broadcasts} broadcasts failed");
    serde_json::from_slice(&output.stdout).context("the sweeps' figures cannot be read")
}

fn summed_up(
    broadcasts: usize,
    kind: Kind,
    page_block: usize,
    alone: &reading::Run,
    beside_callbacks: &reading::Run,
) -> Figures {
    let counted = |run: &reading::Run| -> Vec<reading::Swept> {
        let counted = run.sweeps.iter().zip(SWEEPS);
        counted
            .filter(|(_, (its_kind, counts))| *its_kind == kind && *counts)
            .map(|(swept, _)| swept.clone())
            .collect()
    };
    let sweeps = counted(alone);
    let mean =
        |of: fn(&reading::Swept) -> Duration| sweeps.iter().map(of).sum::<Duration>() / sweeps.len() as u32;
    let waits = counted(beside_callbacks).into_iter().flat_map(|swept| swept.waits).collect();
    Figures {
        broadcasts,
        kind,
        page_block,
        requests: sweeps.iter().map(|swept| swept.requests).max().unwrap_or(0),
        events: sweeps.iter().map(|swept| swept.events).sum::<usize>() / sweeps.len(),
        read_cpu: mean(|swept| swept.read_cpu),
        commit_cpu: mean(|swept| swept.commit_cpu),
        writer_cpu: mean(|swept| swept.writer_cpu),
        read_wall: mean(|swept| swept.read_wall),
        commit_wall: mean(|swept| swept.commit_wall),
        peak_rss_bytes: sweeps.iter().map(|swept| swept.peak_rss_bytes).max().unwrap_or(0),
        start_rss_bytes: alone.start_rss_bytes,
        waits: callbacks::Waits::of(waits),
        usual_waits: callbacks::Waits::of(beside_callbacks.usual_waits.clone()),
    }
}
