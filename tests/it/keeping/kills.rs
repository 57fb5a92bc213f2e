//! The process ends at any step of a renewal or of a consent: afterwards the account is read, or a person is asked.

use jiff::SignedDuration;
use livehook::{
    access::Access,
    grants::{CredentialProgress, CredentialState},
    simulators::{Simulator, grants::Rotation},
};

use super::{
    days::{kollus, livedigital, soop},
    rig::{Case, Rig},
};
use crate::support::simulated::{Death, LastRequest};

/// What came of an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    Read,
    Asked,
    /// Neither: this must not be.
    Lost,
}

fn judge<S: Simulator>(rig: &Rig<S>, progress: &CredentialProgress) -> After {
    let access = rig.process.as_ref().map(|process| process.access.now());
    match (access, progress) {
        (Some(Access::Granted(_)), CredentialProgress { state: CredentialState::Connected, .. }) => {
            After::Read
        }
        (_, CredentialProgress { needs_person: Some(_), .. }) => After::Asked,
        _ => After::Lost,
    }
}

/// Connects (where that is done by a person), and lets renewal come near.
async fn nearly<S: Simulator + 'static>(case: Case<S>, is_by_browser: bool, life: SignedDuration) -> Rig<S> {
    let mut rig = Rig::new(case);
    if is_by_browser {
        rig.connect().await;
    }
    rig.run_for(life * 69 / 100).await;
    assert_eq!(rig.progress().state, CredentialState::Connected);
    rig
}

/// Ends the process at each request and at each wait until a renewal is over; returns what came of each.
async fn kill_everywhere<S: Simulator + 'static>(
    case: impl Fn() -> Case<S>,
    is_by_browser: bool,
    life: SignedDuration,
) -> Vec<After> {
    let mut all = Vec::new();
    for after_asking in [false, true] {
        // At the renewal itself, and at what the poller asks before or after it.
        for more in [None, Some(1), Some(2)] {
            let mut rig = nearly(case(), is_by_browser, life).await;
            let at = more.map_or(LastRequest::ForTokens, |more| LastRequest::Nth(rig.http.count() + more));
            rig.http.die(Some(Death { at, after_asking }));
            all.push(end(&mut rig, life, None).await);
        }
    }
    for waits in 1..=14 {
        let mut rig = nearly(case(), is_by_browser, life).await;
        // Right when renewal is due at the latest.
        rig.run_for(life * 12 / 100 - SignedDuration::from_secs(1)).await;
        all.push(end(&mut rig, life, Some(waits)).await);
    }
    all
}

async fn end<S: Simulator + 'static>(rig: &mut Rig<S>, life: SignedDuration, waits: Option<u64>) -> After {
    let until = rig.now() + life / 4;
    rig.run_until_death(until, waits).await;
    rig.http.die(None);
    let calls = rig.world(|world| world.token_calls().len());
    rig.restart();
    rig.run_for(life / 8).await;
    let more = rig.world(|world| world.token_calls().len()) - calls;
    assert!(more <= 3, "{more} requests for tokens after an end: that is a loop");
    assert_eq!(rig.world(|world| world.requests_with_expired_token()), 0);
    judge(rig, &rig.progress())
}

#[tokio::test]
async fn a_rotating_platform_leaves_the_account_read_or_a_person_asked() {
    let life = SignedDuration::from_secs(28_800);
    let all = kill_everywhere(|| soop(Rotation::Always), true, life).await;
    assert!(!all.contains(&After::Lost), "{all:?}");
    // An answer that was lost with the only copy of a refresh token cannot be made up for.
    assert!(all.contains(&After::Read) && all.contains(&After::Asked), "{all:?}");
}

#[tokio::test]
async fn a_platform_that_does_not_rotate_forgives_every_end() {
    let life = SignedDuration::from_secs(28_800);
    let all = kill_everywhere(|| soop(Rotation::Never), true, life).await;
    assert!(all.iter().all(|after| *after == After::Read), "{all:?}");
}

#[tokio::test]
async fn a_password_logs_in_again_after_every_end() {
    let life = SignedDuration::from_hours(7 * 24);
    let all = kill_everywhere(|| livedigital(Some(Rotation::Always), false), false, life).await;
    assert!(all.iter().all(|after| *after == After::Read), "{all:?}");
}

/// The control: a keeper that does nothing after an end leaves an account of which nobody hears.
#[tokio::test]
async fn the_judge_sees_an_account_that_is_lost() {
    let mut rig = nearly(kollus(), true, SignedDuration::from_hours(366 * 24)).await;
    let progress = rig.progress();
    assert_eq!(judge(&rig, &progress), After::Read);
    rig.restart();
    assert_eq!(judge(&rig, &progress), After::Lost);
}

#[tokio::test]
async fn an_end_during_the_exchange_asks_for_another_consent() {
    let mut rig = Rig::new(kollus());
    rig.http.die(Some(Death { at: LastRequest::Nth(1), after_asking: true }));
    {
        let http = std::sync::Arc::clone(&rig.http);
        let connecting = rig.connect();
        tokio::select! {
            () = connecting => panic!("it ended before"),
            () = http.death() => {}
        }
    }
    rig.http.die(None);
    rig.restart();
    rig.run_for(SignedDuration::from_mins(5)).await;
    let progress = rig.progress();
    assert_eq!(judge(&rig, &progress), After::Asked);
    assert!(progress.needs_person.unwrap().contains("exchanged a consent"));
    rig.connect().await;
    rig.run_for(SignedDuration::from_hours(12)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected);
}
