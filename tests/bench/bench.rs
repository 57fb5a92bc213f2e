//! `make bench`: what livehook costs, beside a server that does nothing and one that only publishes.
//!
//! All runs of a report share one machine, one load generator (wrk) and one body, and rates are compared only
//! inside one report. Where others use the machine too, CPU time per request is the figure to steer by.
#![allow(clippy::print_stdout, reason = "the report is printed")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod backlog;
mod baseline;
mod latency;
mod report;
mod throughput;
mod usage;
mod wrk;

#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../it/support"]
mod support {
    pub mod load;
    pub mod nats;
    pub mod observer;
    pub mod rig;
    pub mod service;
}

use std::time::Duration;

use support::rig::setting_or;
use throughput::Subject;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "bare", address] => runtime.block_on(baseline::serve_bare(address)),
        [_, "direct", address, nats_url] => runtime.block_on(baseline::serve_direct(address, nats_url)),
        _ => runtime.block_on(bench()),
    }
}

async fn bench() -> anyhow::Result<()> {
    anyhow::ensure!(usage::is_available(), "the bench reads CPU time and memory from /proc: run it on Linux");
    let seconds = |name, default| Duration::from_secs(setting_or(name, default));
    let run = seconds("LIVEHOOK_BENCH_SECONDS", 15);

    let mut throughput = Vec::new();
    for subject in [Subject::Bare, Subject::Livehook, Subject::Direct, Subject::DirectAlways] {
        eprintln!("bench: {subject}, 64 connections, {run:?}");
        throughput.push((subject, throughput::measure(subject, 64, run).await?));
    }
    eprintln!("bench: 200 requests/s, {run:?}");
    let latency = latency::measure(200, run).await;
    let crowd_for = seconds("LIVEHOOK_BENCH_CROWD_SECONDS", 30);
    eprintln!("bench: 1,000 connections, {crowd_for:?}");
    let crowd = throughput::measure(Subject::Livehook, 1000, crowd_for).await?;
    let events = setting_or("LIVEHOOK_BENCH_BACKLOG", 300_000);
    eprintln!("bench: backlog of {events} events");
    let backlog = backlog::measure(events).await?;

    let report = report::Report { throughput, latency, crowd, backlog }.to_markdown();
    println!("{report}");
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("report.md"), report)?;
    Ok(())
}
