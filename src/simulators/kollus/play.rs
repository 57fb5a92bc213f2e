//! What happens by chance, and what happens in the demo.

use jiff::SignedDuration;

use super::{Dice, Options, Script, World};

/// More channels than this are not made by chance.
const CHANNELS_MAX: usize = 120;

impl World {
    /// Something happens, at the time of the last [`advance`](super::Simulator::advance).
    pub fn play(&mut self, dice: &mut Dice) {
        let is_grown = self.channels.len() >= CHANNELS_MAX;
        if self.channels.is_empty() || (!is_grown && dice.chance(4)) {
            let title = format!("Channel {}", self.channels.len() + 1);
            self.add_channel(&title);
            return;
        }
        let channel = dice.below(self.channels.len());
        if self.channels[channel].is_trashed {
            return;
        }
        let key = self.channels[channel].key.clone();
        let live = self.live_in(channel);
        let is_paused = live.is_some_and(|place| self.broadcasts[place].paused.is_some());
        match (live, dice.below(100)) {
            (_, 0..3) => {
                self.trash_channel(&key);
            }
            (_, 3..12) => {
                self.rename_channel(&key, &format!("Hall {}", dice.below(1000)));
            }
            (None, _) => {
                self.start(&key, &format!("Show {}", dice.below(1000)));
            }
            (Some(place), 12..30) => {
                let broadcast = self.broadcasts[place].key.clone();
                self.rename_broadcast(&broadcast, &format!("공연 {}", dice.below(1000)));
            }
            (Some(place), 30..35) => {
                let broadcast = self.broadcasts[place].key.clone();
                self.transfer_recording(&broadcast, dice.chance(80));
            }
            // Times are whole seconds: of two that begin in one, nobody could say which one is meant.
            (Some(place), 35..65) if self.broadcasts[place].started.at.as_second() < self.now.as_second() => {
                self.stop(&key);
            }
            (Some(_), _) if is_paused => {
                self.resume(&key);
            }
            (Some(_), _) => {
                self.pause(&key);
            }
        }
    }

    /// Two channels; in the first, within twelve seconds, a broadcast starts, is renamed, pauses, resumes and
    /// ends, and its file is transferred.
    pub fn demo() -> Self {
        let mut world = Self::new(Options { latest_has_key: true, ..Options::default() });
        world.add_channel("Main hall");
        world.add_channel("강의실 1");
        world.script = Script::beginning_at_first_look();
        let mut after = |ms, step: fn(&mut Self)| world.after(SignedDuration::from_millis(ms), step);
        after(1_000, |world| _ = world.start(&world.channels[0].key.clone(), "Morning show"));
        after(3_500, |world| {
            if let Some(live) = world.live_in(0) {
                world.rename_broadcast(&world.broadcasts[live].key.clone(), "Morning show: the harvest");
            }
        });
        after(5_500, |world| _ = world.pause(&world.channels[0].key.clone()));
        after(7_500, |world| _ = world.resume(&world.channels[0].key.clone()));
        after(10_000, |world| _ = world.stop(&world.channels[0].key.clone()));
        after(11_500, |world| _ = world.transfer_recording(&world.broadcasts[0].key.clone(), true));
        world
    }
}
