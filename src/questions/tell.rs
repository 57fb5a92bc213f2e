//! What is told of questions: log lines, metrics, and on `/readyz` whom nobody answers.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::{account::AskingAccount, decide::Trouble, muffler::Muffler};
use crate::{
    health::{Condition, Health},
    platform::{DecidedBy, Decision, NoAnswer, OnNoAnswer},
    ports::bus::{ASK_PREFIX, Stray, StrayKind},
    telemetry,
};

/// Name of its component in [`Health`].
const COMPONENT: &str = "questions";

/// Tells of questions; a cheap handle that can be cloned.
#[derive(Clone)]
pub struct Teller(Arc<Parts>);

struct Parts {
    health: Health,
    muffler: Muffler,
    /// Subjects of questions that nobody subscribed to when they were last asked.
    unheard: Mutex<BTreeSet<String>>,
}

/// What a viewer was told, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Decision(Decision),
    Refused,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Decision(decision) => decision.as_str(),
            Self::Refused => "refuse",
        }
    }
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        Self::Decision(decision)
    }
}

impl From<OnNoAnswer> for Verdict {
    fn from(policy: OnNoAnswer) -> Self {
        match policy {
            OnNoAnswer::Allow => Self::Decision(Decision::Allow),
            OnNoAnswer::Deny => Self::Decision(Decision::Deny),
            OnNoAnswer::Refuse => Self::Refused,
        }
    }
}

/// Who decided, and why no service did, each in one word.
pub(super) fn words(by: DecidedBy) -> (&'static str, &'static str) {
    match by {
        DecidedBy::Service => ("service", ""),
        DecidedBy::Memory => ("memory", ""),
        DecidedBy::Policy(why) => ("policy", why.as_str()),
    }
}

impl Teller {
    /// Reports to `health`, too.
    pub fn new(health: Health) -> Self {
        Self(Arc::new(Parts { health, muffler: Muffler::default(), unheard: Mutex::default() }))
    }

    /// A question was decided.
    pub(super) fn decided(
        &self,
        account: &AskingAccount,
        question: &'static str,
        verdict: Verdict,
        by: DecidedBy,
    ) {
        let (decided_by, why) = words(by);
        metrics::counter!(
            telemetry::QUESTIONS,
            "platform" => account.platform_id(), "question" => question, "decision" => verdict.as_str(),
            "decided_by" => decided_by, "why" => why
        )
        .increment(1);
    }

    /// A service decided, so somebody is there.
    pub(super) fn heard(&self, account: &AskingAccount, question: &str) {
        let mut unheard = self.0.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        if !unheard.is_empty() && unheard.remove(&account.route(question)) {
            self.report(&unheard);
        }
    }

    /// No service decided, so the policy must.
    pub(super) fn troubled(
        &self,
        account: &AskingAccount,
        question: &'static str,
        trouble: &Trouble,
        policy: OnNoAnswer,
    ) {
        let (platform, name, route) = (account.platform_id(), account.name(), account.route(question));
        let Trouble { why, field, detail } = trouble;
        if *why == NoAnswer::NoResponder {
            let mut unheard = self.0.unheard.lock().unwrap_or_else(PoisonError::into_inner);
            if unheard.insert(route.clone()) {
                self.report(&unheard);
            }
        }
        if let Some(field) = *field {
            metrics::counter!(telemetry::BAD_REPLIES, "platform" => platform, "question" => question, "field" => field)
                .increment(1);
        }
        let Some(more) = self.0.muffler.lets_through(&route, why.as_str()) else { return };
        let (decision, why) = (Verdict::from(policy).as_str(), why.as_str());
        match field {
            Some(field) => tracing::error!(
                platform, account = %name, question, why, field, decision,
                "{platform}/{name} {question}: the reply cannot be signed, {detail}; on_no_answer decides: {decision}{more}"
            ),
            None => tracing::warn!(
                platform, account = %name, question, why, decision,
                "{platform}/{name} {question}: {detail}; on_no_answer decides: {decision}{more}"
            ),
        }
    }

    fn report(&self, unheard: &BTreeSet<String>) {
        let subjects: Vec<_> = unheard.iter().map(|route| format!("{ASK_PREFIX}.{route}")).collect();
        let condition = match &subjects[..] {
            [] => Condition::Ok,
            subjects => {
                let subjects = subjects.join(", ");
                Condition::Degraded(format!("nobody answers {subjects}, so on_no_answer decides"))
            }
        };
        self.0.health.report(COMPONENT, condition);
    }

    /// A reply came that nobody waited for any more.
    pub fn stray(&self, stray: &Stray) {
        metrics::counter!(telemetry::STRAY_REPLIES, "why" => stray.kind.as_str()).increment(1);
        let route = stray.route.as_deref().unwrap_or("?");
        let Some(more) = self.0.muffler.lets_through(route, stray.kind.as_str()) else { return };
        let (ms, why) = (stray.after.as_millis(), stray.kind.as_str());
        let says = match stray.kind {
            StrayKind::Late => format!("a reply came after {ms} ms, too late: it was not used"),
            StrayKind::Second => {
                "a second reply came and was not used: services that share a subject need a queue group"
                    .to_owned()
            }
            StrayKind::Unknown => "a reply came to a question that nobody remembers".to_owned(),
        };
        tracing::warn!(subject = %format!("{ASK_PREFIX}.{route}"), why, "{ASK_PREFIX}.{route}: {says}{more}");
    }

    /// Answered deliveries were not committed, so no event tells of them.
    pub(super) fn dropped(&self, account: &AskingAccount, why: &'static str, detail: &str) {
        metrics::counter!(telemetry::EXCHANGES_DROPPED, "why" => why).increment(1);
        let (platform, name) = (account.platform_id(), account.name());
        if let Some(more) = self.0.muffler.lets_through(name.as_str(), why) {
            tracing::warn!(
                platform, account = %name, why,
                "{platform}/{name}: a player was answered, but no event will tell of it: {detail}{more}"
            );
        }
    }
}
