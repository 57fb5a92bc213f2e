//! The schema of `data.<noun>`: what is known of an entity.

use schemars::{JsonSchema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use crate::model::{Noun, Phase, entities};

/// The schema of the struct `T`, with the definitions it needs under `$defs`.
pub fn of<T: JsonSchema>() -> Map<String, Value> {
    let schema = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(drop_what_is_not_promised))
        .into_generator()
        .into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(schema) => schema,
        other => unreachable!("a struct has an object for a schema, got {other}"),
    }
}

/// What every entity has, `id` and for some nouns `state`, and the attributes of this noun.
pub fn schema(noun: Noun) -> Map<String, Value> {
    let mut schema = attributes(noun);
    schema.remove("$schema");
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        json!({ "description": "The platform's id of it, unchanged.", "type": "string", "minLength": 1 }),
    );
    let said = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    properties.extend(said.into_iter().map(|(name, attribute)| (name, never_null(attribute))));
    if !phases(noun).is_empty() {
        let words: Vec<_> = phases(noun).iter().map(|phase| phase.as_str()).collect();
        let state = json!({ "description": "Where it stands now.", "type": "string", "enum": words });
        properties.insert("state".to_owned(), state);
    }
    if noun == Noun::Broadcast {
        // The one attribute that is always there, so that nobody has to ask whether it is.
        properties["started_at"]["type"] = json!(["string", "null"]);
    }
    for definition in
        schema.get_mut("$defs").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
    {
        for attribute in definition["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            *attribute = never_null(attribute.take());
        }
        // Entries of lists are recognised by their id.
        if definition["properties"].get("id").is_some() {
            definition["required"] = json!(["id"]);
        }
    }
    let required = if noun == Noun::Broadcast { json!(["id", "started_at"]) } else { json!(["id"]) };
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("required".to_owned(), required);
    schema
}

fn attributes(noun: Noun) -> Map<String, Value> {
    match noun {
        Noun::Broadcast => of::<entities::Broadcast>(),
        Noun::Recording => of::<entities::Recording>(),
        Noun::Content => of::<entities::Content>(),
        Noun::Playback => of::<entities::Playback>(),
        Noun::Download => of::<entities::Download>(),
        Noun::Bookmark => of::<entities::Bookmark>(),
        Noun::Delivery => of::<entities::QuarantinedDelivery>(),
        Noun::Notice => of::<entities::Notice>(),
        Noun::Channel => of::<entities::Channel>(),
        Noun::Space => of::<entities::Space>(),
        Noun::Comment => of::<entities::Comment>(),
        Noun::Category => of::<entities::Category>(),
        Noun::Filter => of::<entities::Filter>(),
        Noun::Settings => of::<entities::Settings>(),
        Noun::StreamKey => of::<entities::StreamKey>(),
        Noun::Credential => of::<entities::Credential>(),
        Noun::Source => of::<entities::Source>(),
    }
}

/// Where an entity of this noun can stand; empty for nouns without a `state`.
fn phases(noun: Noun) -> &'static [Phase] {
    match noun {
        Noun::Broadcast => &[Phase::Live, Phase::Paused, Phase::Ended],
        Noun::Recording => &[Phase::Recording, Phase::Available, Phase::Failed, Phase::Aborted],
        Noun::Content => &[Phase::Uploaded, Phase::Transcoded, Phase::TranscodingFailed],
        _ => &[],
    }
}

/// An attribute that is not known is absent, so its schema need not allow `null`.
fn never_null(mut attribute: Value) -> Value {
    if let Some(Value::Array(types)) = attribute.get_mut("type") {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            attribute["type"] = only.clone();
        }
    }
    attribute
}

/// Drops what schemars knows of the Rust type and consumers have no use for: `double` and `uint64` mean nothing
/// to JSON, and the default of an absent attribute is that it is absent.
pub fn drop_what_is_not_promised(schema: &mut schemars::Schema) {
    if schema.get("format").is_some_and(|format| format == "double" || format == "uint64") {
        schema.remove("format");
    }
    schema.remove("default");
}
