//! A file of an earlier version is brought up to date when it is opened, with everything in it.

use std::fs;

use rusqlite::Connection;

use super::{sweeps::*, *};
use crate::store::{ConfiguredAccount, OpenError, migrate::SCHEMA_VERSION};

/// As the first version left it: a broadcast on air, one that is over, and a viewer, each told in an event.
const ROWS: &str = r#"
INSERT INTO meta VALUES ('event_mark', zeroblob(32));
INSERT INTO account (id, name, sequence) VALUES (1, 'acme', 3);
INSERT INTO delivery (id, account, callback, content, received_at, proof, body)
VALUES (5, 1, 'live-state', zeroblob(16), 1768392000000, 'url-token', x'61');
INSERT INTO known VALUES
    (1, 'broadcast/live', 1, 1768392000000, 0, '{"phase":"live","happened":["started"]}'),
    (1, 'broadcast/over', 1, 1768392000000, 0, '{"phase":"ended","attributes":{"title":"t"}}'),
    (1, 'playback/p1', 1, 1768392000000, 1, '{"attributes":{"play_seconds":3}}');
INSERT INTO event (id, account, route, entity, is_playback, event_id, recorded_at, envelope) VALUES
    (1, 1, 'kollus.acme.broadcast.started', 'broadcast/live', 0, 'id-1', 1768392000000, x'7b7d'),
    (2, 1, 'kollus.acme.broadcast.ended', 'broadcast/over', 0, 'id-2', 1768392000000, x'7b7d'),
    (3, 1, 'kollus.acme.playback.progressed', 'playback/p1', 1, 'id-3', 1768392000000, x'7b7d');
INSERT INTO ledger VALUES (1, 'LIVE', 1, 1768392000000);
PRAGMA application_id = 1282820203;
PRAGMA user_version = 1;
"#;

fn version_1(dir: &TempDir) -> StoreOptions {
    let options = options(dir);
    fs::create_dir(&options.dir).unwrap();
    let connection = Connection::open(options.dir.join("livehook.sqlite")).unwrap();
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    connection.execute_batch(include_str!("version_1.sql")).unwrap();
    connection.execute_batch(ROWS).unwrap();
    connection.close().unwrap();
    options
}

fn opened(dir: TempDir, options: StoreOptions) -> Rig {
    let (store, writer) = Store::open(options.clone(), [9; 32]).unwrap();
    Rig { options, store, writer, _dir: dir }
}

#[tokio::test]
async fn the_rows_of_the_first_version_go_on_living() {
    let dir = tempfile::tempdir().unwrap();
    let options = version_1(&dir);
    let mut rig = opened(dir, options);
    for _ in 0..2 {
        assert_eq!(rig.waiting().await, [2, 3]);
        assert_eq!(rows(&rig.events().await), [1, 2, 3]);
        rig = rig.reopened();
    }
    // What was known is known: one goes on, the other stays ended.
    let record = saying("pause", vec![broadcast("live", Phase::Paused), broadcast("over", Phase::Live)]);
    let durable = rig.store.commit(record).await.unwrap();
    assert_eq!(durable.event_types(), ["broadcast.paused"]);
    assert_eq!(durable.delivery(), 6);
    let event = rig.store.events_after(3, 1).await.unwrap().remove(0);
    let envelope: Value = serde_json::from_slice(&event.envelope).unwrap();
    assert_eq!(envelope["sequence"], "0000000000000004");
    // And sweeps join in.
    assert_eq!(rig.swept(broadcasts(1, &["new"])).await, ["broadcast.discovered"]);
}

#[tokio::test]
async fn the_bucket_gets_what_the_first_version_knew_once_accounts_are_registered() {
    let dir = tempfile::tempdir().unwrap();
    let options = version_1(&dir);
    let rig = opened(dir, options);
    assert!(rig.store.current_page(None, 10).await.unwrap().is_empty(), "at which platform?");
    let acme = AccountName::parse("acme").unwrap();
    let acme = ConfiguredAccount { name: acme, platform: "kollus", watches: Vec::new() };
    rig.store.register_accounts(vec![acme], noon()).await.unwrap();
    let entities = rig.store.current_page(None, 10).await.unwrap();
    let names: Vec<_> = entities.iter().map(|current| current.entity.to_string()).collect();
    assert_eq!(names, ["broadcast/live", "broadcast/over"]);
    assert_eq!(entities[1].updated_at, noon());
}

#[tokio::test]
async fn what_fades_still_fades() {
    let dir = tempfile::tempdir().unwrap();
    let options = version_1(&dir);
    let rig = opened(dir, options);
    let _ = rig.store.commit(at(noon() + hours(10_000), saying("newest", Vec::new()))).await.unwrap();
    let gone = async |days: i64| rig.store.tidy(noon() + hours(24 * days)).await.unwrap().1;
    assert_eq!(gone(6).await, 1, "the published event");
    let delivery_and_viewer = 1 + 1;
    assert_eq!(gone(8).await, delivery_and_viewer);
    assert_eq!(gone(29).await, 0);
    assert_eq!(gone(31).await, 1, "the broadcast that is over");
    assert_eq!(rig.store.commit(start("live")).await.unwrap().event_types(), [""; 0], "the other is known");
}

/// Columns and indices of every table.
fn shape(options: &StoreOptions) -> Vec<String> {
    let connection = Connection::open(options.dir.join("livehook.sqlite")).unwrap();
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, SCHEMA_VERSION);
    let mut shape = Vec::new();
    for sql in [
        "SELECT t.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '
             || ifnull(c.dflt_value, '') || ' ' || c.pk
         FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' ORDER BY 1",
        "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1",
    ] {
        let mut select = connection.prepare(sql).unwrap();
        shape.extend(select.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    shape
}

#[tokio::test]
async fn a_file_that_was_brought_up_to_date_has_the_shape_of_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let options = version_1(&dir);
    let shapes = [opened(dir, options), Rig::new()].map(|rig| {
        let shape = shape(&rig.options);
        assert!(shape.len() > 50);
        shape
    });
    assert_eq!(shapes[0], shapes[1]);
}

/// All steps are one transaction: after a failure it is the old file.
#[tokio::test]
async fn a_step_that_fails_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let options = version_1(&dir);
    let file = options.dir.join("livehook.sqlite");
    let connection = Connection::open(&file).unwrap();
    // In the way of the last step.
    connection.execute_batch("ALTER TABLE account ADD COLUMN left_at").unwrap();
    let Err(refusal) = Store::open(options.clone(), [9; 32]) else { panic!("it was opened") };
    assert!(matches!(refusal, OpenError::Unusable { .. }), "{refusal}");
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    connection.execute_batch("ALTER TABLE account DROP COLUMN left_at").unwrap();
    drop(connection);
    let rig = opened(dir, options);
    assert_eq!(rows(&rig.events().await), [1, 2, 3]);
}
