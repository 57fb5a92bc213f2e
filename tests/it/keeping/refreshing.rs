//! Many who want another token at once, and a platform that kills whoever uses a refresh token twice.

use std::time::Duration;

use jiff::SignedDuration;
use livehook::{
    access::AccessToken,
    grants::{CredentialState, Source},
    platform::WatchSettings,
    platforms::kollus::Kollus,
    simulators::{
        Fault, Simulator, grants::Rotation, kollus, livedigital::World as Livedigital, soop::World as Soop,
        token_trick::TokenTrick,
    },
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    days::{self, livedigital, soop},
    rig::{Case, Process, Rig, settings},
};
use crate::support::{
    canaries::{self, canary},
    world::{Books, number},
};

/// Users that are refused at the same time.
const USERS: usize = 20;

async fn another(access: &mut AccessToken, version: u64) -> u64 {
    loop {
        match access.grant() {
            Some(grant) if grant.version > version => return grant.version,
            _ => access.changed().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_refused_at_the_same_time_leads_to_one_renewal() {
    let rounds = number("LIVEHOOK_ROUNDS", 1_000);
    let mut rig = Rig::new(days::kollus());
    rig.connect().await;
    let process = rig.process.take().unwrap();
    let ending = CancellationToken::new();
    let running = tokio::spawn(process.grants.run(ending.clone()));
    let mut version = process.access.grant().unwrap().version;
    for round in 0..rounds {
        let refused = (0..USERS).map(|user| {
            let (access, version) = (process.access.clone(), version);
            tokio::spawn(async move {
                // Some are late, and speak of a token that is not the newest any more.
                if user % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                access.refuse(version);
            })
        });
        futures::future::join_all(refused).await;
        version = another(&mut process.access.clone(), version).await;
        let calls = rig.world(|world| world.token_calls().len()) as u64;
        assert_eq!(calls, round + 2, "one consent, and one renewal in each round");
    }
    ending.cancel();
    running.await.unwrap();
    assert_eq!(rig.world(|world| world.killed_families()), 0);
}

/// The control: two that do not know of each other, as two processes on copies of one store would be.
#[tokio::test]
async fn two_keepers_of_one_family_kill_it() {
    let mut rig = Rig::new(days::kollus());
    rig.connect().await;
    rig.stop();
    let copy = rig.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(rig.path()).unwrap().flatten().filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    rig.books = Some(Books::open(rig.path()));
    rig.start();
    rig.run_for(SignedDuration::from_hours(24 * 300)).await;
    assert_eq!(rig.verbs().await, ["authorized", "refreshed"]);
    rig.stop();
    rig.books = Some(Books::open(&copy));
    rig.start();
    rig.run_for(SignedDuration::from_hours(24)).await;
    assert_eq!(rig.world(|world| world.killed_families()), 1);
    assert!(rig.progress().needs_person.is_some());
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_sweep_read_again() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    rig.run_for(SignedDuration::from_hours(1)).await;
    let now = rig.now();
    rig.world(|world| world.grants_mut().expire_access(None, now));
    rig.run_for(SignedDuration::from_hours(3)).await;
    assert_eq!(rig.verbs().await, ["authorized", "refreshed"]);
    let sweeps = rig.process.as_ref().unwrap().poller.board().snapshot();
    assert_eq!(sweeps[0].watches[0].failures, 0);
    assert!(sweeps[0].watches[0].last_success_at.unwrap() > now);
}

#[tokio::test]
async fn what_is_forbidden_is_never_renewed() {
    let mut rig = Rig::new(days::kollus());
    rig.connect().await;
    rig.world(|world| world.options().has_scope = false);
    rig.run_for(SignedDuration::from_hours(48)).await;
    assert_eq!(rig.world(|world| world.token_calls().len()), 1, "only the consent's");
    let board = rig.process.as_ref().unwrap().poller.board().snapshot();
    assert!(board[0].watches[0].failures > 0);
}

#[tokio::test]
async fn a_platform_that_refuses_every_token_is_asked_for_one_more_and_no_further() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    rig.run_for(SignedDuration::from_hours(1)).await;
    let before = rig.world(|world| world.token_calls().len());
    // Each new token is too old at once: what comes in answer to a refusal is refused as well.
    rig.http.before_each(Some(Box::new(|world: &mut Soop, _, now| {
        world.grants_mut().expire_access(None, now);
    })));
    rig.run_for(SignedDuration::from_hours(4)).await;
    let calls = rig.world(|world| world.token_calls().len()) - before;
    assert!((1..=4).contains(&calls), "{calls} renewals in four hours of refusals");
}

/// A token may be good for the list, and never for one of the things in it.
#[tokio::test]
async fn a_platform_that_refuses_one_page_of_each_sweep_is_asked_for_one_more_and_no_further() {
    let mut case = livedigital(Some(Rotation::Always), false);
    let rooms = WatchSettings { every: Duration::from_secs(600), ..WatchSettings::default() };
    case.settings.watches.insert("rooms", rooms);
    let space = case.world.add_space("Campus");
    case.world.add_room(&space, "Main hall");
    let mut rig = Rig::new(case);
    rig.run_for(SignedDuration::from_hours(1)).await;
    let before = rig.world(|world| world.token_calls().len());
    rig.http.before_each(Some(Box::new(|world: &mut Livedigital, request, _| {
        if request.path.ends_with("/rooms") {
            world.faults().push_back(Fault::Status(401, None));
        }
    })));
    rig.run_for(SignedDuration::from_hours(5)).await;
    assert_eq!(rig.world(|world| world.token_calls().len()) - before, 1);
    assert_eq!(rig.verbs().await, ["authorized", "refreshed"]);
    let board = rig.process.as_ref().unwrap().poller.board().snapshot();
    let rooms = board[0].watches.iter().find(|watch| watch.watch == "rooms").unwrap();
    assert!(rooms.failures > 3, "that is told of the watch: {rooms:?}");
}

#[tokio::test]
async fn a_personal_token_that_was_refused_once_is_told_to_be_good_again() {
    let options =
        kollus::Options { access_token: canary("keeping-personal-token").into(), ..canaries::kollus() };
    let case = Case {
        begins_at: options.begins_at,
        settings: settings(&options.service_account, "channels", Duration::from_secs(3600)),
        world: kollus::World::new(options),
        platform: &Kollus,
        source: Source::Personal(canary("keeping-personal-token").into()),
    };
    let mut rig = Rig::new(case);
    rig.run_for(SignedDuration::from_hours(2)).await;
    rig.world(|world| world.faults().push_back(Fault::Status(401, None)));
    rig.run_for(SignedDuration::from_hours(4)).await;
    assert_eq!(rig.verbs().await, ["revoked", "authorized"]);
    assert_eq!(rig.told().await[1].entity()["needs_person"], false);
    assert_eq!(rig.progress().state, CredentialState::Connected);
}

/// Who ends livehook gently loses no token that is on its way.
#[tokio::test]
async fn a_renewal_that_is_under_way_is_heard_to_its_end() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    let Process { grants, access, .. } = rig.process.take().unwrap();
    let ending = CancellationToken::new();
    rig.http.before_each(Some(Box::new({
        let ending = ending.clone();
        move |_: &mut Soop, _, _| ending.cancel()
    })));
    access.refuse(access.grant().unwrap().version);
    grants.run(ending).await;
    rig.http.before_each(None);
    rig.restart();
    rig.run_for(SignedDuration::from_hours(24)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected, "{:?}", rig.progress());
    assert_eq!(rig.world(|world| world.killed_families()), 0);
}

#[tokio::test]
async fn that_a_person_is_needed_is_told_even_after_failures_that_were_told() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    rig.world(|world| world.token_tricks().extend(vec![TokenTrick::Instead(Fault::Status(503, None)); 4]));
    let now = rig.now() + SignedDuration::from_hours(5);
    rig.world(|world| world.grants_mut().expire_refresh(None, now));
    rig.run_for(SignedDuration::from_mins(450)).await;
    let told = rig.told().await;
    let told: Vec<_> = told.iter().map(|told| (&*told.verb, &told.entity()["needs_person"])).collect();
    let (no, yes) = (&json!(false), &json!(true));
    let expected = [("authorized", no), ("refresh_failed", no), ("refresh_failed", yes), ("expiring", yes)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_wrong_password_is_tried_seldom_and_told_once() {
    let mut case = livedigital(None, false);
    case.settings.password = Some(canary("keeping-wrong-password").into());
    let mut rig = Rig::new(case);
    rig.run_for(SignedDuration::from_hours(24)).await;
    let calls = rig.world(|world| world.token_calls().to_vec());
    let logins = calls.iter().filter(|call| call.grant_type == "password").count();
    assert!((4..=12).contains(&logins), "{logins} wrong logins in a day");
    assert_eq!(rig.verbs().await, ["refresh_failed"]);
    let needs = rig.progress().needs_person.unwrap();
    assert!(needs.contains("password") && needs.contains("[accounts.kept]"), "{needs}");
    assert_eq!(rig.progress().state, CredentialState::Lost);
}

#[tokio::test]
async fn a_password_that_was_corrected_is_tried_at_once_after_the_restart() {
    let mut case = livedigital(None, false);
    let right = case.settings.password.replace(canary("keeping-wrong-password").into());
    let mut rig = Rig::new(case);
    rig.run_for(SignedDuration::from_hours(24)).await;
    assert_eq!(rig.progress().state, CredentialState::Lost);
    rig.correct(|settings| settings.password = right);
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected);
    assert_eq!(rig.verbs().await, ["refresh_failed", "authorized"]);
}

#[tokio::test]
async fn an_application_that_was_corrected_is_renewed_and_needs_no_consent() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    rig.world(|world| canary("keeping-changed-secret").clone_into(&mut world.options().client_secret));
    rig.run_for(SignedDuration::from_hours(7)).await;
    let needs = rig.progress().needs_person.unwrap();
    assert!(needs.contains("client_secret") && needs.contains("restart"), "{needs}");
    rig.correct(|settings| settings.client_secret = Some(canary("keeping-changed-secret").into()));
    rig.restart();
    rig.run_for(SignedDuration::from_hours(1)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected, "{:?}", rig.progress());
    assert_eq!(rig.verbs().await, ["authorized", "refresh_failed", "expiring", "refreshed"]);
}
