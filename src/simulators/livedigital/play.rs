//! What happens by chance, and what happens in the demo.

use jiff::SignedDuration;

use super::{Dice, Options, RoomChange, Script, World};

/// More rooms than this are not made by chance.
const ROOMS_MAX: usize = 60;

impl World {
    /// Something happens, at the time of the last [`advance`](super::Simulator::advance).
    pub fn play(&mut self, dice: &mut Dice) {
        let space = if self.spaces.is_empty() { 0 } else { dice.below(self.spaces.len()) };
        if self.spaces.is_empty() || (self.spaces.len() < 6 && dice.chance(2)) {
            let name = format!("Space {}", self.spaces.len() + 1);
            self.add_space(&name);
            return;
        }
        if self.spaces[space].is_removed {
            return;
        }
        let space_id = self.spaces[space].id.clone();
        match dice.below(100) {
            0 if space > 0 => {
                self.remove_space(&space_id);
                return;
            }
            1..4 => {
                self.rename_space(&space_id, &format!("Team {}", dice.below(1000)));
                return;
            }
            4..12 if self.rooms.len() < ROOMS_MAX => {
                self.add_room(&space_id, &format!("Room {}", dice.below(1000)));
                return;
            }
            _ => {}
        }
        let rooms = self.rooms_in(space);
        if rooms.is_empty() {
            self.add_room(&space_id, "Weekly demo");
            return;
        }
        let room = self.rooms[*dice.pick(&rooms)].id.clone();
        self.play_in_room(&room, dice);
    }

    fn play_in_room(&mut self, room: &str, dice: &mut Dice) {
        let Some(place) = self.room_place(room) else { return };
        let running = self.running_records(place).pop();
        match (self.rooms[place].call, dice.below(100)) {
            (_, 0..2) => {
                self.remove_room(room);
            }
            (_, 2..10) => {
                self.change_room(room, &RoomChange::Name(&format!("Комната {}", dice.below(1000))));
            }
            (_, 10..14) => {
                self.change_room(room, &RoomChange::Public(dice.chance(50)));
            }
            (_, 14..20) => self.fidget(room),
            (None, 20..26) => {
                let records = self.record_ids(room);
                if !records.is_empty() {
                    self.remove_record(&records[dice.below(records.len())]);
                }
            }
            (None, _) => {
                self.start_call(room);
            }
            (Some(_), 20..45) => {
                let unique = 1 + dice.below(9);
                self.finish_call(room, unique + dice.below(5), unique);
            }
            (Some(_), _) => match running {
                None => {
                    self.start_record(room);
                }
                Some(record) => {
                    match dice.below(10) {
                        0 => self.fail_record(&record),
                        1 => self.abort_record(&record),
                        2 => self.rename_record(&record, &format!("Record {}", dice.below(1000))),
                        _ => self.finish_record(&record),
                    };
                }
            },
        }
    }

    /// A space with a webhook and two rooms; in the first, within twelve seconds, a call starts, is recorded, the
    /// room is renamed, the record is finished, the call ends.
    pub fn demo() -> Self {
        let mut world = Self::new(Options::default());
        let space = world.add_space("Some test space");
        world.set_webhook(&space, Some("https://hooks.example/livedigital"), true);
        world.add_room(&space, "Weekly demo");
        world.add_room(&space, "Переговорная");
        world.script = Script::beginning_at_first_look();
        let mut after = |ms, step: fn(&mut Self)| world.after(SignedDuration::from_millis(ms), step);
        after(1_000, |world| _ = world.start_call(&world.rooms[0].id.clone()));
        after(2_500, |world| _ = world.start_record(&world.rooms[0].id.clone()));
        after(5_000, |world| {
            world.change_room(&world.rooms[0].id.clone(), &RoomChange::Name("Weekly demo: the harvest"));
        });
        after(8_000, |world| {
            if let Some(record) = world.running_records(0).pop() {
                world.finish_record(&record);
            }
        });
        after(10_500, |world| _ = world.finish_call(&world.rooms[0].id.clone(), 12, 9));
        world
    }
}
