//! How many requests came, and whether that was too many.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// A request that broke a limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// When.
    pub at: Timestamp,
    /// Which limit, and by how much.
    pub what: String,
}

/// Counts requests by key (a credential, a host) and notes each that comes too early.
#[derive(Clone, Debug)]
pub struct RateMeter {
    gap: SignedDuration,
    per_minute: usize,
    arrivals: HashMap<String, VecDeque<Timestamp>>,
    violations: Vec<Violation>,
}

impl RateMeter {
    /// At most `per_minute` requests in any 60 seconds, at least `gap` apart.
    pub fn new(gap: SignedDuration, per_minute: usize) -> Self {
        Self { gap, per_minute, arrivals: HashMap::new(), violations: Vec::new() }
    }

    /// Takes note of a request; `false` if it comes too early.
    pub fn note(&mut self, key: &str, now: Timestamp) -> bool {
        let arrivals = self.arrivals.entry(key.to_owned()).or_default();
        arrivals.retain(|at| now.duration_since(*at) < SignedDuration::from_secs(60));
        let gap = arrivals.back().map(|last| now.duration_since(*last));
        arrivals.push_back(now);
        let what = if arrivals.len() > self.per_minute {
            format!("{} requests within 60 s, {} are allowed", arrivals.len(), self.per_minute)
        } else if let Some(gap) = gap.filter(|gap| *gap < self.gap) {
            format!("{gap:?} after the one before, {:?} are demanded", self.gap)
        } else {
            return true;
        };
        self.violations.push(Violation { at: now, what });
        false
    }

    /// Every request that came too early.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
