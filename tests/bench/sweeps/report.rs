//! The section of the report, and the goals.

use std::{fmt::Write as _, time::Duration};

use super::{Figures, Kind};
use crate::report::{Goal, mib, ms};

/// The worlds by which the goals are measured.
const COMMITTED_IN_A_SECOND: usize = 10_000;
const KNOWN_IN_LITTLE_MEMORY: usize = 100_000;
/// Costs of one broadcast that are to be equal, ten times as many broadcasts later.
const LINEAR_UP_TO: f64 = 1.5;

pub fn goals(figures: &[Figures]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for figures in figures.iter().filter(|figures| figures.broadcasts == COMMITTED_IN_A_SECOND) {
        goals.push((
            format!("CPU of a sweep of 10,000, read, compared and committed: {}", figures.kind),
            ms(figures.cpu()),
            "below 1 s",
            figures.cpu() < Duration::from_secs(1),
        ));
    }
    for figures in figures.iter().filter(|figures| figures.broadcasts == COMMITTED_IN_A_SECOND) {
        goals.push((
            format!("longest wait of a callback behind such a sweep: {}", figures.kind),
            ms(figures.waits.max),
            "at most 300 ms",
            figures.waits.max <= Duration::from_millis(300),
        ));
    }
    for kind in Kind::ALL {
        for (fewer, more) in steps(figures, kind) {
            let ratio = growth(fewer, more);
            let sizes = format!("{} to {}", thousands(fewer.broadcasts), thousands(more.broadcasts));
            goals.push((
                format!("CPU per broadcast, {sizes}: {kind}"),
                format!("{ratio:.2} times"),
                "at most 1.5 times",
                ratio <= LINEAR_UP_TO,
            ));
        }
    }
    let large = figures.iter().filter(|figures| figures.broadcasts == KNOWN_IN_LITTLE_MEMORY);
    if let Some(peak) = large.map(|figures| figures.peak_rss_bytes).max() {
        goals.push((
            "peak RSS of all sweeps of 100,000".to_owned(),
            mib(peak),
            "below 200 MiB",
            peak < 200 << 20,
        ));
    }
    goals
}

pub fn write(page: &mut String, figures: &[Figures]) -> std::fmt::Result {
    writeln!(page, "\n## Sweeps of SOOP's list of broadcasts\n")?;
    writeln!(
        page,
        "CPU is user and system time of livehook's part, without the simulator: *read* is the way through the \
         answers, *commit* is `Store::commit_sweep` (with fsync), *writer* the part of it that the one writer does. \
         Per broadcast it is that of read and commit.\n"
    )?;
    writeln!(
        page,
        "| broadcasts | sweep | requests | events | read, CPU | commit, CPU (writer) | CPU per broadcast | \
         read, commit: wall | peak RSS |"
    )?;
    writeln!(page, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
    for one in figures {
        writeln!(
            page,
            "| {} | {} | {} of {} | {} | {} | {} ({}) | {:.1} us | {}, {} | {} |",
            thousands(one.broadcasts),
            one.kind,
            one.requests,
            one.page_block,
            one.events,
            ms(one.read_cpu),
            ms(one.commit_cpu),
            ms(one.writer_cpu),
            one.cpu_per_broadcast().as_secs_f64() * 1e6,
            ms(one.read_wall),
            ms(one.commit_wall),
            mib(one.peak_rss_bytes)
        )?;
    }
    if let Some(one) = figures.first() {
        writeln!(page, "\nBefore the first sweep the process held {}.", mib(one.start_rss_bytes))?;
    }
    if figures.iter().any(|one| one.page_block != figures[0].page_block) {
        writeln!(
            page,
            "A walk reads 200 pages at most, so the largest world has more rows on a page than SOOP has."
        )?;
    }
    writeln!(page, "\nHow long callbacks, one every 5 ms, waited until they were committed:\n")?;
    writeln!(
        page,
        "| broadcasts | while this sweep is compared and committed | callbacks | p50 | p99 | max |"
    )?;
    writeln!(page, "| --- | --- | --- | --- | --- | --- |")?;
    for one in figures {
        if one.kind == Kind::First {
            write_waits(page, one, "none, for comparison", &one.usual_waits)?;
        }
        write_waits(page, one, &one.kind.to_string(), &one.waits)?;
    }
    Ok(())
}

fn write_waits(
    page: &mut String,
    figures: &Figures,
    during: &str,
    waits: &super::callbacks::Waits,
) -> std::fmt::Result {
    let size = thousands(figures.broadcasts);
    let [p50, p99, max] = [waits.p50, waits.p99, waits.max].map(ms);
    writeln!(page, "| {size} | {during} | {} | {p50} | {p99} | {max} |", waits.count)
}

/// Each size beside the next one.
fn steps(figures: &[Figures], kind: Kind) -> Vec<(&Figures, &Figures)> {
    let of_kind: Vec<_> = figures.iter().filter(|figures| figures.kind == kind).collect();
    of_kind.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn growth(fewer: &Figures, more: &Figures) -> f64 {
    more.cpu_per_broadcast().as_secs_f64() / fewer.cpu_per_broadcast().as_secs_f64()
}

fn thousands(number: usize) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}
