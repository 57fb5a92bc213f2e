//! CPU time and memory of a process, from `/proc`.

use std::{fs, path::Path, process::Command, sync::OnceLock, time::Duration};

/// Whether this system tells.
pub fn is_available() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// Seconds of CPU that a process has used in all its threads.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name, in brackets, may hold anything; user and system time are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / ticks_per_second()
}

/// The most memory that a process has held so far, in bytes.
pub fn peak_rss_bytes(pid: u32) -> u64 {
    memory(&pid.to_string(), "VmHWM:")
}

/// The memory that this process holds now, in bytes.
pub fn rss_bytes() -> u64 {
    memory("self", "VmRSS:")
}

/// From now on the peak of this process is counted anew.
pub fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("a process may do so with its own figures");
}

fn memory(process: &str, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.expect("the kernel tells it in kB") * 1024
}

/// CPU time of the threads that this process has now. A thread that ends takes its time away.
#[derive(Clone, Copy, Debug)]
pub struct OwnCpu {
    pub all: Duration,
    /// Of that, the store's writer.
    pub writer: Duration,
}

impl OwnCpu {
    pub fn since(self, earlier: Self) -> Self {
        Self { all: self.all.saturating_sub(earlier.all), writer: self.writer.saturating_sub(earlier.writer) }
    }
}

/// Exact to microseconds, unlike [`cpu_seconds`].
pub fn own_cpu() -> OwnCpu {
    let mut cpu = OwnCpu { all: Duration::ZERO, writer: Duration::ZERO };
    for thread in fs::read_dir("/proc/self/task").expect("this process runs").flatten() {
        let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let nanoseconds = read("schedstat").split(' ').next().and_then(|text| text.parse().ok());
        let time = Duration::from_nanos(nanoseconds.unwrap_or(0));
        cpu.all += time;
        if read("comm").trim_end() == "store-writer" {
            cpu.writer += time;
        }
    }
    cpu
}

fn ticks_per_second() -> f64 {
    static TICKS: OnceLock<f64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let told = Command::new("getconf").arg("CLK_TCK").output().ok();
        told.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok()).unwrap_or(100.0)
    })
}
