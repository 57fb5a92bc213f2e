//! The description of the bus as an AsyncAPI 3 document that stands alone.

use serde_json::{Map, Value, json};

use super::{
    about::about,
    emitted::{Emitted, emitted},
    event,
    question::{self, Asked},
};
use crate::{
    model::{EventType, Noun},
    ports::bus::JsStream,
};

/// The whole document.
pub fn document() -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    let mut schemas = Map::new();
    for entry in &emitted() {
        let name = entry.event_type.to_string();
        channels.insert(name.clone(), channel(entry));
        operations.insert(format!("publish.{name}"), operation(entry.event_type));
        messages.insert(name, message(entry.event_type));
        add_schema(&entry.event_type.to_string(), event::schema(entry.event_type), &mut schemas);
    }
    for asked in question::all() {
        let (ask, reply) = (ask(&asked), format!("reply.{}.{}", asked.platform, asked.name));
        channels.insert(ask.clone(), ask_channel(&asked));
        channels.insert(reply.clone(), reply_channel(&reply));
        operations.insert(ask.clone(), ask_operation(&asked, &reply));
        messages.insert(ask.clone(), json_message(&ask, asked.about));
        messages.insert(reply.clone(), json_message(&reply, "What a decision service says."));
        add_schema(&ask, asked.question, &mut schemas);
        add_schema(&reply, asked.reply, &mut schemas);
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "livehook: the bus",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": { "bus": server() },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "messageTraits": { "event": { "headers": headers() } },
            "schemas": schemas,
        },
        "x-jetstream": { "streams": js_streams() },
    })
}

const INTRODUCTION: &str = "livehook receives the callbacks of live-video platforms and publishes what they say in one \
vocabulary of events. Every event is a CloudEvents 1.0 envelope in structured JSON, published to JetStream at least \
once, in the order of commits for each entity, with an id that is the same for one change for ever. A subject has the \
parts prefix, platform, account, noun and verb, so that `live.*.*.broadcast.>` is every broadcast on every platform. \
Order events of an account by `sequence`, and drop an event whose `id` you have seen. Players of some platforms ask \
before they play: each question is a request on a subject that begins with `ask`, without JetStream, and the first \
reply in time is signed and sent to the player.";

fn server() -> Value {
    json!({
        "host": "{host}:{port}",
        "protocol": "nats",
        "description": "A NATS server of version 2.10.27 or newer with JetStream; `bus.servers` in the configuration.",
        "variables": {
            "host": { "default": "127.0.0.1", "description": "Where the server runs." },
            "port": { "default": "4222", "description": "Its client port." },
        },
    })
}

fn channel(emitted: &Emitted) -> Value {
    let event_type = emitted.event_type;
    let platforms: Vec<_> = emitted.platforms.iter().map(|descriptor| descriptor.id).collect();
    let mut messages = Map::new();
    messages.insert(event_type.to_string(), json!({ "$ref": format!("#/components/messages/{event_type}") }));
    json!({
        "address": format!("{{prefix}}.{{platform}}.{{account}}.{event_type}"),
        "description": about(event_type),
        "servers": [{ "$ref": "#/servers/bus" }],
        "parameters": {
            "prefix": { "default": "live", "description": "`bus.prefix` of the configuration." },
            "platform": { "enum": platforms, "description": "Where it happened." },
            "account": { "description": "Name of the account in the configuration.", "examples": ["acme"] },
        },
        "messages": messages,
        "x-jetstream-stream": js_stream(event_type.noun()).as_str(),
    })
}

fn operation(event_type: EventType) -> Value {
    let channel = format!("#/channels/{event_type}");
    json!({
        "action": "send",
        "channel": { "$ref": channel },
        "summary": about(event_type),
        "messages": [{ "$ref": format!("{channel}/messages/{event_type}") }],
    })
}

fn message(event_type: EventType) -> Value {
    json!({
        "name": format!("live.{event_type}"),
        "title": format!("live.{event_type}"),
        "summary": about(event_type),
        "contentType": "application/cloudevents+json",
        "payload": { "$ref": format!("#/components/schemas/{event_type}") },
        "traits": [{ "$ref": "#/components/messageTraits/event" }],
    })
}

fn headers() -> Value {
    json!({
        "type": "object",
        "required": ["Nats-Msg-Id", "Content-Type"],
        "properties": {
            "Nats-Msg-Id": {
                "type": "string",
                "description": "Equal to `id`; JetStream drops a repeat inside its duplicate window by it.",
            },
            "Content-Type": { "type": "string", "const": "application/cloudevents+json" },
        },
    })
}

/// The JetStream stream that keeps events of this noun.
fn js_stream(noun: Noun) -> JsStream {
    if noun.is_playback() { JsStream::LivePlayback } else { JsStream::Live }
}

fn js_streams() -> Value {
    let streams = JsStream::ALL.into_iter().map(|js_stream| {
        let about = match js_stream {
            JsStream::Live => "Everything but viewers' events.",
            JsStream::LivePlayback => "Viewers' events: high in volume, kept for a shorter time.",
        };
        let subjects = js_stream.subjects("{prefix}");
        (js_stream.as_str().to_owned(), json!({ "description": about, "subjects": subjects }))
    });
    Value::Object(streams.collect())
}

/// `ask.kollus.play`.
fn ask(asked: &Asked) -> String {
    format!("ask.{}.{}", asked.platform, asked.name)
}

fn ask_channel(asked: &Asked) -> Value {
    let name = ask(asked);
    let mut messages = Map::new();
    messages.insert(name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }));
    json!({
        "address": format!("ask.{}.{{account}}.{}", asked.platform, asked.name),
        "description": asked.about,
        "servers": [{ "$ref": "#/servers/bus" }],
        "parameters": {
            "account": { "description": "Name of the account in the configuration.", "examples": ["acme"] },
        },
        "messages": messages,
    })
}

fn reply_channel(reply: &str) -> Value {
    let mut messages = Map::new();
    messages.insert(reply.to_owned(), json!({ "$ref": format!("#/components/messages/{reply}") }));
    json!({
        "address": null,
        "description": "The reply subject of the request.",
        "servers": [{ "$ref": "#/servers/bus" }],
        "messages": messages,
    })
}

fn ask_operation(asked: &Asked, reply: &str) -> Value {
    let (name, reply_channel) = (ask(asked), format!("#/channels/{reply}"));
    let channel = format!("#/channels/{name}");
    json!({
        "action": "send",
        "channel": { "$ref": channel },
        "summary": asked.about,
        "messages": [{ "$ref": format!("{channel}/messages/{name}") }],
        "reply": {
            "channel": { "$ref": reply_channel },
            "messages": [{ "$ref": format!("{reply_channel}/messages/{reply}") }],
        },
    })
}

fn json_message(name: &str, about: &str) -> Value {
    json!({
        "name": name,
        "title": name,
        "summary": about,
        "contentType": "application/json",
        "payload": { "$ref": format!("#/components/schemas/{name}") },
    })
}

/// Adds a schema, taken out of its own file: what was a definition there is a component here.
fn add_schema(name: &str, schema: Value, components: &mut Map<String, Value>) {
    let Value::Object(mut schema) = schema else { unreachable!("a schema of an object is an object") };
    schema.remove("$schema");
    schema.remove("$id");
    let definitions = schema.remove("$defs");
    let component =
        |definition: &str| if definition == "Data" { format!("{name}.Data") } else { definition.to_owned() };
    let mut add = |name: String, mut value: Value| {
        point_to_components(&mut value, &component);
        let earlier = components.insert(name, value.clone());
        debug_assert!(earlier.is_none_or(|earlier| earlier == value), "one name, one schema");
    };
    add(name.to_owned(), Value::Object(schema));
    if let Some(Value::Object(definitions)) = definitions {
        for (name, definition) in definitions {
            add(component(&name), definition);
        }
    }
}

fn point_to_components(value: &mut Value, component: &impl Fn(&str) -> String) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some(name) = target.strip_prefix("#/$defs/")
            {
                *target = format!("#/components/schemas/{}", component(name));
            }
            map.values_mut().for_each(|inner| point_to_components(inner, component));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| point_to_components(inner, component)),
        _ => {}
    }
}
