//! Worlds that change by themselves: at random, and as the demo tells.

use jiff::SignedDuration;

use super::{Options, World};
use crate::simulators::{dice::Dice, script::Script};

/// How many programs a world reaches by itself.
const PROGRAMS_MAX: u64 = 5;
/// The first of them.
const FIRST: u64 = 92_823;

impl World {
    /// Programs that [`World::play`] may bring: what a client has to be told, because there is no list.
    pub const PLAYED: std::ops::Range<u64> = FIRST..FIRST + PROGRAMS_MAX;

    /// One random change: mostly comments, late ones and equal ones among them; now and then a program.
    pub fn play(&mut self, dice: &mut Dice) {
        let id = FIRST + dice.number() % PROGRAMS_MAX;
        let is_on_air = self.program(id).is_some_and(super::Program::is_on_air);
        match dice.below(100) {
            0..12 => self.start_program(id),
            12..15 => self.end_program(id),
            15..17 => self.announce_program(id, SignedDuration::from_secs(dice.between(1, 60))),
            17..20 if is_on_air => self.burst(id, 200, SignedDuration::from_millis(dice.between(100, 2_000))),
            20..50 if is_on_air => {
                // Several in the same millisecond.
                for _ in 0..dice.below(6) {
                    self.comment(id, "888888 👏👏 @みんな");
                }
            }
            _ if is_on_air => drop(self.comment(id, &format!("コメント{}", dice.below(1_000)))),
            _ => {}
        }
    }

    /// The world of the demo: program 92823 goes live, comments come in, it ends, within 11 seconds.
    pub fn demo() -> Self {
        let mut world = Self::new(Options { late_max: SignedDuration::ZERO, ..Options::default() });
        world.script = Script::beginning_at_first_look();
        world
            .after(SignedDuration::ZERO, |world| world.announce_program(FIRST, SignedDuration::from_secs(2)));
        for (second, raw) in [
            (1, "わくわく"),
            (3, "こんにちはこんにちは @フレッシュ"),
            (4, "888888 👏👏"),
            (6, "初見です"),
            (9, "おつかれさま ＠みんな"),
        ] {
            world.after(SignedDuration::from_secs(second), move |world| drop(world.comment(FIRST, raw)));
        }
        world.after(SignedDuration::from_secs(11), |world| world.end_program(FIRST));
        world
    }
}
