//! `make bench`: what livehook costs, beside a server that does nothing and one that only publishes.
//! `cargo bench --bench bench -- sweeps` (or `callbacks`, `questions`) measures one section only.
//!
//! All runs of a report share one machine, one load generator (wrk) and one body, and rates are compared only
//! inside one report. Where others use the machine too, CPU time per request is the figure to steer by.
#![allow(clippy::print_stdout, reason = "the report is printed")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod backlog;
mod baseline;
mod latency;
mod questions;
mod report;
mod sweeps;
mod throughput;
mod usage;
mod wrk;

#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../it/support"]
mod support {
    pub mod canaries;
    pub mod load;
    pub mod nats;
    pub mod observer;
    pub mod remains;
    pub mod rig;
    pub mod service;
}

use std::time::Duration;

/// As in `main.rs`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use support::rig::setting_or;
use throughput::Subject;

/// The sections of the report.
const SECTIONS: [&str; 3] = ["callbacks", "questions", "sweeps"];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    // Threads that ended would take the count of their CPU time with them.
    let keep_alive = Duration::from_secs(3600);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().thread_keep_alive(keep_alive).enable_all().build()?;
    match arguments.iter().skip(1).map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare", address] => runtime.block_on(baseline::serve_bare(address)),
        ["decide", nats_url] => runtime.block_on(questions::decide(nats_url)),
        ["direct", address, nats_url] => runtime.block_on(baseline::serve_direct(address, nats_url)),
        ["read", dir, with_callbacks] => {
            let run = runtime.block_on(sweeps::reading::sweeps(dir.as_ref(), with_callbacks == "true"))?;
            println!("{}", serde_json::to_string(&run)?);
            Ok(())
        }
        // Cargo adds an option of its own.
        ref chosen => bench(&runtime, chosen.iter().filter(|name| !name.starts_with("--")).collect()),
    }
}

fn bench(runtime: &tokio::runtime::Runtime, chosen: Vec<&&str>) -> anyhow::Result<()> {
    anyhow::ensure!(usage::is_available(), "the bench reads CPU time and memory from /proc: run it on Linux");
    if let Some(unknown) = chosen.iter().find(|name| !SECTIONS.contains(name)) {
        anyhow::bail!("there is no section {unknown}: choose among {}", SECTIONS.join(", "));
    }
    let is_chosen = |section: &str| chosen.is_empty() || chosen.iter().any(|name| **name == section);

    let sweeps = is_chosen("sweeps").then(sweeps::measure).transpose()?;
    let callbacks = is_chosen("callbacks").then(|| runtime.block_on(callbacks())).transpose()?;
    let questions = is_chosen("questions").then(|| runtime.block_on(questions())).transpose()?;
    let report = report::Report { callbacks, questions, sweeps }.to_markdown();
    println!("{report}");
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&dir)?;
    // What was chosen alone does not take the place of a whole report.
    let name = if chosen.is_empty() { "report" } else { chosen[0] };
    std::fs::write(dir.join(format!("{name}.md")), report)?;
    Ok(())
}

fn seconds(name: &str, default: u64) -> Duration {
    Duration::from_secs(setting_or(name, default))
}

async fn questions() -> anyhow::Result<questions::Figures> {
    let time = seconds("LIVEHOOK_BENCH_QUESTIONS_SECONDS", 30);
    eprintln!("bench: 1,000 questions/s, {time:?}, twice");
    questions::measure(1000, time).await
}

async fn callbacks() -> anyhow::Result<report::Callbacks> {
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
    Ok(report::Callbacks { throughput, latency, crowd, backlog })
}
