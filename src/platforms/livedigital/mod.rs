//! livedigital: a Russian video-meeting and webinar service. One signed webhook per space.

use crate::{
    model::{EventType, Noun, RetrySchedule, Verb},
    platform::{CallbackKind, Callbacks, Descriptor, Platform, Priority, SettingKey, Status},
};

mod webhook;

/// The platform; see the README beside this file.
pub struct Livedigital;

impl Platform for Livedigital {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(&webhook::Webhook)
    }
}

static DESCRIPTOR: Descriptor = Descriptor {
    id: "livedigital",
    name: "livedigital",
    docs: "https://vlprojects.github.io/docs/",
    status: Status::Working,
    callbacks: &[CallbackKind {
        name: "webhook",
        about: "calls and recordings of one space",
        priority: Priority::High,
        from_browsers: false,
        emits: &[
            EventType::of(Noun::Broadcast, Verb::Started),
            EventType::of(Noun::Broadcast, Verb::Updated),
            EventType::of(Noun::Broadcast, Verb::Ended),
            EventType::of(Noun::Recording, Verb::Started),
            EventType::of(Noun::Recording, Verb::Available),
            EventType::of(Noun::Recording, Verb::Failed),
            EventType::of(Noun::Recording, Verb::Aborted),
            EventType::of(Noun::Recording, Verb::Updated),
            EventType::of(Noun::Notice, Verb::Received),
        ],
        secret_fields: &[],
    }],
    // Three attempts in all, at distances that are not documented; ten minutes is our guess at the last.
    retries: RetrySchedule { answer_seconds: 5, windows: &[(0, 600)] },
    settings: &[SettingKey {
        name: "webhook_secret",
        required: true,
        about: "key of the webhook's signature; shown once, when the webhook is created or its secret refreshed",
    }],
};
