//! Players ask before they play, keep or go on; the answer is a signed JWT. What they ask, what may be replied, what
//! they are told.

mod documents;
mod download;
mod members;
mod next_episode;
mod observed;
mod play;
mod reply;
mod sign;
mod terms;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use self::reply::Reply;
use super::Kollus;
use crate::{
    model::Observation,
    platform::{
        AccountSettings, Answer, Asked, BadReply, CallbackKind, Decision, Exchange, Malformed, Question,
        QuestionDocument, QuestionSettings, Questions, Ruling, Verified, form::Form,
    },
};

impl Questions for Kollus {
    fn read(&self, delivery: &Verified<'_>, account: &AccountSettings) -> Result<Asked, Malformed> {
        if delivery.callback.name == "download" {
            return download::read(delivery, account);
        }
        let form = Form::decode(&delivery.body, delivery.content_type.as_deref(), account.charset)?;
        if form.is_empty() {
            return Ok(Asked::Probe);
        }
        let question = match delivery.callback.name {
            "vod-play" => play::read_vod(&form, account),
            "live-play" => play::read_live(&form, account),
            "next-episode" => next_episode::read(&form, account),
            _ => Err(Malformed::because("this callback of Kollus asks nothing")),
        }?;
        Ok(Asked::Questions { questions: vec![question], quirks: form.quirk().into_iter().collect() })
    }

    fn rule(&self, question: &Question, reply: &[u8], account: &AccountSettings) -> Result<Ruling, BadReply> {
        let reply = Reply::parse(question.name, reply)?;
        if question.name == "next-episode"
            && reply.decision == Decision::Allow
            && !terms::names_a_video(&reply)
        {
            let why = "is missing: say which video comes next by content_key or url, or deny".to_owned();
            return Err(BadReply { field: "content_key", why });
        }
        Ok(ruling(question, &reply, settings(account)))
    }

    fn rule_by_policy(&self, question: &Question, decision: Decision, account: &AccountSettings) -> Ruling {
        ruling(question, &Reply::of(decision), settings(account))
    }

    fn rule_unread(
        &self,
        callback: &CallbackKind,
        decision: Decision,
        account: &AccountSettings,
    ) -> Vec<Ruling> {
        match callback.asks {
            // An answer repeats what each item is about, and that could not be read.
            Some("download") | None => Vec::new(),
            Some("live-play") if settings(account).live_play_is_list => Vec::new(),
            Some(name) => {
                let unread = Question {
                    name,
                    asked: [("kind".to_owned(), json!(0))].into_iter().collect(),
                    same_decision: None,
                };
                vec![self.rule_by_policy(&unread, decision, account)]
            }
        }
    }

    fn answer(&self, callback: &CallbackKind, rulings: &[Ruling], account: &AccountSettings) -> Answer {
        let settings = settings(account);
        let is_list =
            callback.name == "download" || (callback.name == "live-play" && settings.live_play_is_list);
        let data = match rulings {
            [one] if !is_list => one.element.clone(),
            many => many.iter().map(|ruling| ruling.element.clone()).collect(),
        };
        Answer {
            content_type: "text/plain; charset=utf-8",
            header: Some(("X-Kollus-UserKey", settings.user_key.clone())),
            body: Bytes::from(sign::signed(&data, &settings.security_key)),
        }
    }

    fn documents(&self) -> Vec<QuestionDocument> {
        documents::all()
    }

    fn observe(
        &self,
        question: &Question,
        exchange: &Exchange<'_>,
        account: &AccountSettings,
    ) -> Observation {
        observed::of(question, exchange, settings(account))
    }
}

/// A question as the decision service is asked it.
fn question(name: &'static str, asked: &impl Serialize) -> Question {
    let asked = match serde_json::to_value(asked) {
        Ok(Value::Object(asked)) => asked,
        other => unreachable!("a question serialises to a JSON object, got {other:?}"),
    };
    Question { name, asked, same_decision: None }
}

fn ruling(question: &Question, reply: &Reply, settings: &QuestionSettings) -> Ruling {
    match question.name {
        "next-episode" => terms::rule_next_episode(reply, settings),
        _ => terms::rule(question, reply, settings),
    }
}

/// The engine asks only for accounts that have them.
fn settings(account: &AccountSettings) -> &QuestionSettings {
    account.questions.as_ref().expect("callbacks that ask exist only for accounts with question settings")
}

#[cfg(test)]
mod tests;
