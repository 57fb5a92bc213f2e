//! What follows from each trouble.

use super::*;
use crate::{
    platform::{Failure, Limits},
    poll::tests::support::{self, Seeded},
};

fn reaction(trouble: Trouble, descriptor: &Descriptor) -> Reaction {
    let jitter = Jitter(std::sync::Arc::new(Seeded::new(1)));
    trouble.reaction(1, descriptor, Timestamp::UNIX_EPOCH, &jitter)
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn a_platform_that_says_how_long_to_wait_is_believed() {
    let working = support::descriptor(support::LIMITS);
    let told = Some("17".to_owned());
    let limited = reaction(Failure::RateLimited { retry_after: told.clone() }.into(), working);
    assert_eq!(limited, Reaction { pause: seconds(17), rests: Rests::Budget, is_lasting: false });
    let busy = reaction(Failure::Unavailable { status: 503, retry_after: told }.into(), working);
    assert_eq!(busy, Reaction { pause: seconds(17), rests: Rests::Account, is_lasting: false });
}

#[test]
fn a_platform_that_does_not_say_so_is_left_alone_for_a_while() {
    let working = support::descriptor(support::LIMITS);
    for header in [None, Some("1e3".to_owned()), Some("-1".to_owned())] {
        let busy = reaction(Failure::Unavailable { status: 503, retry_after: header }.into(), working);
        assert_eq!(busy.rests, Rests::Watch);
        assert!((seconds(5)..=seconds(15)).contains(&busy.pause));
    }
}

#[test]
fn too_many_requests_are_forgotten_before_there_is_another_one() {
    let hurried = Limits { backoff_max_seconds: 10, ..support::LIMITS };
    let jitter = Jitter(std::sync::Arc::new(Seeded::new(1)));
    for (limits, longest) in [(support::LIMITS, 600), (hurried, 63)] {
        let descriptor = support::descriptor(limits);
        let pauses: Vec<_> = (1..100)
            .map(|failures| {
                let limited = Trouble::from(Failure::RateLimited { retry_after: None });
                let reaction = limited.reaction(failures, descriptor, Timestamp::UNIX_EPOCH, &jitter);
                assert_eq!((reaction.rests, reaction.is_lasting), (Rests::Budget, false));
                reaction.pause
            })
            .collect();
        assert!(pauses.iter().all(|pause| (seconds(60)..=seconds(longest)).contains(pause)), "{pauses:?}");
        assert_eq!(pauses.iter().any(|pause| *pause > seconds(120)), longest > 120, "it grows: {pauses:?}");
    }
}

#[test]
fn what_time_does_not_mend_is_tried_seldom() {
    let (working, closed) = (support::descriptor(support::LIMITS), support::closed());
    let lasting = [
        (Failure::Unauthorized.into(), working, seconds(15 * 60)),
        (Failure::Forbidden.into(), working, seconds(15 * 60)),
        (Trouble::NoToken("connect it".to_owned()), working, seconds(3600)),
        (Failure::Gone.into(), working, seconds(6 * 3600)),
        (HttpError::Unreachable.into(), closed, seconds(6 * 3600)),
    ];
    for (trouble, descriptor, pause) in lasting {
        let expected = Reaction { pause, rests: Rests::Watch, is_lasting: true };
        assert_eq!(reaction(trouble.clone(), descriptor), expected, "{trouble}");
    }
    let passing = [
        HttpError::Unreachable.into(),
        HttpError::TimedOut.into(),
        HttpError::TooLarge.into(),
        Failure::NotFound.into(),
        Failure::Stale.into(),
        Failure::malformed("x").into(),
        Trouble::TooLong,
    ];
    for trouble in passing {
        let reaction = reaction(trouble.clone(), working);
        assert!(!reaction.is_lasting && reaction.rests == Rests::Watch, "{trouble}");
        assert!((seconds(5)..=seconds(15)).contains(&reaction.pause), "{trouble}");
    }
}
