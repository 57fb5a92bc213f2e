//! An account's access token as whoever uses it sees it: what it is now, and what to do when the platform refuses it.
//!
//! [`Keeping`] is the other end: it belongs to whoever obtains and renews the token.

use secrecy::SecretString;
use tokio::sync::watch;

/// What can be sent now.
#[derive(Clone, Debug)]
pub enum Access {
    /// This token.
    Granted(Grant),
    /// Nothing for a moment: another token is being fetched.
    Renewing,
    /// Nothing until somebody does something; the sentence says what.
    Missing(String),
}

/// An access token that the platform is believed to accept.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub token: SecretString,
    /// Grows with each token that the account gets.
    pub version: u64,
}

/// The access of one account; a cheap handle that can be cloned.
#[derive(Clone, Debug)]
pub struct AccessToken {
    current: watch::Receiver<Access>,
    heard: watch::Sender<Heard>,
    credential: Option<SecretString>,
    is_renewable: bool,
    /// Keeps the channel open where nobody keeps the token.
    _fixed: Option<std::sync::Arc<watch::Sender<Access>>>,
}

/// The end of whoever keeps the token. Dropping it leaves the users with what they had.
#[derive(Debug)]
pub struct Keeping {
    current: watch::Sender<Access>,
    heard: watch::Receiver<Heard>,
}

/// What the platform made of tokens: the newest versions that it refused, and accepted.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    refused: Option<u64>,
    accepted: Option<u64>,
}

impl AccessToken {
    /// A token that never changes; without one, users are told `remedy`.
    pub fn fixed(token: Option<SecretString>, remedy: impl Into<String>) -> Self {
        let access = match &token {
            Some(token) => Access::Granted(Grant { token: token.clone(), version: 0 }),
            None => Access::Missing(remedy.into()),
        };
        let (sender, current) = watch::channel(access);
        let heard = watch::channel(Heard::default()).0;
        let fixed = Some(std::sync::Arc::new(sender));
        Self { current, heard, credential: token, is_renewable: false, _fixed: fixed }
    }

    /// A token that somebody keeps. `credential` is the same for all tokens that come of it: it names who shares a
    /// limit. Only if it `is_renewable` does a refused token lead to another one.
    pub fn kept(credential: Option<SecretString>, is_renewable: bool, access: Access) -> (Self, Keeping) {
        let (sender, current) = watch::channel(access);
        let (heard, hearing) = watch::channel(Heard::default());
        let token = Self { current, heard, credential, is_renewable, _fixed: None };
        (token, Keeping { current: sender, heard: hearing })
    }

    /// What can be sent now.
    pub fn now(&self) -> Access {
        self.current.borrow().clone()
    }

    /// The token to send now, if there is one.
    pub fn grant(&self) -> Option<Grant> {
        match &*self.current.borrow() {
            Access::Granted(grant) => Some(grant.clone()),
            Access::Renewing | Access::Missing(_) => None,
        }
    }

    /// Whether another token is being fetched.
    pub fn is_renewing(&self) -> bool {
        matches!(*self.current.borrow(), Access::Renewing)
    }

    /// Whether a refused token leads to another one.
    pub fn is_renewable(&self) -> bool {
        self.is_renewable
    }

    /// What all tokens of this account come of, for telling who shares a limit; `None` if there is nothing.
    pub fn credential(&self) -> Option<&SecretString> {
        self.credential.as_ref()
    }

    /// The platform did not accept the token of this version: if it is still the newest, another is fetched, once.
    pub fn refuse(&self, version: u64) {
        self.heard.send_if_modified(|heard| {
            let is_news = heard.refused < Some(version);
            heard.refused = heard.refused.max(Some(version));
            is_news
        });
    }

    /// The platform accepted the token of this version, so an earlier refusal was not about it.
    pub fn accept(&self, version: u64) {
        self.heard.send_if_modified(|heard| {
            let was_refused = heard.refused >= Some(version);
            let is_news = was_refused || heard.accepted < Some(version);
            if was_refused {
                heard.refused = version.checked_sub(1);
            }
            heard.accepted = heard.accepted.max(Some(version));
            is_news
        });
    }

    /// Waits until something else can be sent.
    pub async fn changed(&mut self) {
        if self.current.changed().await.is_err() {
            // Nobody keeps it any more, so it never changes.
            std::future::pending::<()>().await;
        }
    }
}

impl Keeping {
    /// Lets users have this from now on.
    pub fn put(&self, access: Access) {
        self.current.send_replace(access);
    }

    /// What users have.
    pub fn now(&self) -> Access {
        self.current.borrow().clone()
    }

    /// Whether the platform refused the token of this version, or a later one.
    pub fn is_refused(&self, version: u64) -> bool {
        self.heard.borrow().refused >= Some(version)
    }

    /// Whether it accepted that one, or a later one, and refused none since.
    pub fn is_accepted(&self, version: u64) -> bool {
        let heard = *self.heard.borrow();
        heard.accepted >= Some(version) && heard.refused < Some(version)
    }

    /// Waits until the platform refuses a token, or accepts one that it had not accepted before.
    pub async fn refusal(&mut self) {
        if self.heard.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;
