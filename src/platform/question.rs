//! Callbacks that wait for an answer: what is asked of a decision service, what it may reply, what the platform is told.
//!
//! One delivery can hold several [`Question`]s. Each is put to a decision service or decided by the account's policy;
//! either way it becomes a [`Ruling`], and all rulings of a delivery, in the order of its questions, one [`Answer`].

use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{delivery::Malformed, descriptor::CallbackKind, settings::AccountSettings, signature::Verified};
use crate::model::Observation;

/// How a platform asks. All methods are pure and fast: a viewer waits.
pub trait Questions: Send + Sync {
    /// What is asked?
    ///
    /// # Errors
    /// [`Malformed`] when it cannot be told, or is more than any player asks at once; the policy answers then.
    fn read(&self, delivery: &Verified<'_>, account: &AccountSettings) -> Result<Asked, Malformed>;

    /// What a decision service's reply means for this question. `reply` is as it came: nothing of it is signed that
    /// the platform does not document for this question, in type and range.
    ///
    /// # Errors
    /// [`BadReply`] names the field; the policy answers then.
    fn rule(&self, question: &Question, reply: &[u8], account: &AccountSettings) -> Result<Ruling, BadReply>;

    /// What the policy means for this question.
    fn rule_by_policy(&self, question: &Question, decision: Decision, account: &AccountSettings) -> Ruling;

    /// What the policy means for a delivery whose questions could not be read; empty where the platform expects a
    /// ruling for each question, so that there can be none.
    fn rule_unread(
        &self,
        callback: &CallbackKind,
        decision: Decision,
        account: &AccountSettings,
    ) -> Vec<Ruling>;

    /// The answer to a delivery, signed as the platform wants.
    fn answer(&self, callback: &CallbackKind, rulings: &[Ruling], account: &AccountSettings) -> Answer;

    /// What is asked and what may be replied, for those who write decision services.
    fn documents(&self) -> Vec<QuestionDocument> {
        Vec::new()
    }

    /// What is told of it afterwards.
    fn observe(&self, question: &Question, exchange: &Exchange<'_>, account: &AccountSettings)
    -> Observation;
}

/// What a delivery asks.
#[derive(Clone, PartialEq, Debug)]
pub enum Asked {
    /// Nothing: the platform's console tries the URL. Answered with 200.
    Probe,
    /// This, in order; can be empty.
    Questions {
        /// One for each thing that is to be decided.
        questions: Vec<Question>,
        /// Names of the oddities met, counted on a metric.
        quirks: Vec<&'static str>,
    },
}

/// One thing to be decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// Last part of the bus subject: `play`.
    pub name: &'static str,
    /// What the decision service is told, by the names of `schemas/questions/`; also what the answer repeats.
    pub asked: Map<String, Value>,
    /// Equal for questions that one decision may serve within some seconds; `None` if each needs its own.
    pub same_decision: Option<String>,
}

/// A question, for those who write decision services.
pub struct QuestionDocument {
    /// As [`Question::name`].
    pub name: &'static str,
    /// What is asked, in a few words.
    pub about: &'static str,
    /// Schema of [`Question::asked`].
    pub asked: schemars::Schema,
    /// Schema of replies. Whatever fits it is signed.
    pub reply: schemars::Schema,
}

/// Yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// The viewer may.
    Allow,
    /// The viewer may not.
    Deny,
}

impl Decision {
    /// `allow` or `deny`, as services write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A decision as the platform will read it.
#[derive(Clone, PartialEq, Debug)]
pub struct Ruling {
    /// Which it is.
    pub decision: Decision,
    /// This question's part of the answer, in the platform's words, checked.
    pub element: Value,
    /// The limits that were given, in the words of a reply; published with the event.
    pub terms: Map<String, Value>,
    /// Why, in the decision service's words; published with the event.
    pub reason: Option<String>,
}

/// Why a reply cannot be signed. Holds no value of the reply, only the name of a field.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadReply {
    /// The field of the reply; `reply` for the whole.
    pub field: &'static str,
    /// What is wrong with it and what is wanted.
    pub why: String,
}

/// What the platform is sent, with status 200.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Header `Content-Type`.
    pub content_type: &'static str,
    /// A header of the platform's own, with its value, which may be a key and must not be logged.
    pub header: Option<(&'static str, SecretString)>,
    /// The body.
    pub body: Bytes,
}

/// How a question was decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Exchange<'a> {
    /// Equals the one that the decision service was given.
    pub id: &'a str,
    /// What was answered.
    pub ruling: &'a Ruling,
    /// Who decided.
    pub decided_by: DecidedBy,
    /// From the delivery's head to its answer.
    pub latency: Duration,
}

/// Who decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecidedBy {
    /// A decision service.
    Service,
    /// A decision service, some seconds ago.
    Memory,
    /// The account's policy, because no service did.
    Policy(NoAnswer),
}

/// Why no decision service decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoAnswer {
    /// Nobody subscribes to the question's subject.
    NoResponder,
    /// Nobody replied in time.
    Timeout,
    /// The reply cannot be signed.
    InvalidReply,
    /// There is no bus, or no connection to it.
    BusDown,
    /// Too many questions wait already.
    OverCapacity,
    /// The delivery could not be read.
    Unreadable,
}

impl NoAnswer {
    /// One word of a closed set, for metrics and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoResponder => "no_responder",
            Self::Timeout => "timeout",
            Self::InvalidReply => "invalid_reply",
            Self::BusDown => "bus_down",
            Self::OverCapacity => "over_capacity",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What an account wants when no decision service decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnNoAnswer {
    /// Viewers may.
    Allow,
    /// Viewers may not.
    Deny,
    /// No answer: 503.
    Refuse,
}
