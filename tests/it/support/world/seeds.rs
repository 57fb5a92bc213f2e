//! Which worlds are played, and how one is played again.

use std::{fmt::Write as _, ops::RangeInclusive, time::Instant};

/// How many tests share the seeds.
const PARTS: u64 = 8;
/// Names the one world that is played again.
const SINGLE: &str = "LIVEHOOK_WORLD";
/// So many failures are enough.
const FAILED_MAX: usize = 5;
/// How often progress is printed, in worlds.
const PROGRESS: usize = 100;

/// Makes tests out of a function of a [`Part`]: they can run beside each other, and none takes long.
macro_rules! in_parts {
    ($name:ident, $play:expr) => {
        mod $name {
            use super::*;
            use crate::support::world::Part;

            in_parts!(@tests $play; part_0 0, part_1 1, part_2 2, part_3 3, part_4 4, part_5 5, part_6 6, part_7 7);
        }
    };
    (@tests $play:expr; $($test:ident $part:literal),+) => {
        $(
            #[test]
            fn $test() {
                $play(Part($part));
            }
        )+
    };
}
pub(crate) use in_parts;

/// The seeds that leave this rest when divided by eight.
#[derive(Clone, Copy, Debug)]
pub struct Part(pub u64);

/// Seeds of worlds, and what went wrong in them.
pub struct Seeds {
    /// How the tests of it are called: `worlds::soop::random_worlds`.
    test: &'static str,
    seeds: Vec<u64>,
    failed: Vec<(u64, Vec<String>)>,
}

impl Seeds {
    /// This part of as many as `LIVEHOOK_WORLDS` says (`1000`, `1001-2000`), or only the one that `LIVEHOOK_WORLD`
    /// names.
    pub fn of(test: &'static str, default: u64, part: Part) -> Self {
        let all = match number(SINGLE, 0) {
            0 => range("LIVEHOOK_WORLDS", default),
            single => single..=single,
        };
        let seeds = all.filter(|seed| seed % PARTS == part.0).collect();
        Self { test, seeds, failed: Vec::new() }
    }

    /// Whether one world is played again, to be understood.
    pub fn is_single() -> bool {
        number(SINGLE, 0) != 0
    }

    /// Plays every world; `play` says what is wrong with it. Fails if anything is wrong with any, and says how to
    /// play it again.
    pub fn play(mut self, mut play: impl FnMut(u64) -> Vec<String>) {
        let began = Instant::now();
        let mut played = 0;
        for seed in &self.seeds {
            let complaints = play(*seed);
            played += 1;
            if !complaints.is_empty() {
                self.failed.push((*seed, complaints));
            }
            if played % PROGRESS == 0 || played == self.seeds.len() {
                let seconds = began.elapsed().as_secs_f64();
                let (test, of, failed) = (self.test, self.seeds.len(), self.failed.len());
                eprintln!("{test}: {played} of {of} worlds up to {seed} in {seconds:.1} s, {failed} failed");
            }
            if self.failed.len() >= FAILED_MAX {
                break;
            }
        }
        let mut text = String::new();
        for (seed, complaints) in &self.failed {
            let _ = writeln!(text, "LIVEHOOK_WORLD={seed} cargo test --test it {} -- --nocapture", self.test);
            for complaint in complaints.iter().take(if Self::is_single() { usize::MAX } else { 12 }) {
                let _ = writeln!(text, "    {complaint}");
            }
        }
        assert!(self.failed.is_empty(), "{} of {played} worlds:\n{text}", self.failed.len());
    }
}

/// A number out of the environment.
pub fn number(variable: &str, default: u64) -> u64 {
    setting(variable).map_or(default, |text| parse(variable, &text))
}

fn range(variable: &str, default: u64) -> RangeInclusive<u64> {
    let Some(text) = setting(variable) else { return 1..=default };
    match text.split_once('-') {
        Some((from, to)) => parse(variable, from)..=parse(variable, to),
        None => 1..=parse(variable, &text),
    }
}

fn parse(variable: &str, text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}"))
}

#[expect(clippy::disallowed_methods, reason = "the switch of the person who runs the tests")]
fn setting(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}
