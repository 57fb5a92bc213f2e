//! An account whose callbacks ask, and what its platform makes of questions and replies.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{
    model::{AccountName, Observation, PlatformId, Proof},
    platform::{
        AccountSettings, Answer, Asked, BadReply, CallbackKind, Decision, Delivery, Exchange, OnNoAnswer,
        Platform, Question, QuestionSettings, Questions, Ruling, Unverified,
    },
    telemetry,
};

/// An account whose callbacks ask.
pub struct AskingAccount {
    platform: &'static dyn Platform,
    questions: &'static dyn Questions,
    settings: AccountSettings,
    how: QuestionSettings,
}

/// What a delivery turned out to be.
pub(super) enum Reading {
    Unverified(Unverified),
    Probe,
    Unreadable { proof: Proof, reason: String },
    Asked { proof: Proof, questions: Vec<Question> },
}

impl AskingAccount {
    /// `None` for an account, or a platform, that asks nothing.
    pub fn new(platform: &'static dyn Platform, settings: &AccountSettings) -> Option<Self> {
        let (questions, how) = (platform.questions()?, settings.questions.clone()?);
        Some(Self { platform, questions, settings: settings.clone(), how })
    }

    pub(super) fn name(&self) -> &AccountName {
        &self.settings.name
    }

    pub(super) fn platform_id(&self) -> PlatformId {
        self.platform.descriptor().id
    }

    pub(super) fn platform(&self) -> &'static dyn Platform {
        self.platform
    }

    pub(super) fn how(&self) -> &QuestionSettings {
        &self.how
    }

    /// The subject of a question without its prefix: `kollus.acme.play`.
    pub(super) fn route(&self, question: &str) -> String {
        format!("{}.{}.{question}", self.platform_id(), self.name())
    }

    /// What the account wants when no service decides this question.
    pub(super) fn policy(&self, question: &str) -> OnNoAnswer {
        self.how.on_no_answer.get(question).copied().unwrap_or(OnNoAnswer::Refuse)
    }

    /// The same for whatever a callback asks.
    pub(super) fn policy_of(&self, callback: &CallbackKind) -> OnNoAnswer {
        callback.asks.map_or(OnNoAnswer::Refuse, |question| self.policy(question))
    }

    pub(super) fn read(&self, delivery: &Delivery) -> Reading {
        let Some(callbacks) = self.platform.callbacks() else { return Reading::Probe };
        let verified = match callbacks.verify(delivery, &self.settings) {
            Ok(verified) => verified,
            Err(why) => return Reading::Unverified(why),
        };
        let proof = verified.proof();
        match sound(|| self.questions.read(&verified, &self.settings)) {
            Some(Ok(Asked::Probe)) => Reading::Probe,
            Some(Ok(Asked::Questions { questions, quirks })) => {
                for quirk in quirks {
                    let platform = self.platform_id();
                    metrics::counter!(telemetry::QUIRKS, "platform" => platform, "quirk" => quirk)
                        .increment(1);
                }
                Reading::Asked { proof, questions }
            }
            Some(Err(reason)) => Reading::Unreadable { proof, reason: reason.0 },
            None => Reading::Unreadable { proof, reason: "livehook panicked while reading it".to_owned() },
        }
    }

    pub(super) fn rule(&self, question: &Question, reply: &[u8]) -> Result<Ruling, BadReply> {
        let panicked = || BadReply { field: "reply", why: "livehook panicked while reading it".to_owned() };
        sound(|| self.questions.rule(question, reply, &self.settings)).unwrap_or_else(|| Err(panicked()))
    }

    /// `None` if the policy is not to answer.
    pub(super) fn rule_by_policy(&self, question: &Question, policy: OnNoAnswer) -> Option<Ruling> {
        let decision = decision(policy)?;
        sound(|| self.questions.rule_by_policy(question, decision, &self.settings))
    }

    /// `None` if the policy is not to answer.
    pub(super) fn rule_unread(&self, callback: &CallbackKind, policy: OnNoAnswer) -> Option<Vec<Ruling>> {
        let decision = decision(policy)?;
        sound(|| self.questions.rule_unread(callback, decision, &self.settings))
    }

    pub(super) fn answer(&self, callback: &CallbackKind, rulings: &[Ruling]) -> Option<Answer> {
        sound(|| self.questions.answer(callback, rulings, &self.settings))
    }

    pub(super) fn observe(&self, question: &Question, exchange: &Exchange<'_>) -> Option<Observation> {
        sound(|| self.questions.observe(question, exchange, &self.settings))
    }
}

fn decision(policy: OnNoAnswer) -> Option<Decision> {
    match policy {
        OnNoAnswer::Allow => Some(Decision::Allow),
        OnNoAnswer::Deny => Some(Decision::Deny),
        OnNoAnswer::Refuse => None,
    }
}

/// A defect in one platform must not leave a viewer without an answer; the panic hook tells of it.
fn sound<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
