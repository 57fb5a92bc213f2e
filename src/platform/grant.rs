//! How a platform gives livehook access. Getting a token is an errand: the platform says what to ask and reads what
//! comes back, the engine asks, keeps and renews. Values only.

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use super::{
    exchange::{ApiRequest, ApiResponse, Failure},
    settings::AccountSettings,
};

/// What a platform that gives access must be able to do. Pure: no clock, no IO.
pub trait Grants: Send + Sync {
    /// The way to access that an account's configuration opens, besides a token that stands in it; `None` if it lacks
    /// what is needed.
    fn way(&self, account: &AccountSettings) -> Option<Way>;

    /// Where a person is sent to consent; `None` on a platform without that step.
    fn consent_url(&self, account: &AccountSettings, auth_url: &Url, consent: &Consent<'_>) -> Option<Url> {
        let _ = (account, auth_url, consent);
        None
    }

    /// Begins to get tokens; `None` if they cannot be had like this.
    fn obtain(&self, account: &AccountSettings, with: Obtain<'_>) -> Option<Box<dyn Errand<Tokens>>>;

    /// Begins to ask the API whose a token is; `None` if nothing tells more than the token itself.
    fn identify(&self, account: &AccountSettings) -> Option<Box<dyn Errand<Option<String>>>> {
        let _ = account;
        None
    }

    /// What a token that stands in the configuration says of itself.
    fn describe(&self, token: &SecretString) -> Described {
        let _ = token;
        Described::default()
    }
}

/// How an account gets its tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A person consents in a browser.
    Browser,
    /// With a user's name and password.
    Password,
    /// With the application's own id and secret.
    Client,
}

impl Way {
    /// The word in events and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "oauth",
            Self::Password => "password",
            Self::Client => "client",
        }
    }
}

/// What goes along when a person is sent to consent (RFC 6749 §4.1.1, RFC 7636).
#[derive(Debug)]
pub struct Consent<'c> {
    /// Where the platform shall send the person afterwards.
    pub redirect_uri: &'c str,
    /// Comes back unchanged, on platforms that do so.
    pub oauth_state: &'c SecretString,
    /// What only we know until the code is exchanged.
    pub verifier: &'c SecretString,
}

/// What is offered for tokens.
#[derive(Clone, Copy, Debug)]
pub enum Obtain<'o> {
    /// The code that a consent yielded.
    Code {
        /// The code.
        code: &'o SecretString,
        /// As in [`Consent`].
        verifier: &'o SecretString,
        /// As in [`Consent`].
        redirect_uri: &'o str,
    },
    /// The number that a person reads in the platform's own application.
    Number(&'o SecretString),
    /// The refresh token that came with the last tokens.
    Refresh(&'o SecretString),
    /// What stands in the account's configuration.
    Configured,
}

/// A conversation for one result, as [`Walk`](super::Walk) is one for findings.
pub trait Errand<T>: Send {
    /// The next request; `None` when the errand is done.
    fn ask(&mut self) -> Option<ApiRequest>;

    /// Reads the answer to the last request.
    ///
    /// # Errors
    /// [`Denial`]: the errand ends here.
    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Denial>;

    /// What it was for; called once, after [`Errand::ask`] returned `None`.
    ///
    /// # Errors
    /// [`Denial`] if the answers did not hold it.
    fn done(self: Box<Self>) -> Result<T, Denial>;
}

/// Tokens as they came.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What requests are sent with.
    pub access: SecretString,
    /// What the next tokens are got with; `None` if nothing came, and the one that was used stays good.
    pub refresh: Option<SecretString>,
    /// When they were asked for.
    pub asked_at: Timestamp,
    /// When the access token ends; `None` if nothing says so.
    pub expires_at: Option<Timestamp>,
    /// What they permit; `None` if nothing says so.
    pub scopes: Option<Vec<String>>,
    /// Whose they are at the platform, if they say so themselves.
    pub identity: Option<String>,
    /// Names of the oddities met, counted on a metric.
    pub quirks: Vec<&'static str>,
}

/// What can be read off a token.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Described {
    /// When it ends; `None` if it does not say so.
    pub expires_at: Option<Timestamp>,
    /// Longest life of such tokens in days, for those that say nothing; `None` if they do not end.
    pub days_max: Option<u32>,
    /// What it permits.
    pub scopes: Option<Vec<String>>,
    /// Whose it is at the platform.
    pub identity: Option<String>,
}

/// Why there are no tokens.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Denial {
    /// What was offered is not good, or not any more: trying again does not help.
    #[error("the platform refused: {0}")]
    Refused(String),
    /// The application is not accepted, whatever is offered: its keys in the configuration are wrong.
    #[error("the platform does not accept the application: {0}")]
    Application(String),
    /// There is no answer to go by: the same may be tried again.
    #[error(transparent)]
    Passing(#[from] Failure),
}
