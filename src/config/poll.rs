//! What an account says of reading its platform's API.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;

use super::{
    check::Checker,
    file::{self, WatchValue},
};
use crate::platform::{Descriptor, OptionKind, WatchKind, WatchOption, WatchSettings};

/// Shortest and longest time between two sweeps, in seconds.
const EVERY_SECONDS: std::ops::RangeInclusive<i64> = 1..=7 * 24 * 3600;

impl Checker<'_> {
    /// The watches of an account that are switched on.
    pub(super) fn watches(
        &mut self,
        section: &str,
        account: &file::Account,
        descriptor: &Descriptor,
    ) -> BTreeMap<&'static str, WatchSettings> {
        let mut watches = BTreeMap::new();
        for (name, watch) in &account.poll {
            let key = format!("{section}.poll.{name}");
            let Some(kind) = descriptor.watch(name) else {
                let known: Vec<_> = descriptor.watches.iter().map(|watch| watch.name).collect();
                let remedy = match known.is_empty() {
                    true => format!("{} is not read: leave it out", descriptor.id),
                    false => format!("is not a watch of {}: use one of {}", descriptor.id, known.join(", ")),
                };
                self.wrong(key, remedy);
                continue;
            };
            self.needs(section, &key, account, (descriptor, kind));
            watches.insert(kind.name, self.watch(&key, watch, kind));
        }
        watches
    }

    fn needs(
        &mut self,
        section: &str,
        key: &str,
        account: &file::Account,
        (descriptor, kind): (&Descriptor, &WatchKind),
    ) {
        let keys = account.platform_keys();
        let is_set = |needed: &&str| keys.contains(&(*needed, true));
        let is_obtained = descriptor.grant.as_ref().is_some_and(|grant| grant.needs.iter().all(is_set));
        let is_set = |needed: &&str| is_set(needed) || (*needed == "token" && is_obtained);
        for needed in kind.needs.iter().filter(|needed| !is_set(needed)) {
            let value = if *needed == "client_id" { "\"...\"" } else { "{ env = \"NAME\" }" };
            let obtained = match (*needed, &descriptor.grant) {
                ("token", Some(grant)) => format!(", or {} to obtain one", grant.needs.join(" and ")),
                _ => String::new(),
            };
            self.wrong(
                key,
                format!("cannot be read without {section}.{needed}: add {needed} = {value}{obtained}"),
            );
        }
    }

    fn watch(&mut self, key: &str, watch: &file::Watch, kind: &WatchKind) -> WatchSettings {
        let mut settings = WatchSettings {
            every: self.every(key, watch.every.as_deref(), kind),
            ..WatchSettings::default()
        };
        let set = watch.options();
        for option in kind.options.iter().filter(|option| option.required) {
            if !set.iter().any(|(name, _)| *name == option.name) {
                self.wrong(format!("{key}.{}", option.name), format!("is missing: {}", option.about));
            }
        }
        for (name, value) in set {
            let key = format!("{key}.{name}");
            let known = kind.options.iter().find(|option| option.name == name);
            match (known.map(|option| option.kind), value) {
                (Some(OptionKind::List), WatchValue::List([])) => {
                    self.wrong(key, "is empty: name something or leave it out");
                }
                (Some(OptionKind::List), WatchValue::List(words))
                    if words.iter().any(|word| word.trim().is_empty()) =>
                {
                    self.wrong(key, "has an entry that is empty: leave that out");
                }
                (Some(OptionKind::Word), WatchValue::Word(word)) if word.trim().is_empty() => {
                    self.wrong(key, "is empty: leave it out");
                }
                (Some(OptionKind::List), WatchValue::List(words)) => {
                    let words = words.iter().map(|word| self.word(&key, word, known));
                    settings.lists.insert(name, words.collect());
                }
                (Some(OptionKind::Word), WatchValue::Word(word)) => {
                    settings.words.insert(name, self.word(&key, word, known));
                }
                (Some(OptionKind::Switch), WatchValue::Switch(is_on)) => {
                    settings.switches.extend(is_on.then_some(name));
                }
                _ => self.wrong(key, format!("means nothing for {}: leave it out", kind.name)),
            }
        }
        settings
    }

    /// A word without the space around it. One that the platform cannot understand is wrong.
    fn word(&mut self, key: &str, word: &str, option: Option<&WatchOption>) -> String {
        let word = word.trim();
        if let Some(Err(wanted)) = option.map(|option| (option.check)(word)) {
            self.wrong(key, format!("{word:?} means nothing there: write {wanted}"));
        }
        word.to_owned()
    }

    fn every(&mut self, key: &str, every: Option<&str>, kind: &WatchKind) -> Duration {
        let default = Duration::from_secs(kind.every_seconds.into());
        let Some(text) = every else { return default };
        match text.parse::<SignedDuration>() {
            Ok(every) if EVERY_SECONDS.contains(&every.as_secs()) => every.unsigned_abs(),
            Ok(_) => {
                self.wrong(
                    format!("{key}.every"),
                    format!("{text:?} is too short or too long: use 1s to 7d"),
                );
                default
            }
            Err(_) => {
                self.wrong(
                    format!("{key}.every"),
                    format!("{text:?} is not a duration: write it like 60s or 5m"),
                );
                default
            }
        }
    }
}
