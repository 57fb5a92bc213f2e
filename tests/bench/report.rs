//! The report: figures, and beside each the goal it has.

use std::{fmt::Write as _, fs, process::Command, time::Duration};

use crate::{
    backlog, latency, questions,
    support::nats::binary,
    sweeps,
    throughput::{self, Subject},
};

/// What was measured; `None` for what was not chosen.
pub struct Report {
    pub callbacks: Option<Callbacks>,
    pub questions: Option<questions::Figures>,
    pub sweeps: Option<Vec<sweeps::Figures>>,
}

/// What was measured of callbacks.
pub struct Callbacks {
    pub throughput: Vec<(Subject, throughput::Figures)>,
    pub latency: latency::Figures,
    pub crowd: throughput::Figures,
    pub backlog: backlog::Figures,
}

/// A figure, what was measured, the goal, and whether it is met.
pub type Goal = (String, String, &'static str, bool);

impl Report {
    /// As a page.
    pub fn to_markdown(&self) -> String {
        let mut page = String::from("# livehook bench\n\n");
        self.write(&mut page).expect("a string takes everything");
        page
    }

    fn write(&self, page: &mut String) -> std::fmt::Result {
        writeln!(page, "{}\n", machine())?;
        writeln!(page, "## Goals\n\n| figure | measured | goal | |\n| --- | --- | --- | --- |")?;
        let callbacks = self.callbacks.iter().flat_map(Callbacks::goals);
        let sweeps = self.sweeps.iter().flat_map(|figures| sweeps::report::goals(figures));
        let questions = self.questions.iter().flat_map(questions_goals);
        for (figure, measured, goal, is_met) in callbacks.chain(questions).chain(sweeps) {
            writeln!(
                page,
                "| {figure} | {measured} | {goal} | {} |",
                if is_met { "met" } else { "**missed**" }
            )?;
        }
        if let Some(callbacks) = &self.callbacks {
            callbacks.write(page)?;
        }
        if let Some(questions) = &self.questions {
            write_questions(page, questions)?;
        }
        match &self.sweeps {
            Some(figures) => sweeps::report::write(page, figures),
            None => Ok(()),
        }
    }
}

impl Callbacks {
    fn write(&self, page: &mut String) -> std::fmt::Result {
        let seconds = self.of(Subject::Livehook).seen.took.as_secs();
        writeln!(page, "\n## As many requests as are answered: 64 connections, {seconds} s each\n")?;
        writeln!(
            page,
            "| server | requests/s | p50 | p99 | max | CPU s per 10,000 (gateway + bus) | peak RSS | not 200 |"
        )?;
        writeln!(page, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        for (subject, figures) in &self.throughput {
            write_row(page, &subject.to_string(), figures)?;
        }
        writeln!(page, "\nThe same with 1,000 connections, {} s:\n", self.crowd.seen.took.as_secs())?;
        writeln!(
            page,
            "| server | requests/s | p50 | p99 | max | CPU s per 10,000 (gateway + bus) | peak RSS | not 200 |"
        )?;
        writeln!(page, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        write_row(page, &Subject::Livehook.to_string(), &self.crowd)?;

        let steady = &self.latency;
        writeln!(page, "\n## {} requests/s\n", steady.rate)?;
        writeln!(page, "| from the request to | p50 | p99 | max |\n| --- | --- | --- | --- |")?;
        for (what, times) in [("its 200", steady.answer), ("the event at a subscriber", steady.end_to_end)] {
            writeln!(page, "| {what} | {} | {} | {} |", ms(times.p50), ms(times.p99), ms(times.max))?;
        }
        let (requests, unanswered) = (steady.requests, steady.not_answered);
        let memory = mib(steady.peak_rss_bytes);
        writeln!(page, "\n{requests} requests, {unanswered} of them not answered 200; peak RSS {memory}.")?;

        let backlog = &self.backlog;
        writeln!(page, "\n## Backlog\n")?;
        writeln!(
            page,
            "{} events had piled up while the bus was away ({} requests not answered 200); they were in the stream \
             {:.1} s after its start, {:.0} events/s. Peak RSS {}.",
            backlog.events,
            backlog.refused,
            backlog.took.as_secs_f64(),
            backlog.per_second(),
            mib(backlog.peak_rss_bytes)
        )
    }

    fn of(&self, wanted: Subject) -> &throughput::Figures {
        let found = self.throughput.iter().find(|(subject, _)| *subject == wanted);
        &found.expect("every subject was measured").1
    }

    fn goals(&self) -> Vec<Goal> {
        let livehook = self.of(Subject::Livehook);
        let rate = |subject| self.of(subject).seen.per_second();
        let cpu_us = livehook.cpu_per_10_000() * 100.0;
        let of_bare = rate(Subject::Livehook) / rate(Subject::Bare) * 100.0;
        let of_direct = rate(Subject::Livehook) / rate(Subject::DirectAlways);
        let p99 = self.latency.answer.p99;
        let crowd = self.crowd.seen.refused + self.crowd.seen.broken;
        let rss = livehook.peak_rss_bytes;
        let drained = self.backlog.per_second();
        let goals = vec![
            (
                "CPU per request, gateway and bus, (b) at 64 connections",
                format!("{cpu_us:.0} us"),
                "at most 120 us",
                cpu_us <= 120.0,
            ),
            ("requests/s, (b) of (a)", format!("{of_bare:.0} %"), "at least 25 %", of_bare >= 25.0),
            (
                "requests/s, (b) to (c) with `sync_interval: always`",
                format!("{of_direct:.1} times"),
                "at least 3 times",
                of_direct >= 3.0,
            ),
            (
                "p99 of the answer at 200 requests/s",
                ms(p99),
                "at most 25 ms",
                p99 <= Duration::from_millis(25),
            ),
            ("not 200 with 1,000 connections", crowd.to_string(), "0", crowd == 0),
            ("peak RSS, (b) at 64 connections", mib(rss), "at most 64 MiB", rss <= 64 << 20),
            (
                "draining the backlog",
                format!("{drained:.0} events/s"),
                "at least 5,000 events/s",
                drained >= 5000.0,
            ),
        ];
        let owned = goals.into_iter();
        owned.map(|(figure, measured, goal, is_met)| (figure.to_owned(), measured, goal, is_met)).collect()
    }
}

/// What a player waits at most when the service does not answer in time.
const LATEST: Duration = questions::DEADLINE.saturating_add(Duration::from_millis(50));

fn questions_goals(figures: &questions::Figures) -> Vec<Goal> {
    let per_second = figures.rate;
    let p99 = figures.alive.answer.p99;
    let unanswered = figures.alive.not_answered + figures.killed.not_answered;
    let longest = figures.after_kill.max;
    let not_by_policy = figures.not_by_policy;
    vec![
        (
            format!("p99 of the answer to players, {per_second} questions/s"),
            ms(p99),
            "below 50 ms",
            p99 < Duration::from_millis(50),
        ),
        ("players without an answer".to_owned(), unanswered.to_string(), "0", unanswered == 0),
        (
            "longest answer after the decision service was killed".to_owned(),
            ms(longest),
            "at most 850 ms",
            longest <= LATEST,
        ),
        ("not answered by policy after that".to_owned(), not_by_policy.to_string(), "0", not_by_policy == 0),
    ]
}

fn write_questions(page: &mut String, figures: &questions::Figures) -> std::fmt::Result {
    let seconds = figures.time.as_secs();
    writeln!(page, "\n## {} questions of players/s, {seconds} s\n", figures.rate)?;
    writeln!(
        page,
        "| the decision service | answered | not | p50 | p99 | max | CPU s per 10,000 | peak RSS | decided |"
    )?;
    writeln!(page, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
    for (what, run) in [("replies after 5 ms", &figures.alive), ("is killed half-way", &figures.killed)] {
        let [p50, p99, max] = [run.answer.p50, run.answer.p99, run.answer.max].map(ms);
        let decided: Vec<_> = run.decided.iter().map(|(who, count)| format!("{count} {who}")).collect();
        writeln!(
            page,
            "| {what} | {} | {} | {p50} | {p99} | {max} | {:.2} | {} | {} |",
            run.requests - run.not_answered,
            run.not_answered,
            run.cpu_seconds * 10_000.0 / run.requests as f64,
            mib(run.peak_rss_bytes),
            decided.join(", ")
        )?;
    }
    let after = figures.after_kill;
    let [p50, p99, max] = [after.p50, after.p99, after.max].map(ms);
    let count = figures.after_kill_requests;
    writeln!(page, "\n{count} were answered after the kill: p50 {p50}, p99 {p99}, at most {max}.")
}

fn write_row(page: &mut String, name: &str, figures: &throughput::Figures) -> std::fmt::Result {
    let seen = &figures.seen;
    let share = |seconds: f64| seconds * 10_000.0 / seen.requests as f64;
    writeln!(
        page,
        "| {name} | {:.0} | {} | {} | {} | {:.2} ({:.2} + {:.2}) | {} | {} |",
        seen.per_second(),
        ms(seen.p50),
        ms(seen.p99),
        ms(seen.max),
        figures.cpu_per_10_000(),
        share(figures.gateway_cpu_seconds),
        share(figures.bus_cpu_seconds),
        mib(figures.peak_rss_bytes),
        seen.refused + seen.broken
    )
}

pub fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// What it ran on.
fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("CPU of unknown make", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let server = Command::new(binary()).arg("--version").output().ok();
    let server = server.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {model}, Linux {}, {}, release build.", kernel.trim(), server.trim())
}
