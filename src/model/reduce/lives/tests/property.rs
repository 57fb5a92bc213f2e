//! Callbacks and sweeps together tell each call once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{Previous, Proof, RetrySchedule, Seen, judge};

/// What a platform does that retries for ten minutes.
const RETRIES: RetrySchedule = RetrySchedule { answer_seconds: 5, windows: &[(0, 600)] };
/// A call that follows sooner cannot be told from one before it of which nothing was heard.
const SOON: i64 = 36;

#[derive(Clone, Copy, Debug)]
struct Truth {
    start: i64,
    end: i64,
}

/// How a callback comes: how late, and whether a copy follows.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    late: i64,
    copy_after: Option<i64>,
}

#[derive(Clone, Debug)]
struct Day {
    calls: Vec<(Truth, Option<Delivery>, Option<Delivery>)>,
    sweeps: Vec<i64>,
    is_first_sweep: bool,
    stale_for: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Begins(usize),
    Ends(usize),
    Sweep,
}

fn any_delivery() -> impl Strategy<Value = Option<Delivery>> {
    let delivery = (0i64..=4, prop::option::weighted(0.3, 0i64..=1));
    let delivery = delivery.prop_map(|(late, copy_after)| Delivery { late, copy_after });
    prop::option::weighted(0.7, delivery)
}

fn any_day() -> impl Strategy<Value = Day> {
    let length = prop_oneof![6i64..30, 30i64..4000];
    let gap = prop_oneof![6i64..SOON, SOON..200, 200i64..5000];
    let call = (gap, length, any_delivery(), any_delivery());
    let sweeps = prop::collection::vec(0i64..8000, 0..20);
    let parts =
        (prop::collection::vec(call, 1..8), sweeps, any::<bool>(), prop_oneof![Just(0i64), 1i64..120]);
    parts.prop_map(|(calls, mut sweeps, is_first_sweep, stale_for)| {
        let mut now = 0;
        let mut day = Vec::new();
        for (gap, length, begin, end) in calls {
            if gap < SOON
                && let Some((_, begin @ None, _)) = day.last_mut()
            {
                *begin = Some(Delivery { late: 1, copy_after: None });
            }
            let start = now + gap;
            now = start + length;
            day.push((Truth { start, end: now }, begin, end));
        }
        sweeps.sort_unstable();
        Day { calls: day, sweeps, is_first_sweep, stale_for }
    })
}

impl Day {
    fn happenings(&self) -> Vec<(i64, Happening)> {
        let mut all: Vec<_> = self.sweeps.iter().map(|&at| (at, Happening::Sweep)).collect();
        for (n, (call, begin, end)) in self.calls.iter().enumerate() {
            for (what, at, delivery) in
                [(Happening::Begins(n), call.start, begin), (Happening::Ends(n), call.end, end)]
            {
                let Some(Delivery { late, copy_after }) = *delivery else { continue };
                all.push((at + late, what));
                all.extend(copy_after.map(|after| (at + late + after, what)));
            }
        }
        all.sort_unstable();
        all.push((self.calls.last().map_or(0, |(call, ..)| call.end) + 1000, Happening::Sweep));
        all
    }

    /// All calls that had begun by then, in order.
    fn list(&self, now: i64) -> Vec<(usize, Observation)> {
        let begun = self.calls.iter().enumerate().filter(|(_, (call, ..))| call.start <= now);
        begun
            .map(|(n, (truth, ..))| {
                (n, call(&n.to_string(), truth.start, (truth.end <= now).then_some(truth.end)))
            })
            .collect()
    }
}

/// What was told of the calls, by their number.
#[derive(Default, Debug)]
struct Journal {
    on_air: Option<usize>,
    lines: Vec<(usize, Verb)>,
    /// Calls of which nothing more can be told: an event of a later one, or the end without the start, went out.
    lost: BTreeSet<(usize, Verb)>,
}

impl Journal {
    fn write(&mut self, n: usize, verb: Verb) {
        match verb {
            Verb::Started | Verb::Discovered => self.on_air = Some(n),
            Verb::Ended => self.on_air = None,
            _ => return,
        }
        self.lines.push((n, verb));
    }

    fn told(&self, n: usize, verb: Verb) -> usize {
        self.lines.iter().filter(|line| **line == (n, verb)).count()
    }
}

fn live(day: &Day) -> Result<Journal, TestCaseError> {
    let mut scene = if day.is_first_sweep { Scene::first_sweep() } else { Scene::new() };
    scene.stale_for = SignedDuration::from_secs(day.stale_for);
    let mut journal = Journal::default();
    let mut earlier: Vec<(bool, i64)> = Vec::new();
    for (now, happening) in day.happenings() {
        let (n, observation) = match happening {
            Happening::Begins(n) => (n, begins()),
            Happening::Ends(n) => (n, ends()),
            Happening::Sweep => {
                for (n, observation) in day.list(now) {
                    for told in scene.sweeps(now, &observation) {
                        let of = told.entity().get("call_id").and_then(Value::as_str).map(str::to_owned);
                        let of = of.and_then(|id| id.parse().ok()).unwrap_or(n);
                        journal.write(of, told.verb);
                    }
                }
                scene.known_since = Some(at(scene.known_since.map_or(now, |_| -1_000_000)));
                continue;
            }
        };
        let begins = matches!(happening, Happening::Begins(_));
        let copies = earlier.iter().filter(|(which, _)| *which == begins);
        let copies: Vec<_> =
            copies.map(|(_, came)| Previous { received_at: at(*came), is_answered: true }).collect();
        earlier.push((begins, now));
        let seen: Seen = judge(&copies, at(now), RETRIES);
        let Some(told) = scene.hears_with(now, &observation, Proof::Signature, seen) else { continue };
        // The end of a call may be what we hear of the end of the one after it.
        let of = if told.verb == Verb::Ended { journal.on_air.unwrap_or(n) } else { n };
        if told.verb == Verb::Ended && journal.on_air.is_none() {
            journal.lost.insert((of, Verb::Started));
        }
        for before in 0..of {
            for verb in [Verb::Started, Verb::Ended] {
                if journal.told(before, verb) == 0 {
                    journal.lost.insert((before, verb));
                }
            }
        }
        journal.write(of, told.verb);
    }
    prop_assert_eq!(scene.doubtful_until, None);
    Ok(journal)
}

proptest! {
    #[test]
    fn callbacks_and_sweeps_together_tell_each_call_once(day in any_day()) {
        let journal = live(&day)?;
        let lines = &journal.lines;
        let numbers: Vec<_> = lines.iter().map(|(n, _)| *n).collect();
        prop_assert!(numbers.is_sorted(), "in order: {:?}", lines);
        for n in 0..day.calls.len() {
            let (discovered, started, ended) =
                (journal.told(n, Verb::Discovered), journal.told(n, Verb::Started), journal.told(n, Verb::Ended));
            prop_assert!(discovered + started <= 1 && ended <= 1, "call {n} once: {:?}", lines);
            let start = lines.iter().position(|line| *line == (n, Verb::Started));
            let end = lines.iter().position(|line| *line == (n, Verb::Ended));
            if let (Some(start), Some(end)) = (start, end) {
                prop_assert!(start < end, "call {n} begins before it ends: {:?}", lines);
            }
            // Those that were over when they were discovered have no end.
            let is_whole = discovered > 0
                || (started > 0 || journal.lost.contains(&(n, Verb::Started)))
                    && (ended > 0 || journal.lost.contains(&(n, Verb::Ended)));
            prop_assert!(is_whole, "call {n} is told: {:?}, lost {:?}", lines, journal.lost);
        }
    }
}
