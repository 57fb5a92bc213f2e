//! kill -9 at any moment of a sweep: no event is lost, none comes twice, and no limit of a platform is broken by
//! whoever begins anew all the time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    time::Duration,
};

use futures::future::join_all;
use livehook::simulators::{Simulator, Transition, dice::Dice, kollus, openfresh, soop};
use serde_json::Value;
use tokio::process::Child;

use super::stage::{
    ACCESS, ACME_TOKEN, Place, SWEEP_PATIENCE, deliver, events, kollus_account, kollus_with, last_success,
    now, published, sweeps, until,
};
use crate::support::{
    canaries,
    nats::Nats,
    program::Program,
    rig::{Chance, setting_or},
};

const PROGRAM: u64 = 92_823;
const CHANNELS: usize = 20;
const WATCHES: [(&str, &str); 4] =
    [("acme", "channels"), ("acme", "broadcasts"), ("games", "broadcasts"), ("fresh", "comments")];

/// Account, `<noun>/<id>`, verb.
type Fact = (&'static str, String, String);

#[tokio::test]
async fn killed_while_it_reads_it_misses_nothing_repeats_nothing_and_breaks_no_limit() {
    let mut chance = Chance::new();
    let nats = Nats::start();
    let mut theatre = Theatre::open(&nats, Dice::new(chance.millis(1, u64::MAX).as_millis() as u64)).await;

    let mut child = theatre.spawn();
    until("it runs", SWEEP_PATIENCE, async || theatre.is_up().await.then_some(())).await;
    for (account, watch) in WATCHES {
        until("all is read once", SWEEP_PATIENCE, async || {
            last_success(&theatre.program, account, watch).await
        })
        .await;
    }
    theatre.begin(&nats).await;
    kill(&mut child).await;

    for round in 0..setting_or("LIVEHOOK_KILLS", 25) {
        theatre.change(None).await;
        let mut child = theatre.spawn();
        for _ in 0..3 {
            tokio::time::sleep(chance.millis(50, 300)).await;
            theatre.change(Some(&nats)).await;
        }
        match round % 5 {
            // It may have begun just now, or wait.
            0 => tokio::time::sleep(chance.millis(0, 600)).await,
            // There is time for a sweep through all pages.
            1 => tokio::time::sleep(chance.millis(0, 4000)).await,
            // A request is granted, written down and sent.
            2 => theatre.asked().await,
            // The answer is read, compared, committed.
            _ => {
                theatre.asked().await;
                tokio::time::sleep(chance.millis(0, 30)).await;
            }
        }
        kill(&mut child).await;
    }

    // The world stands still.
    let mut child = theatre.spawn();
    until("it runs", SWEEP_PATIENCE, async || theatre.is_up().await.then_some(())).await;
    join_all(WATCHES.map(|(account, watch)| sweeps(&theatre.program, account, watch, 3))).await;
    theatre.last_ends().await;
    theatre.judge(&nats).await;
    kill(&mut child).await;
}

/// The platforms, the program, and what happened.
struct Theatre {
    kollus: Place<kollus::World>,
    soop: Place<soop::World>,
    openfresh: Place<openfresh::World>,
    program: Program,
    dice: Dice,
    /// How long the journals were when the story began.
    began: [usize; 3],
    /// Ids of the events until then.
    earlier: BTreeSet<String>,
    renamed: BTreeSet<String>,
    streamers: usize,
}

impl Theatre {
    async fn open(nats: &Nats, dice: Dice) -> Self {
        let options = kollus::Options { latest_has_key: true, ..canaries::kollus() };
        let kollus = Place::open(kollus_with(CHANNELS, options)).await;
        let options = soop::Options { begins_at: now(), page_block: 20, ..canaries::soop() };
        let soop = Place::open(soop::World::new(options)).await;
        soop.with(|world| {
            for number in 0..25 {
                world.start(&format!("early{number}"), "Early", "00130000");
            }
        });
        let openfresh =
            Place::open(openfresh::World::new(openfresh::Options { begins_at: now(), ..Default::default() }))
                .await;
        openfresh.with(|world| world.start_program(PROGRAM));
        let watches = "callback_tokens = [{ env = \"ACME_TOKEN\" }]\n\
                       poll.channels = { every = \"2s\" }\npoll.broadcasts = { every = \"4s\" }";
        let sections = format!(
            "[bus]\nservers = [\"{}\"]\n{}\
             [accounts.games]\nplatform = \"soop\"\nclient_id = \"client-id\"\nbase_url = \"{}\"\n\
             allow_unknown_hosts = true\npoll.broadcasts = {{ every = \"2s\" }}\n\
             [accounts.fresh]\nplatform = \"openfresh\"\nbase_url = \"{}\"\n\
             allow_unknown_hosts = true\npoll.comments = {{ every = \"2s\", programs = [\"{PROGRAM}\"] }}\n",
            nats.url(),
            kollus_account("acme", &kollus, watches),
            soop.url(),
            openfresh.url()
        );
        let program = Program::new(&sections, &[("ACCESS", ACCESS), ("ACME_TOKEN", ACME_TOKEN)]);
        Self {
            kollus,
            soop,
            openfresh,
            program,
            dice,
            began: [0; 3],
            earlier: BTreeSet::new(),
            renamed: BTreeSet::new(),
            streamers: 0,
        }
    }

    fn spawn(&self) -> Child {
        let log = self.program.home.path().join("log");
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = self.program.command(&["run"]);
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// Waits until one of the platforms is asked something.
    async fn asked(&mut self) {
        let places = [self.kollus.asked(), self.soop.asked(), self.openfresh.asked()];
        let mut asked = self.dice.pick(&places).clone();
        asked.mark_unchanged();
        // A budget may be spent: then it is killed while it waits.
        let _ = tokio::time::timeout(Duration::from_secs(3), asked.changed()).await;
    }

    async fn is_up(&self) -> bool {
        tokio::net::TcpStream::connect(self.program.admin).await.is_ok()
    }

    /// What was there before is known; from here on everything counts.
    async fn begin(&mut self, nats: &Nats) {
        // The first comment tells when the program began.
        self.openfresh.with(|world| world.comment(PROGRAM, "first"));
        until("what was there is published", SWEEP_PATIENCE, async || {
            let published = published(nats).await;
            let is_told = |what: &str| published.iter().any(|event| event["type"] == what);
            let are_all = published.len() >= CHANNELS + 25 + 3;
            (are_all && is_told("live.comment.created") && is_told("live.broadcast.updated")).then_some(())
        })
        .await;
        self.earlier = published(nats).await.iter().map(id).collect();
        self.began = self.journals().map(|journal| journal.len());
    }

    fn journals(&self) -> [Vec<Transition>; 3] {
        [
            self.kollus.with(|world| world.journal().to_vec()),
            self.soop.with(|world| world.journal().to_vec()),
            self.openfresh.with(|world| world.journal().to_vec()),
        ]
    }

    /// Some things happen; callbacks come, or are lost if nobody is there.
    async fn change(&mut self, nats: Option<&Nats>) {
        for _ in 0..2 {
            let channel = self.dice.below(CHANNELS);
            let channel = self.kollus.with(|world| world.channel_keys())[channel].clone();
            let is_first_time = !self.renamed.contains(&channel);
            self.kollus.with(|world| {
                if world.stop(&channel) {
                    return;
                }
                world.start(&channel, "Show");
            });
            if is_first_time && self.dice.chance(30) {
                self.kollus.with(|world| world.rename_channel(&channel, "Another name"));
                self.renamed.insert(channel);
            }
        }
        let seen: BTreeSet<String> = match nats {
            Some(nats) => published(nats).await.iter().map(subject).collect(),
            None => BTreeSet::new(),
        };
        for push in self.kollus.pushes() {
            // Of an end that is told before the beginning was, the beginning is no news any more.
            let form: BTreeMap<_, _> = url::form_urlencoded::parse(&push.body).collect();
            let is_end = form["broadcast_state"] == "stop";
            let is_known = seen.contains(&format!("broadcast/{}", form["broadcast_key"]));
            if (is_known || !is_end) && self.dice.chance(70) {
                deliver(&self.program, push).await;
            }
        }

        self.streamers += 1;
        let streamer = format!("streamer{}", self.streamers);
        self.soop.with(|world| world.start(&streamer, "Game", "00040019"));
        // One that nobody saw would be gone without a trace.
        let known = |no: &u64| seen.contains(&format!("broadcast/{no}"));
        let on_air: Vec<u64> =
            self.soop.with(|world| world.broadcasts().map(|it| it.no).filter(known).collect());
        if !on_air.is_empty() {
            let no = *self.dice.pick(&on_air);
            self.soop.with(|world| world.end(no));
        }
        for _ in 0..4 {
            self.openfresh.with(|world| world.comment(PROGRAM, "888888 👏👏"));
        }
    }

    /// Where most of a list is gone at once, three sweeps are enough only if none reads a copy of the one before: these
    /// come quicker than the platform's caches are renewed.
    async fn last_ends(&self) {
        let are_told = async {
            while !self.wrong(&events(&self.program).await).is_empty() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        // What is still wrong afterwards, the judge says.
        let _ = tokio::time::timeout(SWEEP_PATIENCE, are_told).await;
    }

    /// The events are those of the journals, each once.
    async fn judge(&self, nats: &Nats) {
        let log = events(&self.program).await;
        until("everything is published", SWEEP_PATIENCE, async || {
            (published(nats).await.len() >= log.len()).then_some(())
        })
        .await;
        let published = published(nats).await;
        assert_eq!(ids(&published), ids(&log), "the bus and the log differ");
        assert_eq!(published.len(), ids(&published).len(), "an event is there twice");
        let wrong = self.wrong(&published);
        assert!(wrong.is_empty(), "{wrong:#?}\n{}", self.log_tail());

        // The controls: an event that is missing, and one that comes twice under another id, would be noticed.
        let is_start = |event: &&Value| event["type"] == "live.broadcast.started";
        let start = published.iter().rfind(is_start).expect("something began").clone();
        let without: Vec<_> = published.iter().filter(|event| **event != start).cloned().collect();
        assert_eq!(self.wrong(&without).len(), 1);
        let again: Vec<_> = published.iter().chain([&start]).cloned().collect();
        assert_eq!(self.wrong(&again).len(), 1);

        self.kollus.assert_no_violation();
        self.soop.assert_no_violation();
        self.openfresh.assert_no_violation();
    }

    /// What happened and was not told as often, or the reverse.
    fn wrong(&self, published: &[Value]) -> Vec<String> {
        let mut expected: BTreeMap<Fact, usize> = BTreeMap::new();
        let journals = ["acme", "games", "fresh"].into_iter().zip(self.journals()).zip(self.began);
        for ((account, journal), began) in journals {
            for Transition { subject, verb, .. } in &journal[began..] {
                // What SOOP's journal says of linked stations is not watched.
                if account != "games" || subject.starts_with("broadcast/") {
                    *expected.entry((account, subject.clone(), (*verb).to_owned())).or_default() += 1;
                }
            }
        }
        let mut found: BTreeMap<Fact, usize> = BTreeMap::new();
        let mut proofs = 0;
        for event in published.iter().filter(|event| !self.earlier.contains(&id(event))) {
            let event_type = event["type"].as_str().unwrap().trim_start_matches("live.");
            let account =
                WATCHES.iter().find(|(account, _)| event["source"].as_str().unwrap().ends_with(account));
            let account = account.unwrap().0;
            // Of what callbacks told the API proves it, and adds its times.
            if account == "acme" && event_type == "broadcast.updated" {
                assert_eq!(event["proof"], "api", "{event:#}");
                proofs += 1;
                continue;
            }
            let verb = event_type.split_once('.').unwrap().1;
            *found.entry((account, subject(event), verb.to_owned())).or_default() += 1;
        }
        assert!(expected.len() > 100, "something happened: {}", expected.len());
        eprintln!("{} facts, {proofs} proofs", expected.len());
        let differs = |fact: &&Fact| expected.get(*fact) != found.get(*fact);
        let wrong: BTreeSet<_> = expected.keys().chain(found.keys()).filter(differs).collect();
        let tell = |fact| format!("{fact:?}: happened {:?}, told {:?}", expected.get(fact), found.get(fact));
        wrong.into_iter().map(tell).collect()
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.program.home.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

/// As `kill -9` does.
async fn kill(child: &mut Child) {
    child.kill().await.unwrap();
}

fn id(event: &Value) -> String {
    event["id"].as_str().unwrap().to_owned()
}

fn subject(event: &Value) -> String {
    event["subject"].as_str().unwrap().to_owned()
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(id).collect()
}
