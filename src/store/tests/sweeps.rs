//! Sweeps are committed: what they change, and that what they do not change costs nothing.

use std::collections::HashSet;

use futures::FutureExt as _;
use serde_json::json;

use super::*;
use crate::{
    model::{EventMark, entities::Channel},
    platform::{Coverage, Findings, Listing, Sighting},
    store::{StoreError, SweepOutcome, SweepRecord, sweep::compare},
};

/// When the sweep of that minute begins.
pub(super) fn minute(minute: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minute)
}

/// A sweep that began in that minute and found nothing.
pub(super) fn sweep(watch: &'static str, at: i64) -> SweepRecord {
    SweepRecord {
        account: AccountName::parse("acme").unwrap(),
        platform: "kollus",
        watch,
        is_confirmation: false,
        began_at: minute(at),
        ended_at: minute(at) + SignedDuration::from_secs(5),
        requests: 1,
        stale_for: SignedDuration::ZERO,
        findings: Findings::default(),
    }
}

pub(super) fn listing(scope: &str, noun: Noun, coverage: Coverage) -> Listing {
    Listing { scope: scope.to_owned(), noun, rules: Rules::ONE_USE, coverage, from: None }
}

/// A sweep that read the whole list `all` of these.
pub(super) fn listed(watch: &'static str, at: i64, noun: Noun, said: Vec<Observation>) -> SweepRecord {
    let mut record = sweep(watch, at);
    record.findings.listings = vec![listing("all", noun, Coverage::Whole)];
    record.findings.sightings = in_list("all", at, said);
    record
}

pub(super) fn in_list(scope: &str, at: i64, said: Vec<Observation>) -> Vec<Sighting> {
    said.into_iter().map(|said| Sighting::in_list(said, scope, minute(at))).collect()
}

pub(super) fn channel(id: &str, title: &str) -> Observation {
    let attributes = Attributes::of(&Channel { title: Some(title.to_owned()), ..Default::default() });
    Observation { attributes, ..Observation::of(EntityKey::new(Noun::Channel, id)) }
}

/// The whole list of channels, each with its id as title.
pub(super) fn channels(at: i64, ids: &[&str]) -> SweepRecord {
    listed("channels", at, Noun::Channel, ids.iter().map(|id| channel(id, id)).collect())
}

/// The whole list of broadcasts that are on air.
pub(super) fn broadcasts(at: i64, ids: &[&str]) -> SweepRecord {
    listed("broadcasts", at, Noun::Broadcast, ids.iter().map(|id| broadcast(id, Phase::Live)).collect())
}

impl Rig {
    /// Types of the events that a sweep leads to.
    pub(super) async fn swept(&self, record: SweepRecord) -> Vec<String> {
        self.outcome(record).await.event_types
    }

    pub(super) async fn outcome(&self, record: SweepRecord) -> SweepOutcome {
        self.store.commit_sweep(record).await.unwrap()
    }

    async fn ids(&self) -> Vec<String> {
        self.events().await.into_iter().map(|event| event.event_id).collect()
    }

    /// Returns when so many jobs wait for the writer.
    async fn has_waiting(&self, jobs: usize) {
        while self.store.jobs.capacity() > self.store.jobs.max_capacity() - jobs {
            tokio::task::yield_now().await;
        }
    }

    /// How many of its sightings a sweep hands to the writer.
    pub(super) async fn worth_writing(&self, record: SweepRecord) -> Result<usize, StoreError> {
        let began = record.began_at;
        let compare = move |connection: &_| compare::compare(connection, record, began);
        Ok(self.store.compare(compare).await?.heard.len())
    }
}

#[tokio::test]
async fn what_was_there_is_discovered_and_what_comes_is_created() {
    let rig = Rig::new();
    assert_eq!(rig.swept(channels(0, &["a", "b"])).await, ["channel.discovered"; 2]);
    assert_eq!(rig.swept(channels(1, &["a", "b", "c"])).await, ["channel.created"]);
    let events = rig.envelopes().await;
    assert_eq!((&events[2]["via"], &events[2]["proof"]), (&json!("poll"), &json!("api")));
    assert_eq!(events[2]["recordedtime"], minute(1).to_string());
    let sequences: Vec<_> = events.iter().map(|event| event["sequence"].as_str().unwrap()).collect();
    assert_eq!(sequences, ["0000000000000001", "0000000000000002", "0000000000000003"]);
}

#[tokio::test]
async fn what_came_in_a_list_that_is_new_is_created() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a"])).await;
    let made = |id: &str, at: Option<i64>| {
        let attributes = Attributes::of(&Channel { created_at: at.map(minute), ..Default::default() });
        Observation { attributes, ..channel(id, id) }
    };
    let mut record = channels(20, &["a"]);
    record.findings.listings.push(listing("new", Noun::Channel, Coverage::Whole));
    let said = vec![made("came", Some(15)), made("was-there", Some(-60)), made("says-nothing", None)];
    record.findings.sightings.extend(in_list("new", 20, said));
    assert_eq!(rig.swept(record).await, ["channel.created", "channel.discovered", "channel.discovered"]);
}

#[tokio::test]
async fn what_differs_is_updated_also_after_reopening() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a"])).await;
    let rig = rig.reopened();
    let renamed = listed("channels", 1, Noun::Channel, vec![channel("a", "another title")]);
    assert_eq!(rig.swept(renamed).await, ["channel.updated"]);
    let changes = &rig.envelopes().await[1]["data"]["changes"];
    assert_eq!(*changes, json!({ "title": { "from": "a", "to": "another title" } }));
}

#[tokio::test]
async fn what_began_and_ended_between_two_sweeps_is_told_in_two_events() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &[])).await;
    let over = listed("broadcasts", 1, Noun::Broadcast, vec![broadcast("b1", Phase::Ended)]);
    assert_eq!(rig.swept(over.clone()).await, ["broadcast.started", "broadcast.ended"]);
    let ids: HashSet<_> = rig.ids().await.into_iter().collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(rig.swept(SweepRecord { began_at: minute(2), ..over }).await, [""; 0]);
}

#[tokio::test]
async fn what_a_callback_told_and_a_sweep_shows_is_one_event() {
    let rig = Rig::new();
    rig.swept(broadcasts(-1, &[])).await;
    rig.store.commit(start("b1")).await.unwrap().answered();
    rig.swept(broadcasts(1, &["b1"])).await;
    let types: Vec<_> = rig.envelopes().await.into_iter().map(|event| event["type"].clone()).collect();
    // Its secret URL proved nothing; the API does.
    assert_eq!(types, ["live.broadcast.started", "live.broadcast.updated"]);
    assert_eq!(rig.swept(broadcasts(2, &["b1"])).await, [""; 0]);
}

#[tokio::test]
async fn the_same_sweep_again_changes_nothing() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b"])).await;
    let mut changing = channels(1, &["a", "c"]);
    // The clock is finer than what is kept.
    changing.began_at += SignedDuration::from_micros(700);
    let once = rig.outcome(changing.clone()).await;
    assert_eq!(once.event_types, ["channel.created"]);
    let ids = rig.ids().await;
    for _ in 0..3 {
        assert_eq!(rig.outcome(changing.clone()).await, SweepOutcome::default());
    }
    assert_eq!(rig.ids().await, ids, "b was absent from one sweep, not from four");
}

/// Whether the sweep was dropped before, during or after its commit: the changes are the same, with the same ids.
#[tokio::test]
async fn a_sweep_that_was_interrupted_is_committed_later_with_the_same_ids() {
    let (calm, interrupted) = (Rig::new(), Rig::new());
    let sweeps = [channels(0, &["a", "b"]), channels(1, &["b", "c"]), channels(2, &["b", "c", "d"])];
    for record in sweeps {
        calm.swept(record.clone()).await;
        for _ in 0..2 {
            assert!(interrupted.store.commit_sweep(record.clone()).now_or_never().is_none());
        }
        let mut halfway = Box::pin(interrupted.store.commit_sweep(record.clone()));
        let _ = tokio::time::timeout(std::time::Duration::from_micros(300), &mut halfway).await;
        drop(halfway);
        interrupted.swept(record).await;
    }
    let ids = calm.ids().await;
    assert_eq!(ids.len(), 5, "a is gone at last");
    assert_eq!(interrupted.reopened().ids().await, ids);
}

/// Both are compared before either is committed.
#[tokio::test]
async fn a_sweep_that_is_on_its_way_twice_counts_once() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b"])).await;
    let stall = rig.stall();
    let mut commits = Vec::new();
    for _ in 0..3 {
        let commit = tokio::spawn({
            let store = rig.store.clone();
            async move { store.commit_sweep(channels(1, &["a", "c"])).await.unwrap() }
        });
        commits.push(commit);
    }
    rig.has_waiting(commits.len()).await;
    drop(stall);
    let mut types = Vec::new();
    for commit in commits {
        types.extend(commit.await.unwrap().event_types);
    }
    assert_eq!(types, ["channel.created"]);
    assert_eq!(rig.swept(channels(2, &["a", "c"])).await, ["channel.removed"]);
}

/// The sweep was compared before the callback was committed, and had prepared a beginning of its own.
#[tokio::test]
async fn what_a_callback_tells_while_a_sweep_is_compared_is_one_event() {
    let rig = Rig::new();
    rig.swept(broadcasts(-1, &[])).await;
    let stall = rig.stall();
    let told = tokio::spawn({
        let store = rig.store.clone();
        async move { store.commit(at(minute(0), start("b1"))).await.unwrap().event_types().to_vec() }
    });
    rig.has_waiting(1).await;
    let shown = tokio::spawn({
        let store = rig.store.clone();
        async move { store.commit_sweep(broadcasts(0, &["b1", "b2"])).await.unwrap().event_types }
    });
    rig.has_waiting(2).await;
    drop(stall);
    assert_eq!(told.await.unwrap(), ["broadcast.started"]);
    assert_eq!(shown.await.unwrap(), ["broadcast.updated", "broadcast.started"]);
    assert_eq!(rig.swept(broadcasts(1, &["b1", "b2"])).await, [""; 0]);
}

/// Only some are prepared beside the writer.
#[tokio::test]
async fn what_was_prepared_and_what_was_not_is_told_and_kept_alike() {
    let rig = Rig::new();
    let ids = ["b1", "b2", "b3", "b4", "b5"];
    let over = |id: &&str| Observation {
        attributes: titled(id, "방송").attributes,
        ..broadcast(id, Phase::Ended)
    };
    rig.swept(broadcasts(0, &[])).await;
    rig.swept(listed("broadcasts", 1, Noun::Broadcast, ids.iter().map(over).collect())).await;
    let mut told = HashSet::new();
    for (nth, event) in rig.events().await.into_iter().enumerate() {
        let envelope = String::from_utf8(event.envelope.to_vec()).unwrap();
        assert!(envelope.contains(&format!("\"sequence\":\"{:016}\"", nth + 1)), "{envelope}");
        let one_id = envelope.replace(&event.event_id, "").replace(ids[nth / 2], "");
        told.insert(one_id.replace(&format!("{:016}", nth + 1), ""));
        let account = AccountName::parse("acme").unwrap();
        let entity = EntityKey::new(Noun::Broadcast, ids[nth / 2]);
        let revision = (nth % 2 + 1) as u64;
        assert_eq!(
            event.event_id,
            EventMark::new([7; 32]).event_id("kollus", &account, &entity, revision).as_str()
        );
    }
    assert_eq!(told.len(), 2, "a beginning and an end: {told:?}");
    let again = listed("broadcasts", 2, Noun::Broadcast, ids.iter().map(over).collect());
    assert_eq!(rig.worth_writing(again).await.unwrap(), 0);
}

/// It is compared outside of the transaction, one by one; what it says first must not be left out.
#[tokio::test]
async fn an_entity_that_a_sweep_shows_twice_is_left_as_it_was_shown_last() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a"])).await;
    let twice = vec![channel("a", "for a moment"), channel("a", "a")];
    let twice = listed("channels", 1, Noun::Channel, twice);
    assert_eq!(rig.swept(twice).await, ["channel.updated", "channel.updated"]);
    assert_eq!(rig.swept(channels(2, &["a"])).await, [""; 0]);
}

#[tokio::test]
async fn a_confirmation_leaves_the_rest_of_the_watch_alone() {
    let rig = Rig::new();
    let mut first = channels(0, &["a", "b"]);
    first.findings.cursor = Some(json!({ "page": 7 }));
    rig.swept(first).await;
    rig.swept(channels(1, &["a"])).await;
    let account = AccountName::parse("acme").unwrap();
    let before = rig.store.watch_standing(&account, "channels").await.unwrap();

    let mut confirmation = listed("channels", 2, Noun::Channel, vec![channel("c", "new")]);
    confirmation.is_confirmation = true;
    confirmation.findings.cursor = Some(json!("another"));
    assert_eq!(rig.swept(confirmation).await, ["channel.created"]);
    assert_eq!(rig.store.watch_standing(&account, "channels").await.unwrap(), before);
    let listed = rig.store.listed(&account, "channels").await.unwrap();
    assert_eq!(listed.get("all").unwrap().len(), 3, "what it showed stands in the list");
    // The second sweep without b, the first without c.
    assert_eq!(rig.swept(channels(3, &["a"])).await, ["channel.removed"]);
}

#[tokio::test]
async fn a_confirmation_alone_does_not_make_a_list_known() {
    let rig = Rig::new();
    let confirmation = SweepRecord { is_confirmation: true, ..channels(0, &["a"]) };
    rig.swept(confirmation).await;
    assert_eq!(rig.swept(channels(1, &["a", "b"])).await, ["channel.discovered"]);
}

#[tokio::test]
async fn what_stands_in_no_list_is_new_after_the_first_whole_reading() {
    let rig = Rig::new();
    let of = |at, ids: &[&str]| {
        let mut record = sweep("channels", at);
        record.findings.sightings = ids.iter().map(|id| Sighting::of(channel(id, id), minute(at))).collect();
        record
    };
    let mut half = of(0, &["a"]);
    half.findings.has_more = true;
    assert_eq!(rig.swept(half).await, ["channel.discovered"]);
    assert_eq!(rig.swept(of(1, &["b"])).await, ["channel.discovered"]);
    assert_eq!(rig.swept(of(2, &["c"])).await, ["channel.created"]);
    assert_eq!(rig.swept(of(3, &[])).await, [""; 0], "it is not absent from anything");
}

#[tokio::test]
async fn what_only_fills_in_brings_nothing_about_that_nobody_would_end() {
    let rig = Rig::new();
    let aside = |at, fills_in, ids: &[&str]| {
        let mut record = sweep("details", at);
        let sighting = |id: &&str| Sighting::of(channel(id, &format!("{id} at {at}")), minute(at));
        record.findings.sightings =
            ids.iter().map(|id| Sighting { fills_in, ..sighting(id) }).collect::<Vec<_>>();
        record
    };
    assert_eq!(rig.swept(aside(0, true, &["a"])).await, ["channel.discovered"], "it is about to be found");
    rig.swept(channels(1, &["a"])).await;
    assert_eq!(rig.swept(aside(2, true, &["a", "b"])).await, ["channel.updated"], "b is not found yet");
    assert_eq!(rig.swept(channels(3, &["a", "b"])).await, ["channel.updated", "channel.created"]);
    assert_eq!(rig.swept(aside(4, true, &["b"])).await, ["channel.updated"]);
    rig.swept(channels(5, &["a"])).await;
    assert_eq!(rig.swept(channels(6, &["a"])).await, ["channel.removed"]);
    assert_eq!(rig.swept(aside(7, true, &["b"])).await, [""; 0], "out of a cache");
    // The control: who finds things by itself does not mind.
    assert_eq!(rig.swept(aside(8, false, &["b", "c"])).await, ["channel.created"; 2]);
}

#[tokio::test]
async fn an_answer_that_says_how_old_it_is_does_not_undo_what_was_learned_since() {
    for (age, undoes) in [(90, false), (61, false), (59, true), (0, true)] {
        let rig = Rig::new();
        rig.swept(listed("channels", 0, Noun::Channel, vec![channel("a", "old")])).await;
        let learned = listed("broadcasts", 2, Noun::Channel, vec![channel("a", "new")]);
        assert_eq!(rig.swept(learned).await, ["channel.updated"]);

        let mut dated = listed("channels", 3, Noun::Channel, vec![channel("a", "old")]);
        dated.findings.sightings[0].age = Some(SignedDuration::from_secs(age));
        let expected: &[&str] = if undoes { &["channel.updated"] } else { &[] };
        assert_eq!(rig.swept(dated).await, expected, "made {age} s before it was asked for");
    }
}

#[tokio::test]
async fn accounts_and_watches_know_nothing_of_each_other() {
    let rig = Rig::new();
    let other = AccountName::parse("other").unwrap();
    rig.swept(channels(0, &["a"])).await;
    let theirs = SweepRecord { account: other.clone(), ..channels(1, &["a"]) };
    assert_eq!(rig.swept(theirs).await, ["channel.discovered"]);
    for at in 2..5 {
        let theirs = SweepRecord { account: other.clone(), ..channels(at, &["b"]) };
        rig.swept(theirs).await;
        assert_eq!(rig.swept(channels(at, &["a"])).await, [""; 0]);
    }
}

#[tokio::test]
async fn an_entity_that_cannot_be_read_back_holds_up_no_other() {
    let rig = Rig::new();
    let all = |at, title: &str| {
        let mut unreadable = writing::uncomparable("b");
        unreadable.entity = EntityKey::new(Noun::Channel, "b");
        listed("channels", at, Noun::Channel, vec![channel("a", title), unreadable, channel("c", title)])
    };
    assert_eq!(rig.swept(all(0, "first")).await, ["channel.discovered"; 3]);
    let outcome = rig.outcome(all(1, "second")).await;
    assert_eq!(outcome.event_types, ["channel.updated"; 2]);
    assert_eq!(outcome.passed_over, 1);
    assert_eq!(rig.swept(channels(2, &["a", "c"])).await, ["channel.updated"; 2]);
    assert_eq!(rig.swept(channels(3, &["a", "c"])).await, [""; 0], "it is not told gone either");
}

/// Wherever it happens: beside the writer, or in it because the sweep shows it for the second time.
#[tokio::test]
async fn a_sighting_at_which_livehook_panics_is_left_out_and_nothing_else() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b", "c"])).await;
    let defective = |id: &str| {
        let mut defective = channel(id, "new title");
        defective.extra.set("defect", true.into());
        defective
    };
    for at in 1..5 {
        let said = [channel("a", &format!("title {at}")), defective("b"), channel("c", "c"), defective("d")];
        let outcome = rig.outcome(listed("channels", at, Noun::Channel, said.into())).await;
        assert_eq!(outcome.event_types, ["channel.updated"]);
        assert_eq!(outcome.passed_over, 2);
    }
    let said = [channel("a", "at first"), defective("a"), channel("b", "b"), channel("c", "c")];
    let outcome = rig.outcome(listed("channels", 5, Noun::Channel, said.into())).await;
    assert_eq!(outcome.event_types, ["channel.updated"]);
    assert_eq!(outcome.passed_over, 1);
    assert_eq!(rig.swept(channels(6, &["a", "b", "c"])).await, ["channel.updated"], "as if it had not been");
}

#[tokio::test]
async fn a_full_store_takes_no_sweep() {
    let rig = Rig::with(|options| options.bytes_max = 1);
    rig.store.tidy(noon()).await.unwrap();
    let refusal = rig.store.commit_sweep(channels(0, &["a"])).await.unwrap_err();
    assert_eq!(refusal.to_string(), "the store is full");
}

/// Thousands that do not change are compared beside the writer, which gets only what does.
#[tokio::test]
async fn of_many_only_what_changes_reaches_the_writer() {
    const MANY: usize = 5000;
    let rig = Rig::new();
    let ids: Vec<String> = (0..MANY).map(|nth| format!("channel-{nth:05}")).collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(rig.worth_writing(channels(0, &ids)).await.unwrap(), MANY);
    assert_eq!(rig.swept(channels(0, &ids)).await.len(), MANY);
    assert_eq!(rig.worth_writing(channels(1, &ids)).await.unwrap(), 0);

    ids.extend(["new-1", "new-2"]);
    let mut changing = channels(1, &ids);
    changing.findings.sightings[77].observation = channel(ids[77], "another title");
    assert_eq!(rig.worth_writing(changing.clone()).await.unwrap(), 3);
    let mut types = rig.swept(changing).await;
    types.sort();
    assert_eq!(types, ["channel.created", "channel.created", "channel.updated"]);
    assert_eq!(rig.events().await.len(), MANY + 3);
}
