//! SOOP, once AfreecaTV: Korean live platform. It calls nobody, so everything is read. See `README.md` for
//! sources and quirks.

mod grant;
mod poll;

use crate::{
    model::{EventType, Noun::*, RetrySchedule, Verb::*},
    platform::{
        Api, BudgetScope, Descriptor, GrantKind, Grants, Limits, OptionKind, Platform, Poll, SettingKey,
        Status, WatchKind, WatchOption,
        descriptor::{any_word, number},
    },
};

/// The platform.
pub struct Soop;

/// How old an answer can be because of SOOP's caches.
const STALE_SECONDS: u32 = 30;

/// One service under three names.
const HOSTS: &[&str] = &["openapi.sooplive.com", "openapi.sooplive.co.kr", "openapi.afreecatv.com"];

static DESCRIPTOR: Descriptor = Descriptor {
    id: "soop",
    name: "SOOP",
    docs: "https://openapi.sooplive.co.kr/apidoc",
    status: Status::Working,
    callbacks: &[],
    retries: RetrySchedule { answer_seconds: 0, windows: &[] },
    api: Some(Api {
        base_url: "https://openapi.sooplive.com",
        hosts: HOSTS,
        // SOOP states no limits; these are our own.
        limits: Limits {
            scope: BudgetScope::Credential,
            gap_ms: 500,
            per_minute: 60,
            routine_per_minute: 60,
            confirmations_per_minute: 0,
            backoff_max_seconds: 900,
        },
        stale_seconds: STALE_SECONDS,
    }),
    grant: Some(GrantKind {
        auth_url: "https://openapi.sooplive.com",
        hosts: HOSTS,
        needs: &["client_id", "client_secret"],
        keys: &["client_id", "client_secret", "scopes"],
        echoes_state: false,
        number: Some("the six digits of \"certification number\" in the SOOP mobile app, below \"my info\""),
    }),
    watches: &[
        WatchKind {
            name: "broadcasts",
            about: "everything that is on air, or what is on air in some categories",
            every_seconds: 60,
            needs: &["client_id"],
            options: &[WatchOption {
                name: "categories",
                kind: OptionKind::List,
                required: false,
                about: "numbers of the categories, such as \"00130000\"; one that has others below it includes \
                        them; all broadcasts if left out",
                check: poll::broadcasts::check_category,
            }],
            emits: BROADCAST,
        },
        WatchKind {
            name: "live_status",
            about: "whether the streamer who gave the token is on air",
            every_seconds: 45,
            needs: &["token"],
            options: &[],
            emits: BROADCAST,
        },
        WatchKind {
            name: "station",
            about: "name and picture of the station of the streamer who gave the token",
            every_seconds: 300,
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
            name: "categories",
            about: "the categories that broadcasts are sorted into",
            every_seconds: 10_800,
            needs: &["client_id"],
            options: &[WatchOption {
                name: "locale",
                kind: OptionKind::Word,
                required: false,
                about: "the language of their names: ko_KR (default), en_US, zh_CN, zh_TW, ja_JP, th_TH, vi_VN",
                check: poll::categories::check_locale,
            }],
            emits: &[
                EventType::of(Category, Discovered),
                EventType::of(Category, Created),
                EventType::of(Category, Updated),
                EventType::of(Category, Removed),
            ],
        },
        WatchKind {
            name: "filters",
            about: "streamers, categories and keywords that are left out of the lists this application gets",
            every_seconds: 600,
            needs: &["client_id", "client_secret"],
            options: &[],
            emits: &[
                EventType::of(Filter, Discovered),
                EventType::of(Filter, Created),
                EventType::of(Filter, Updated),
                EventType::of(Filter, Removed),
            ],
        },
        WatchKind {
            name: "settings",
            about: "how the streamer who gave the token has set up the next broadcast",
            every_seconds: 900,
            needs: &["token"],
            options: &[
                WatchOption {
                    name: "partner",
                    kind: OptionKind::Word,
                    required: false,
                    about: "the name SOOP gave to its partner, SOOP by default",
                    check: any_word,
                },
                WatchOption {
                    name: "stream_key",
                    kind: OptionKind::Switch,
                    required: false,
                    about: "whether to notice that the stream key was replaced; only a fingerprint of it is kept",
                    check: any_word,
                },
            ],
            emits: &[
                EventType::of(Settings, Discovered),
                EventType::of(Settings, Updated),
                EventType::of(StreamKey, Rotated),
            ],
        },
        WatchKind {
            name: "vods",
            about: "whether some videos can still be embedded, and under which title",
            every_seconds: 3600,
            needs: &[],
            options: &[WatchOption {
                name: "ids",
                kind: OptionKind::List,
                required: true,
                about: "numbers of the videos: what follows /player/ in their address",
                check: number,
            }],
            emits: &[EventType::of(Content, Updated), EventType::of(Content, Removed)],
        },
    ],
    settings: &[
        SettingKey {
            name: "client_id",
            required: false,
            about: "the application's id: enough for the public lists",
        },
        SettingKey {
            name: "client_secret",
            required: false,
            about: "the application's secret: for its filters",
        },
        SettingKey { name: "token", required: false, about: "a streamer's access token: for what is theirs" },
    ],
};

const BROADCAST: &[EventType] = &[
    EventType::of(Broadcast, Discovered),
    EventType::of(Broadcast, Started),
    EventType::of(Broadcast, Updated),
    EventType::of(Broadcast, Ended),
];

impl Platform for Soop {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn grants(&self) -> Option<&dyn Grants> {
        Some(self)
    }

    fn poll(&self) -> Option<&dyn Poll> {
        Some(self)
    }
}
