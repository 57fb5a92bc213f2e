//! What is remembered, for how long, and how much of it.

use super::*;

const TIME: Duration = Duration::from_secs(5);

fn account(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

fn recall(memory: &Memory, same_decision: &str) -> Option<Bytes> {
    memory.recall(&account("acme"), same_decision)
}

fn keep(memory: &Memory, same_decision: &str, reply: &'static str) {
    memory.keep(&account("acme"), same_decision, reply.into(), TIME);
}

#[tokio::test(start_paused = true)]
async fn a_reply_serves_its_decision_of_its_account_until_its_time_is_over() {
    let memory = Memory::default();
    keep(&memory, "user-42 vnCVPyVx", "yes");
    assert_eq!(recall(&memory, "user-42 vnCVPyVx"), Some("yes".into()));
    assert_eq!(recall(&memory, "user-43 vnCVPyVx"), None);
    assert_eq!(memory.recall(&account("other"), "user-42 vnCVPyVx"), None);
    tokio::time::advance(TIME - Duration::from_millis(1)).await;
    assert_eq!(recall(&memory, "user-42 vnCVPyVx"), Some("yes".into()));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(recall(&memory, "user-42 vnCVPyVx"), None);
}

#[tokio::test(start_paused = true)]
async fn a_younger_reply_takes_the_place_of_an_older_one_and_outlives_it() {
    let memory = Memory::default();
    keep(&memory, "a", "yes");
    tokio::time::advance(TIME / 2).await;
    keep(&memory, "a", "no");
    tokio::time::advance(TIME / 2).await;
    keep(&memory, "b", "yes");
    assert_eq!(recall(&memory, "a"), Some("no".into()));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_for_no_time_nor_what_is_too_large() {
    let memory = Memory::default();
    memory.keep(&account("acme"), "a", "yes".into(), Duration::ZERO);
    memory.keep(&account("acme"), "b", vec![b'x'; REPLY_BYTES_MAX + 1].into(), TIME);
    memory.keep(&account("acme"), "c", vec![b'x'; REPLY_BYTES_MAX].into(), TIME);
    assert_eq!((recall(&memory, "a"), recall(&memory, "b")), (None, None));
    assert!(recall(&memory, "c").is_some());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_goes_when_there_are_too_many() {
    let memory = Memory::default();
    for number in 0..=REPLIES_MAX {
        keep(&memory, &number.to_string(), "yes");
    }
    assert_eq!(recall(&memory, "0"), None);
    assert!(recall(&memory, "1").is_some() && recall(&memory, &REPLIES_MAX.to_string()).is_some());
    let kept = memory.0.lock().unwrap();
    assert_eq!((kept.replies.len(), kept.order.len()), (REPLIES_MAX, REPLIES_MAX));
}
