//! Players that ask: how long their answer takes while a service decides, and once it was killed.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use async_nats::Message;
use futures::StreamExt as _;
use livehook::ports;
use tokio::time::Instant;

use crate::{
    latency::Quantiles,
    support::{
        load::{Load, Log, Plan, play_body},
        rig::Rig,
    },
    usage,
};

/// How long the service thinks.
const THINKS: Duration = Duration::from_millis(5);
/// When players are answered at the latest, whatever the service does: the default.
pub const DEADLINE: Duration = Duration::from_millis(800);
const SUBJECT: &str = "ask.kollus.acme.play";
/// What the service says; the policy says the opposite.
const REPLY: &str = r#"{"result":"allow"}"#;
const POLICY: &str = "deny";

/// How often who decided what: `allow by service`, `deny by policy (timeout)` and so on.
type Decided = BTreeMap<String, u64>;

/// What was measured.
#[derive(Clone, Debug)]
pub struct Figures {
    pub rate: u32,
    pub time: Duration,
    pub alive: Answers,
    /// The same again; half-way the service is killed.
    pub killed: Answers,
    /// Of those that were answered after it was killed: how long they waited.
    pub after_kill: Quantiles,
    pub after_kill_requests: usize,
    /// Of those that asked after it was killed: how many were not answered by policy.
    pub not_by_policy: u64,
}

/// What became of the requests of one run.
#[derive(Clone, Debug)]
pub struct Answers {
    pub requests: usize,
    pub not_answered: usize,
    pub answer: Quantiles,
    pub decided: Decided,
    pub cpu_seconds: f64,
    pub peak_rss_bytes: u64,
}

/// Two runs at this rate.
pub async fn measure(rate: u32, time: Duration) -> anyhow::Result<Figures> {
    let (rig, service, warm) = begin().await?;
    let log = ask(&rig, "players", rate, time).finish().await;
    let alive = answers(&rig, &log, &warm).await?;
    drop((service, rig));

    let (rig, service, warm) = begin().await?;
    let load = ask(&rig, "players", rate, time);
    tokio::time::sleep(time / 2).await;
    let killed_at = Instant::now();
    drop(service);
    let gone_at = Instant::now();
    let log = load.finish().await;
    let killed = answers(&rig, &log, &warm).await?;
    let timings = || log.timings.values();
    let later: Vec<_> = timings().filter(|it| it.sent_at + it.took > killed_at).map(|it| it.took).collect();
    let asked_later = timings().filter(|it| it.sent_at > gone_at).count() as u64;
    let by_policy = killed.decided.iter().filter(|(who, _)| who.starts_with("deny by policy"));
    let not_by_policy = asked_later.saturating_sub(by_policy.map(|(_, count)| count).sum());
    let after_kill_requests = later.len();
    let after_kill = Quantiles::of(later);
    Ok(Figures { rate, time, alive, killed, after_kill, after_kill_requests, not_by_policy })
}

/// Both, when the service is heard: livehook is ready before it has reached the bus. Also what was decided so far.
async fn begin() -> anyhow::Result<(Rig, Decider, Decided)> {
    let mut rig = Rig::new();
    rig.service.setup = rig.service.setup.clone().asking(POLICY);
    rig.nats.restart();
    let service = Decider::start(&rig.nats.url())?;
    rig.service.start().await;
    for attempt in 0..100 {
        ask(&rig, &format!("warm-{attempt}"), 10, Duration::from_secs(1)).finish().await;
        let warm = decided(&rig).await?;
        if warm.contains_key("allow by service") {
            return Ok((rig, service, warm));
        }
    }
    anyhow::bail!("the decision service is not heard: {}", rig.service.log_tail())
}

fn ask(rig: &Rig, label: &str, rate: u32, time: Duration) -> Load {
    Load::start(Plan {
        address: rig.service.public,
        path: rig.service.callback("acme", "vod-play"),
        body: play_body,
        rate: Some(rate),
        connections: 64,
        requests: Some(u64::from(rate) * time.as_secs()),
        label: label.to_owned(),
    })
}

async fn answers(rig: &Rig, log: &Log, warm: &Decided) -> anyhow::Result<Answers> {
    let mut decided = decided(rig).await?;
    for (who, count) in &mut decided {
        *count -= warm.get(who).copied().unwrap_or(0);
    }
    decided.retain(|_, count| *count > 0);
    Ok(Answers {
        requests: log.fates.len(),
        not_answered: log.not_answered(),
        answer: Quantiles::of(log.timings.values().map(|timing| timing.took).collect()),
        decided,
        cpu_seconds: usage::cpu_seconds(rig.service.pid()),
        peak_rss_bytes: usage::peak_rss_bytes(rig.service.pid()),
    })
}

/// Who decided what, and how often, as the metrics tell.
async fn decided(rig: &Rig) -> anyhow::Result<Decided> {
    let metrics = format!("http://{}/metrics", rig.service.admin);
    let page = ports::http::client().get(metrics).send().await?.text().await?;
    let mut decided = BTreeMap::new();
    for line in page.lines() {
        let Some(line) = line.strip_prefix("livehook_questions_total{") else { continue };
        let label = |name: &str| line.split_once(&format!("{name}=\""))?.1.split('"').next();
        let [decision, by, why] =
            ["decision", "decided_by", "why"].map(|name| label(name).unwrap_or_default());
        let count: u64 =
            line.rsplit(' ').next().unwrap_or_default().parse().context("a count is a number")?;
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        *decided.entry(format!("{decision} by {by}{why}")).or_default() += count;
    }
    Ok(decided)
}

/// A decision service in a process of its own; killed when dropped.
struct Decider(Child);

impl Decider {
    /// Returns when it can be asked.
    fn start(nats_url: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["decide", nats_url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        let decider = Self(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the decision service did not start");
        Ok(decider)
    }
}

impl Drop for Decider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says yes to everybody, after a moment.
pub async fn decide(nats_url: &str) -> anyhow::Result<()> {
    let client = async_nats::connect(nats_url).await?;
    let mut questions = client.queue_subscribe(SUBJECT, "decide".to_owned()).await?;
    client.flush().await?;
    println!("ready");
    while let Some(Message { reply: Some(inbox), .. }) = questions.next().await {
        let client = client.clone();
        tokio::spawn(async move {
            tokio::time::sleep(THINKS).await;
            client.publish(inbox, REPLY.into()).await
        });
    }
    Ok(())
}
