//! How the access of all accounts stands, for people: the API, `livehook connect`, the component `credentials` of
//! `/readyz`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    health::{Condition, Health},
    model::AccountName,
};

/// Renewals that fail in a row before anybody needs to know: a few minutes.
const WORRYING: u32 = 5;
/// How many are named.
const NAMED_MAX: usize = 5;

/// How an account's access stands. Never holds a token.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CredentialProgress {
    /// The account.
    pub account: String,
    /// Its platform.
    pub platform: String,
    /// How its tokens are obtained: `oauth`, `password`, `client`, `personal`.
    pub kind: String,
    /// In a word.
    pub state: CredentialState,
    /// Whose it is at the platform, if that is known.
    pub identity: Option<String>,
    /// What it permits, if that is known.
    pub scopes: Option<Vec<String>>,
    /// When the access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// When it is renewed.
    pub renew_at: Option<Timestamp>,
    /// Renewals that failed in a row.
    pub failures: u32,
    /// When the next one is tried, after a failure.
    pub retry_at: Option<Timestamp>,
    /// Why the last one failed.
    pub trouble: Option<String>,
    /// What a person must do.
    pub needs_person: Option<String>,
    /// Whether `livehook connect` helps.
    pub is_connectable: bool,
    /// What can be typed in instead of going there with a browser.
    pub number: Option<String>,
    /// Tokens that wait for a person's yes: the name of the link, and whose they are if that is known.
    pub waiting: Option<(String, Option<String>)>,
    /// How often access was given, renewals left out.
    pub authorized: u64,
}

impl CredentialProgress {
    /// What is to be told to whoever operates livehook, if anything is.
    fn worry(&self) -> Option<&str> {
        let is_stuck = matches!(self.state, CredentialState::Failing | CredentialState::InDoubt)
            && self.failures >= WORRYING;
        self.needs_person.as_deref().or_else(|| self.trouble.as_deref().filter(|_| is_stuck))
    }

    /// How it stands in a sentence without its full stop; what a person must do is not in it.
    pub fn says(&self) -> String {
        let minute = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let owner = self.identity.as_ref().map(|identity| format!(" as {identity}")).unwrap_or_default();
        let trouble = self.trouble.as_deref().unwrap_or("nobody knows why");
        match (self.state, self.renew_at, self.expires_at) {
            (CredentialState::Unconnected, ..) => "not connected".to_owned(),
            (CredentialState::Connected, Some(at), _) => {
                format!("connected{owner}, renewed next at {}", minute(at))
            }
            (CredentialState::Connected, None, Some(at)) => format!("connected{owner} until {}", minute(at)),
            (CredentialState::Connected, None, None) => format!("connected{owner}"),
            (CredentialState::Failing, ..) => {
                format!("connected{owner}, and could not be renewed: {trouble}")
            }
            (CredentialState::InDoubt, ..) => {
                "in doubt: the platform's answer to the last renewal is lost".to_owned()
            }
            (CredentialState::Lost, ..) => "not connected any more".to_owned(),
        }
    }
}

/// How an account's access stands, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialState {
    /// There never was any.
    Unconnected,
    /// There is.
    Connected,
    /// There is, and it could not be renewed.
    Failing,
    /// What the platform answered to a renewal is lost: nobody knows which token is good.
    InDoubt,
    /// There was, and a person must do something.
    Lost,
}

/// A cheap handle that can be cloned.
#[derive(Clone)]
pub struct Board {
    health: Health,
    accounts: Arc<Mutex<BTreeMap<AccountName, CredentialProgress>>>,
}

impl Board {
    pub(super) fn new(health: Health) -> Self {
        Self { health, accounts: Arc::default() }
    }

    /// Every account, by name.
    pub fn snapshot(&self) -> Vec<CredentialProgress> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.values().cloned().collect()
    }

    pub(super) fn put(&self, account: &AccountName, progress: CredentialProgress) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.insert(account.clone(), progress);
        let troubles = accounts
            .values()
            .filter_map(|known| Some(format!("{}/{}: {}", known.platform, known.account, known.worry()?)));
        let mut named: Vec<_> = troubles.collect();
        let more = named.len().saturating_sub(NAMED_MAX);
        named.truncate(NAMED_MAX);
        if more > 0 {
            named.push(format!("and {more} more"));
        }
        let condition = if named.is_empty() { Condition::Ok } else { Condition::Degraded(named.join("; ")) };
        self.health.report("credentials", condition);
    }
}
