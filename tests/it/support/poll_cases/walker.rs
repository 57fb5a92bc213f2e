//! The way of a sweep without engine and HTTP: ask, hear, findings, commit to a real store.

use std::{panic::resume_unwind, sync::LazyLock, thread};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    model::ContentHash,
    platform::{ApiResponse, Failure, Findings, Listed, SweepTask},
    store::{FailedSweep, Store, StoreOptions, SweepOutcome, SweepRecord},
};
use serde_json::Value;

use super::{Answer, PollCase, Sweep, all};

use crate::support::remains::tempdir;

/// What earlier sweeps left.
#[derive(Clone, Default)]
pub struct Memory {
    pub cursor: Option<Value>,
    pub listed: Listed,
}

/// What became of a sweep.
pub struct Walked {
    /// As they are shown, without secrets.
    pub requests: Vec<String>,
    pub outcome: Result<Findings, Failure>,
    /// When the last answer was there.
    pub ended_at: Timestamp,
    /// What does not fit between the case and the platform.
    pub misfit: Option<String>,
}

/// Reads `answers` as the platform does. Each request goes out when the platform's limits permit it.
pub fn walk(case: &PollCase, sweep: &Sweep, memory: &Memory, answers: &[Answer]) -> Walked {
    let poll = case.platform.poll().expect("a platform with watches can be read");
    let api = case.platform.descriptor().api.as_ref().expect("a platform with watches has an API");
    let gap = SignedDuration::from_millis(api.limits.gap_ms.into());
    let mut walk = poll.begin(SweepTask {
        watch: case.watch,
        account: &case.account,
        target: sweep.target.as_deref(),
        cursor: memory.cursor.as_ref(),
        listed: &memory.listed,
        now: sweep.begins_at,
        fingerprint: &|secret| ContentHash::of_bytes(secret.as_bytes()).to_string(),
    });
    let mut answers = answers.iter();
    let mut requests = Vec::new();
    let mut asked_at = sweep.begins_at;
    let outcome = loop {
        let Some(request) = walk.ask() else { break Ok(walk.findings()) };
        requests.push(request.to_string());
        let Some(answer) = answers.next() else {
            let misfit = Some("the platform asks once more than the case answers".to_owned());
            return Walked { requests, outcome: Ok(Findings::default()), ended_at: asked_at, misfit };
        };
        let answer = ApiResponse {
            status: answer.status,
            retry_after: answer.retry_after.clone(),
            body: answer.body.clone(),
            asked_at,
        };
        asked_at += gap;
        if let Err(failure) = walk.hear(&answer) {
            break Err(failure);
        }
    };
    let left = answers.count();
    let misfit = (left > 0).then(|| format!("{left} answers of the case are left over"));
    Walked { requests, outcome, ended_at: asked_at, misfit }
}

/// A sweep of a case, what it had to go by, and what came of it.
pub struct Step<'c> {
    pub sweep: &'c Sweep,
    pub before: Memory,
    pub walked: Walked,
    /// What the store says of it; the default for one that failed.
    pub outcome: SweepOutcome,
    /// As they are published.
    pub events: Vec<Value>,
}

/// Every case with its sweeps.
pub fn walked_cases() -> &'static [(&'static PollCase, Vec<Step<'static>>)] {
    static WALKED: LazyLock<Vec<(&PollCase, Vec<Step<'_>>)>> = LazyLock::new(|| walk_all(1));
    &WALKED
}

/// The same, each sweep committed so many times. Opening stores waits for the disk, so it is done side by side.
pub fn walk_all(commits: u32) -> Vec<(&'static PollCase, Vec<Step<'static>>)> {
    let cases = all();
    thread::scope(|scope| {
        let walkers: Vec<_> = cases
            .chunks(cases.len().div_ceil(8).max(1))
            .map(|cases| scope.spawn(move || cases.iter().map(|case| (case, steps(case, commits))).collect()))
            .collect();
        walkers
            .into_iter()
            .flat_map(|walker| -> Vec<_> { walker.join().unwrap_or_else(|panic| resume_unwind(panic)) })
            .collect()
    })
}

/// Every sweep of a case, committed so many times to a store of its own.
fn steps(case: &PollCase, commits: u32) -> Vec<Step<'_>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dir = tempdir();
    // Nobody will look for the file after a crash.
    let options = StoreOptions {
        dir: dir.path().join("data"),
        bytes_max: 1 << 40,
        has_bus: true,
        unsafe_no_fsync: true,
    };
    let (store, writer) = Store::open(options, [7; 32]).unwrap();
    let mut steps = Vec::new();
    for sweep in &case.sweeps {
        steps.push(runtime.block_on(step(&store, case, sweep, commits)));
    }
    drop(store);
    writer.join();
    steps
}

async fn step<'c>(store: &Store, case: &'c PollCase, sweep: &'c Sweep, commits: u32) -> Step<'c> {
    let account = &case.account.name;
    // As the engine has it: what reads one thing needs no lists.
    let listed = match sweep.target {
        Some(_) => Listed::default(),
        None => store.listed(account, case.watch.name).await.unwrap(),
    };
    let cursor = store.watch_standing(account, case.watch.name).await.unwrap().cursor;
    let before = Memory { cursor, listed };
    let newest = *store.newest_event().borrow();
    let walked = walk(case, sweep, &before, &sweep.answers);
    let mut outcome = SweepOutcome::default();
    for _ in 0..commits {
        match (&walked.outcome, sweep.target.is_some()) {
            (Ok(findings), _) => {
                let record = record(case, sweep, &walked, findings.clone());
                outcome = store.commit_sweep(record).await.unwrap();
            }
            // A confirmation that fails says nothing of how the watch fares.
            (Err(_), true) => {}
            (Err(failure), false) => {
                let failed = FailedSweep {
                    account: account.clone(),
                    platform: case.platform.descriptor().id,
                    watch: case.watch.name,
                    at: walked.ended_at,
                    reason: failure.to_string(),
                    retry: None,
                };
                store.sweep_failed(failed).await.unwrap();
                break;
            }
        }
    }
    let events = store.events_after(newest, usize::MAX >> 1).await.unwrap();
    let events = events.iter().map(|event| serde_json::from_slice(&event.envelope).unwrap()).collect();
    Step { sweep, before, walked, outcome, events }
}

fn record(case: &PollCase, sweep: &Sweep, walked: &Walked, findings: Findings) -> SweepRecord {
    let descriptor = case.platform.descriptor();
    let is_confirmation = sweep.target.is_some();
    // As the engine has it: what one thing looks like moves nothing on.
    let cursor = findings.cursor.clone().filter(|_| !is_confirmation);
    SweepRecord {
        account: case.account.name.clone(),
        platform: descriptor.id,
        watch: case.watch.name,
        is_confirmation,
        began_at: sweep.begins_at,
        ended_at: walked.ended_at,
        requests: walked.requests.len() as u32,
        // Nor can a copy be older than it says itself.
        stale_for: if findings.is_dated {
            SignedDuration::ZERO
        } else {
            SignedDuration::from_secs(descriptor.api.as_ref().map_or(0, |api| api.stale_seconds.into()))
        },
        findings: Findings { cursor, ..findings },
    }
}
