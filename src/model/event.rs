//! What we publish: a CloudEvents 1.0 envelope in structured JSON.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ids::{AccountName, EntityKey, EventId, PlatformId},
    known::Known,
    observation::Observation,
    reduce::{Change, time_in},
    vocabulary::{EventType, Noun, Phase, Verb},
};

/// How we learned of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// A platform called one of our URLs.
    Callback,
    /// We read the platform's API.
    Poll,
    /// A person's consent.
    Oauth,
    /// livehook itself.
    Internal,
}

/// How far the word of whoever told us can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The platform's signature was verified.
    Signature,
    /// Read from the platform's API.
    Api,
    /// An unsigned callback on a secret URL.
    UrlToken,
    /// livehook itself.
    Internal,
}

/// A published event. `D` is the type of `data`; every consumer can rely on the schema made from this.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event<D = Map<String, Value>> {
    /// Always `1.0`.
    pub specversion: String,
    /// Opaque; the same for one change for ever. Equal to the header `Nats-Msg-Id`.
    pub id: String,
    /// `livehook://<platform>/<account>`.
    pub source: String,
    /// `live.<noun>.<verb>`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// `<noun>/<id>`: what the event is about.
    pub subject: String,
    /// The platform's own time of the change where it gives one, else `recordedtime`.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// `urn:livehook:schema:<noun>.<verb>:<version>`.
    pub dataschema: String,
    /// When livehook learned of the change.
    pub recordedtime: Timestamp,
    /// Grows per account in the order of commits; compares as text.
    pub sequence: String,
    /// Equal to `subject`: events with one key are published in order.
    pub partitionkey: String,
    /// How livehook learned of the change.
    pub via: Via,
    /// How far the word of whoever told us can be trusted.
    pub proof: Proof,
    /// What happened.
    pub data: D,
}

/// Version of every event schema; a breaking change gets a new type name instead.
pub const SCHEMA_VERSION: u32 = 1;

/// The `dataschema` of a type.
pub fn schema_urn(event_type: EventType) -> String {
    format!("urn:livehook:schema:{event_type}:{SCHEMA_VERSION}")
}

/// Whose change it is, and how it came to us.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The platform.
    pub platform: PlatformId,
    /// The account.
    pub account: AccountName,
    /// How it came.
    pub via: Via,
    /// How far to trust it.
    pub proof: Proof,
    /// When it came.
    pub recorded_at: Timestamp,
}

impl Event {
    /// The event of `change`, where `known` is what we believe after it.
    pub fn of(
        origin: &Origin,
        id: &EventId,
        sequence: u64,
        observation: &Observation,
        known: &Known,
        change: &Change,
    ) -> Self {
        let subject = observation.entity.to_string();
        Self {
            specversion: "1.0".to_owned(),
            id: id.to_string(),
            source: format!("livehook://{}/{}", origin.platform, origin.account),
            event_type: format!("live.{}", change.event_type),
            time: time(origin.via, observation, known, change).unwrap_or(origin.recorded_at),
            datacontenttype: "application/json".to_owned(),
            dataschema: schema_urn(change.event_type),
            recordedtime: origin.recorded_at,
            sequence: format!("{sequence:016}"),
            partitionkey: subject.clone(),
            subject,
            via: origin.via,
            proof: origin.proof,
            data: data(observation, known, change),
        }
    }
}

/// The platform's own time of the change, where it gives one.
fn time(via: Via, observation: &Observation, known: &Known, change: &Change) -> Option<Timestamp> {
    if via != Via::Poll {
        return observation.at;
    }
    if is_of_another_life(observation, known) {
        return None;
    }
    let verb = change.event_type.verb();
    // What is already further is told step by step, and its time is that of the last step.
    let is_further = !matches!(observation.phase, None | Some(Phase::Live | Phase::Recording));
    let at = observation.at.filter(|_| !(verb == Verb::Started && is_further));
    let names: &[&str] = match verb {
        Verb::Started | Verb::Discovered => &["started_at", "created_at"],
        Verb::Paused => &["paused_at"],
        Verb::Ended => &["ended_at"],
        Verb::Available | Verb::Failed | Verb::Aborted => &["finished_at"],
        // What was removed and comes back was created before; a comment never comes back.
        Verb::Created if known.revision == 1 || observation.entity.noun == Noun::Comment => &["created_at"],
        _ => &[],
    };
    at.or_else(|| names.iter().find_map(|name| time_in(&observation.attributes, name)))
}

/// Whether a life is told to be over because of what is said of the next one.
fn is_of_another_life(observation: &Observation, known: &Known) -> bool {
    observation.rules.life.is_some_and(|name| {
        let said = observation.attributes.get(name);
        said.is_some() && said != known.attributes.get(name)
    })
}

/// `{"<noun>": everything known, "changes"?, "possible_duplicate"?, "extra"?}`.
fn data(observation: &Observation, known: &Known, change: &Change) -> Map<String, Value> {
    let EntityKey { noun, id } = &observation.entity;
    let mut entity = Map::new();
    entity.insert("id".to_owned(), Value::from(id.as_str()));
    for (name, value) in known.attributes.iter() {
        entity.insert(name.to_owned(), value.into());
    }
    if let Some(phase) = known.phase {
        entity.insert("state".to_owned(), Value::from(phase.as_str()));
    }
    if *noun == Noun::Broadcast && !entity.contains_key("started_at") {
        entity.insert("started_at".to_owned(), Value::Null);
    }

    let mut data = Map::new();
    data.insert(noun.to_string(), Value::Object(entity));
    if !change.changes.is_empty() {
        data.insert("changes".to_owned(), Value::Object(change.changes.clone()));
    }
    if change.possible_duplicate {
        data.insert("possible_duplicate".to_owned(), Value::Bool(true));
    }
    if !observation.extra.is_empty() && !is_of_another_life(observation, known) {
        let extra = observation.extra.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        data.insert("extra".to_owned(), Value::Object(extra));
    }
    data
}
