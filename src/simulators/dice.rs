//! Seeded chance: the same seed makes the same world, on every machine.

/// A generator of numbers that only look random (SplitMix64). Not for secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dice {
    counter: u64,
}

impl Dice {
    /// Equal seeds throw equal numbers.
    pub const fn new(seed: u64) -> Self {
        Self { counter: seed }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.counter;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end` - 1; 0 if `end` is 0. The slight preference of small numbers does not matter here.
    pub fn below(&mut self, end: usize) -> usize {
        let number = self.number();
        // What a `usize` cannot hold is more than `end` can be.
        number.checked_rem(end as u64).and_then(|rest| usize::try_from(rest).ok()).unwrap_or(0)
    }

    /// A number from `least` to `most`, both included; `least` if there is none.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = most.saturating_sub(least).saturating_add(1).max(1);
        least.saturating_add((self.number() % width.unsigned_abs()).cast_signed())
    }

    /// `true` in so many of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent as usize
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    /// Another order of these.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Dice of their own for one part of a world: what happens to one part does not change the fate of another.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.number())
    }
}

#[cfg(test)]
mod tests;
