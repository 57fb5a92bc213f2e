//! Each command of the real program: what it prints, and how it ends.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use async_nats::jetstream;
use serde_json::Value;

use crate::support::{
    canaries::canary,
    nats::{self, Nats},
    program::{PATIENCE, Printed, Program, project},
};

mod connect;
mod simulate;

const ACCOUNTS: &str = r#"
[accounts.acme]
platform = "kollus"
callback_tokens = [{ env = "ACME_TOKEN" }]
[accounts.talks]
platform = "livedigital"
callback_tokens = [{ env = "TALKS_TOKEN" }]
webhook_secret = { env = "TALKS_SECRET" }
[accounts.loop]
platform = "loopback"
callback_tokens = [{ env = "LOOP_TOKEN" }]
"#;
const ENVIRONMENT: [(&str, &str); 4] = [
    ("ACME_TOKEN", canary("commands-acme-token")),
    ("TALKS_TOKEN", canary("commands-talks-token")),
    ("TALKS_SECRET", canary("commands-talks-secret")),
    ("LOOP_TOKEN", canary("commands-loop-token")),
];

fn program(bus: &str) -> Program {
    Program::new(&format!("{bus}{ACCOUNTS}"), &ENVIRONMENT)
}

fn with_bus(nats: &Nats) -> Program {
    program(&format!("[bus]\nservers = [\"{}\"]\n", nats.url()))
}

impl Printed {
    /// Ended well; returns what was printed for programs and people.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Failed with this code; returns the sentence that says why.
    #[track_caller]
    fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.starts_with("livehook: ") || code == 2, "{self:?}");
        self.stderr
    }
}

/// The names of all commands, from the help.
async fn commands(program: &Program) -> Vec<String> {
    let help = program.print(&["--help"]).await.done();
    let list = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
    let names = names.map(|(name, _)| name.to_owned());
    names.filter(|name| !name.is_empty() && name != "help").collect()
}

#[tokio::test]
async fn without_a_command_the_help_is_printed() {
    let printed = program("").print(&[]).await;
    assert_eq!(printed.code, Some(2));
    for words in ["Usage: livehook", "quarantine", "Exit codes:"] {
        assert!(printed.stderr.contains(words), "{printed:?}");
    }
}

#[tokio::test]
async fn the_help_of_each_command_holds_an_example() {
    let program = program("");
    let commands = commands(&program).await;
    for known in ["run", "check", "demo", "tail", "send", "quarantine", "schema"] {
        assert!(commands.contains(&known.to_owned()), "{commands:?}");
    }
    for command in commands {
        let help = program.print(&[&command, "--help"]).await.done();
        let (_, examples) = help.split_once("Example").unwrap_or_else(|| panic!("{command}: {help}"));
        assert!(examples.contains(&format!("livehook {command}")), "{command}: {help}");
    }
}

#[tokio::test]
async fn wrong_usage_ends_with_two() {
    let program = program("");
    for wrong in [&["fly"][..], &["run", "--fly"], &["send"], &["tail", "--count", "many"], &["check", "x"]] {
        let said = program.print(wrong).await.failed(2);
        assert!(said.contains("--help"), "{said}");
    }
}

#[tokio::test]
async fn the_sample_configuration_is_accepted() {
    let program = Program::new(
        "",
        &[
            ("LIVEHOOK_NATS_PASSWORD", canary("commands-nats-password")),
            ("ACME_CALLBACK_TOKEN", "acme-0123456789abcdef0123456789"),
            ("MEETINGS_CALLBACK_TOKEN", "meetings-0123456789abcdef01234"),
            ("MEETINGS_WEBHOOK_SECRET", "example-webhook-secret-0001"),
        ],
    );
    let sample = project("deploy/livehook.toml");
    let arguments = ["check", "--offline", "--config", sample.to_str().unwrap()];
    let said = program.print(&arguments).await.done();
    assert!(said.contains("acme (Kollus)") && said.contains("meetings (livedigital)"), "{said}");
    let json: Value =
        serde_json::from_str(&program.print(&[&arguments[..], &["--json"]].concat()).await.done()).unwrap();
    assert!(json.as_array().unwrap().iter().all(|finding| finding["ok"] == true), "{json}");
    assert!(!program.home.path().join("data").exists(), "a check changes nothing");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_refused_by_key_with_the_remedy() {
    let cases = [
        (
            "[bus]\nserver = [\"nats://127.0.0.1:4222\"]\n",
            "unknown field `server`",
            "livehook schema --config",
        ),
        ("[bus]\nservers = [\"http://127.0.0.1\"]\n", "bus.servers", "nats://127.0.0.1:4222"),
        ("[bus]\nservers = [\"nats://h\"]\nuser = \"u\"\n", "bus.user", "set both or none"),
        ("[store]\nmax_mib = 1\n", "store.max_mib", "or more"),
        (
            "[accounts.a]\nplatform = \"kolus\"\ncallback_tokens = [{ env = \"ACME_TOKEN\" }]\n",
            "accounts.a.platform",
            "kollus",
        ),
        (
            "[accounts.a]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"GONE\" }]\n",
            "accounts.a.callback_tokens",
            "GONE is not set",
        ),
        (
            "[accounts.a]\nplatform = \"kollus\"\ncallback_tokens = [\"literal-0123456789abcdef\"]\n",
            "accounts.a.callback_tokens",
            "{ env = \"NAME\" }",
        ),
    ];
    for (sections, key, remedy) in cases {
        let program = program(sections);
        for command in [&["check", "--offline"][..], &["run"], &["quarantine", "list"]] {
            let said = program.print(command).await.failed(3);
            assert!(said.contains(key) && said.contains(remedy), "{key}, {remedy}: {said}");
            assert!(!said.contains("literal-"), "{said}");
        }
        assert!(tokio::net::TcpStream::connect(program.admin).await.is_err(), "nothing listens");
        assert!(!program.home.path().join("data").exists(), "nothing was made");
    }
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_named() {
    let said = program("").print(&["run", "--config", "elsewhere.toml"]).await.failed(3);
    assert!(said.contains("elsewhere.toml") && said.contains("--config"), "{said}");
}

#[tokio::test]
async fn check_tells_of_the_bus_and_its_streams() {
    let nats = Nats::start();
    let program = with_bus(&nats);
    let said = program.print(&["check"]).await.done();
    for words in ["nats-server 2.", "LIVE will be created", "LIVE_PLAYBACK will be created"] {
        assert!(said.contains(words), "{said}");
    }
    let running = program.run().await;
    publish(&program, "b1").await;
    let said = program.print(&["check"]).await.done();
    assert!(
        said.contains("LIVE is as it must be") && said.contains("LIVE_PLAYBACK is as it must be"),
        "{said}"
    );
    drop(running);
}

#[tokio::test]
async fn check_ends_with_five_when_the_bus_is_not_there() {
    let mut nats = Nats::start();
    nats.kill();
    let printed = with_bus(&nats).print(&["check"]).await;
    assert!(printed.stdout.contains("WRONG  bus"), "{printed:?}");
    let said = printed.failed(5);
    assert!(said.contains(nats.url().trim_start_matches("nats://")), "{said}");
}

#[tokio::test]
async fn check_ends_with_five_when_a_stream_is_another_one() {
    let nats = Nats::start();
    let client = async_nats::connect(nats.url()).await.unwrap();
    let theirs = jetstream::stream::Config {
        name: "LIVE".to_owned(),
        subjects: vec!["live.>".to_owned()],
        max_messages: 7,
        ..Default::default()
    };
    jetstream::new(client).create_stream(theirs).await.unwrap();
    let printed = with_bus(&nats).print(&["check"]).await;
    assert!(printed.stdout.contains("WRONG  stream"), "{printed:?}");
    let said = printed.failed(5);
    assert!(said.contains("LIVE"), "{said}");
}

/// Delivers what loopback would say of a new broadcast.
async fn publish(program: &Program, id: &str) {
    let file = program.home.path().join("body.json");
    let body = serde_json::json!({ "noun": "broadcast", "id": id, "phase": "live" });
    std::fs::write(&file, body.to_string()).unwrap();
    program.print(&["send", "loop", "event", "--body", "body.json"]).await.done();
}

#[tokio::test]
async fn what_send_delivers_tail_prints() {
    let nats = Nats::start();
    let program = with_bus(&nats);
    let _running = program.run().await;
    for (account, callback, case) in
        [("acme", "live-state", "start"), ("talks", "webhook", "call-started"), ("loop", "event", "playback")]
    {
        let said = program.print(&["send", account, callback, case]).await.done();
        assert!(said.starts_with("200: "), "{said}");
    }
    let printed = program.print(&["tail", "--all", "--count", "3", "--json"]).await.done();
    let events: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["live.broadcast.started", "live.broadcast.started", "live.playback.progressed"]);

    let arguments = ["tail", "live.livedigital.>", "--all", "--count", "1"];
    let line = program.print(&arguments).await.done();
    assert!(line.contains("broadcast.started") && line.contains("livedigital/talks"), "{line}");
    assert!(!line.contains('\x1b'), "no colours in a pipe: {line:?}");
}

#[tokio::test]
async fn tail_prints_what_is_published_from_now_on() {
    let nats = Nats::start();
    let program = with_bus(&nats);
    let running = program.run().await;
    publish(&program, "before").await;
    let mut tail = program.command(&["tail", "--count", "1", "--json"]);
    let tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::spawn(tail.wait_with_output());
    let began = Instant::now();
    for nth in 0.. {
        if output.is_finished() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "tail prints nothing:\n{}", running.log());
        publish(&program, &format!("after-{nth}")).await;
    }
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(event["subject"].as_str().unwrap().starts_with("broadcast/after-"), "{event}");
}

#[tokio::test]
async fn send_says_what_is_wrong() {
    let program = program("");
    let cases = [
        (&["send", "nobody", "live-state"][..], "no account \"nobody\""),
        (&["send", "acme", "live"], "it has live-state"),
        (&["send", "acme", "live-state", "nonsense"], "there are"),
        (&["send", "acme", "live-state", "start"], "is it running with this configuration?"),
    ];
    for (arguments, sentence) in cases {
        let said = program.print(arguments).await.failed(1);
        assert!(said.contains(sentence), "{said}");
    }
}

#[tokio::test]
async fn a_delivery_goes_through_quarantine() {
    let mut program = program("");
    program.sections = ACCOUNTS.replace("\"kollus\"", "\"kollus\"\nservice_account = \"wrong\"");
    let running = program.run().await;
    assert!(program.print(&["quarantine", "list"]).await.done().contains("nothing is in quarantine"));
    let body = "service_account_key=acme&broadcast_key=b1&broadcast_state=start";
    std::fs::write(program.home.path().join("body"), body).unwrap();
    program.print(&["send", "acme", "live-state", "--body", "body"]).await.done();

    let list = program.print(&["quarantine", "list"]).await.done();
    assert!(list.contains("acme/live-state"), "{list}");
    let id = list.split_whitespace().next().unwrap();
    let json = program.print(&["quarantine", "list", "--json"]).await.done();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["deliveries"][0]["id"].to_string(), id);

    let shown = program.print(&["quarantine", "show", id]).await.done();
    assert!(shown.contains("reason: ") && shown.contains("broadcast_state=start"), "{shown}");
    let said = program.print(&["quarantine", "retry", id]).await.failed(1);
    assert!(said.contains("still cannot be understood"), "{said}");
    let said = program.print(&["quarantine", "show", "999"]).await.failed(1);
    assert!(said.contains("livehook quarantine list"), "{said}");

    assert!(running.ended_by("TERM").await.success());
    program.sections = ACCOUNTS.to_owned();
    let _running = program.run().await;
    let said = program.print(&["quarantine", "retry", id]).await.done();
    assert!(said.contains("broadcast.started"), "{said}");
    assert!(program.print(&["quarantine", "list"]).await.done().contains("nothing is in quarantine"));
}

#[tokio::test]
async fn without_a_bus_events_can_be_read_and_are_published_once_there_is_one() {
    let mut program = program("");
    let running = program.run().await;
    publish(&program, "b1").await;
    publish(&program, "b2").await;

    assert!(running.log().contains("NO BUS IS CONFIGURED"), "{}", running.log());
    let ready: Value = serde_json::from_str(&program.ask("/readyz").await).unwrap();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["reasons"][0]["component"], "bus");
    assert!(ready["reasons"][0]["reason"].as_str().unwrap().contains("no bus is configured"), "{ready}");
    let page: Value = serde_json::from_str(&program.ask("/api/v1/events?after=1").await).unwrap();
    assert_eq!(page["events"][0]["subject"], "broadcast/b2");
    let said = program.print(&["tail"]).await.failed(1);
    assert!(said.contains(&format!("http://{}/api/v1/events", program.admin)), "{said}");

    assert!(running.ended_by("TERM").await.success());
    let nats = Nats::start();
    program.sections = format!("[bus]\nservers = [\"{}\"]\n{ACCOUNTS}", nats.url());
    let running = program.run().await;
    let published = program.print(&["tail", "--all", "--count", "2", "--json"]).await.done();
    assert!(published.contains("broadcast/b1") && published.contains("broadcast/b2"), "{published}");
    drop(running);
}

#[tokio::test]
async fn events_can_be_followed_from_where_a_reader_stopped() {
    let program = program("");
    let _running = program.run().await;
    for id in ["b1", "b2", "b3"] {
        publish(&program, id).await;
    }
    let text = program.follow(1, |stream| stream.contains("broadcast/b3")).await;
    assert!(text.contains("id: 2\n") && text.contains("id: 3\n"), "{text}");
    assert!(!text.contains("broadcast/b1"), "{text}");
}

#[tokio::test]
async fn a_store_that_is_in_use_is_refused() {
    let first = program("");
    let running = first.run().await;
    let mut second = program("");
    let dir = first.home.path().join("data");
    second.sections = format!("[store]\ndir = {dir:?}\n{ACCOUNTS}");
    let said = second.print(&["run"]).await.failed(4);
    assert!(said.contains(dir.to_str().unwrap()) && said.contains("stop it first"), "{said}");
    assert!(tokio::net::TcpStream::connect(second.public).await.is_err(), "nothing listens");
    assert!(running.ended_by("TERM").await.success());
}

#[tokio::test]
async fn a_damaged_store_is_refused() {
    let program = program("");
    assert!(program.run().await.ended_by("TERM").await.success());
    std::fs::write(program.home.path().join("data/livehook.sqlite"), "rubbish").unwrap();
    let said = program.print(&["run"]).await.failed(4);
    assert!(said.contains("livehook.sqlite is damaged") && said.contains("restore a backup"), "{said}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = program("");
    let _running = first.run().await;
    let mut second = program("");
    second.public = first.public;
    let said = second.print(&["run"]).await.failed(1);
    assert!(said.contains("http.public_listen") && said.contains("choose another"), "{said}");
}

#[tokio::test]
async fn signals_drain_and_end_well() {
    let program = program("");
    for signal in ["TERM", "INT"] {
        let running = program.run().await;
        publish(&program, signal).await;
        let status = running.ended_by(signal).await;
        assert!(status.success(), "SIG{signal}: {status}");
    }
    let page: Value = {
        let _running = program.run().await;
        serde_json::from_str(&program.ask("/api/v1/events").await).unwrap()
    };
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn schema_prints_what_consumers_can_rely_on() {
    let program = program("");
    let printed = program.print(&["schema", "broadcast.started"]).await.done();
    let schema: Value = serde_json::from_str(&printed).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{schema}");
    let list = program.print(&["schema"]).await.done();
    assert!(list.lines().any(|line| line == "broadcast.started"), "{list}");
    let said = program.print(&["schema", "broadcast.exploded"]).await.failed(1);
    assert!(said.contains("livehook schema"), "{said}");
    let config: Value = serde_json::from_str(&program.print(&["schema", "--config"]).await.done()).unwrap();
    assert!(config["properties"]["accounts"].is_object());
}

#[tokio::test]
async fn the_demo_ends_by_itself_and_shows_every_platform() {
    let mut program = Program::new("", &[]);
    let binary = nats::binary().display().to_string();
    program.environment.insert("LIVEHOOK_NATS_SERVER".to_owned(), binary);
    let began = Instant::now();
    let said = program.print(&["demo"]).await.done();
    assert!(began.elapsed() < Duration::from_secs(60), "it took {:?}", began.elapsed());
    assert!(!said.contains('\x1b'), "no colours in a pipe: {said:?}");
    let events: Vec<_> = said.lines().filter(|line| line.contains("NATS  ")).collect();
    let told = |event_type: &str, account: &str| {
        events.iter().filter(|line| line.contains(event_type) && line.contains(account)).count()
    };
    for account in ["kollus/acme", "soop/games", "openfresh/fresh", "livedigital/meetings"] {
        // What callback and poll both tell is one event.
        assert_eq!(told("broadcast.started", account), 1, "{account}: {said}");
        assert_eq!(told("broadcast.ended", account), 1, "{account}: {said}");
    }
    assert!(said.contains("Requests that broke a limit of the platforms: 0."), "{said}");
}
