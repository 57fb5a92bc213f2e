//! livedigital: a Russian video-meeting and webinar service. One signed webhook per space, and an API to read. See
//! `README.md` for sources and quirks.

mod grant;
mod poll;
mod webhook;

use crate::{
    model::{EventType, Noun::*, RetrySchedule, Verb::*},
    platform::{
        Api, BudgetScope, CallbackKind, Callbacks, Descriptor, GrantKind, Grants, Limits, Platform, Poll,
        Priority, SettingKey, Status, WatchKind,
    },
};

/// The platform.
pub struct Livedigital;

const HOSTS: &[&str] = &[
    "moodhood-api.livedigital.space",
    "moodhood-api.staging.livedigital.space",
    // The same service under the name of a reseller.
    "moodhood.online",
];

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
            EventType::of(Broadcast, Started),
            EventType::of(Broadcast, Updated),
            EventType::of(Broadcast, Ended),
            EventType::of(Recording, Started),
            EventType::of(Recording, Available),
            EventType::of(Recording, Failed),
            EventType::of(Recording, Aborted),
            EventType::of(Recording, Updated),
            EventType::of(Notice, Received),
        ],
        secret_fields: &[],
        asks: None,
    }],
    // Three attempts in all, at distances that are not documented; ten minutes is our guess at the last.
    retries: RetrySchedule { answer_seconds: 5, windows: &[(0, 600)] },
    api: Some(Api {
        base_url: "https://moodhood-api.livedigital.space",
        hosts: HOSTS,
        // None are documented; these are our own.
        limits: Limits {
            scope: BudgetScope::Credential,
            gap_ms: 1000,
            per_minute: 40,
            routine_per_minute: 34,
            confirmations_per_minute: 12,
            backoff_max_seconds: 900,
        },
        stale_seconds: 10,
    }),
    grant: Some(GrantKind {
        auth_url: "https://moodhood-api.livedigital.space",
        hosts: HOSTS,
        needs: &["client_id", "client_secret"],
        keys: &["client_id", "client_secret", "username", "password"],
        echoes_state: false,
        number: None,
    }),
    watches: &[
        WatchKind {
            name: "spaces",
            about: "the spaces that the token may see",
            every_seconds: 300,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Space, Discovered),
                EventType::of(Space, Created),
                EventType::of(Space, Updated),
                EventType::of(Space, Removed),
            ],
        },
        WatchKind {
            name: "rooms",
            about: "the rooms of each space, and how they are set up",
            every_seconds: 90,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Channel, Discovered),
                EventType::of(Channel, Created),
                EventType::of(Channel, Updated),
                EventType::of(Channel, Removed),
            ],
        },
        WatchKind {
            name: "records",
            about: "the recordings of each room",
            every_seconds: 300,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Recording, Discovered),
                EventType::of(Recording, Started),
                EventType::of(Recording, Available),
                EventType::of(Recording, Failed),
                EventType::of(Recording, Aborted),
                EventType::of(Recording, Updated),
                EventType::of(Recording, Removed),
            ],
        },
        WatchKind {
            name: "calls",
            about: "the calls in each room",
            every_seconds: 60,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Broadcast, Discovered),
                EventType::of(Broadcast, Started),
                EventType::of(Broadcast, Updated),
                EventType::of(Broadcast, Ended),
            ],
        },
        WatchKind {
            name: "webhook",
            about: "whether each space has a webhook, and where it leads",
            every_seconds: 900,
            needs: &["token"],
            options: &[],
            emits: &[
                EventType::of(Space, Discovered),
                EventType::of(Space, Created),
                EventType::of(Space, Updated),
            ],
        },
    ],
    settings: &[SettingKey {
        name: "webhook_secret",
        required: true,
        about: "key of the webhook's signature; shown once, when the webhook is created or its secret refreshed",
    }],
};

impl Platform for Livedigital {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn grants(&self) -> Option<&dyn Grants> {
        Some(self)
    }

    fn poll(&self) -> Option<&dyn Poll> {
        Some(self)
    }
}

/// Whether a name is the id of a space: 24 hexadecimal digits.
fn is_space_id(name: &str) -> bool {
    name.len() == 24 && name.bytes().all(|digit| digit.is_ascii_hexdigit())
}
