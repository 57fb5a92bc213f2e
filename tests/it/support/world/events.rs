//! What was published, as consumers see it.

use jiff::Timestamp;
use livehook::{model::event::Event, store::Store};
use serde_json::{Map, Value};

/// An event, without what does not matter here.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    pub id: String,
    /// `<noun>/<id>`.
    pub subject: String,
    pub verb: String,
    /// When livehook learned of it.
    pub recorded_at: Timestamp,
    /// The platform's own time of it.
    pub time: Timestamp,
    pub data: Map<String, Value>,
}

impl Told {
    /// `broadcast`, ...
    pub fn noun(&self) -> &str {
        self.subject.split_once('/').map_or("", |(noun, _)| noun)
    }

    /// Everything known of the entity.
    pub fn entity(&self) -> &Map<String, Value> {
        self.data[self.noun()].as_object().expect("an event describes its entity")
    }
}

/// What was published of an account behind a row of the log.
pub async fn of_account(store: &Store, account: &str, after: u64) -> Vec<Told> {
    let mut told = Vec::new();
    let mut after = after;
    loop {
        let events = store.events_after(after, 10_000).await.unwrap();
        let Some(last) = events.last() else { return told };
        after = last.row;
        for stored in events.iter().filter(|stored| stored.account == account) {
            let event: Event = serde_json::from_slice(&stored.envelope).unwrap();
            assert_eq!(event.subject, stored.entity);
            told.push(Told {
                id: event.id,
                subject: event.subject,
                verb: event.event_type.rsplit('.').next().unwrap_or_default().to_owned(),
                recorded_at: event.recordedtime,
                time: event.time,
                data: event.data,
            });
        }
    }
}
