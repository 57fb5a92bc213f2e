//! The way of a delivery that asks: read, reply or policy, rule, answer, observe.

use std::time::Duration;

use livehook::{
    model::{ContentHash, Observation},
    platform::{
        Answer, Asked, DecidedBy, Exchange, Malformed, NoAnswer, Question, Questions, Ruling, Verified,
    },
};

use super::{
    super::cases::{Case, Request},
    Desk,
};

/// What a delivery said, for whatever kind of callback.
pub struct Said {
    /// Equal for a retry; or why it could not be understood.
    pub content: Result<ContentHash, String>,
    pub observations: Vec<Observation>,
    pub quirks: Vec<&'static str>,
    pub questions: Vec<Question>,
    pub exchanges: Vec<String>,
    pub answer: Option<Answer>,
}

impl Default for Said {
    fn default() -> Self {
        let content = Err(String::new());
        Self {
            content,
            observations: Vec::new(),
            quirks: Vec::new(),
            questions: Vec::new(),
            exchanges: Vec::new(),
            answer: None,
        }
    }
}

impl Desk {
    /// `None` for a probe.
    pub(super) fn ask(&mut self, case: &Case, request: &Request, verified: &Verified<'_>) -> Option<Said> {
        let platform = case.platform.questions().expect("a platform whose callbacks ask has questions");
        let callback = request.delivery.callback;
        match platform.read(verified, &case.account) {
            Ok(Asked::Probe) => None,
            Ok(Asked::Questions { questions, quirks }) => {
                let mut said = Said { quirks, ..Said::default() };
                let (mut ids, mut rulings) = (Vec::new(), Vec::new());
                for (index, question) in questions.iter().enumerate() {
                    self.questions += 1;
                    let id = format!("question-{}", self.questions);
                    let asked = serde_json::to_string(&question.asked).unwrap();
                    said.exchanges.push(format!("asked     {} {asked}", question.name));
                    let reply = request.replies.get(index);
                    let (ruling, decided_by) = rule(platform, case, request, question, reply, &mut said);
                    let latency = Duration::from_millis(12);
                    let exchange = Exchange { id: &id, ruling: &ruling, decided_by, latency };
                    said.observations.push(platform.observe(question, &exchange, &case.account));
                    rulings.push(ruling);
                    ids.push(id);
                }
                said.questions = questions;
                said.answer = Some(platform.answer(callback, &rulings, &case.account));
                // Players ask again when they want to know again.
                said.content = Ok(ContentHash::of_fields(ids.iter().map(|id| ("id", id.as_str()))));
                Some(said)
            }
            Err(Malformed(reason)) => {
                let rulings = platform.rule_unread(callback, request.policy, &case.account);
                let answer = Some(platform.answer(callback, &rulings, &case.account));
                Some(Said { content: Err(reason), answer, ..Said::default() })
            }
        }
    }
}

fn rule(
    platform: &dyn Questions,
    case: &Case,
    request: &Request,
    question: &Question,
    reply: Option<&String>,
    said: &mut Said,
) -> (Ruling, DecidedBy) {
    let why = match reply.map(|reply| (reply, platform.rule(question, reply.as_bytes(), &case.account))) {
        Some((reply, Ok(ruling))) => {
            said.exchanges.push(format!("reply     {reply}"));
            return (ruling, DecidedBy::Service);
        }
        Some((reply, Err(bad))) => {
            said.exchanges.push(format!("reply     {reply}"));
            said.exchanges.push(format!("bad reply {bad}"));
            NoAnswer::InvalidReply
        }
        None => NoAnswer::NoResponder,
    };
    said.exchanges.push(format!("policy    {}", request.policy.as_str()));
    (platform.rule_by_policy(question, request.policy, &case.account), DecidedBy::Policy(why))
}
