//! One entity, told of by callbacks and shown by sweeps, as the store would treat it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::model::{
    AccountName, Attributes, ContentHash, EntityKey, Event, EventMark, Hearing, Known, Noun, Observation,
    Phase, Proof, Reduced, Rules, Seen, Verb, event::Origin, reduce,
};

/// Seconds after the beginning of the scene, as a time.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("scenes are short")
}

/// The same as an attribute.
pub fn text(seconds: i64) -> String {
    at(seconds).to_string()
}

/// What a sweep shows: an entity whose id is used once.
pub fn shown(noun: Noun, phase: Option<Phase>, attributes: Value) -> Observation {
    let Value::Object(attributes) = attributes else { panic!("attributes are an object") };
    Observation {
        phase,
        attributes: Attributes::from(attributes),
        rules: Rules::ONE_USE,
        ..Observation::of(EntityKey::new(noun, "1"))
    }
}

/// The same, where the platform says what happened.
pub fn told(verb: Verb, observation: Observation) -> Observation {
    Observation { told: Some(verb), ..observation }
}

/// A place to which broadcasts come back.
pub fn in_a_room(observation: Observation) -> Observation {
    Observation { rules: Rules::default(), ..observation }
}

/// An event, as far as it matters here.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    pub verb: Verb,
    pub changes: Value,
    pub event: Event,
}

pub fn verbs(told: &[Told]) -> Vec<Verb> {
    told.iter().map(|told| told.verb).collect()
}

pub struct Scene {
    pub known: Option<Known>,
    pub stale_for: SignedDuration,
    pub known_since: Option<Timestamp>,
    pub doubtful_until: Option<Timestamp>,
}

impl Scene {
    /// The list has been known as a whole for long.
    pub fn new() -> Self {
        Self {
            known: None,
            stale_for: SignedDuration::ZERO,
            known_since: Some(at(-1_000_000)),
            doubtful_until: None,
        }
    }

    pub fn first_sweep() -> Self {
        Self { known_since: None, ..Self::new() }
    }

    pub fn stale_for(seconds: i64) -> Self {
        Self { stale_for: SignedDuration::from_secs(seconds), ..Self::new() }
    }

    /// A signed callback.
    pub fn hears(&mut self, seconds: i64, observation: &Observation) -> Option<Told> {
        self.hears_with(seconds, observation, Proof::Signature, Seen::Again)
    }

    pub fn hears_with(
        &mut self,
        seconds: i64,
        observation: &Observation,
        proof: Proof,
        seen: Seen,
    ) -> Option<Told> {
        let content = ContentHash::of_bytes(format!("{observation:?}").as_bytes());
        self.step(observation, &Hearing::Delivery { received_at: at(seconds), proof, content, seen }).0
    }

    /// A sweep that was asked then; step by step until nothing is new.
    pub fn sweeps(&mut self, seconds: i64, observation: &Observation) -> Vec<Told> {
        let hearing = Hearing::Sweep {
            asked_at: at(seconds),
            stale_for: self.stale_for,
            known_since: self.known_since,
        };
        let mut events = Vec::new();
        self.doubtful_until = None;
        for _ in 0..4 {
            let (told, doubtful_until) = self.step(observation, &hearing);
            self.doubtful_until = doubtful_until;
            let Some(told) = told else {
                let again = reduce(self.known.as_ref(), observation, &hearing);
                assert_eq!(Some(&again.known), self.known.as_ref(), "the same again changes nothing");
                assert_eq!(again.change, None);
                return events;
            };
            events.push(told);
        }
        panic!("four times something new: {:?}", verbs(&events));
    }

    fn step(&mut self, observation: &Observation, hearing: &Hearing) -> (Option<Told>, Option<Timestamp>) {
        let before = self.known.as_ref().map_or(0, |known| known.revision);
        let Reduced { known, change, doubtful_until } = reduce(self.known.as_ref(), observation, hearing);
        assert_eq!(known.revision, before + u64::from(change.is_some()), "one event, one revision");
        let account = AccountName::parse("acme").expect("a good name");
        let told = change.map(|change| {
            assert!(known.moved_at.is_some(), "each change has its time");
            let id = EventMark::new([7; 32]).event_id("p", &account, &observation.entity, known.revision);
            let origin = Origin {
                platform: "p",
                account,
                via: hearing.via(),
                proof: hearing.proof(),
                recorded_at: hearing.at(),
            };
            let event = Event::of(&origin, &id, 1, observation, &known, &change);
            Told { verb: change.event_type.verb(), changes: Value::Object(change.changes), event }
        });
        self.known = Some(known);
        (told, doubtful_until)
    }

    pub fn belief(&self) -> &Known {
        self.known.as_ref().expect("something is known")
    }

    pub fn phase(&self) -> Option<Phase> {
        self.known.as_ref().and_then(|known| known.phase)
    }

    pub fn attribute(&self, name: &str) -> Option<Value> {
        self.known.as_ref().and_then(|known| known.attributes.get(name)).map(Value::from)
    }
}

impl Told {
    /// What the event says of the entity.
    pub fn entity(&self) -> &Map<String, Value> {
        let noun = self.event.subject.split('/').next().expect("a subject has a noun");
        self.event.data[noun].as_object().expect("an entity is an object")
    }
}
