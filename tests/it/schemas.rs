//! The generated documents: fresh, valid in themselves, and true of events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use jsonschema::Validator;
use livehook::documents;
use serde_json::{Value, json};

use crate::support::{cases, desk::Desk, poll_cases};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::disallowed_methods, reason = "the switch of the person who runs the tests")]
fn is_update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

const REMEDY: &str = "run UPDATE_EXPECT=1 cargo test --test it schemas, and look at the difference";

#[test]
fn the_committed_documents_are_what_the_code_says() {
    if is_update() {
        documents::write_all(root()).expect("the project can be written");
    }
    let stale = documents::stale(root());
    assert!(stale.is_empty(), "{}\n{REMEDY}", stale.join("\n"));
}

#[test]
fn every_schema_is_a_valid_schema() {
    let schemas = documents::all().into_iter().filter(|document| document.path.ends_with(".schema.json"));
    for document in schemas {
        let schema: Value = serde_json::from_str(&document.contents).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", document.path);
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{}: {error}", document.path);
        }
    }
}

#[test]
fn the_event_of_the_contract_is_valid() {
    assert_valid(&contract_event());
}

#[test]
fn events_that_break_a_promise_are_refused() {
    let breaches: &[(&str, &str, Value)] = &[
        ("another type", "/type", json!("live.broadcast.ended")),
        ("an id that is a number", "/id", json!(7)),
        ("an empty id", "/id", json!("")),
        ("a sequence without its zeros", "/sequence", json!("412")),
        ("a sequence that is a number", "/sequence", json!(412)),
        ("a time that is none", "/time", json!("yesterday")),
        ("a way that is unknown", "/via", json!("guess")),
        ("a proof that is unknown", "/proof", json!("url_token")),
        ("a subject of another noun", "/subject", json!("recording/20260114-w8r2n5ya")),
        ("a source that is none of ours", "/source", json!("https://example.com")),
        ("a state that a broadcast cannot have", "/data/broadcast/state", json!("uploaded")),
        ("an attribute of another type", "/data/broadcast/channel_id", json!(["k7q2m9x4b1z8t5ra"])),
        ("an attribute that is null instead of absent", "/data/broadcast/channel_id", json!(null)),
        ("a platform's fields as a list", "/data/extra", json!([])),
    ];
    for (what, place, value) in breaches {
        let mut event = contract_event();
        *event.pointer_mut(place).expect(place) = value.clone();
        assert!(!validator(&contract_event()).is_valid(&event), "{what} passes");
    }
}

#[test]
fn events_that_lack_something_promised_are_refused() {
    let validator = validator(&contract_event());
    for name in contract_event().as_object().unwrap().keys() {
        let mut event = contract_event();
        event.as_object_mut().unwrap().remove(name);
        assert!(!validator.is_valid(&event), "an event without {name} passes");
    }
    for (parent, name) in
        [("/data", "broadcast"), ("/data/broadcast", "id"), ("/data/broadcast", "started_at")]
    {
        let mut event = contract_event();
        event.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(name);
        assert!(!validator.is_valid(&event), "an event without {parent}/{name} passes");
    }
}

#[test]
fn additions_of_a_later_version_are_accepted() {
    for place in ["", "/data", "/data/broadcast"] {
        let mut event = contract_event();
        event.pointer_mut(place).unwrap()["added_later"] = json!({ "by": "a newer livehook" });
        assert_valid(&event);
    }
}

#[test]
fn data_alone_can_be_validated() {
    let event = contract_event();
    let data = json!({ "$ref": format!("{}#/$defs/Data", event["dataschema"].as_str().unwrap()) });
    let registry = jsonschema::Registry::new()
        .extend(event_schemas().into_iter().map(|schema| (text(&schema["$id"]), schema)))
        .unwrap()
        .prepare()
        .unwrap();
    let validator = jsonschema::options().with_registry(&registry).build(&data).unwrap();
    assert!(validator.is_valid(&event["data"]));
    assert!(!validator.is_valid(&json!({ "recording": { "id": "1" } })));
}

#[test]
fn every_event_of_every_case_is_valid() {
    let events = events_of_cases();
    assert!(!events.is_empty(), "the cases lead to no event");
    for (_, event) in events {
        assert_valid(&event);
    }
}

#[test]
fn every_question_of_every_case_is_valid() {
    let schemas =
        documents::all().into_iter().filter(|document| document.path.ends_with(".question.schema.json"));
    let validators: BTreeMap<_, _> = schemas
        .map(|document| {
            let schema: Value = serde_json::from_str(&document.contents).unwrap();
            (document.path, jsonschema::validator_for(&schema).unwrap())
        })
        .collect();
    let mut met = BTreeSet::new();
    for case in cases::all() {
        let mut desk = Desk::default();
        for question in case.requests.iter().flat_map(|request| desk.treat(case, request).questions) {
            let platform = case.platform.descriptor().id;
            let path = format!("schemas/questions/{platform}.{}.question.schema.json", question.name);
            let mut asked =
                json!({ "id": "1", "platform": platform, "account": "acme", "question": question.name });
            asked.as_object_mut().unwrap().extend(question.asked);
            let complaints: Vec<_> =
                validators[&path].iter_errors(&asked).map(|error| error.to_string()).collect();
            assert!(complaints.is_empty(), "{}: {}", case.path.display(), complaints.join("\n"));
            asked.as_object_mut().unwrap().remove("media_content_key");
            assert!(!validators[&path].is_valid(&asked), "{path} takes a question about nothing");
            met.insert(path);
        }
    }
    assert_eq!(met.len(), validators.len(), "not everything is asked in the cases");
}

#[test]
fn the_examples_are_events_of_the_cases() {
    const FOLDER: &str = "schemas/examples";
    let fresh = examples();
    if is_update() {
        fs::remove_dir_all(root().join(FOLDER)).ok();
        for (path, contents) in &fresh {
            let path = root().join(FOLDER).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
    }
    let committed: BTreeSet<_> = cases::files_in(&root().join(FOLDER))
        .iter()
        .flat_map(|folder| cases::files_in(folder))
        .map(|path| path.strip_prefix(root().join(FOLDER)).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(committed, fresh.keys().cloned().collect(), "the files of {FOLDER} differ\n{REMEDY}");
    for (path, contents) in fresh {
        let committed = fs::read_to_string(root().join(FOLDER).join(&path)).unwrap();
        assert_eq!(committed, contents, "{FOLDER}/{path} is stale\n{REMEDY}");
    }
}

/// For each event type and platform the event of the cases of which most is known, by its path.
fn examples() -> BTreeMap<String, String> {
    let mut richest: BTreeMap<(String, String), (usize, String, Value)> = BTreeMap::new();
    for (case, event) in events_of_cases() {
        let event_type = text(&event["type"]).trim_start_matches("live.").to_owned();
        let noun = event_type.split('.').next().unwrap();
        let known = event["data"][noun].as_object().unwrap().len();
        let platform = text(&event["source"]).split('/').nth(2).unwrap().to_owned();
        let name = format!("{event_type}/{platform}-{case}.json");
        let entry = richest.entry((event_type, platform)).or_default();
        // Where two know as much, the one that is read first stays.
        if known > entry.0 {
            *entry = (known, name, event);
        }
    }
    richest.into_values().map(|(_, name, event)| (name, format!("{event:#}\n"))).collect()
}

/// Each with the name of its case, in the order of the cases.
fn events_of_cases() -> Vec<(String, Value)> {
    let mut events = Vec::new();
    for case in cases::all() {
        let name = case.path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut desk = Desk::default();
        for request in &case.requests {
            let treated = desk.treat(case, request);
            events.extend(
                treated.events.iter().map(|event| (name.clone(), serde_json::to_value(event).unwrap())),
            );
        }
    }
    for (case, sweeps) in poll_cases::walker::walked_cases() {
        let name = case.path.file_stem().unwrap().to_string_lossy().into_owned();
        let read = sweeps.iter().flat_map(|sweep| sweep.events.clone());
        events.extend(read.map(|event| (name.clone(), event)));
    }
    events
}

#[test]
fn the_description_of_the_bus_holds_together() {
    let document =
        documents::all().into_iter().find(|document| document.path == "schemas/asyncapi.json").unwrap();
    let bus: Value = serde_json::from_str(&document.contents).unwrap();
    assert_eq!(bus["asyncapi"], "3.0.0");
    for emitted in documents::emitted() {
        let event_type = emitted.event_type.to_string();
        let address = format!("{{prefix}}.{{platform}}.{{account}}.{event_type}");
        assert_eq!(bus["channels"][&event_type]["address"], address);
        assert_eq!(bus["operations"][format!("publish.{event_type}")]["action"], "send");
        assert!(bus["components"]["schemas"][&event_type].is_object(), "{event_type} has no payload");
    }
    let mut references = Vec::new();
    collect_references(&bus, &mut references);
    assert!(references.len() > 100, "{} references", references.len());
    for reference in references {
        let target = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(bus.pointer(target).is_some(), "{reference} leads nowhere");
    }
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|inner| collect_references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_references(inner, found)),
        _ => {}
    }
}

fn event_schemas() -> Vec<Value> {
    documents::all()
        .iter()
        .filter(|document| document.path.starts_with("schemas/events/"))
        .map(|document| serde_json::from_str(&document.contents).unwrap())
        .collect()
}

/// By `$id`, with formats checked.
static VALIDATORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let build = |schema| jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    event_schemas().iter().map(|schema| (text(&schema["$id"]), build(schema))).collect()
});

/// The validator that the event names.
fn validator(event: &Value) -> &'static Validator {
    let name = text(&event["dataschema"]);
    VALIDATORS.get(&name).unwrap_or_else(|| panic!("no schema is named {name}"))
}

/// Panics with all that is wrong if the event does not fit its schema and the envelope's.
pub fn assert_valid(event: &Value) {
    for validator in [&VALIDATORS["urn:livehook:schema:envelope:1"], validator(event)] {
        let complaints: Vec<_> =
            validator.iter_errors(event).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(complaints.is_empty(), "{}\nin {event:#}", complaints.join("\n"));
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The example of the public contract, with a whole id.
fn contract_event() -> Value {
    json!({
        "specversion": "1.0",
        "id": "01f4c3e0a97d4b2c8e6f5a1b3c9d7e80",
        "source": "livehook://kollus/acme",
        "type": "live.broadcast.started",
        "subject": "broadcast/20260114-w8r2n5ya",
        "time": "2026-01-14T04:30:11Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:livehook:schema:broadcast.started:1",
        "recordedtime": "2026-01-14T04:30:12.114Z",
        "sequence": "0000000000000412",
        "partitionkey": "broadcast/20260114-w8r2n5ya",
        "via": "callback",
        "proof": "url-token",
        "data": {
            "broadcast": {
                "id": "20260114-w8r2n5ya", "channel_id": "k7q2m9x4b1z8t5ra", "state": "live", "started_at": null
            },
            "extra": { "version": "2018-11-01" }
        }
    })
}
