//! Callbacks on their way: delivered, lost, late, or twice.

use jiff::{SignedDuration, Timestamp};

use super::{Push, dice::Dice};

/// How well callbacks are delivered, in percent of all.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Delivery {
    /// Never delivered.
    pub lost: u32,
    /// Delivered late, by up to `delay`.
    pub late: u32,
    /// Delivered a second time, `delay` after the first, byte by byte the same.
    pub twice: u32,
    /// How late.
    pub delay: SignedDuration,
}

/// Callbacks that wait for their time.
#[derive(Clone, Debug)]
pub struct Postbox {
    delivery: Delivery,
    dice: Dice,
    /// In the order in which they are due.
    waiting: Vec<(Timestamp, Push)>,
    lost: usize,
}

impl Postbox {
    /// Empty.
    pub fn new(delivery: Delivery, dice: Dice) -> Self {
        Self { delivery, dice, waiting: Vec::new(), lost: 0 }
    }

    /// Takes a callback of `now`; `false` if it is lost.
    pub fn post(&mut self, push: Push, now: Timestamp) -> bool {
        if self.dice.chance(self.delivery.lost) {
            self.lost += 1;
            return false;
        }
        let delay_ms = i64::try_from(self.delivery.delay.as_millis()).unwrap_or(i64::MAX);
        if self.dice.chance(self.delivery.twice) {
            self.insert(now, delay_ms, push.clone());
        }
        let late_ms = if self.dice.chance(self.delivery.late) { self.dice.between(0, delay_ms) } else { 0 };
        self.insert(now, late_ms, push);
        true
    }

    fn insert(&mut self, now: Timestamp, delay_ms: i64, push: Push) {
        let due = now.saturating_add(SignedDuration::from_millis(delay_ms)).unwrap_or(Timestamp::MAX);
        let place = self.waiting.partition_point(|(at, _)| *at <= due);
        self.waiting.insert(place, (due, push));
    }

    /// Those that are due at `now`, each once.
    pub fn take(&mut self, now: Timestamp) -> Vec<Push> {
        let due = self.waiting.partition_point(|(at, _)| *at <= now);
        self.waiting.drain(..due).map(|(_, push)| push).collect()
    }

    /// How many were lost.
    pub fn lost(&self) -> usize {
        self.lost
    }
}
