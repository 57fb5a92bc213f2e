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
    /// Its API; `None` for a platform that is not read.
    pub api: Option<Api>,
    /// How it gives access to its API; `None` if nothing is obtained there.
    pub grant: Option<GrantKind>,
    /// What can be watched there; empty without an API.
    pub watches: &'static [WatchKind],
    /// The account keys that mean something here, besides those that every account has.
    pub settings: &'static [SettingKey],
}

impl Descriptor {
    /// The callback with this name in the URL.
    pub fn callback(&self, name: &str) -> Option<&'static CallbackKind> {
        self.callbacks.iter().find(|callback| callback.name == name)
    }

    /// Whether an account key means something here.
    pub fn gives_meaning_to(&self, key: &str) -> bool {
        self.settings.iter().any(|setting| setting.name == key)
            || self.watches.iter().any(|watch| watch.needs.contains(&key))
            || (key == "base_url" && self.api.is_some())
            || (key == "auth_url" && self.grant.is_some())
            || self.grant.as_ref().is_some_and(|grant| grant.keys.contains(&key))
    }

    /// The watch with this name in the configuration.
    pub fn watch(&self, name: &str) -> Option<&'static WatchKind> {
        self.watches.iter().find(|watch| watch.name == name)
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
    /// Name of the question it asks, last part of the bus subject; `None` for one that only reports.
    pub asks: Option<&'static str>,
}

/// Where a platform is read, and how much it bears.
#[derive(PartialEq, Eq, Debug)]
pub struct Api {
    /// Scheme, host and the beginning of every path; an account may name another one.
    pub base_url: &'static str,
    /// The hosts that are the platform's own. Any other needs `allow_unknown_hosts`.
    pub hosts: &'static [&'static str],
    /// How much it bears.
    pub limits: Limits,
    /// How old an answer can be because of the platform's caches, in seconds. Younger beliefs are not undone.
    pub stale_seconds: u32,
}

/// Where access to the API is given, and to whom.
#[derive(PartialEq, Eq, Debug)]
pub struct GrantKind {
    /// Scheme and host of the authorisation server; an account may name another one.
    pub auth_url: &'static str,
    /// The hosts that are the platform's own. Any other needs `allow_unknown_hosts`.
    pub hosts: &'static [&'static str],
    /// The account keys without which nothing is obtained.
    pub needs: &'static [&'static str],
    /// All account keys that have a part in it.
    pub keys: &'static [&'static str],
    /// Whether what was sent as `state` comes back with the browser. If not, a person must confirm the link.
    pub echoes_state: bool,
    /// What a person can type in instead of going there with a browser; `None` if there is no such thing.
    pub number: Option<&'static str>,
}

/// How many requests a platform bears, or how many we allow ourselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// What shares them.
    pub scope: BudgetScope,
    /// Milliseconds from the end of one request to the start of the next.
    pub gap_ms: u32,
    /// Requests in any 60 seconds.
    pub per_minute: u32,
    /// How many of them routine sweeps may make; the rest is for what cannot wait.
    pub routine_per_minute: u32,
    /// How many of them confirmations of callbacks may make, so that forged ones cannot use up the rest.
    pub confirmations_per_minute: u32,
    /// Longest back-off after failures, in seconds.
    pub backoff_max_seconds: u32,
}

/// What shares a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BudgetScope {
    /// All accounts that are read at one host.
    Host,
    /// All accounts that use one credential at one host.
    Credential,
}

/// Something that can be read again and again.
#[derive(Debug)]
pub struct WatchKind {
    /// Its name in the configuration: `poll.<name>`.
    pub name: &'static str,
    /// What it reads, in a few words.
    pub about: &'static str,
    /// Seconds between two sweeps unless the account says otherwise.
    pub every_seconds: u32,
    /// Account keys without which it cannot be read.
    pub needs: &'static [&'static str],
    /// What an account can choose.
    pub options: &'static [WatchOption],
    /// The events it can lead to, besides `source.degraded` and `source.recovered`.
    pub emits: &'static [EventType],
}

/// A key below `poll.<watch>`, besides `every`.
#[derive(Debug)]
pub struct WatchOption {
    /// Its name.
    pub name: &'static str,
    /// What can stand there.
    pub kind: OptionKind,
    /// Whether the watch cannot do without it.
    pub required: bool,
    /// What it is, for documentation and error messages.
    pub about: &'static str,
    /// Whether a word can stand there, trimmed and not empty; if not, what is wanted, as in "must be …".
    pub check: fn(&str) -> Result<(), &'static str>,
}

/// For a [`WatchOption`] in which any word can stand, or none.
pub fn any_word(_: &str) -> Result<(), &'static str> {
    Ok(())
}

/// For a [`WatchOption`] with the ids of things that are numbered.
pub fn number(word: &str) -> Result<(), &'static str> {
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(()).ok_or("a number")
}

/// What can stand in a [`WatchOption`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionKind {
    /// A list of words, not empty.
    List,
    /// One word.
    Word,
    /// `true` or `false`.
    Switch,
}

/// What is given up first when the store fills.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Priority {
    /// Figures that the next delivery repeats: refused from 95 % on.
    Low,
    /// Everything else: refused only when nothing more can be committed.
    High,
}

/// An account key that a platform gives a meaning to.
#[derive(Debug)]
pub struct SettingKey {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Whether an account cannot do without it.
    pub required: bool,
    /// What it is, for documentation and error messages.
    pub about: &'static str,
}
