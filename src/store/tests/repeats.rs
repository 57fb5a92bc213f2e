//! A delivery that says what an earlier one said.

use super::*;

/// A retry distance, the middle of the first window.
const RETRY: SignedDuration = SignedDuration::from_mins(5);

/// A pause, whose copies may be news: a broadcast can be paused again.
fn pause(content: &str) -> DeliveryRecord {
    saying(content, vec![broadcast("b1", Phase::Paused)])
}

fn resume(content: &str) -> DeliveryRecord {
    saying(content, vec![broadcast("b1", Phase::Live)])
}

#[tokio::test]
async fn a_copy_a_moment_later_says_nothing() {
    let rig = Rig::new();
    let first = rig.store.commit(start("b1")).await.unwrap();
    let second = rig.store.commit(at(noon() + SignedDuration::from_secs(1), start("b1"))).await.unwrap();
    assert!(!first.is_repeat() && second.is_repeat());
    assert_eq!(second.event_types(), [""; 0]);
    assert_ne!(first.delivery(), second.delivery(), "its bytes are kept all the same");
    assert_eq!(rig.events().await.len(), 1);
}

#[tokio::test]
async fn a_copy_is_recognised_after_reopening() {
    let rig = Rig::new();
    let _ = rig.store.commit(start("b1")).await.unwrap();
    let rig = rig.reopened();
    let again = rig.store.commit(at(noon() + SignedDuration::from_secs(1), start("b1"))).await.unwrap();
    assert!(again.is_repeat());
}

/// pause, resume, and the pause again at a retry distance, our answer to the first having left as told.
async fn pause_resume_pause(is_answered: bool) -> Vec<Value> {
    let rig = Rig::new();
    let first = rig.store.commit(pause("pause")).await.unwrap();
    if is_answered {
        first.answered();
    } else {
        drop(first);
    }
    let _ = rig.store.commit(at(noon() + SignedDuration::from_mins(2), resume("resume"))).await.unwrap();
    let again = rig.store.commit(at(noon() + RETRY, pause("pause"))).await.unwrap();
    assert_eq!(again.is_repeat(), again.event_types().is_empty());
    rig.envelopes().await.split_off(2)
}

#[tokio::test]
async fn a_copy_at_a_retry_distance_after_no_answer_says_nothing() {
    assert_eq!(pause_resume_pause(false).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_copy_at_a_retry_distance_after_a_prompt_answer_is_published_with_a_mark() {
    let events = pause_resume_pause(true).await;
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(event["type"], "live.broadcast.paused");
    assert_eq!(event["data"]["possible_duplicate"], true);
}

#[tokio::test]
async fn a_copy_at_any_other_distance_is_the_same_thing_happening_again() {
    let rig = Rig::new();
    for (minutes, record) in [(0, pause("pause")), (2, resume("resume")), (8, pause("pause"))] {
        let record = at(noon() + SignedDuration::from_mins(minutes), record);
        let durable = rig.store.commit(record).await.unwrap();
        assert_eq!(durable.event_types().len(), 1);
    }
    assert_eq!(rig.envelopes().await[2]["data"].get("possible_duplicate"), None);
}

#[tokio::test]
async fn copies_are_looked_for_on_the_same_callback_of_the_same_account_only() {
    let rig = Rig::new();
    let _ = rig.store.commit(pause("pause")).await.unwrap();
    let elsewhere = [
        DeliveryRecord { account: AccountName::parse("other").unwrap(), ..pause("pause") },
        DeliveryRecord { callback: "live-recording", ..pause("pause") },
    ];
    for record in elsewhere {
        assert!(!rig.store.commit(record).await.unwrap().is_repeat());
    }
}

#[tokio::test]
async fn a_copy_after_three_days_is_not_looked_at() {
    let rig = Rig::new();
    let _ = rig.store.commit(saying("upload", Vec::new())).await.unwrap();
    let again = rig.store.commit(at(noon() + hours(71), saying("upload", Vec::new()))).await.unwrap();
    assert!(again.is_repeat());
    let later = rig.store.commit(at(noon() + hours(71 + 73), saying("upload", Vec::new()))).await.unwrap();
    assert!(!later.is_repeat());
}

/// Commits a pause as the last thing before the end, copies the files as a crash would leave them, or ends in
/// order; then a resume, and the pause again at a retry distance.
async fn pause_then_end(is_crash: bool) -> bool {
    let rig = Rig::new();
    rig.store.commit(pause("pause")).await.unwrap().answered();
    let crashed = tempfile::tempdir().unwrap();
    let rig = if is_crash {
        let options = options(&crashed);
        std::fs::create_dir(&options.dir).unwrap();
        for name in ["livehook.sqlite", "livehook.sqlite-wal"] {
            std::fs::copy(rig.options.dir.join(name), options.dir.join(name)).unwrap();
        }
        let (store, writer) = Store::open(options.clone(), [8; 32]).unwrap();
        Rig { options, store, writer, _dir: crashed }
    } else {
        rig.reopened()
    };
    rig.store.commit(at(noon() + SignedDuration::from_mins(2), resume("resume"))).await.unwrap().answered();
    rig.store.commit(at(noon() + RETRY, pause("pause"))).await.unwrap().is_repeat()
}

#[tokio::test]
async fn after_a_crash_the_last_answers_are_doubted() {
    assert!(pause_then_end(true).await, "a copy at a retry distance is taken for a retry");
}

#[tokio::test]
async fn after_an_orderly_end_no_answer_is_doubted() {
    assert!(!pause_then_end(false).await, "a copy at a retry distance is published with a mark");
}
