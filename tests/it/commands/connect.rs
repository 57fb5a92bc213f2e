//! `connect`: what an operator types, reads and is asked.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Instant,
};

use livehook::{
    ports::{Clock as _, SystemClock},
    simulators::{serve, soop},
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::support::{
    canaries::{self, canary},
    program::{PATIENCE, Printed, Program},
    remains::record,
};

const OWNER: &str = "soop1234";

/// A SOOP, and a livehook that may read of it.
struct Games {
    world: Arc<Mutex<soop::World>>,
    program: Program,
    _server: serve::Server,
}

impl Games {
    async fn open() -> Self {
        let options = soop::Options { begins_at: SystemClock.now(), ..canaries::soop() };
        let secret = options.client_secret.clone();
        let world = Arc::new(Mutex::new(soop::World::new(options)));
        let server = serve::serve(Arc::clone(&world), 0, || SystemClock.now()).await.unwrap();
        let account = |name: &str, credential: &str| {
            format!(
                "[accounts.{name}]\nplatform = \"soop\"\nclient_id = \"client-id\"\nbase_url = \"{}\"\n\
                 allow_unknown_hosts = true\n{credential}\n",
                server.url()
            )
        };
        let sections = [
            "[vault]\nkey = { env = \"VAULT\" }\n".to_owned(),
            account("games", "client_secret = { env = \"SECRET\" }\npoll.station = {}"),
            account("fixed", "token = { env = \"TOKEN\" }\npoll.station = {}"),
            account("lists", "poll.broadcasts = {}"),
        ];
        let program = Program::new(
            &sections.concat(),
            &[
                ("VAULT", canary("connect-vault-key")),
                ("SECRET", &secret),
                ("TOKEN", canary("connect-fixed-token")),
            ],
        );
        Self { world, program, _server: server }
    }

    /// Runs `connect` with lines typed in.
    async fn typing(&self, arguments: &[&str], lines: &str) -> Printed {
        let mut command = self.program.command(&[&["connect"], arguments].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).await.unwrap();
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let printed =
            Printed { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        record(&format!("{printed:?}"));
        printed
    }

    fn number(&self) -> String {
        self.world.lock().unwrap().certification_number(OWNER).unwrap()
    }
}

impl Printed {
    /// Failed after a question, which stands before the reason.
    #[track_caller]
    fn asked(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.stderr.contains("livehook: "), "{self:?}");
        self.stderr
    }
}

#[tokio::test]
async fn with_a_number_an_account_is_connected_after_a_yes() {
    let games = Games::open().await;
    let _running = games.program.run().await;
    let said = games.program.print(&["connect"]).await.done();
    assert!(said.contains("soop/games: not connected") && said.contains("needs you: "), "{said}");

    let said = games.typing(&["games", "--number"], &format!("{}\nn\n", games.number())).await.asked();
    assert!(said.contains(&format!("Link SOOP account {OWNER} to games? [y/N]")), "{said}");
    assert!(said.contains("nothing was connected"), "{said}");
    for (typed, why) in
        [("12345\n", "exactly six digits"), ("123456\n", "the platform refused"), ("", "typed in")]
    {
        let said = games.typing(&["games", "--number"], typed).await.asked();
        assert!(said.contains(why) && said.contains("certification number"), "{said}");
    }

    let number = games.number();
    let connected = games.typing(&["games", "--number"], &format!("{number}\ny\n")).await;
    assert!(!connected.stderr.contains(&number), "{connected:?}");
    assert!(connected.done().starts_with(&format!("soop/games: connected as {OWNER}")));
    let json: Value =
        serde_json::from_str(&games.program.print(&["connect", "--json"]).await.done()).unwrap();
    let credentials = json["credentials"].as_array().unwrap();
    let of = |name: &str| credentials.iter().find(|it| it["account"] == name).unwrap();
    assert_eq!((&of("games")["identity"], &of("fixed")["kind"]), (&OWNER.into(), &"personal".into()));
}

#[tokio::test]
async fn it_prints_an_address_and_waits_until_somebody_was_there() {
    let games = Games::open().await;
    let _running = games.program.run().await;
    let mut command = games.program.command(&["connect", "games", "--json"]);
    let mut waiting = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines();
    let begun: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let url = begun["url"].as_str().unwrap();
    assert!(url.starts_with("https://hooks.example.com/oauth/games/begin?ticket="), "{url}");
    assert!(begun["expires_at"].as_str().unwrap() > SystemClock.now().to_string().as_str(), "{begun}");
    // However it is connected meanwhile.
    games.typing(&["games", "--number"], &format!("{}\ny\n", games.number())).await.done();
    let connected: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!((&connected["identity"], &connected["state"]), (&OWNER.into(), &"connected".into()));
    assert!(tokio::time::timeout(PATIENCE, waiting.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn it_says_what_is_in_the_way() {
    let games = Games::open().await;
    let began = Instant::now();
    for arguments in [&["connect"][..], &["connect", "games"], &["connect", "games", "--number"]] {
        let said = games.program.print(arguments).await.failed(1);
        assert!(said.contains("livehook does not answer at http://127.0.0.1:"), "{said}");
        assert!(said.contains("is it running"), "{said}");
    }
    assert!(began.elapsed() < PATIENCE);
    for (account, why) in [("nobody", "no account \"nobody\""), ("lists", "needs no access, or lacks")] {
        let said = games.program.print(&["connect", account]).await.failed(1);
        assert!(said.contains(why), "{said}");
    }
    let _running = games.program.run().await;
    let said = games.program.print(&["connect", "fixed"]).await.failed(1);
    assert!(said.contains("replace accounts.fixed.token by client_id and client_secret"), "{said}");
    games.program.print(&["connect", "--number"]).await.failed(2);
}

#[tokio::test]
async fn check_says_how_access_is_obtained_and_what_to_register() {
    let games = Games::open().await;
    let said = games.program.print(&["check", "--offline"]).await.done();
    for words in [
        "access: games (SOOP): connect it with `livehook connect games` once livehook runs",
        "https://hooks.example.com/oauth/games/callback",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("access: fixed") && !said.contains("access: lists"), "{said}");
}
