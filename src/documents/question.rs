//! The schemas of what is asked over the bus, and of what may be replied.

use schemars::{
    Schema,
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Map, Value, json};

use super::entity;
use crate::platforms;

/// A question that a platform asks.
pub struct Asked {
    /// The platform.
    pub platform: &'static str,
    /// Last part of the subject.
    pub name: &'static str,
    /// What is asked, in a few words.
    pub about: &'static str,
    /// Schema of the request.
    pub question: Value,
    /// Schema of the reply.
    pub reply: Value,
}

/// All of them, in the order of the registry.
pub fn all() -> Vec<Asked> {
    let platforms =
        platforms::ALL.iter().filter_map(|it| Some((it.descriptor().id, it.questions()?.documents())));
    let questions =
        platforms.flat_map(|(platform, documents)| documents.into_iter().map(move |it| (platform, it)));
    questions
        .map(|(platform, document)| Asked {
            platform,
            name: document.name,
            about: document.about,
            question: question(platform, document.name, plain(document.asked)),
            reply: titled(plain(document.reply), &format!("reply.{platform}.{}", document.name), "A reply"),
        })
        .collect()
}

/// What the platform asks, and what livehook adds.
fn question(platform: &str, name: &str, mut asked: Map<String, Value>) -> Value {
    let ours = json!({
        "id": { "description": "Another one each time; also the header `Livehook-Question-Id`.", "type": "string", "minLength": 1 },
        "platform": { "description": "Who asks.", "const": platform },
        "account": { "description": "The account's name in the configuration.", "type": "string" },
        "question": { "description": "What is asked; last part of the subject.", "const": name },
    });
    let Value::Object(mut properties) = ours else { unreachable!("it is written above") };
    let mut required: Vec<_> = properties.keys().cloned().map(Value::from).collect();
    if let Some(Value::Object(said)) = asked.remove("properties") {
        properties.extend(said);
    }
    if let Some(Value::Array(said)) = asked.remove("required") {
        required.extend(said);
    }
    asked.insert("properties".to_owned(), Value::Object(properties));
    asked.insert("required".to_owned(), Value::Array(required));
    titled(asked, &format!("question.{platform}.{name}"), &format!("ask.{platform}.<account>.{name}"))
}

fn plain(mut schema: Schema) -> Map<String, Value> {
    RecursiveTransform(entity::drop_what_is_not_promised).transform(&mut schema);
    match schema.to_value() {
        Value::Object(schema) => schema,
        other => unreachable!("a struct has an object for a schema, got {other}"),
    }
}

fn titled(mut schema: Map<String, Value>, id: &str, title: &str) -> Value {
    let mut ordered = Map::new();
    ordered.extend(schema.remove("$schema").map(|dialect| ("$schema".to_owned(), dialect)));
    ordered.insert("$id".to_owned(), json!(format!("urn:livehook:schema:{id}:1")));
    ordered.insert("title".to_owned(), json!(title));
    schema.remove("title");
    ordered.extend(schema);
    Value::Object(ordered)
}
