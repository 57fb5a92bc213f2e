use super::*;

fn fullness(percent_used: u64) -> Fullness {
    Usage { used_bytes: percent_used, budget_bytes: 100 }.fullness()
}

#[test]
fn each_step_begins_at_its_percentage() {
    let steps = [
        (0, Fullness::Fine),
        (70, Fullness::Alarm),
        (85, Fullness::Shrinking),
        (95, Fullness::Shedding),
        (99, Fullness::Full),
    ];
    for pair in steps.windows(2) {
        let [(from, this), (next_from, _)] = pair else { unreachable!("windows of two") };
        assert_eq!(fullness(*from), *this);
        assert_eq!(fullness(next_from - 1), *this);
    }
    assert_eq!(fullness(99), Fullness::Full);
    assert_eq!(fullness(300), Fullness::Full);
}

#[test]
fn no_budget_at_all_is_full() {
    assert_eq!(Usage { used_bytes: 0, budget_bytes: 0 }.fullness(), Fullness::Full);
    assert_eq!(Usage { used_bytes: u64::MAX, budget_bytes: u64::MAX }.fullness(), Fullness::Fine);
}

#[test]
fn figures_are_refused_before_everything_else() {
    let refuses = |priority| {
        let all = [Fullness::Fine, Fullness::Alarm, Fullness::Shrinking, Fullness::Shedding, Fullness::Full];
        all.map(|fullness| fullness.refuses(priority))
    };
    assert_eq!(refuses(Priority::Low), [false, false, false, true, true]);
    assert_eq!(refuses(Priority::High), [false, false, false, false, true]);
}

#[test]
fn fullness_comes_back_as_it_was_kept() {
    for fullness in [Fullness::Fine, Fullness::Alarm, Fullness::Shrinking, Fullness::Shedding, Fullness::Full]
    {
        assert_eq!(Fullness::of_u8(fullness as u8), fullness);
    }
}

#[test]
fn the_ballast_is_given_back_when_the_store_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let ballast = Ballast::new(dir.path());
    ballast.keep(false);
    let len = fs::metadata(&ballast.file).unwrap().len();
    assert!(len > 0 && len <= BALLAST_BYTES);
    ballast.keep(false);
    ballast.keep(true);
    assert!(!ballast.file.exists());
    ballast.keep(true);
}
