use proptest::prelude::*;

use super::*;

fn attributes(value: Value) -> Attributes {
    let Value::Object(map) = value else { panic!("attributes are an object") };
    map.into()
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z]{20,26}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let array = prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let object = prop::collection::vec((any::<String>(), inner), 0..3);
        prop_oneof![array, object.prop_map(|members| members.into_iter().collect::<Map<_, _>>().into())]
    })
}

proptest! {
    #[test]
    fn they_are_written_like_any_object_and_read_back_equal(
        members in prop::collection::vec((any::<String>(), any_value()), 0..12),
    ) {
        let mut map: Map<String, Value> = members.into_iter().collect();
        let attributes = Attributes::from(map.clone());
        map.retain(|_, value| !value.is_null());
        let text = serde_json::to_string(&attributes).expect("they serialise");
        prop_assert_eq!(&text, &serde_json::to_string(&map).expect("a map serialises"));
        prop_assert_eq!(serde_json::from_str::<Attributes>(&text).expect("they are an object"), attributes.clone());
        for (name, value) in &map {
            prop_assert_eq!(attributes.get(name).map(Value::from), Some(value.clone()));
        }
    }
}

#[test]
fn nothing_is_no_attribute() {
    let read: Attributes = serde_json::from_str(r#"{ "a": null, "b": [null] }"#).expect("an object");
    assert_eq!(read, attributes(json!({ "a": null, "b": [null] })));
    assert_eq!(read, Attributes::of(&json!({ "a": null, "b": [null] })));
    assert_eq!(read.get("a"), None);
    assert_eq!(read.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_typed_entity_says_whole_numbers_without_a_fraction() {
    let read = Attributes::of(&json!({ "a": 121.0, "b": 121.5, "c": 1e300, "d": 121, "e": "121.0" }));
    let expected = attributes(json!({ "a": 121, "b": 121.5, "c": 1e300, "d": 121, "e": "121.0" }));
    assert_eq!(read, expected);
}

#[test]
#[should_panic(expected = "serialises to a JSON object")]
fn what_is_no_object_is_no_entity() {
    Attributes::of(&json!(["a"]));
}

#[test]
fn one_is_set_replaced_and_taken_away() {
    let mut known = attributes(json!({ "a": 1, "b": 2, "c": 3 }));
    known.set("b", json!("two"));
    known.set("d", json!(4));
    known.set("e", Value::Null);
    assert_eq!(known, attributes(json!({ "a": 1, "b": "two", "c": 3, "d": 4 })));
    known.set("a", Value::Null);
    assert_eq!((known.get("a"), known.iter().count()), (None, 3));
}

#[test]
fn merging_tells_what_changed_and_only_that() {
    let mut known = attributes(json!({ "a": 1, "b": 2 }));
    let said = attributes(json!({ "b": 2, "a": [1], "c": "new" }));
    let changes = Map::from(known.merge(&said));
    let expected = json!({ "a": { "from": 1, "to": [1] }, "c": { "from": null, "to": "new" } });
    assert_eq!(serde_json::to_string(&changes).ok(), Some(expected.to_string()));
    assert_eq!(known, attributes(json!({ "a": [1], "b": 2, "c": "new" })));
    assert!(known.merge(&said).is_empty());
}

#[test]
fn what_is_not_taken_is_no_change() {
    let mut known = attributes(json!({ "a": 1, "b": 2 }));
    let mut asked = Vec::new();
    let changes = known.merge_if(&attributes(json!({ "a": 1, "b": 3, "c": 4, "d": 5 })), |name, is_known| {
        asked.push((name.to_owned(), is_known));
        name == "d"
    });
    assert_eq!(asked, [("b".to_owned(), true), ("c".to_owned(), false), ("d".to_owned(), false)]);
    assert_eq!(Value::from(Map::from(changes)), json!({ "d": { "from": null, "to": 5 } }));
    assert_eq!(known, attributes(json!({ "a": 1, "b": 2, "d": 5 })));
}

/// Of each broadcast in a long list there are a dozen.
#[test]
fn an_attribute_is_small() {
    assert!(size_of::<(SmolStr, Said)>() <= 48, "{} bytes", size_of::<(SmolStr, Said)>());
}
