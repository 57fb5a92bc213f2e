//! What a platform allows: how many requests, and which.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::{RateMeter, Violation};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// The limits of one account, and every request that broke one.
#[derive(Clone, Debug)]
pub struct Limits {
    meter: RateMeter,
    gap: SignedDuration,
    per_minute: usize,
    recent: VecDeque<Timestamp>,
    violations: Vec<Violation>,
}

/// What the limits say of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Whether it may be answered.
    pub is_granted: bool,
    /// How many more may come within this minute.
    pub remaining: usize,
    /// In how many seconds the next one may come.
    pub retry_after_secs: i64,
}

impl Limits {
    /// At most `per_minute` requests in any 60 seconds, at least `gap` apart.
    pub fn new(gap: SignedDuration, per_minute: usize) -> Self {
        let meter = RateMeter::new(gap, per_minute);
        Self { meter, gap, per_minute, recent: VecDeque::new(), violations: Vec::new() }
    }

    /// Takes note of a request.
    pub fn note(&mut self, now: Timestamp) -> Allowance {
        let is_granted = self.meter.note("account", now);
        if !is_granted {
            self.violations.extend(self.meter.violations().last().cloned());
        }
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            self.recent.pop_front();
        }
        let remaining = self.per_minute.saturating_sub(self.recent.len());
        let wait = match self.recent.front() {
            Some(first) if remaining == 0 => MINUTE - now.duration_since(*first),
            _ => self.gap,
        };
        let retry_after_secs = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        Allowance { is_granted, remaining, retry_after_secs }
    }

    /// Takes note of a request that nobody who only reads would make.
    pub fn object(&mut self, what: String, now: Timestamp) {
        self.violations.push(Violation { at: now, what });
    }

    /// Every request that broke a limit.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
