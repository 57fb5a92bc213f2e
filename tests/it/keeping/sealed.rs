//! Tokens at rest: sealed, sealed anew with another key, worth nothing without it.

use jiff::SignedDuration;
use livehook::{grants::CredentialState, simulators::grants::Rotation};
use secrecy::ExposeSecret;

use super::{days::soop, rig::Rig};
use crate::support::canaries::canary;

const FIRST: &str = canary("keeping-vault-key");
const OTHER: &str = canary("keeping-other-vault-key");
const THIRD: &str = canary("keeping-third-vault-key");

/// All bytes of all files of the store.
fn bytes(rig: &Rig<livehook::simulators::soop::World>) -> Vec<u8> {
    let files = std::fs::read_dir(rig.path()).unwrap().flatten();
    files.filter(|file| file.path().is_file()).flat_map(|file| std::fs::read(file.path()).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_token_stands_in_any_file_of_the_store() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        let token = rig.process.as_ref().unwrap().access.grant().unwrap().token;
        seen.push(token.expose_secret().to_owned());
        assert!(seen.iter().all(|token| !holds(&bytes(&rig), token)));
        rig.run_for(SignedDuration::from_hours(8)).await;
    }
    rig.stop();
    let all = bytes(&rig);
    assert!(seen.iter().all(|token| !holds(&all, token) && !holds(&all, &token[..token.len() / 2])));
    // The eyes of this test: what is not secret stands there.
    assert!(holds(&all, "soop1234"));
}

#[tokio::test]
async fn another_key_seals_anew_and_a_lost_one_asks_for_a_person() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    let held = |rig: &Rig<_>| {
        let grant = rig.process.as_ref().unwrap().access.grant();
        grant.map(|grant| grant.token.expose_secret().to_owned())
    };
    let token = held(&rig);

    rig.keys = vec![OTHER, FIRST];
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(held(&rig), token, "the older key opens it");
    rig.keys = vec![OTHER];
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(held(&rig), token, "it was sealed anew");

    rig.keys = vec![THIRD];
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(held(&rig), None);
    assert!(rig.progress().needs_person.unwrap().contains("vault.old_keys"));
    assert_eq!(rig.progress().state, CredentialState::Lost);
    // Nothing is lost by that: with the key it goes on.
    rig.keys = vec![THIRD, OTHER];
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(held(&rig), token);
}

#[tokio::test]
async fn whose_key_is_lost_connects_again_and_needs_nobody_any_more() {
    let mut rig = Rig::new(soop(Rotation::Always));
    rig.connect().await;
    rig.keys = vec![OTHER];
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(rig.progress().state, CredentialState::Lost);
    rig.connect().await;
    rig.run_for(SignedDuration::from_hours(24)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected);
    assert_eq!(rig.progress().needs_person, None);
}

#[tokio::test]
async fn tokens_that_wait_for_a_yes_wait_on_after_a_restart() {
    let mut rig = Rig::new(soop(Rotation::Always));
    let link = rig.consent().await.expect("it is asked whether that is the right account");
    rig.restart();
    rig.run_for(SignedDuration::from_mins(1)).await;
    assert_eq!(rig.progress().waiting.unwrap().0, link);
    rig.accept(link).await;
    rig.run_for(SignedDuration::from_hours(24)).await;
    assert_eq!(rig.progress().state, CredentialState::Connected);
    assert_eq!(rig.verbs().await[0], "authorized");
    assert_eq!(rig.told().await[0].entity()["identity"], "soop1234");
}
