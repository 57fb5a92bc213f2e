//! OpenFRESH: the public API of FRESH LIVE, a Japanese live-video service that is closed. Comments can be read. See
//! `README.md` for sources and quirks.

mod comments;
mod login;
mod program;
mod reading;
mod wire;

use crate::{
    model::{EventType, Noun::*, RetrySchedule, Verb::*},
    platform::{
        Api, BudgetScope, Descriptor, GrantKind, Grants, Limits, OptionKind, Platform, Poll, Status,
        SweepTask, Walk, WatchKind, WatchOption,
        descriptor::{any_word, number},
    },
};

/// The platform.
pub struct Openfresh;

static DESCRIPTOR: Descriptor = Descriptor {
    id: "openfresh",
    name: "OpenFRESH",
    docs: "https://openfresh.github.io/",
    status: Status::Closed(
        "free channels and archives were withdrawn from 12 February 2019, and by January 2021 all of it had ended",
    ),
    callbacks: &[],
    // Nobody calls, so nobody retries; what an answer would have to be in time for does not exist.
    retries: RetrySchedule { answer_seconds: 5, windows: &[] },
    api: Some(Api {
        base_url: "https://openapi.freshlive.tv",
        hosts: &["openapi.freshlive.tv"],
        // 60 in any 60 seconds are documented, for a host or a user: whichever it is, a host is the smaller.
        limits: Limits {
            scope: BudgetScope::Host,
            gap_ms: 0,
            per_minute: 60,
            routine_per_minute: 48,
            confirmations_per_minute: 12,
            backoff_max_seconds: 600,
        },
        stale_seconds: 5,
    }),
    grant: Some(GrantKind {
        auth_url: "https://openapi.freshlive.tv",
        hosts: &["openapi.freshlive.tv"],
        needs: &["username", "password"],
        keys: &["username", "password"],
        echoes_state: false,
        number: None,
    }),
    watches: &[WatchKind {
        name: "comments",
        about: "the comments of programs, and whether these are on air",
        every_seconds: 3,
        needs: &[],
        options: &[
            WatchOption {
                name: "programs",
                kind: OptionKind::List,
                required: true,
                about: "ids of the programs, the last part of their pages' addresses, such as [\"92823\"]",
                check: number,
            },
            WatchOption {
                name: "history",
                kind: OptionKind::Switch,
                required: false,
                about: "also tell what was written before livehook came, and the comments of archives",
                check: any_word,
            },
        ],
        emits: &[
            EventType::of(Comment, Created),
            EventType::of(Broadcast, Discovered),
            EventType::of(Broadcast, Started),
            EventType::of(Broadcast, Updated),
            EventType::of(Broadcast, Ended),
        ],
    }],
    settings: &[],
};

impl Platform for Openfresh {
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

impl Poll for Openfresh {
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk> {
        comments::walk(&task)
    }
}
