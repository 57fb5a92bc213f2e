//! The meter against another one, which only counts what the platform sees.

use proptest::{collection::vec, prelude::*};

use super::super::meter::*;
use super::*;

/// What happens to a poller.
#[derive(Clone, Debug)]
enum Deed {
    /// Nothing is asked for so many milliseconds.
    Wait(u32),
    /// Requests are sent as soon as they may be, each taking so many milliseconds.
    Send { confirmation: bool, count: u8, takes_ms: u32 },
    /// It is killed, in the middle of a request or not, and starts after so many milliseconds.
    Restart { in_request: bool, after_ms: u32 },
    /// The clock is set back by so many milliseconds, while it runs or while it does not.
    SetBack { ms: u32, at_restart: bool },
}

fn deed() -> impl Strategy<Value = Deed> {
    let send = (any::<bool>(), 1..70u8, prop_oneof![3 => 1..900u32, 1 => 1..10_000u32]);
    prop_oneof![
        2 => (0..70_000u32).prop_map(Deed::Wait),
        6 => send.prop_map(|(confirmation, count, takes_ms)| Deed::Send { confirmation, count, takes_ms }),
        2 => (any::<bool>(), 0..30_000u32)
            .prop_map(|(in_request, after_ms)| Deed::Restart { in_request, after_ms }),
        1 => (0..200_000u32, any::<bool>()).prop_map(|(ms, at_restart)| Deed::SetBack { ms, at_restart }),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (0..3_000u32, 1..80u32, 1..80u32, 1..30u32).prop_map(|(gap_ms, per_minute, routine, confirmations)| {
        Limits {
            gap_ms,
            per_minute,
            routine_per_minute: routine,
            confirmations_per_minute: confirmations,
            ..LIMITS
        }
    })
}

/// A poller with its store, in a world where real time only goes forward.
struct World {
    limits: Limits,
    meter: Meter,
    real_ms: i64,
    clock_behind_ms: i64,
    stored: Vec<(i64, Purpose)>,
    /// Begin and end in real time.
    seen: Vec<(i64, i64, Purpose)>,
}

impl World {
    fn new(limits: Limits) -> Self {
        let meter = Meter::new(limits, time(0));
        Self { limits, meter, real_ms: 0, clock_behind_ms: 0, stored: Vec::new(), seen: Vec::new() }
    }

    fn clock_ms(&self) -> i64 {
        self.real_ms - self.clock_behind_ms
    }

    fn send(&mut self, purpose: Purpose, takes_ms: i64) {
        let now = time(self.clock_ms());
        self.meter.note_time(now);
        let wait = self.meter.free_at(purpose).duration_since(now);
        assert!(wait <= WINDOW, "blocked for {wait:#}");
        // Timers are never early.
        self.real_ms +=
            i64::try_from(wait.as_micros()).unwrap().max(0).unsigned_abs().div_ceil(1_000).cast_signed();
        let now = time(self.clock_ms());
        self.meter.note_time(now);
        assert!(self.meter.free_at(purpose) <= now);
        self.meter.begin(purpose, now);
        let kept_from = self.clock_ms() - 63_000;
        self.stored.retain(|(at, other)| *other != purpose || *at >= kept_from);
        self.stored.push((self.clock_ms(), purpose));
        self.seen.push((self.real_ms, self.real_ms + takes_ms, purpose));
        self.real_ms += takes_ms;
    }

    fn end(&mut self) {
        let now = time(self.clock_ms());
        self.meter.note_time(now);
        self.meter.end(now);
    }

    fn restart(&mut self) {
        let now = time(self.clock_ms());
        let of = |purpose| {
            let stored = self.stored.iter().filter(move |(_, other)| *other == purpose);
            stored.map(|(at, _)| time(*at)).collect::<Vec<_>>()
        };
        let (routine, confirmations) = (of(Purpose::Routine), of(Purpose::Confirmation));
        self.meter = Meter::new(self.limits, now);
        self.meter.restore(&routine, &confirmations, now);
    }

    fn do_it(&mut self, deed: &Deed) {
        match *deed {
            Deed::Wait(ms) => self.real_ms += i64::from(ms),
            Deed::Send { confirmation, count, takes_ms } => {
                for _ in 0..count {
                    let purpose = if confirmation { Purpose::Confirmation } else { Purpose::Routine };
                    self.send(purpose, i64::from(takes_ms));
                    self.end();
                }
            }
            Deed::Restart { in_request, after_ms } => {
                if in_request {
                    self.send(Purpose::Routine, 700);
                }
                self.real_ms += i64::from(after_ms);
                self.restart();
            }
            Deed::SetBack { ms, at_restart } => {
                self.clock_behind_ms += i64::from(ms);
                if at_restart {
                    self.restart();
                }
            }
        }
    }

    /// What the platform would complain of.
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (index, (begin, _, _)) in self.seen.iter().enumerate() {
            let gap = index.checked_sub(1).map(|before| begin - self.seen[before].1);
            if let Some(gap) = gap.filter(|gap| *gap < i64::from(self.limits.gap_ms)) {
                complaints.push(format!("{gap} ms after the last"));
            }
            let in_minute = self.seen[..=index].iter().filter(|(other, ..)| begin - other < 60_000);
            let of = |purpose| in_minute.clone().filter(|(.., other)| *other == purpose).count();
            let (routine, confirmations) = (of(Purpose::Routine), of(Purpose::Confirmation));
            for (count, allowed) in [
                (routine + confirmations, self.limits.per_minute),
                (routine, self.limits.routine_per_minute),
                (confirmations, self.limits.confirmations_per_minute),
            ] {
                if count > allowed as usize {
                    complaints.push(format!("{count} in a minute, {allowed} allowed"));
                }
            }
        }
        complaints
    }
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_736_829_000_000 + ms).unwrap()
}

proptest! {
    #[test]
    fn no_load_no_restart_and_no_clock_breaks_a_limit(limits in limits(), deeds in vec(deed(), 1..12)) {
        let mut world = World::new(limits);
        deeds.iter().for_each(|deed| world.do_it(deed));
        prop_assert_eq!(world.complaints(), Vec::<String>::new());
    }
}

#[test]
fn the_platform_would_notice_one_request_too_many() {
    let mut world = World::new(LIMITS);
    world.do_it(&Deed::Send { confirmation: false, count: 41, takes_ms: 10 });
    assert_eq!(world.complaints(), Vec::<String>::new());
    // One that the meter knows nothing of.
    let (begin, end, purpose) = world.seen[40];
    world.seen.push((begin - 40_000, end - 40_000, purpose));
    world.seen.sort_unstable();
    assert!(!world.complaints().is_empty());
}

#[test]
fn the_rate_that_is_allowed_is_reached() {
    let mut world = World::new(Limits { gap_ms: 0, ..LIMITS });
    world.do_it(&Deed::Send { confirmation: false, count: 200, takes_ms: 1 });
    // Forty in 63 seconds.
    assert!(world.real_ms <= 4 * 63_000 + 200, "{} ms", world.real_ms);
}

#[test]
fn a_clock_that_was_set_back_by_a_day_holds_up_nobody_for_more_than_a_minute() {
    let mut world = World::new(LIMITS);
    for at_restart in [false, true] {
        world.do_it(&Deed::Send { confirmation: false, count: 40, takes_ms: 10 });
        world.do_it(&Deed::SetBack { ms: 86_400_000, at_restart });
        let before = world.real_ms;
        world.do_it(&Deed::Send { confirmation: false, count: 1, takes_ms: 10 });
        assert!(world.real_ms - before <= 63_100);
    }
    assert_eq!(world.complaints(), Vec::<String>::new());
}
