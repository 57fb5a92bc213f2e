//! Deliveries that nobody could understand.

use super::*;

#[tokio::test]
async fn bytes_that_nobody_understands_are_kept_as_they_came() {
    let rig = Rig::new();
    let body = "a=1&b=%zz\r\n\0ü";
    let durable = rig.store.commit(unreadable(body)).await.unwrap();
    assert_eq!(durable.event_types(), ["delivery.quarantined"]);
    assert_eq!(durable.quarantined(), Some("the form has no field broadcast_key"));

    let row = rig.store.quarantined_delivery(durable.delivery()).await.unwrap().unwrap();
    assert_eq!(row.body, body);
    assert_eq!(row.account, "acme");
    assert_eq!(row.callback, "live-state");
    assert_eq!(row.content_type.as_deref(), Some("text/plain"));
    assert_eq!(row.reason, "the form has no field broadcast_key");
    assert_eq!(row.received_at, noon());
    assert_eq!(row.proof, Proof::UrlToken);

    let envelope = &rig.envelopes().await[0];
    assert_eq!(envelope["data"]["delivery"]["reason"], "the form has no field broadcast_key");
    assert_eq!(envelope["data"]["delivery"]["body_bytes"], body.len());
    assert!(!envelope.to_string().contains("b=%zz"), "the bytes are not published: {envelope}");
}

#[tokio::test]
async fn the_list_holds_only_those_in_quarantine_and_can_be_paged() {
    let rig = Rig::new();
    let mut waiting = Vec::new();
    for nth in 0..5 {
        let _ = rig.store.commit(start(&format!("b{nth}"))).await.unwrap();
        waiting.push(rig.store.commit(unreadable(&format!("body {nth}"))).await.unwrap().delivery());
    }
    let ids = |rows: Vec<crate::store::QuarantinedRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(rig.store.quarantined(0, 3).await.unwrap()), waiting[..3]);
    assert_eq!(ids(rig.store.quarantined(waiting[2], 3).await.unwrap()), waiting[3..]);
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 5);
    // The first delivery of all was understood.
    assert!(rig.store.quarantined_delivery(1).await.unwrap().is_none());
    assert!(rig.store.quarantined_delivery(999).await.unwrap().is_none());
}

#[tokio::test]
async fn a_delivery_leaves_quarantine_once() {
    let rig = Rig::new();
    let id = rig.store.commit(unreadable("body")).await.unwrap().delivery();
    let understood = saying("body", vec![broadcast("b1", Phase::Live)]);
    assert_eq!(rig.store.requeue(id, understood.clone()).await.unwrap(), ["broadcast.started"]);
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 0);

    let again = saying("body", vec![broadcast("b2", Phase::Live)]);
    assert_eq!(rig.store.requeue(id, again).await.unwrap(), [""; 0]);
    assert_eq!(rig.events().await.len(), 2);

    // A retry of the platform finds it among what was understood.
    let retry = at(noon() + SignedDuration::from_secs(1), understood);
    assert!(rig.store.commit(retry).await.unwrap().is_repeat());
}

#[tokio::test]
async fn a_delivery_that_was_never_in_quarantine_cannot_leave_it() {
    let rig = Rig::new();
    let id = rig.store.commit(start("b1")).await.unwrap().delivery();
    for id in [id, 999] {
        assert_eq!(rig.store.requeue(id, start("b2")).await.unwrap(), [""; 0]);
    }
    assert_eq!(rig.events().await.len(), 1);
}
