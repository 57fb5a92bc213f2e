//! Answer a callback that asks whether a viewer may: put each question to a decision service on the bus, turn its
//! reply into what the platform documents, and be done in time, whatever else is broken.
//!
//! Nothing here waits for the store, for a connection, or for more than the account's deadline. Where no service
//! decides in time, the account's policy does. What was answered is told afterwards, by [`Recording`].

mod account;
mod decide;
mod ended;
mod memory;
mod muffler;
mod recorder;
mod tell;

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

pub use account::AskingAccount;
pub use recorder::Recording;
pub use tell::Teller;

use self::{
    account::Reading,
    decide::{Decided, Decider},
    recorder::{Exchanged, Recorder, Said},
};
use crate::{
    model::{AccountName, Proof},
    platform::{Answer, DecidedBy, Delivery, NoAnswer, Question, Ruling},
    ports::{Clock, Entropy, bus::Asker},
    store::Store,
};

/// Questions that may wait for a service at once; over it the policy answers.
const QUESTIONS_MAX: usize = 2048;

/// Answers deliveries that ask; cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Parts>);

struct Parts {
    accounts: HashMap<AccountName, Arc<AskingAccount>>,
    decider: Decider,
    recorder: Recorder,
    teller: Teller,
}

/// What a player is answered.
#[must_use = "a viewer waits for it"]
#[derive(Debug)]
pub enum Reply {
    /// 200 with this.
    Answer(Answer),
    /// 200, empty: a platform's console tries the URL.
    Probe,
    /// 401: not from the platform.
    Unverified,
    /// 503: nobody decided, and the policy does not want to.
    Refused,
}

impl Desk {
    /// For these accounts, asking over `asker`; without one every question is the policy's. What is answered is
    /// committed to `store` by the [`Recording`], which somebody must run.
    pub fn new(
        accounts: impl IntoIterator<Item = AskingAccount>,
        asker: Option<Asker>,
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        teller: Teller,
    ) -> (Self, Recording) {
        Self::with_places(QUESTIONS_MAX, accounts, asker, store, clock, entropy, teller)
    }

    /// The same with another bound on the questions that wait at once.
    pub fn with_places(
        questions_max: usize,
        accounts: impl IntoIterator<Item = AskingAccount>,
        asker: Option<Asker>,
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        teller: Teller,
    ) -> (Self, Recording) {
        let accounts = accounts.into_iter().map(|account| (account.name().clone(), Arc::new(account)));
        let (recorder, recording) = recorder::recorder(store, teller.clone());
        let decider = Decider::new(questions_max, asker, clock, entropy, teller.clone());
        (Self(Arc::new(Parts { accounts: accounts.collect(), decider, recorder, teller })), recording)
    }

    /// How long an answer to this account's players may take; `None` for an account whose callbacks must not ask.
    pub fn deadline(&self, account: &AccountName) -> Option<Duration> {
        self.0.accounts.get(account).map(|account| account.how().deadline)
    }

    /// Answers a delivery whose head came at `began`, at most the account's deadline after that.
    #[tracing::instrument(level = "debug", name = "question", skip_all, fields(account = %account, callback = delivery.callback.name))]
    pub async fn answer(&self, account: &AccountName, delivery: Delivery, began: Instant) -> Reply {
        let Some(account) = self.0.accounts.get(account) else { return Reply::Refused };
        // Milliseconds are what the store keeps and events show.
        let received_at = Timestamp::from_millisecond(delivery.received_at.as_millisecond());
        let delivery = Delivery { received_at: received_at.unwrap_or(delivery.received_at), ..delivery };
        let visit = Visit { parts: &self.0, account, delivery: &delivery, began };
        let (reply, said) = match account.read(&delivery) {
            Reading::Probe => {
                visit.ended("probe", "an empty form: the URL was tried");
                return Reply::Probe;
            }
            Reading::Unverified(why) => {
                visit.ended("refused", why.0);
                return Reply::Unverified;
            }
            Reading::Unreadable { proof, reason } => {
                visit.ended("quarantined", &reason);
                (visit.answer_unread(), Some((proof, Said::Unreadable(reason))))
            }
            Reading::Asked { proof, questions } => {
                let decided = visit.decide(questions).await;
                visit.answered(&decided);
                visit.answer_all(proof, decided)
            }
        };
        if let Some((proof, said)) = said {
            let latency = began.elapsed();
            let account = Arc::clone(account);
            self.0.recorder.record(Exchanged { account, delivery, proof, latency, said });
        }
        reply.map_or(Reply::Refused, Reply::Answer)
    }
}

/// One delivery at the desk.
struct Visit<'v> {
    parts: &'v Parts,
    account: &'v AskingAccount,
    delivery: &'v Delivery,
    began: Instant,
}

impl Visit<'_> {
    /// All at once; in the order of the questions.
    async fn decide(&self, questions: Vec<Question>) -> Vec<Decided> {
        let until = self.began + self.account.how().deadline;
        let deciding = questions.into_iter().map(|it| self.parts.decider.decide(self.account, it, until));
        futures::future::join_all(deciding).await
    }

    fn answer_all(&self, proof: Proof, decided: Vec<Decided>) -> (Option<Answer>, Option<(Proof, Said)>) {
        // One answer serves all questions of the delivery, so what nobody decided leaves all without one.
        let rulings: Option<Vec<Ruling>> = decided.iter().map(|it| it.ruling.clone()).collect();
        let answer = rulings.and_then(|rulings| self.account.answer(self.delivery.callback, &rulings));
        let is_told = answer.is_some() && !decided.is_empty();
        (answer, is_told.then_some((proof, Said::Decided(decided))))
    }

    fn answer_unread(&self) -> Option<Answer> {
        let callback = self.delivery.callback;
        let (question, policy) = (callback.asks.unwrap_or(callback.name), self.account.policy_of(callback));
        let by = DecidedBy::Policy(NoAnswer::Unreadable);
        self.parts.teller.decided(self.account, question, policy.into(), by);
        let rulings = self.account.rule_unread(callback, policy)?;
        self.account.answer(callback, &rulings)
    }
}
