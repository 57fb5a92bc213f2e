//! The way of a delivery without web, store and bus: verify, decode, judge, reduce, event.

mod asking;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use livehook::{
    model::{
        Attributes, ContentHash, EntityKey, Event, EventMark, Hearing, Known, Noun, Observation, Previous,
        Reduced, Seen, Verb, Via, entities::QuarantinedDelivery, event::Origin, judge, reduce,
    },
    platform::{Answer, Decoded, Delivery, Malformed, Question},
};

use self::asking::Said;
use super::cases::{Case, Request};

/// Remembers what the store would.
#[derive(Default)]
pub struct Desk {
    known: BTreeMap<EntityKey, Known>,
    earlier: Vec<(&'static str, ContentHash, Previous)>,
    sequence: u64,
    questions: u64,
}

/// What became of a delivery.
pub struct Treated {
    pub outcome: Outcome,
    pub observations: Vec<Observation>,
    pub quirks: Vec<&'static str>,
    pub events: Vec<Event>,
    /// What it asked.
    pub questions: Vec<Question>,
    /// That and what came of it, in words.
    pub exchanges: Vec<String>,
    /// What a player was sent.
    pub answer: Option<Answer>,
}

/// Its fate, in the words of the engine.
#[derive(PartialEq, Eq, Debug)]
pub enum Outcome {
    Accepted,
    Duplicate,
    Probe,
    Quarantined(String),
    Refused(String),
}

impl Treated {
    fn without_events(outcome: Outcome) -> Self {
        Self {
            outcome,
            observations: Vec::new(),
            quirks: Vec::new(),
            events: Vec::new(),
            questions: Vec::new(),
            exchanges: Vec::new(),
            answer: None,
        }
    }
}

/// What the engine makes of a delivery that its platform does not understand.
fn not_understood(delivery: &Delivery, content: ContentHash, reason: &str) -> Observation {
    let attributes = QuarantinedDelivery {
        callback: Some(delivery.callback.name.to_owned()),
        reason: Some(reason.to_owned()),
        body_bytes: Some(delivery.body.len() as u64),
    };
    Observation {
        told: Some(Verb::Quarantined),
        attributes: Attributes::of(&attributes),
        ..Observation::of(EntityKey::new(Noun::Delivery, content.to_string()))
    }
}

impl Desk {
    /// Treats a request as livehook does, in the same order of steps.
    pub fn treat(&mut self, case: &Case, request: &Request) -> Treated {
        let delivery = &request.delivery;
        let callbacks = case.platform.callbacks().expect("a platform with cases has callbacks");
        let verified = match callbacks.verify(delivery, &case.account) {
            Ok(verified) => verified,
            Err(why) => return Treated::without_events(Outcome::Refused(why.to_string())),
        };
        let said = match delivery.callback.asks {
            Some(_) => self.ask(case, request, &verified),
            None => match callbacks.decode(&verified, &case.account) {
                Ok(Decoded::Probe) => None,
                Ok(Decoded::Observed { content, observations, quirks, .. }) => {
                    Some(Said { content: Ok(content), observations, quirks, ..Said::default() })
                }
                Err(Malformed(reason)) => Some(Said { content: Err(reason), ..Said::default() }),
            },
        };
        let Some(said) = said else { return Treated::without_events(Outcome::Probe) };
        let Said { content, mut observations, quirks, questions, exchanges, answer } = said;
        let mut quarantined = None;
        let content = content.unwrap_or_else(|reason| {
            let content = ContentHash::of_bytes(&delivery.body);
            observations = vec![not_understood(delivery, content, &reason)];
            quarantined = Some(reason);
            content
        });
        let previous = self.copies(delivery.callback.name, content, delivery.received_at);
        let seen = judge(&previous, delivery.received_at, case.platform.descriptor().retries);
        self.earlier.push((
            delivery.callback.name,
            content,
            Previous { received_at: delivery.received_at, is_answered: request.is_answered_in_time },
        ));

        let origin = Origin {
            platform: case.platform.descriptor().id,
            account: case.account.name.clone(),
            via: Via::Callback,
            proof: verified.proof(),
            recorded_at: delivery.received_at,
        };
        let mut events = Vec::new();
        for observation in &observations {
            let entity = &observation.entity;
            let hearing = Hearing::Delivery {
                received_at: delivery.received_at,
                proof: verified.proof(),
                content,
                seen,
            };
            let Reduced { known, change, .. } = reduce(self.known.get(entity), observation, &hearing);
            if let Some(change) = change {
                self.sequence += 1;
                let id = EventMark::new([7; 32]).event_id(
                    origin.platform,
                    &origin.account,
                    entity,
                    known.revision,
                );
                events.push(Event::of(&origin, &id, self.sequence, observation, &known, &change));
            }
            self.known.insert(entity.clone(), known);
        }
        let outcome = match quarantined {
            _ if seen != Seen::First && events.is_empty() => Outcome::Duplicate,
            Some(reason) => Outcome::Quarantined(reason),
            None => Outcome::Accepted,
        };
        Treated { outcome, observations, quirks, events, questions, exchanges, answer }
    }

    /// Earlier deliveries that said the same on the same callback.
    fn copies(&self, callback: &str, content: ContentHash, now: Timestamp) -> Vec<Previous> {
        let horizon = now - SignedDuration::from_hours(72);
        let is_copy = |(at, said, copy): &&(&str, ContentHash, Previous)| {
            *at == callback && *said == content && copy.received_at >= horizon
        };
        self.earlier.iter().filter(is_copy).map(|(_, _, copy)| *copy).collect()
    }
}
