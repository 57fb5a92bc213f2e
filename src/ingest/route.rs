//! Whose callback is this? The first question, answered before a body is read.

use std::collections::HashMap;

use crate::{
    model::AccountName,
    platform::{AccountSettings, CallbackKind, Platform, signature::UrlTokenHash},
};

/// An account that can receive callbacks.
pub struct Receiver {
    /// Its platform.
    pub platform: &'static dyn Platform,
    /// What the platform may know of it.
    pub settings: AccountSettings,
    /// The secret parts of its URLs; several are valid while one replaces another.
    pub url_tokens: Vec<UrlTokenHash>,
}

/// A callback URL that was right in account, token and callback.
#[derive(Clone, Copy)]
pub struct Route<'r> {
    pub(super) receiver: &'r Receiver,
    pub(super) callback: &'static CallbackKind,
}

impl Route<'_> {
    /// Whose it is.
    pub fn account(&self) -> &AccountName {
        &self.receiver.settings.name
    }

    /// What arrives there.
    pub fn callback(&self) -> &'static CallbackKind {
        self.callback
    }

    /// Whether viewers' browsers post here, so that cross-origin requests are allowed.
    pub fn is_from_browsers(&self) -> bool {
        self.callback.from_browsers
    }
}

/// All accounts that can receive callbacks.
pub struct Receivers {
    by_account: HashMap<AccountName, Receiver>,
    /// Compared with when there is no such account, so that the answer takes as long.
    nobody: Vec<UrlTokenHash>,
}

impl Receivers {
    /// One per configured account.
    pub fn new(receivers: impl IntoIterator<Item = Receiver>) -> Self {
        let by_account = receivers.into_iter().map(|r| (r.settings.name.clone(), r)).collect();
        Self { by_account, nobody: vec![UrlTokenHash::of("")] }
    }

    /// The account with this name.
    pub fn get(&self, account: &str) -> Option<&Receiver> {
        AccountName::parse(account).ok().and_then(|name| self.by_account.get(&name))
    }

    /// `None` if account, token or callback is wrong, without a hint which.
    pub fn route(&self, account: &str, url_token: &str, callback: &str) -> Option<Route<'_>> {
        let receiver = self.get(account);
        let url_token = UrlTokenHash::of(url_token);
        let valid = receiver.map_or(&self.nobody, |receiver| &receiver.url_tokens);
        let is_valid = url_token.is_one_of(valid);
        let receiver = receiver.filter(|_| is_valid)?;
        let callback = receiver.platform.descriptor().callback(callback)?;
        if callback.asks.is_some() && receiver.settings.questions.is_none() {
            // Nobody could sign an answer for such an account. Whoever knows its URL may be told, in the log.
            let (platform, callback) = (receiver.platform.descriptor().id, callback.name);
            tracing::warn!(
                platform,
                account,
                callback,
                "{platform}/{account} {callback}: not found, for the account has no on_no_answer, so its players cannot ask"
            );
            return None;
        }
        Some(Route { receiver, callback })
    }
}
