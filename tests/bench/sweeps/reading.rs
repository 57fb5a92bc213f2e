//! Sweeps as the engine makes them, but for the waiting: what is known, the walk through the answers, the commit.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::SignedDuration;
use livehook::{
    model::AccountName,
    platform::{AccountSettings, ApiResponse, Findings, SweepTask},
    platforms,
    store::{Store, StoreOptions, SweepRecord},
};
use serde::{Deserialize, Serialize};

use super::{SWEEPS, callbacks::Callbacks, world};
use crate::usage;

const WATCH: &str = "broadcasts";
/// How long callbacks are watched without a sweep.
const USUAL: Duration = Duration::from_secs(2);

/// What was measured of all sweeps.
#[derive(Serialize, Deserialize)]
pub struct Run {
    pub start_rss_bytes: u64,
    pub usual_waits: Vec<Duration>,
    pub sweeps: Vec<Swept>,
}

/// What was measured of one sweep.
#[derive(Clone, Serialize, Deserialize)]
pub struct Swept {
    pub requests: usize,
    pub events: usize,
    pub read_cpu: Duration,
    pub commit_cpu: Duration,
    pub writer_cpu: Duration,
    pub read_wall: Duration,
    pub commit_wall: Duration,
    pub peak_rss_bytes: u64,
    pub waits: Vec<Duration>,
}

/// Makes all sweeps out of the answers in `dir`.
pub async fn sweeps(dir: &Path, with_callbacks: bool) -> anyhow::Result<Run> {
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let options = StoreOptions {
        dir: data.path().join("data"),
        bytes_max: 4 << 30,
        has_bus: true,
        unsafe_no_fsync: false,
    };
    let (store, writer) = Store::open(options, [7; 32])?;
    let mut account = AccountSettings::new(AccountName::parse("soop-1")?, "soop");
    account.client_id = Some(world::CLIENT_ID.to_owned());

    let mut run = Run { start_rss_bytes: usage::rss_bytes(), usual_waits: Vec::new(), sweeps: Vec::new() };
    if with_callbacks {
        let callbacks = Callbacks::begin(&store, "usual".to_owned());
        tokio::time::sleep(USUAL).await;
        run.usual_waits = callbacks.stop().await?;
    }
    for sweep in 0..SWEEPS.len() {
        run.sweeps.push(one(&store, &account, dir, sweep, with_callbacks).await?);
    }
    drop(store);
    writer.join();
    Ok(run)
}

async fn one(
    store: &Store,
    account: &AccountSettings,
    dir: &Path,
    sweep: usize,
    with_callbacks: bool,
) -> anyhow::Result<Swept> {
    usage::forget_peak();
    let (began, cpu) = (Instant::now(), usage::own_cpu());
    let (findings, requests) = read(store, account, dir, sweep).await?;
    let (read_cpu, read_wall) = (usage::own_cpu().since(cpu).all, began.elapsed());

    let began_at = world::sweep_at(sweep);
    let record = SweepRecord {
        account: account.name.clone(),
        platform: "soop",
        watch: WATCH,
        is_confirmation: false,
        began_at,
        ended_at: began_at + world::GAP * requests as i32,
        requests: requests as u32,
        stale_for: SignedDuration::ZERO,
        findings,
    };
    let callbacks = with_callbacks.then(|| Callbacks::begin(store, sweep.to_string()));
    let (began, cpu) = (Instant::now(), usage::own_cpu());
    let outcome = store.commit_sweep(record).await?;
    let (commit_cpu, commit_wall) = (usage::own_cpu().since(cpu), began.elapsed());
    let waits = match callbacks {
        Some(callbacks) => callbacks.stop().await?,
        None => Vec::new(),
    };
    anyhow::ensure!(!outcome.is_suspicious && outcome.doubts.is_empty(), "sweep {sweep} was not believed");
    Ok(Swept {
        requests,
        events: outcome.event_types.len(),
        read_cpu,
        commit_cpu: commit_cpu.all,
        writer_cpu: commit_cpu.writer,
        read_wall,
        commit_wall,
        peak_rss_bytes: usage::peak_rss_bytes(std::process::id()),
        waits,
    })
}

/// Returns how many requests it took, too.
async fn read(
    store: &Store,
    account: &AccountSettings,
    dir: &Path,
    sweep: usize,
) -> anyhow::Result<(Findings, usize)> {
    let soop = platforms::ALL.iter().find(|platform| platform.descriptor().id == "soop");
    let soop = soop.context("there is SOOP")?;
    let watch = soop.descriptor().watches.iter().find(|watch| watch.name == WATCH);
    let listed = store.listed(&account.name, WATCH).await?;
    let mut asked_at = world::sweep_at(sweep);
    let mut walk = soop.poll().context("it has an API")?.begin(SweepTask {
        watch: watch.context("it is watched")?,
        account,
        target: None,
        cursor: store.watch_standing(&account.name, WATCH).await?.cursor.as_ref(),
        listed: &listed,
        now: asked_at,
        fingerprint: &|_| String::new(),
    });
    drop(listed);
    let mut requests = 0;
    while let Some(request) = walk.ask() {
        let shown = request.to_string();
        let page = world::page(dir, sweep, parameter(&shown, "order_type"), parameter(&shown, "page_no"));
        let body = fs::read(&page).with_context(|| page.display().to_string())?.into();
        walk.hear(&ApiResponse { status: 200, retry_after: None, body, asked_at })?;
        asked_at += world::GAP;
        requests += 1;
    }
    Ok((walk.findings(), requests))
}

/// A parameter of a request, which is shown as `GET /broad/list?order_type=view_cnt&page_no=1`.
fn parameter<'r>(shown: &'r str, name: &str) -> &'r str {
    let mut parameters = shown.split(['?', '&']).filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}
