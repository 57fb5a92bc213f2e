//! One question, from the memory, from a service, or by policy.

use std::sync::Arc;

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Map, Value};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    account::AskingAccount,
    memory::Memory,
    tell::{Teller, Verdict},
};
use crate::{
    platform::{DecidedBy, NoAnswer, Question, Ruling},
    ports::{
        Clock, Entropy,
        bus::{AskError, AskRequest, Asker},
    },
};

/// A question with what was decided.
pub(super) struct Decided {
    pub(super) question: Question,
    /// The service was given the same.
    pub(super) id: String,
    /// `None` if nobody decided.
    pub(super) ruling: Option<Ruling>,
    pub(super) by: DecidedBy,
}

/// Why no service decided.
pub(super) struct Trouble {
    pub(super) why: NoAnswer,
    /// The field of the reply that cannot be signed.
    pub(super) field: Option<&'static str>,
    /// For people; holds no value of question or reply.
    pub(super) detail: String,
}

pub(super) struct Decider {
    asker: Option<Asker>,
    places: Semaphore,
    memory: Memory,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    teller: Teller,
}

impl Decider {
    pub(super) fn new(
        questions_max: usize,
        asker: Option<Asker>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        teller: Teller,
    ) -> Self {
        let (places, memory) = (Semaphore::new(questions_max), Memory::default());
        Self { asker, places, memory, clock, entropy, teller }
    }

    pub(super) async fn decide(
        &self,
        account: &AskingAccount,
        question: Question,
        until: Instant,
    ) -> Decided {
        let id = self.new_id();
        let (ruling, by) = match self.remembered(account, &question) {
            Some(ruling) => (Some(ruling), DecidedBy::Memory),
            None => match self.ask(account, &question, &id, until).await {
                Ok(ruling) => {
                    self.teller.heard(account, question.name);
                    (Some(ruling), DecidedBy::Service)
                }
                Err(trouble) => {
                    let policy = account.policy(question.name);
                    self.teller.troubled(account, question.name, &trouble, policy);
                    (account.rule_by_policy(&question, policy), DecidedBy::Policy(trouble.why))
                }
            },
        };
        let verdict = ruling.as_ref().map_or(Verdict::Refused, |ruling| ruling.decision.into());
        self.teller.decided(account, question.name, verdict, by);
        Decided { question, id, ruling, by }
    }

    /// What a service said a moment ago, if it still makes sense for this question.
    fn remembered(&self, account: &AskingAccount, question: &Question) -> Option<Ruling> {
        let reply = self.memory.recall(account.name(), question.same_decision.as_deref()?)?;
        account.rule(question, &reply).ok()
    }

    async fn ask(
        &self,
        account: &AskingAccount,
        question: &Question,
        id: &str,
        until: Instant,
    ) -> Result<Ruling, Trouble> {
        let trouble = |why, detail: String| Trouble { why, field: None, detail };
        let Ok(_place) = self.places.try_acquire() else {
            return Err(trouble(NoAnswer::OverCapacity, "too many questions wait already".to_owned()));
        };
        let Some(asker) = &self.asker else {
            return Err(trouble(NoAnswer::BusDown, "no bus is configured".to_owned()));
        };
        let left = SignedDuration::try_from(until.saturating_duration_since(Instant::now()));
        let now = self.clock.now();
        let request = AskRequest {
            route: &account.route(question.name),
            id,
            deadline: left.ok().and_then(|left| now.checked_add(left).ok()).unwrap_or(now),
            payload: payload(account, question, id),
        };
        let reply =
            asker.ask(request, until).await.map_err(|error| trouble(reason(&error), error.to_string()))?;
        let ruling = account.rule(question, &reply).map_err(|bad| Trouble {
            why: NoAnswer::InvalidReply,
            field: Some(bad.field),
            detail: bad.to_string(),
        })?;
        if let Some(same_decision) = &question.same_decision {
            self.memory.keep(account.name(), same_decision, reply, account.how().remember);
        }
        Ok(ruling)
    }

    fn new_id(&self) -> String {
        let mut id = [0; 16];
        self.entropy.fill(&mut id);
        hex::encode(id)
    }
}

fn payload(account: &AskingAccount, question: &Question, id: &str) -> Bytes {
    let ours = [
        ("id", id),
        ("platform", account.platform_id()),
        ("account", account.name().as_str()),
        ("question", question.name),
    ];
    let mut asked: Map<String, Value> =
        ours.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    for (name, value) in &question.asked {
        asked.entry(name).or_insert_with(|| value.clone());
    }
    Value::Object(asked).to_string().into()
}

fn reason(error: &AskError) -> NoAnswer {
    match error {
        AskError::NoResponder(_) => NoAnswer::NoResponder,
        AskError::Timeout => NoAnswer::Timeout,
        AskError::NotConnected | AskError::Denied(_) | AskError::TooLarge(_) | AskError::Other(_) => {
            NoAnswer::BusDown
        }
    }
}
