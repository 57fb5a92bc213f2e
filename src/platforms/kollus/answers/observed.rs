//! What is told of a question once it was answered. A player's session key never is: whoever knows it could answer for
//! that session.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::{pseudonym::Pseudonyms, wire};
use crate::{
    model::{
        Attributes, EntityKey, Noun, Observation, Verb,
        entities::{Decided, Download, Playback},
    },
    platform::{DecidedBy, Decision, Exchange, Question, QuestionSettings},
};

/// The exchange as an observation of the viewer's playback, or of the copy on the device.
///
/// Nothing on the wire names either of them, so their ids are made of what stays the same: viewer, content, player;
/// and for playback the question, for the figures of progress have ids of the same kind.
pub fn of(question: &Question, exchange: &Exchange<'_>, settings: &QuestionSettings) -> Observation {
    let pseudonyms = Pseudonyms::of(settings);
    let asked = Said { asked: &question.asked, pseudonyms };
    let decided = decided(exchange);
    let is_allowed = exchange.ruling.decision == Decision::Allow;
    let (noun, told, attributes) = if question.name == "download" {
        let told = match (asked.text("action").as_deref(), is_allowed) {
            (Some("completed"), _) => Verb::Completed,
            (Some("play"), true) => Verb::Played,
            (_, true) => Verb::Authorized,
            (_, false) => Verb::Denied,
        };
        (Noun::Download, told, Attributes::of(&asked.download(decided)))
    } else {
        let told = match (question.name, is_allowed) {
            ("next-episode", _) => Verb::NextRequested,
            (_, true) => Verb::Authorized,
            (_, false) => Verb::Denied,
        };
        let kind = if question.name == "live-play" { "live" } else { "vod" };
        (Noun::Playback, told, Attributes::of(&asked.playback(kind, decided)))
    };
    let mut id = vec![asked.id("client_user_id"), asked.content_key(), asked.id("player_id")];
    if noun == Noun::Playback {
        id.push(Some(question.name.to_owned()));
    }
    let id = wire::joined(id.into_iter().map(Option::unwrap_or_default));
    Observation {
        told: Some(told),
        attributes,
        extra: asked.extra(),
        ..Observation::of(EntityKey::new(noun, id))
    }
}

fn decided(exchange: &Exchange<'_>) -> Decided {
    let ruling = exchange.ruling;
    let (decided_by, because) = match exchange.decided_by {
        DecidedBy::Service => ("service", None),
        DecidedBy::Memory => ("memory", None),
        DecidedBy::Policy(why) => ("policy", Some(why.as_str().to_owned())),
    };
    let terms: BTreeMap<_, _> = ruling.terms.clone().into_iter().collect();
    Decided {
        result: ruling.decision.as_str().to_owned(),
        decided_by: decided_by.to_owned(),
        because,
        reason: ruling.reason.clone(),
        terms: Some(terms).filter(|terms| !terms.is_empty()),
        latency_ms: u64::try_from(exchange.latency.as_millis()).unwrap_or(u64::MAX),
        question_id: exchange.id.to_owned(),
    }
}

/// What was asked, as it may be published.
struct Said<'q> {
    asked: &'q Map<String, Value>,
    pseudonyms: Option<Pseudonyms<'q>>,
}

impl Said<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.asked.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// The id of a person or device.
    fn id(&self, name: &'static str) -> Option<String> {
        let id = self.text(name)?;
        Some(match &self.pseudonyms {
            Some(pseudonyms) => pseudonyms.of_id(name, &id),
            None => id,
        })
    }

    /// Without what the customer may have added to it.
    fn content_key(&self) -> Option<String> {
        self.text("base_media_content_key").or_else(|| self.text("media_content_key"))
    }

    fn media_content_key(&self) -> Option<String> {
        // What the customer adds may be a person's id.
        if self.pseudonyms.is_some() { self.content_key() } else { self.text("media_content_key") }
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.asked.get(name).and_then(Value::as_i64)
    }

    fn user_values(&self) -> Option<BTreeMap<String, Value>> {
        let mut values = self.asked.get("user_values")?.clone();
        wire::remove_secrets(&mut values);
        let Value::Object(values) = values else { return None };
        let values: BTreeMap<_, _> = values.into_iter().filter(|(_, value)| !value.is_null()).collect();
        (!values.is_empty()).then_some(values)
    }

    fn playback(&self, kind: &str, decided: Decided) -> Playback {
        Playback {
            kind: Some(kind.to_owned()),
            client_user_id: self.id("client_user_id"),
            player_id: self.id("player_id"),
            hardware_id: self.id("hardware_id"),
            device: self.text("device"),
            media_content_key: self.media_content_key(),
            base_media_content_key: self.text("base_media_content_key"),
            channel_id: self.text("channel_id"),
            user_values: self.user_values(),
            stage: self.text("stage"),
            decision: Some(decided),
            ..Playback::default()
        }
    }

    fn download(&self, decided: Decided) -> Download {
        Download {
            action: self.text("action"),
            client_user_id: self.id("client_user_id"),
            player_id: self.id("player_id"),
            hardware_id: self.id("hardware_id"),
            device: self.text("device"),
            media_content_key: self.media_content_key(),
            base_media_content_key: self.text("base_media_content_key"),
            started_at: self
                .integer("started_at")
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()),
            expired: self.asked.get("expired").and_then(Value::as_bool),
            expires_at: self.integer("expires_at"),
            user_values: self.user_values(),
            decision: Some(decided),
        }
    }

    /// Fields without a meaning here; under a pseudonym nobody knows what they tell of a person.
    fn extra(&self) -> Attributes {
        match self.asked.get("extra") {
            Some(Value::Object(extra)) if self.pseudonyms.is_none() => extra.clone().into(),
            _ => Attributes::default(),
        }
    }
}
