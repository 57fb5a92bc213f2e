//! What a platform may know of an account.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;

use super::question::OnNoAnswer;
use crate::model::AccountName;

/// The part of an account's configuration that its platform reads.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// The account's name here.
    pub name: AccountName,
    /// The platform's own name of the account.
    pub service_account: String,
    /// Key of the signature on the platform's webhook.
    pub webhook_secret: Option<SecretString>,
    /// Parameter name on the wire → name of the figure it carries; names are the account's own choice.
    pub progress_fields: BTreeMap<String, String>,
    /// Key of the checksum that viewers' reports may carry; proves nothing.
    pub progress_hash_key: Option<SecretString>,
    /// Charset of form bodies, whatever they declare; decided by declaration, then by the bytes when absent.
    pub charset: Option<&'static encoding_rs::Encoding>,
    /// Id of the application at the platform.
    pub client_id: Option<String>,
    /// Secret of that application.
    pub client_secret: Option<SecretString>,
    /// What tokens shall permit; empty for what livehook needs.
    pub scopes: Vec<String>,
    /// Who logs in, where that is done with a password.
    pub username: Option<String>,
    /// Password of that user.
    pub password: Option<SecretString>,
    /// What is watched, by the name of the watch.
    pub watches: BTreeMap<&'static str, WatchSettings>,
    /// How questions are answered; `None` if this account's callbacks must not ask any.
    pub questions: Option<QuestionSettings>,
}

impl AccountSettings {
    /// Of an account that has nothing but names.
    pub fn new(name: AccountName, service_account: impl Into<String>) -> Self {
        Self {
            name,
            service_account: service_account.into(),
            webhook_secret: None,
            progress_fields: BTreeMap::new(),
            progress_hash_key: None,
            charset: None,
            client_id: None,
            client_secret: None,
            scopes: Vec::new(),
            username: None,
            password: None,
            watches: BTreeMap::new(),
            questions: None,
        }
    }
}

/// How an account's questions are answered.
#[derive(Clone, Debug)]
pub struct QuestionSettings {
    /// Key of the signature on answers, as raw bytes.
    pub security_key: SecretString,
    /// Names the security key to the platform.
    pub user_key: SecretString,
    /// What to answer when no decision service does, by the name of the question; has all of the platform's questions.
    pub on_no_answer: BTreeMap<&'static str, OnNoAnswer>,
    /// From the delivery's first byte to its answer, at most.
    pub deadline: Duration,
    /// How long a decision serves questions that are the same; zero for not at all.
    pub remember: Duration,
    /// Key of the pseudonyms under which viewers and devices are published, whatever callback tells of them; `None` to
    /// publish them as they are.
    pub pseudonym_key: Option<SecretString>,
    /// Whether a preview's range is written as a list of ranges.
    pub play_section_is_list: bool,
    /// Whether the answer of `live-play` is a list like that of `download`.
    pub live_play_is_list: bool,
    /// Names of the next-episode form's fields → what they carry.
    pub next_episode_fields: BTreeMap<String, String>,
    /// What an answer to next-episode says (`content_key`, `url`) → its name there.
    pub next_episode_answer: BTreeMap<String, String>,
}

/// What an account says of one watch.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct WatchSettings {
    /// Time between two sweeps.
    pub every: Duration,
    /// The options that are lists, by name: `categories`, `ids`, `programs`.
    pub lists: BTreeMap<&'static str, Vec<String>>,
    /// The options that are words, by name: `locale`, `partner`.
    pub words: BTreeMap<&'static str, String>,
    /// The options that are switched on: `history`, `stream_key`.
    pub switches: Vec<&'static str>,
}

impl WatchSettings {
    /// The entries of a list; none if it was left out.
    pub fn list(&self, option: &str) -> &[String] {
        self.lists.get(option).map_or(&[], Vec::as_slice)
    }

    /// A word; `None` if it was left out.
    pub fn word(&self, option: &str) -> Option<&str> {
        self.words.get(option).map(String::as_str)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, option: &str) -> bool {
        self.switches.contains(&option)
    }
}
