//! The judge of every durability test. It trusts two things only: the log of answered requests, and what
//! is in the JetStream stream.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::{Duration, Instant},
};

use async_nats::{
    ConnectOptions,
    jetstream::{
        self,
        consumer::{DeliverPolicy, pull::OrderedConfig},
    },
};
use futures::StreamExt as _;

use super::load::{Fact, Fate, Log, Step};

/// The stream with everything but viewers' events.
pub const JS_STREAM: &str = "LIVE";

/// An event of a broadcast, as found in the stream.
#[derive(Clone, Debug)]
pub struct Found {
    pub event_id: String,
    pub fact: Fact,
}

/// What the stream makes of the log.
#[derive(Debug)]
pub struct Verdict {
    pub answered: usize,
    pub found: usize,
    /// Answered 200, but not in the stream.
    pub lost: Vec<Fact>,
    /// In the stream more than once, by event id or by what they say.
    pub duplicates: Vec<Fact>,
    /// After a step that was sent later.
    pub inversions: Vec<Fact>,
    /// In the stream, but never sent.
    pub phantoms: Vec<Fact>,
}

impl Verdict {
    /// Whether the guarantees were kept.
    pub fn is_clean(&self) -> bool {
        [&self.lost, &self.duplicates, &self.inversions, &self.phantoms].iter().all(|facts| facts.is_empty())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}, in the stream {}", self.answered, self.found)?;
        let kinds = [
            ("lost", &self.lost),
            ("duplicates", &self.duplicates),
            ("inversions", &self.inversions),
            ("phantoms", &self.phantoms),
        ];
        for (kind, facts) in kinds {
            write!(f, ", {kind} {}", facts.len())?;
            if let Some(first) = facts.first() {
                write!(f, " (such as {first:?})")?;
            }
        }
        Ok(())
    }
}

/// Compares the log with what was found, in the order of the stream.
pub fn judge(log: &Log, found: &[Found]) -> Verdict {
    let mut ids = HashSet::new();
    let mut last_step: HashMap<&str, Step> = HashMap::new();
    let mut facts = HashSet::new();
    let (mut duplicates, mut inversions, mut phantoms) = (Vec::new(), Vec::new(), Vec::new());
    for Found { event_id, fact, .. } in found {
        if !log.fates.contains_key(fact) {
            phantoms.push(fact.clone());
        }
        if !ids.insert(event_id) | !facts.insert(fact) {
            duplicates.push(fact.clone());
            continue;
        }
        let last = last_step.entry(&fact.broadcast).or_insert(fact.step);
        if fact.step < *last {
            inversions.push(fact.clone());
        }
        *last = fact.step.max(*last);
    }
    let answered = log.fates.iter().filter(|(_, fate)| **fate == Fate::Answered).map(|(fact, _)| fact);
    let mut lost: Vec<_> = answered.filter(|fact| !facts.contains(fact)).cloned().collect();
    lost.sort_unstable();
    Verdict { answered: log.answered(), found: found.len(), lost, duplicates, inversions, phantoms }
}

/// An eye on the bus that has nothing in common with livehook.
pub struct Observer {
    context: jetstream::Context,
}

impl Observer {
    /// Connects to the server.
    pub async fn connect(nats_url: &str) -> Self {
        Self::connect_with(nats_url, ConnectOptions::new()).await
    }

    /// Connects to the server with credentials, or however else the options say.
    pub async fn connect_with(nats_url: &str, options: ConnectOptions) -> Self {
        let client = options.connect(nats_url).await.expect("the server runs and lets us in");
        Self { context: jetstream::new(client) }
    }

    /// How many messages the stream holds; 0 when there is no stream or no server.
    pub async fn messages(&self) -> u64 {
        match self.context.get_stream(JS_STREAM).await {
            Ok(js_stream) => js_stream.cached_info().state.messages,
            Err(_) => 0,
        }
    }

    /// The stream, for tests that change it.
    pub async fn js_stream(&self) -> jetstream::stream::Stream {
        self.context.get_stream(JS_STREAM).await.expect("the stream exists")
    }

    /// The JetStream API, for tests that change a stream.
    pub fn context(&self) -> &jetstream::Context {
        &self.context
    }

    /// Every event of a broadcast in the stream, from the first to the last.
    pub async fn read(&self) -> Vec<Found> {
        let Ok(mut js_stream) = self.context.get_stream(JS_STREAM).await else { return Vec::new() };
        let last = js_stream.info().await.expect("the stream can be asked").state.last_sequence;
        let mut found = Vec::new();
        if js_stream.cached_info().state.messages == 0 {
            return found;
        }
        let config = OrderedConfig { deliver_policy: DeliverPolicy::All, ..Default::default() };
        let consumer = js_stream.create_consumer(config).await.expect("the stream can be read");
        let mut messages = consumer.messages().await.expect("the stream can be read");
        while let Some(message) = messages.next().await {
            let message = message.expect("the stream can be read");
            let js_sequence =
                message.info().expect("a message of a stream says where it stood").stream_sequence;
            found.extend(fact_in(&message.payload).map(|(event_id, fact)| Found { event_id, fact }));
            if js_sequence >= last {
                break;
            }
        }
        found
    }

    /// Waits until everything that was answered is in the stream, at most so long; returns the stream.
    pub async fn settle(&self, log: &Log, within: Duration) -> Vec<Found> {
        let began = Instant::now();
        loop {
            let out_of_time = began.elapsed() > within;
            if self.messages().await >= log.answered() as u64 || out_of_time {
                let found = self.read().await;
                if out_of_time || judge(log, &found).lost.is_empty() {
                    return found;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Event id and meaning of an envelope; `None` for an event that is not of a broadcast.
pub fn fact_in(envelope: &[u8]) -> Option<(String, Fact)> {
    let envelope: serde_json::Value = serde_json::from_slice(envelope).expect("an envelope is JSON");
    let text = |name: &str| envelope[name].as_str().unwrap_or_default();
    let step = match text("type") {
        "live.broadcast.started" => Step::Start,
        "live.broadcast.paused" => Step::Pause,
        "live.broadcast.resumed" => Step::Resume,
        "live.broadcast.ended" => Step::Stop,
        _ => return None,
    };
    let broadcast = text("subject").strip_prefix("broadcast/")?.to_owned();
    Some((text("id").to_owned(), Fact { broadcast, step }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(broadcast: &str, step: Step) -> Fact {
        Fact { broadcast: broadcast.to_owned(), step }
    }

    fn found(event_id: &str, broadcast: &str, step: Step) -> Found {
        Found { event_id: event_id.to_owned(), fact: fact(broadcast, step) }
    }

    fn log(facts: &[(&str, Step, Fate)]) -> Log {
        let fates = facts.iter().map(|(broadcast, step, fate)| (fact(broadcast, *step), *fate)).collect();
        Log { fates, ..Log::default() }
    }

    #[test]
    fn an_event_of_an_unanswered_request_is_neither_lost_nor_a_phantom() {
        let log = log(&[("a", Step::Start, Fate::Answered), ("a", Step::Pause, Fate::Unanswered)]);
        let start = found("1", "a", Step::Start);
        assert!(judge(&log, std::slice::from_ref(&start)).is_clean());
        assert!(judge(&log, &[start, found("2", "a", Step::Pause)]).is_clean());
    }

    #[test]
    fn each_kind_of_failure_is_seen() {
        let log = log(&[("a", Step::Start, Fate::Answered), ("a", Step::Pause, Fate::Answered)]);
        let (start, pause) = (found("1", "a", Step::Start), found("2", "a", Step::Pause));
        assert_eq!(judge(&log, std::slice::from_ref(&pause)).lost, [fact("a", Step::Start)]);
        assert_eq!(judge(&log, &[pause.clone(), start.clone()]).inversions, [fact("a", Step::Start)]);
        let again = found("3", "a", Step::Start);
        assert_eq!(judge(&log, &[start.clone(), again, pause.clone()]).duplicates, [fact("a", Step::Start)]);
        let same_id = found("1", "a", Step::Pause);
        assert_eq!(judge(&log, &[start.clone(), same_id]).duplicates, [fact("a", Step::Pause)]);
        let stranger = found("4", "b", Step::Start);
        assert_eq!(judge(&log, &[start, pause, stranger]).phantoms, [fact("b", Step::Start)]);
    }
}
