//! `simulate`: what it prints is a configuration, and livehook reads the platforms with it.

use std::{collections::BTreeMap, process::Stdio, time::Instant};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
};

use crate::support::program::{PATIENCE, Program, client};

/// Simulated platforms, while they run; killed when dropped.
struct Simulation {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The sections that it printed.
    sections: String,
}

impl Simulation {
    async fn start(program: &Program, arguments: &[&str]) -> Self {
        let mut command = program.command(&[&["simulate"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut sections = String::new();
        loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
            if line.starts_with("# What happens") {
                return Self { _child: child, lines, sections };
            }
            sections += &line;
            sections.push('\n');
        }
    }

    /// Where a platform is.
    fn base_url(&self) -> &str {
        self.sections.split_once("base_url = \"").unwrap().1.split_once('"').unwrap().0
    }

    /// The variables it says to export.
    fn environment(&self) -> BTreeMap<String, String> {
        let exports =
            self.sections.lines().filter_map(|line| line.split_once("# export ")?.1.split_once('='));
        exports.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The next line that holds these words.
    async fn tells(&mut self, words: &str) -> String {
        let told = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("it goes on");
                if line.contains(words) {
                    return line;
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("nothing tells of {words}"))
    }
}

async fn get(url: &str) -> Value {
    serde_json::from_str(&client().get(url).send().await.unwrap().text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_simulated_platform_changes_when_it_is_looked_at_and_tells_of_broken_limits() {
    let program = Program::new("", &[]);
    let mut simulation = Simulation::start(&program, &["soop"]).await;
    let url = format!("{}/broad/list?client_id=client-id", simulation.base_url());
    let streamers = |list: &Value| {
        let rows = list["broad"].as_array().unwrap().iter();
        rows.map(|row| row["user_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = streamers(&get(&url).await);
    assert!(first.contains(&"gamja".to_owned()) && !first.contains(&"bada".to_owned()), "{first:?}");
    // At once again, and again: half a second must lie between two.
    futures::future::join_all([get(&url), get(&url), get(&url), get(&url)]).await;
    let told = simulation.tells("VIOLATION").await;
    assert!(told.contains("500ms are demanded"), "{told}");

    let began = Instant::now();
    while !streamers(&get(&url).await).contains(&"bada".to_owned()) {
        assert!(began.elapsed() < PATIENCE, "the world stands still");
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    }
    simulation.tells("soop  broadcast/").await;
}

#[tokio::test]
async fn without_the_credential_a_simulated_platform_refuses() {
    let program = Program::new("", &[]);
    let simulation = Simulation::start(&program, &["soop"]).await;
    let refused = get(&format!("{}/broad/list?client_id=another", simulation.base_url())).await;
    assert!(refused["broad"].is_null(), "{refused}");
}

#[tokio::test]
async fn with_the_sections_that_it_prints_livehook_reads_every_platform() {
    let mut program = Program::new("", &[]);
    let simulation = Simulation::start(&program, &["--random", "7"]).await;
    program.environment.extend(simulation.environment());
    program.sections = simulation.sections.replace("every = \"10s\"", "every = \"2s\"");

    let said = program.print(&["check"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("reading: soop at http://127.0.0.1:"), "{said:?}");
    let running = program.run().await;
    let began = Instant::now();
    for platform in ["kollus", "soop", "openfresh", "livedigital"] {
        while !program.ask("/api/v1/events?limit=1000").await.contains(&format!("livehook://{platform}/")) {
            let watches = program.ask("/api/v1/watches").await;
            assert!(began.elapsed() < PATIENCE, "{platform} is not read: {watches}\n{}", running.log());
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    let said = program.print(&["watch"]).await;
    for words in ["kollus/kollus", "soop/soop", "openfresh/openfresh", "livedigital/livedigital", "events; "]
    {
        assert!(said.stdout.contains(words), "{said:?}");
    }
}

#[tokio::test]
async fn a_watch_that_fails_is_told_with_the_keys_to_look_at() {
    let mut program = Program::new("", &[]);
    let simulation = Simulation::start(&program, &["soop"]).await;
    let sections = simulation.sections.replace("\"client-id\"", "\"another\"");
    program.sections = sections.replace("every = \"10s\"", "every = \"1s\"");
    let _running = program.run().await;
    let began = Instant::now();
    loop {
        let said = program.print(&["watch"]).await.stdout;
        if said.contains("failed") {
            for words in
                ["does not accept the credential", "correct base_url, ", "client_id", "[accounts.soop]"]
            {
                assert!(said.contains(words), "{words}: {said}");
            }
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{said}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn check_names_a_platform_that_cannot_be_reached() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sections = format!(
        "[accounts.games]\nplatform = \"soop\"\nclient_id = \"a\"\nbase_url = \"http://{free}\"\n\
         allow_unknown_hosts = true\npoll.broadcasts = {{}}\n"
    );
    let program = Program::new(&sections, &[]);
    let said = program.print(&["check"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stdout.contains("WRONG  reading: games at") && said.stdout.contains("accounts.games.base_url"),
        "{said:?}"
    );
    let said = program.print(&["check", "--offline"]).await;
    assert!(said.code == Some(0) && said.stdout.contains("broadcasts every 1m"), "{said:?}");
}

#[tokio::test]
async fn simulate_says_what_it_cannot_do() {
    let program = Program::new("", &[]);
    let said = program.print(&["simulate", "twitch"]).await;
    assert!(
        said.code == Some(1) && said.stderr.contains("use kollus, soop, openfresh or livedigital"),
        "{said:?}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = program.print(&["simulate", "soop", "--port", &port]).await;
    assert!(said.code == Some(1) && said.stderr.contains("choose another --port"), "{said:?}");
}
