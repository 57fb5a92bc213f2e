//! Facts about a platform that other code and the documentation need. Data only.

use crate::model::{EventType, PlatformId, RetrySchedule};

/// A platform, as data. Routes, account keys, start-up checks, schemas and tables follow from it.
#[derive(Debug)]
pub struct Descriptor {
    /// Its name in routes, subjects, configuration, and of its folder.
    pub id: PlatformId,
    /// Its name for people.
    pub name: &'static str,
    /// Where it is documented.
    pub docs: &'static str,
    /// Whether it can be used.
    pub status: Status,
    /// Its callbacks, one URL each; empty for a platform without push.
    pub callbacks: &'static [CallbackKind],
    /// How it retries them.
    pub retries: RetrySchedule,
    /// The account keys that mean something here, besides those that every account has.
    pub settings: &'static [SettingKey],
}

impl Descriptor {
    /// The callback with this name in the URL.
    pub fn callback(&self, name: &str) -> Option<&'static CallbackKind> {
        self.callbacks.iter().find(|callback| callback.name == name)
    }
}

/// Whether a platform can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It is in operation.
    Working,
    /// It is closed; the note says since when.
    Closed(&'static str),
}

/// One callback URL and the kind of thing that arrives there.
#[derive(PartialEq, Eq, Debug)]
pub struct CallbackKind {
    /// Its name in the URL.
    pub name: &'static str,
    /// What it reports, in a few words.
    pub about: &'static str,
    /// What is given up first when the store fills.
    pub priority: Priority,
    /// Whether viewers' browsers post it, so that cross-origin requests must be allowed.
    pub from_browsers: bool,
    /// The events it can lead to, besides `delivery.quarantined`.
    pub emits: &'static [EventType],
    /// Names of body fields that hold secrets: masked when a quarantined body is shown.
    pub secret_fields: &'static [&'static str],
}

/// What is given up first when the store fills.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Priority {
    /// Figures that the next delivery repeats: refused from 95 % on.
    Low,
    /// Everything else: refused only when nothing more can be committed.
    High,
}

/// An account key that a platform gives a meaning to (contract §5).
#[derive(Debug)]
pub struct SettingKey {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Whether an account cannot do without it.
    pub required: bool,
    /// What it is, for documentation and error messages.
    pub about: &'static str,
}
