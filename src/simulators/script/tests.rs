use super::*;

const NOON: Timestamp = Timestamp::constant(1_000_000_000, 0);

fn seconds(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

/// Plays everything that is due; says when each step was played.
fn play(script: &mut Script<Vec<&'static str>>, now: Timestamp) -> Vec<(i64, &'static str)> {
    let mut played = Vec::new();
    while let Some((at, step)) = script.due(now) {
        let mut world = Vec::new();
        step(&mut world);
        played.extend(world.into_iter().map(|name| (at.duration_since(NOON).as_secs(), name)));
    }
    played
}

#[test]
fn steps_are_played_in_order_each_at_its_time_and_once() {
    let mut script = Script::beginning_at(NOON);
    script.add(seconds(5), |world: &mut Vec<_>| world.push("second"));
    script.add(seconds(2), |world: &mut Vec<_>| world.push("first"));
    script.add(seconds(5), |world: &mut Vec<_>| world.push("third"));
    assert_eq!(play(&mut script, NOON + seconds(4)), [(2, "first")]);
    // From the last look on.
    script.add(seconds(1), |world: &mut Vec<_>| world.push("added"));
    assert_eq!(play(&mut script, NOON + seconds(9)), [(5, "second"), (5, "third"), (5, "added")]);
    assert_eq!(play(&mut script, NOON + seconds(99)), []);
}

#[test]
fn a_script_can_wait_for_the_first_look() {
    let mut script = Script::beginning_at_first_look();
    script.add(seconds(2), |world: &mut Vec<_>| world.push("step"));
    assert_eq!(play(&mut script, NOON + seconds(100)), []);
    assert_eq!(play(&mut script, NOON + seconds(102)), [(102, "step")]);
}
