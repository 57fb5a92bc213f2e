//! The schema of an event: the envelope, and what a type adds to it.

use serde_json::{Map, Value, json};

use super::{about::about, entity};
use crate::model::{Event, EventType, Verb, event::schema_urn};

/// Where an event's schema says what `data` is, for those who validate `data` alone.
pub const DATA: &str = "#/$defs/Data";

/// The schema that every event fits, of whatever type.
pub fn envelope() -> Value {
    let mut schema = base();
    schema.insert("$id".to_owned(), json!("urn:livehook:schema:envelope:1"));
    schema.insert("title".to_owned(), json!("An event of livehook"));
    in_order(schema)
}

/// The schema of one type. Its `$id` is the `dataschema` of the events.
pub fn schema(event_type: EventType) -> Value {
    let mut schema = base();
    schema.insert("$id".to_owned(), json!(schema_urn(event_type)));
    schema.insert("title".to_owned(), json!(format!("live.{event_type}")));
    schema.insert("description".to_owned(), json!(about(event_type)));
    narrow(&mut schema, "type", json!({ "const": format!("live.{event_type}") }));
    narrow(&mut schema, "dataschema", json!({ "const": schema_urn(event_type) }));
    narrow(&mut schema, "subject", json!({ "pattern": format!("^{}/.", event_type.noun()) }));
    narrow(&mut schema, "partitionkey", json!({ "pattern": format!("^{}/.", event_type.noun()) }));
    schema["properties"]["data"] = json!({ "$ref": DATA });

    let mut entity = entity::schema(event_type.noun());
    let own_definitions = entity.remove("$defs");
    let title = entity.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let definitions = schema["$defs"].as_object_mut().expect("the envelope has definitions: Via and Proof");
    definitions.insert("Data".to_owned(), data(event_type, &title));
    definitions.insert(title, Value::Object(entity));
    if let Some(Value::Object(own)) = own_definitions {
        definitions.extend(own);
    }
    in_order(schema)
}

/// The envelope's struct, with the promises that its types cannot express.
fn base() -> Map<String, Value> {
    let mut schema = entity::of::<Event>();
    narrow(&mut schema, "specversion", json!({ "const": "1.0" }));
    narrow(&mut schema, "id", json!({ "minLength": 1 }));
    narrow(
        &mut schema,
        "source",
        json!({ "format": "uri", "pattern": "^livehook://[a-z0-9-]+/[a-z0-9][a-z0-9-]{0,62}$" }),
    );
    narrow(&mut schema, "type", json!({ "pattern": "^live\\.[a-z_]+\\.[a-z_]+$" }));
    narrow(&mut schema, "subject", json!({ "pattern": "^[a-z_]+/." }));
    narrow(&mut schema, "datacontenttype", json!({ "const": "application/json" }));
    narrow(&mut schema, "dataschema", json!({ "pattern": "^urn:livehook:schema:[a-z_]+\\.[a-z_]+:[0-9]+$" }));
    narrow(&mut schema, "sequence", json!({ "pattern": "^[0-9]{16}$" }));
    narrow(&mut schema, "partitionkey", json!({ "pattern": "^[a-z_]+/." }));
    schema
}

/// `data`: the entity, and what is said about this change of it.
fn data(event_type: EventType, definition: &str) -> Value {
    let noun = event_type.noun().as_str();
    let mut properties = Map::new();
    properties.insert(noun.to_owned(), json!({ "$ref": format!("#/$defs/{definition}") }));
    if matches!(event_type.verb(), Verb::Updated | Verb::ChannelJoined | Verb::ChannelLeft) {
        properties.insert(
            "changes".to_owned(),
            json!({
                "description": "What changed, by attribute; `null` stands for an attribute that was not known.",
                "type": "object",
                "additionalProperties": { "type": "object", "required": ["from", "to"] },
            }),
        );
    }
    properties.insert(
        "possible_duplicate".to_owned(),
        json!({
            "description": "An equal callback came before, at a distance at which the platform also retries.",
            "type": "boolean",
        }),
    );
    properties.insert(
        "extra".to_owned(),
        json!({
            "description": "The platform's own fields, secrets removed. Without promise: they may change or go.",
            "type": "object",
        }),
    );
    json!({ "type": "object", "properties": properties, "required": [noun] })
}

/// Adds `promises` to the schema of one property of the envelope.
fn narrow(schema: &mut Map<String, Value>, property: &str, promises: Value) {
    let (Some(schema), Value::Object(promises)) = (schema["properties"][property].as_object_mut(), promises)
    else {
        unreachable!("`{property}` is a property of the envelope, and promises are an object");
    };
    for (keyword, promise) in promises {
        // A constant says all that a pattern says.
        if keyword == "const" {
            schema.remove("pattern");
        }
        schema.insert(keyword, promise);
    }
}

/// The keywords in the order in which a person wants to read them.
fn in_order(mut schema: Map<String, Value>) -> Value {
    let mut ordered = Map::new();
    for keyword in ["$schema", "$id", "title", "description", "type", "properties", "required", "$defs"] {
        if let Some(value) = schema.remove(keyword) {
            ordered.insert(keyword.to_owned(), value);
        }
    }
    ordered.extend(schema);
    Value::Object(ordered)
}
