//! loopback: the platform that is none. Template for new ones, for trying livehook out, and a sample in tests.
//!
//! Read it from top to bottom: the facts, the proof, the meaning. The README beside it says how to copy it.

use serde::Deserialize;

use crate::{
    model::{
        Attributes, ContentHash, EntityKey, EventType, Noun, Observation, Phase, RetrySchedule, Rules, Verb,
        entities,
    },
    platform::{
        AccountSettings, CallbackKind, Callbacks, Decoded, Delivery, Descriptor, Malformed, Platform,
        Priority, Status, Unverified, Verified, json, signature,
    },
};

/// The platform; see the README beside this file.
pub struct Loopback;

static DESCRIPTOR: Descriptor = Descriptor {
    id: "loopback",
    name: "loopback",
    docs: "src/platforms/loopback/README.md",
    status: Status::Working,
    callbacks: &[CallbackKind {
        name: "event",
        about: "whatever you say",
        priority: Priority::High,
        from_browsers: false,
        emits: &[
            EventType::of(Noun::Broadcast, Verb::Started),
            EventType::of(Noun::Broadcast, Verb::Updated),
            EventType::of(Noun::Broadcast, Verb::Paused),
            EventType::of(Noun::Broadcast, Verb::Resumed),
            EventType::of(Noun::Broadcast, Verb::Ended),
            EventType::of(Noun::Playback, Verb::Progressed),
        ],
        secret_fields: &[],
        asks: None,
    }],
    // Nobody retries here: the same again is the same again, unless it comes within the minute.
    retries: RetrySchedule { answer_seconds: 5, windows: &[] },
    api: None,
    grant: None,
    watches: &[],
    settings: &[],
};

impl Platform for Loopback {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }
}

impl Callbacks for Loopback {
    fn verify<'d>(&self, delivery: &'d Delivery, _: &AccountSettings) -> Result<Verified<'d>, Unverified> {
        Ok(signature::unsigned(delivery, "whoever knows the URL is meant to try it out"))
    }

    fn decode(&self, delivery: &Verified<'_>, _: &AccountSettings) -> Result<Decoded, Malformed> {
        if delivery.body.is_empty() {
            return Ok(Decoded::Probe);
        }
        let said: Said = serde_json::from_value(json::parse(&delivery.body)?)
            .map_err(|_| Malformed::because("the body is none of the shapes in the README of loopback"))?;
        Ok(Decoded::Observed {
            content: ContentHash::of_bytes(&delivery.body),
            observations: vec![said.observation()?],
            quirks: Vec::new(),
            wakes: Vec::new(),
        })
    }
}

/// The wire: the platform's own shapes, which nothing outside its folder sees.
#[derive(Deserialize)]
#[serde(tag = "noun", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    Broadcast { id: String, phase: Phase, title: Option<String> },
    Playback { id: String, play_seconds: f64 },
}

impl Said {
    fn observation(self) -> Result<Observation, Malformed> {
        match self {
            Said::Broadcast { id, .. } | Said::Playback { id, .. } if id.is_empty() => {
                Err(Malformed::because("the id is empty"))
            }
            Said::Broadcast { id, phase: phase @ (Phase::Live | Phase::Paused | Phase::Ended), title } => {
                Ok(Observation {
                    phase: Some(phase),
                    attributes: Attributes::of(&entities::Broadcast { title, ..Default::default() }),
                    rules: Rules::ONE_USE,
                    ..Observation::of(EntityKey::new(Noun::Broadcast, id))
                })
            }
            Said::Broadcast { .. } => Err(Malformed::because("a broadcast is live, paused or ended")),
            Said::Playback { id, play_seconds } => {
                let figures = entities::Playback { play_seconds: Some(play_seconds), ..Default::default() };
                Ok(Observation {
                    told: Some(Verb::Progressed),
                    attributes: Attributes::of(&figures),
                    rules: Rules { grows: Some("play_seconds"), ..Rules::default() },
                    ..Observation::of(EntityKey::new(Noun::Playback, id))
                })
            }
        }
    }
}
