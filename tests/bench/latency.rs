//! A steady load well below the limit: how long an answer takes, and how long until a subscriber knows.

use std::{collections::HashMap, time::Duration};

use futures::StreamExt as _;
use tokio::time::Instant;

use crate::{
    support::{
        load::{Fact, Load, Plan, live_state_body},
        observer::fact_in,
        rig::Rig,
    },
    usage,
};

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub rate: u32,
    pub requests: usize,
    pub not_answered: usize,
    /// From the request to its 200.
    pub answer: Quantiles,
    /// From the request to the event at a NATS subscriber.
    pub end_to_end: Quantiles,
    pub peak_rss_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Quantiles {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Quantiles {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

/// Sends at this rate and listens on the bus.
pub async fn measure(rate: u32, time: Duration) -> Figures {
    let rig = Rig::running().await;
    let client = async_nats::connect(rig.nats.url()).await.expect("the bus runs");
    let mut subscriber = client.subscribe("live.>").await.expect("the bus can be listened to");
    let listening = tokio::spawn(async move {
        let mut arrivals: HashMap<Fact, Instant> = HashMap::new();
        while let Ok(Some(message)) = tokio::time::timeout(Duration::from_secs(3), subscriber.next()).await {
            let arrived_at = Instant::now();
            if let Some((_, fact)) = fact_in(&message.payload) {
                arrivals.entry(fact).or_insert(arrived_at);
            }
        }
        arrivals
    });

    let load = Load::start(Plan {
        address: rig.service.public,
        path: rig.service.callback("acme", "live-state"),
        body: live_state_body,
        rate: Some(rate),
        connections: 16,
        requests: Some(u64::from(rate) * time.as_secs()),
        label: "steady".to_owned(),
    });
    let log = load.finish().await;
    let arrivals = listening.await.expect("the listener does not panic");
    let answer = log.timings.values().map(|timing| timing.took).collect();
    let way = |(fact, at): (&Fact, &Instant)| Some(at.duration_since(log.timings.get(fact)?.sent_at));
    Figures {
        rate,
        requests: log.fates.len(),
        not_answered: log.not_answered(),
        answer: Quantiles::of(answer),
        end_to_end: Quantiles::of(arrivals.iter().filter_map(way).collect()),
        peak_rss_bytes: usage::peak_rss_bytes(rig.service.pid()),
    }
}
