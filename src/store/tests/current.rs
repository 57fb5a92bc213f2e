//! What the bucket of current state is fed from.

use super::{sweeps::*, *};
use crate::store::{CurrentEntity, Mirror};

impl Rig {
    /// Everything, read in pages.
    async fn all(&self, limit: usize) -> Vec<CurrentEntity> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.current_page(after, limit).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { return all };
            after = Some((last.account.clone(), last.entity.to_string()));
            all.extend(page);
        }
    }

    async fn changed(&self, after: u64) -> (Vec<String>, u64) {
        let (entities, row) = self.store.changed_entities(after, 100).await.unwrap();
        (names(&entities), row)
    }
}

fn names(entities: &[CurrentEntity]) -> Vec<String> {
    entities.iter().map(|current| format!("{} {}", current.account, current.entity)).collect()
}

fn of(account: &str, record: crate::store::SweepRecord) -> crate::store::SweepRecord {
    crate::store::SweepRecord { account: AccountName::parse(account).unwrap(), ..record }
}

#[tokio::test]
async fn everything_is_read_in_pages_of_any_size() {
    let rig = Rig::new();
    rig.swept(of("zeta", channels(0, &["a", "b"]))).await;
    rig.swept(channels(0, &["a", "b/c", "d"])).await;
    rig.swept(broadcasts(0, &["x", "y"])).await;
    rig.commit_playback().await;
    let expected = [
        "acme broadcast/x",
        "acme broadcast/y",
        "acme channel/a",
        "acme channel/b/c",
        "acme channel/d",
        "zeta channel/a",
        "zeta channel/b",
    ];
    for limit in 1..9 {
        assert_eq!(names(&rig.all(limit).await), expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_back_ends_no_page() {
    let rig = Rig::new();
    let mut unreadable = writing::uncomparable("b");
    unreadable.entity = EntityKey::new(Noun::Channel, "b");
    let said = vec![channel("a", "A"), unreadable, channel("c", "C"), channel("d", "D")];
    rig.swept(listed("channels", 0, Noun::Channel, said)).await;
    rig.swept(of("zeta", channels(0, &["e"]))).await;
    let expected = ["acme channel/a", "acme channel/c", "acme channel/d", "zeta channel/e"];
    for limit in 1..6 {
        assert_eq!(names(&rig.all(limit).await), expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn an_entity_carries_the_id_of_the_event_that_told_of_it() {
    let rig = Rig::new();
    rig.swept(broadcasts(0, &[])).await;
    rig.swept(broadcasts(1, &["x"])).await;
    let over = listed("broadcasts", 2, Noun::Broadcast, vec![broadcast("x", Phase::Ended)]);
    rig.swept(over).await;
    let all = rig.all(10).await;
    let [current] = &all[..] else { panic!("{all:?}") };
    let events = rig.events().await;
    assert_eq!(current.event_id.as_str(), events[1].event_id);
    assert_eq!(current.known.phase, Some(Phase::Ended));
    assert_eq!(current.updated_at, minute(2));
    assert_eq!((&*current.account, &*current.platform), ("acme", "kollus"));
    assert_eq!((&current.known.made_by, &current.known.happened[..]), (&None, &[][..]));
}

#[tokio::test]
async fn what_changed_is_read_once_with_its_newest_belief() {
    let rig = Rig::new();
    assert_eq!(rig.changed(0).await, (vec![], 0));
    rig.swept(channels(0, &["a", "b"])).await;
    rig.commit_playback().await;
    let renamed =
        listed("channels", 1, Noun::Channel, vec![channel("a", "another title"), channel("b", "b")]);
    rig.swept(renamed).await;
    let newest = *rig.store.newest_event().borrow();
    assert_eq!(newest, 4);
    let (entities, row) = rig.store.changed_entities(0, 100).await.unwrap();
    assert_eq!((names(&entities), row), (vec!["acme channel/b".to_owned(), "acme channel/a".to_owned()], 4));
    assert_eq!(entities[1].known.attributes.get("title").unwrap().as_str(), Some("another title"));
    assert_eq!(entities[1].event_id.as_str(), rig.events().await[3].event_id);

    // In slices.
    let (slice, row) = rig.store.changed_entities(0, 1).await.unwrap();
    assert_eq!((names(&slice), row), (vec!["acme channel/b".to_owned()], 2));
    assert_eq!(rig.changed(row).await, (vec!["acme channel/a".to_owned()], 4));
    assert_eq!(rig.changed(4).await, (vec![], 4));
    // Viewers' events move the row on.
    rig.commit_playback().await;
    assert_eq!(rig.changed(4).await, (vec![], 5));
}

#[tokio::test]
async fn what_is_gone_is_told_as_gone() {
    let rig = Rig::new();
    rig.swept(channels(0, &["a", "b"])).await;
    let row = rig.changed(0).await.1;
    rig.swept(channels(1, &["b"])).await;
    rig.swept(channels(2, &["b"])).await;
    let (entities, _) = rig.store.changed_entities(row, 100).await.unwrap();
    assert_eq!(names(&entities), ["acme channel/a"]);
    assert!(entities[0].known.is_gone);
    let gone: Vec<_> = rig.all(10).await.into_iter().map(|current| current.known.is_gone).collect();
    assert_eq!(gone, [true, false]);
}

/// Events are deleted after some days; what changed by them is not lost for a bucket that is far behind.
#[tokio::test]
async fn what_changed_is_told_after_its_events_were_deleted() {
    let rig = Rig::with(|options| options.has_bus = false);
    rig.swept(channels(0, &["a"])).await;
    rig.swept(of("other", channels(1, &["b"]))).await;
    rig.store.tidy(noon() + hours(1000)).await.unwrap();
    assert_eq!(rig.events().await.len(), 1);
    assert_eq!(rig.changed(0).await.0, ["acme channel/a", "other channel/b"]);
}

#[tokio::test]
async fn how_far_a_bucket_is_survives_reopening() {
    let rig = Rig::new();
    assert_eq!(rig.store.mirror("LIVE_STATE").await.unwrap(), None);
    let mut mirror = Mirror { row: 7, created: "2026-01-14T12:00:00Z".to_owned(), js_sequence: 9 };
    rig.store.set_mirror("LIVE_STATE", mirror.clone()).await.unwrap();
    mirror.row = 8;
    rig.store.set_mirror("LIVE_STATE", mirror.clone()).await.unwrap();
    let rig = rig.reopened();
    assert_eq!(rig.store.mirror("LIVE_STATE").await.unwrap(), Some(mirror));
    assert_eq!(rig.store.mirror("OTHER").await.unwrap(), None);
}
