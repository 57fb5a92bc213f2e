use serde_json::json;

use super::*;
use crate::model::{EntityKey, EventId, Known, Noun};

fn current(id: &str) -> CurrentEntity {
    let attributes = json!({ "title": "Main hall" }).as_object().cloned().unwrap_or_default();
    CurrentEntity {
        account: "acme".to_owned(),
        platform: "kollus".to_owned(),
        is_former: false,
        entity: EntityKey::new(Noun::Channel, id),
        known: Known { revision: 3, attributes: attributes.into(), ..Known::default() },
        event_id: EventId::from("ab".repeat(16)),
        updated_at: "2026-01-14T04:30:12Z".parse().unwrap(),
    }
}

#[test]
fn a_key_holds_only_what_a_bucket_takes_and_differs_for_every_id() {
    let key = |id| key(&current(id)).unwrap();
    assert_eq!(key("k7q2m9x4"), "kollus.acme.channel.k7q2m9x4");
    assert_eq!(key("streamer:a.b=c"), "kollus.acme.channel.streamer=3Aa=2Eb=3Dc");
    assert_eq!(key("방"), "kollus.acme.channel.=EB=B0=A9");
}

#[test]
fn an_id_that_no_server_takes_has_no_key() {
    assert!(key(&current(&"k".repeat(1000))).is_some());
    assert_eq!(key(&current(&"k".repeat(1024))), None);
    assert_eq!(key(&current(&"방".repeat(120))), None);
}

#[test]
fn a_value_is_as_the_contract_says() {
    let value: serde_json::Value = serde_json::from_slice(&value(&current("a"))).unwrap();
    assert_eq!(
        value,
        json!({
            "attributes": { "title": "Main hall" },
            "state": null,
            "revision": 3,
            "event_id": "ab".repeat(16),
            "updated_at": "2026-01-14T04:30:12Z"
        })
    );
}
