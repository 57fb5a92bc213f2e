use super::*;

#[test]
fn equal_seeds_throw_equal_numbers() {
    let throw = |seed| {
        let mut dice = Dice::new(seed);
        [(); 20].map(|()| dice.number())
    };
    assert_eq!(throw(7), throw(7));
    assert_ne!(throw(7), throw(8));
    // The first number of the published generator for seed 0.
    assert_eq!(Dice::new(0).number(), 0xe220_a839_7b1d_cdaf);
}

#[test]
fn numbers_stay_inside_their_bounds_and_reach_both_ends() {
    let mut dice = Dice::new(1);
    let below: Vec<_> = (0..200).map(|_| dice.below(3)).collect();
    assert!((0..3).all(|number| below.contains(&number)) && below.iter().all(|number| *number < 3));
    let between: Vec<_> = (0..200).map(|_| dice.between(-1, 1)).collect();
    assert!((-1..=1).all(|number| between.contains(&number)));
    assert!(between.iter().all(|number| (-1..=1).contains(number)));
    assert_eq!((dice.below(0), dice.below(1), dice.between(5, 4)), (0, 0, 5));
    assert!((0..200).any(|_| dice.between(i64::MIN, i64::MAX) != 0));
}

#[test]
fn chances_are_what_they_say() {
    let mut dice = Dice::new(2);
    let hits = (0..10_000).filter(|_| dice.chance(30)).count();
    assert!((2_700..3_300).contains(&hits), "{hits}");
    assert!((0..200).all(|_| !dice.chance(0)) && (0..200).all(|_| dice.chance(100)));
}

#[test]
fn a_shuffle_keeps_everything_and_moves_something() {
    let mut dice = Dice::new(3);
    let mut items: Vec<_> = (0..50).collect();
    dice.shuffle(&mut items);
    assert_ne!(items, (0..50).collect::<Vec<_>>());
    items.sort_unstable();
    assert_eq!(items, (0..50).collect::<Vec<_>>());
    assert!(items.contains(dice.pick(&items)));
}
