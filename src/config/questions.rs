//! How an account's questions are answered, checked.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::{check::Checker, file};
use crate::platform::{Descriptor, OnNoAnswer, QuestionSettings};

/// A viewer waits: less than this no service keeps to, more no player.
const DEADLINE: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(5);
const DEADLINE_DEFAULT: Duration = Duration::from_millis(800);
/// Longer than a viewer needs from one question to the next of the same playback.
const REMEMBER_MAX: Duration = Duration::from_secs(60);
/// What a field of a next-episode form can carry, besides `user_values.<name>`.
const NEXT_EPISODE_CARRIES: [&str; 6] =
    ["client_user_id", "media_content_key", "player_id", "hardware_id", "device", "channel_id"];
/// What an answer to next-episode can say under a name of the account's choice.
const NEXT_EPISODE_SAYS: [&str; 2] = ["content_key", "url"];

impl Checker<'_> {
    /// `None` for an account that answers no questions, or whose settings are wrong.
    pub(super) fn questions(
        &mut self,
        section: &str,
        account: &file::Account,
        descriptor: &Descriptor,
    ) -> Option<QuestionSettings> {
        let asked: Vec<_> = descriptor.callbacks.iter().filter_map(|callback| callback.asks).collect();
        if asked.is_empty() {
            return None;
        }
        let Some(security_key) = &account.security_key else {
            for (key, is_set) in account.question_keys() {
                if is_set {
                    self.wrong(
                        format!("{section}.{key}"),
                        "means nothing without security_key: add security_key = { env = \"NAME\" } or leave it out",
                    );
                }
            }
            return None;
        };
        if account.callback_tokens.is_empty() {
            self.wrong(
                format!("{section}.security_key"),
                "means nothing without callback_tokens, for nobody can ask: add them or leave it out",
            );
        }
        let security_key = self.secret(&format!("{section}.security_key"), security_key);
        let user_key = self.user_key(section, account);
        let on_no_answer = self.on_no_answer(section, account, &asked);
        let default = file::Questions::default();
        let table = account.questions.as_ref().unwrap_or(&default);
        let section = format!("{section}.questions");
        let deadline = table.deadline.as_deref().map_or(Some(DEADLINE_DEFAULT), |text| {
            let key = format!("{section}.deadline");
            self.duration(key, text, DEADLINE, "use 50ms to 5s, for a viewer waits")
        });
        let remember = table.remember.as_deref().map_or(Some(Duration::ZERO), |text| {
            let key = format!("{section}.remember");
            self.duration(key, text, Duration::ZERO..=REMEMBER_MAX, "use 0s (off) to 60s")
        });
        self.next_episode(&section, table);
        let pseudonym_key = table.pseudonym_key.as_ref();
        let pseudonym_key =
            pseudonym_key.map(|source| self.secret(&format!("{section}.pseudonym_key"), source));
        Some(QuestionSettings {
            security_key: security_key?,
            user_key: user_key?,
            on_no_answer: on_no_answer?,
            deadline: deadline?,
            remember: remember?,
            pseudonym_key: match pseudonym_key {
                Some(key) => Some(key?),
                None => None,
            },
            play_section_is_list: table.play_section == file::Shape::List,
            live_play_is_list: table.live_play_answer == file::Shape::List,
            next_episode_fields: table.next_episode_fields.clone(),
            next_episode_answer: table.next_episode_answer.clone(),
        })
    }

    fn user_key(&mut self, section: &str, account: &file::Account) -> Option<SecretString> {
        let key = format!("{section}.user_key");
        let Some(source) = &account.user_key else {
            self.wrong(
                key,
                "is missing: it names the security key to players; add user_key = { env = \"NAME\" }",
            );
            return None;
        };
        let user_key = self.secret(&key, source)?;
        if !user_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            self.wrong(
                key,
                format!("{source} must hold letters, digits and signs only, for it is sent in a header: copy it again"),
            );
            return None;
        }
        Some(user_key)
    }

    fn on_no_answer(
        &mut self,
        section: &str,
        account: &file::Account,
        asked: &[&'static str],
    ) -> Option<BTreeMap<&'static str, OnNoAnswer>> {
        let key = format!("{section}.on_no_answer");
        match &account.on_no_answer {
            None => {
                self.wrong(
                    key,
                    "is missing: say what viewers get when no decision service answers in time: \"allow\", \"deny\" or \"refuse\" (503)",
                );
                None
            }
            Some(file::OnNoAnswer::Always(policy)) => {
                Some(asked.iter().map(|question| (*question, (*policy).into())).collect())
            }
            Some(file::OnNoAnswer::Each(policies)) => {
                for question in policies.keys().filter(|name| !asked.contains(&name.as_str())) {
                    self.wrong(
                        format!("{key}.{question}"),
                        format!("is not a question: use {}", asked.join(", ")),
                    );
                }
                let named = |question: &&'static str| Some((*question, (*policies.get(*question)?).into()));
                let policies: BTreeMap<_, _> = asked.iter().filter_map(named).collect();
                for question in asked.iter().filter(|question| !policies.contains_key(*question)) {
                    self.wrong(
                        format!("{key}.{question}"),
                        format!("is missing: add {question} = \"allow\", \"deny\" or \"refuse\""),
                    );
                }
                Some(policies)
            }
        }
    }

    fn next_episode(&mut self, section: &str, table: &file::Questions) {
        for (field, carries) in &table.next_episode_fields {
            let is_user_value = carries.strip_prefix("user_values.").is_some_and(|name| !name.is_empty());
            if !is_user_value && !NEXT_EPISODE_CARRIES.contains(&carries.as_str()) {
                self.wrong(
                    format!("{section}.next_episode_fields.{field}"),
                    format!(
                        "{carries:?} is nothing that a field can carry: use one of {} or user_values.<name>",
                        NEXT_EPISODE_CARRIES.join(", ")
                    ),
                );
            }
        }
        for (says, name) in &table.next_episode_answer {
            let key = format!("{section}.next_episode_answer.{says}");
            if !NEXT_EPISODE_SAYS.contains(&says.as_str()) {
                self.wrong(
                    key,
                    format!("is nothing that an answer says: use {}", NEXT_EPISODE_SAYS.join(", ")),
                );
            } else if name.is_empty() || name.len() > 64 || ["result", "message"].contains(&name.as_str()) {
                self.wrong(key, "must be a name of 1 to 64 letters other than result and message");
            }
        }
    }

    fn duration(
        &mut self,
        key: String,
        text: &str,
        range: std::ops::RangeInclusive<Duration>,
        remedy: &str,
    ) -> Option<Duration> {
        let duration =
            text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        let fits = duration.filter(|duration| range.contains(duration));
        if fits.is_none() {
            self.wrong(key, format!("{text:?} is no duration that can be used here: {remedy}"));
        }
        fits
    }
}

impl From<file::Policy> for OnNoAnswer {
    fn from(policy: file::Policy) -> Self {
        match policy {
            file::Policy::Allow => Self::Allow,
            file::Policy::Deny => Self::Deny,
            file::Policy::Refuse => Self::Refuse,
        }
    }
}
