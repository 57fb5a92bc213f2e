//! What is asked of an account's task by the operator's side and by browsers.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::Keeper;
use crate::grants::flows::Returned;

/// What came of a consent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Linked {
    /// The account is read with it from now on.
    Active {
        /// Whose it is at the platform, if that is known.
        identity: Option<String>,
    },
    /// A person has to say yes first.
    Waiting {
        /// Names it.
        link: String,
        /// Whose it is at the platform, if that is known.
        identity: Option<String>,
        /// Whose access there was before, if there was any and that is known.
        former: Option<String>,
    },
}

/// Why nothing was linked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkFailure {
    /// The account's tokens are not got like this.
    #[error("this account is not connected like this")]
    NotConnectable,
    /// Something else is being done with the account.
    #[error("another connection of this account is being worked on: try again in a moment")]
    Busy,
    /// The platform refuses what was offered.
    #[error("the platform refused: {0}")]
    Refused(String),
    /// The platform refuses the application.
    #[error("the platform does not accept the application ({0}): correct client_id and client_secret")]
    Application(String),
    /// There is no answer to go by.
    #[error("the platform did not answer in a way that livehook understands: {0}")]
    Unanswered(String),
    /// It could not be written down.
    #[error("the answer could not be kept: {0}")]
    NotKept(String),
    /// Nothing, or something else, waits for a yes.
    #[error("nothing of this name waits to be confirmed: it may have taken more than ten minutes")]
    NothingWaits,
}

type Answer<T> = oneshot::Sender<Result<T, LinkFailure>>;

pub(in crate::grants) enum Command {
    Exchange { consent: Returned, answer: Answer<Linked> },
    Number { number: SecretString, answer: Answer<Linked> },
    Accept { link: String, answer: Answer<Linked> },
    Discard { link: String, answer: Answer<()> },
}

impl Keeper {
    pub(super) async fn obey(&mut self, command: Command) {
        match command {
            Command::Exchange { consent, answer } => {
                let done = self.exchange(consent).await;
                self.tell(answer, done);
            }
            Command::Number { number, answer } => {
                let done = self.exchange_number(&number).await;
                self.tell(answer, done);
            }
            Command::Accept { link, answer } => {
                let done = self.accept(&link).await;
                self.tell(answer, done);
            }
            Command::Discard { link, answer } => {
                let done = self.discard(&link).await;
                self.tell(answer, done);
            }
        }
    }

    /// Whoever is told may look how it stands at once. They may have gone as well; what was done is done.
    fn tell<T>(&self, answer: Answer<T>, done: Result<T, LinkFailure>) {
        self.show();
        drop(answer.send(done));
    }
}
