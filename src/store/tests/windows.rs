//! Lists that are read from some time on: what lies behind is expected no more, and in the end forgotten.

use super::{sweeps::*, *};
use crate::{
    platform::{Coverage, Listed},
    store::SweepRecord,
};

fn hour(hour: i64) -> Timestamp {
    noon() + hours(hour)
}

/// A sweep of that hour that asked for what began since `from`, and saw what began in these hours.
fn window(at: i64, from: i64, coverage: Coverage, began: &[i64]) -> SweepRecord {
    let mut record = sweep("broadcasts", at * 60);
    record.findings.listings = vec![listing("all", Noun::Broadcast, coverage)];
    record.findings.listings[0].from = Some(hour(from));
    let said = began.iter().map(|began| broadcast(&format!("b{began}"), Phase::Ended)).collect();
    record.findings.sightings = in_list("all", at * 60, said);
    for (sighting, began) in record.findings.sightings.iter_mut().zip(began) {
        sighting.listed_from = Some(hour(*began));
    }
    record
}

async fn listed_in(rig: &Rig) -> Listed {
    rig.store.listed(&AccountName::parse("acme").unwrap(), "broadcasts").await.unwrap()
}

/// How many entries the list holds from the beginning of time on.
async fn entries(rig: &Rig) -> usize {
    let listed = listed_in(rig).await;
    listed.since("all", Timestamp::MIN).len() + listed.get("all").map_or(0, |ids| ids.len())
}

#[tokio::test]
async fn what_lies_behind_the_window_is_struck_out() {
    let rig = Rig::new();
    rig.swept(window(3, 0, Coverage::Whole, &[0, 1, 2])).await;
    assert_eq!(entries(&rig).await, 3);
    for (coverage, left) in [(Coverage::Partial, 3), (Coverage::Nearly, 2)] {
        rig.swept(window(4, 2, coverage, &[2])).await;
        // What began an hour before the window stays for now: it may be asked for again.
        assert_eq!(entries(&rig).await, left, "{coverage:?}");
    }
    rig.swept(window(5, 3, Coverage::Whole, &[])).await;
    assert_eq!(entries(&rig).await, 1);
    // What is shown although it was not asked for stays as long as it is.
    rig.swept(window(6, 9, Coverage::Whole, &[2])).await;
    assert_eq!(entries(&rig).await, 1);
    rig.swept(window(7, 9, Coverage::Whole, &[])).await;
    assert_eq!(entries(&rig).await, 0);
    assert_eq!(rig.events().await.len(), 3, "and nothing was told of all that");
}

#[tokio::test]
async fn nobody_expects_what_a_window_does_not_hold() {
    let rig = Rig::new();
    rig.swept(window(3, 0, Coverage::Whole, &[0, 1, 2])).await;
    let listed = listed_in(&rig).await;
    assert_eq!(listed.since("all", hour(1)), ["b1".to_owned(), "b2".to_owned()].into());
    assert_eq!(listed.since("all", hour(3)), [].into());
    assert_eq!((listed.get("all"), listed.scopes().count()), (None, 1));
}

#[tokio::test]
async fn what_has_no_place_in_time_goes_when_it_is_not_shown_any_more() {
    let rig = Rig::new();
    let mut unplaced = window(1, 0, Coverage::Whole, &[0, 1]);
    unplaced.findings.sightings[0].listed_from = None;
    rig.swept(unplaced.clone()).await;
    assert_eq!(entries(&rig).await, 2);
    let again = SweepRecord { began_at: minute(120), ..unplaced };
    assert_eq!(rig.worth_writing(again.clone()).await.unwrap(), 0);
    rig.swept(again).await;
    assert_eq!(entries(&rig).await, 2);
    rig.swept(window(3, 0, Coverage::Whole, &[1])).await;
    assert_eq!(entries(&rig).await, 1);
}

#[tokio::test]
async fn what_is_over_and_lies_behind_is_forgotten_in_the_end() {
    let rig = Rig::new();
    rig.swept(window(1, 0, Coverage::Whole, &[0])).await;
    let again = window(2, 0, Coverage::Whole, &[0]);
    assert_eq!(rig.worth_writing(again.clone()).await.unwrap(), 0, "it is known");
    let in_two_months = noon() + hours(60 * 24);
    rig.store.tidy(in_two_months).await.unwrap();
    assert_eq!(rig.worth_writing(again.clone()).await.unwrap(), 0, "it stands in a list");
    rig.swept(window(3, 2, Coverage::Whole, &[])).await;
    rig.store.tidy(in_two_months + hours(8 * 24)).await.unwrap();
    assert_eq!(rig.worth_writing(again).await.unwrap(), 1, "it is not known any more");
}
