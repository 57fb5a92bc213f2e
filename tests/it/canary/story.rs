//! What happens while nobody looks: good, bad, forged and malformed deliveries, wrong commands, a bus that
//! refuses the login.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use livehook::platform::signature::sign_hmac_sha256;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::search::Haystack;
use crate::support::{
    nats::Nats,
    program::{PATIENCE, PUBLIC_HOST, Program, client},
};

/// A value that nothing else contains.
pub struct Secret {
    pub what: &'static str,
    pub value: String,
    /// Platforms put it into bodies, which are kept as they came.
    pub is_in_bodies: bool,
}

/// The secrets, and everything that was written, answered, published or printed.
pub struct Story {
    pub secrets: Vec<Secret>,
    pub haystack: Haystack,
    pub database: Haystack,
    program: Program,
}

const ACCOUNTS: &str = r#"
[log]
filter = "debug"
[accounts.acme]
platform = "kollus"
callback_tokens = [{ env = "ACME_TOKEN" }, { env = "ACME_OLD_TOKEN" }]
[accounts.talks]
platform = "livedigital"
callback_tokens = [{ env = "TALKS_TOKEN" }]
webhook_secret = { env = "TALKS_SECRET" }
[accounts.loop]
platform = "loopback"
callback_tokens = [{ env = "LOOP_TOKEN" }]
"#;

impl Story {
    /// Tells it from the beginning to the end.
    pub async fn told() -> Self {
        let mut secrets = Secrets::default();
        let password = secrets.elsewhere("the password of the bus");
        let nats = Nats::start_with(&format!("authorization {{ user: livehook, password: \"{password}\" }}"));
        let bus = |variable| {
            format!(
                "[bus]\nservers = [\"{}\"]\nuser = \"livehook\"\npassword = {{ env = \"{variable}\" }}\n",
                nats.url()
            )
        };
        let variables = [
            ("ACME_TOKEN", secrets.elsewhere("a callback token")),
            ("ACME_OLD_TOKEN", secrets.elsewhere("a callback token that is replaced")),
            ("TALKS_TOKEN", secrets.elsewhere("a callback token of a signing platform")),
            ("LOOP_TOKEN", secrets.elsewhere("a callback token of loopback")),
            ("TALKS_SECRET", secrets.elsewhere("the webhook's secret")),
            ("BUS_PASSWORD", password.clone()),
            ("WRONG_PASSWORD", secrets.elsewhere("a password that the bus refuses")),
        ];
        let environment = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let program = Program::new(&format!("{}{ACCOUNTS}", bus("BUS_PASSWORD")), &environment);
        let mut story = Self {
            secrets: Vec::new(),
            haystack: Haystack::default(),
            database: Haystack::default(),
            program,
        };

        let running = story.program.run().await;
        story.deliver(&mut secrets).await;
        story.break_off(&mut secrets).await;
        story.look(&nats, &password).await;
        story.command(&mut secrets).await;
        story.haystack.add("log", &running.log());
        assert!(running.ended_by("TERM").await.success());

        story.program.sections = format!("{}{ACCOUNTS}", bus("WRONG_PASSWORD"));
        std::fs::remove_file(story.program.home.path().join("log")).unwrap();
        let running = story.program.run().await;
        let began = Instant::now();
        while !running.log().to_lowercase().contains("authorization") && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        story.haystack.add("log without bus", &running.log());
        story.haystack.add("readiness", &story.program.ask("/readyz").await);
        story.print(&["check"]).await;
        story.print(&["tail", "--count", "1"]).await;
        drop(running);

        for file in ["livehook.sqlite", "livehook.sqlite-wal"] {
            let bytes = std::fs::read(story.program.home.path().join("data").join(file)).unwrap_or_default();
            story.database.add("database", &String::from_utf8_lossy(&bytes));
        }
        story.secrets = secrets.0;
        story
    }

    /// Every way of a delivery.
    async fn deliver(&mut self, secrets: &mut Secrets) {
        let form = "application/x-www-form-urlencoded";
        let token = |name: &str, program: &Program| program.environment[name].clone();
        let (acme, old) = (token("ACME_TOKEN", &self.program), token("ACME_OLD_TOKEN", &self.program));
        let (talks, looped) = (token("TALKS_TOKEN", &self.program), token("LOOP_TOKEN", &self.program));
        let start = "service_account_key=acme&broadcast_key=b1&broadcast_state=start";

        // Understood.
        let body = format!("{start}&stream_key={}", secrets.in_body("a stream key"));
        for url_token in [&acme, &old] {
            self.post(&format!("acme/{url_token}/live-state"), form, body.as_bytes()).await;
        }
        let odd = [
            ("stream%5Fkey", "a stream key behind an encoded name"),
            ("STREAM_KEY", "a stream key behind a name in capitals"),
            (" stream_key ", "a stream key behind a name with spaces"),
        ];
        for (nth, (name, what)) in odd.into_iter().enumerate() {
            let body =
                format!("broadcast_key=odd{nth}&broadcast_state=start&{name}={}", secrets.in_body(what));
            self.post(&format!("acme/{acme}/live-state"), form, body.as_bytes()).await;
        }
        let body = format!(
            "recording_file_id=r1&recording_file_transfer_result=1&broadcast_key=b1&stream_key={}",
            secrets.in_body("a stream key in a recording's form")
        );
        self.post(&format!("acme/{acme}/live-recording"), form, body.as_bytes()).await;
        let body =
            format!("what=ever&stream_key={}", secrets.in_body("a stream key in an undocumented form"));
        self.post(&format!("acme/{acme}/vod-drop-off"), form, body.as_bytes()).await;

        // Not understood.
        let bad = [
            ("broadcast_state=start&stream_key=", "a stream key without a broadcast"),
            ("%ff%fe=1&stream_key=", "a stream key among bytes of no charset"),
            (
                "service_account_key=other&broadcast_key=b&broadcast_state=start&stream_key=",
                "another account's stream key",
            ),
            ("stream%5fkey=", "a stream key behind an encoded name, alone"),
            ("{\"broadcast_state\":\"start\",\"stream_key\":\"", "a stream key in JSON"),
            (
                "broadcast_key=b&broadcast_key=c&broadcast_state=start&stream_key=",
                "a stream key beside a repeated field",
            ),
        ];
        for (before, what) in bad {
            let body = format!("{before}{}", secrets.in_body(what));
            self.post(&format!("acme/{acme}/live-state"), form, body.as_bytes()).await;
        }
        self.post(&format!("loop/{looped}/event"), "application/json", b"{\"noun\":").await;

        // Signed, well and badly.
        let event = r#"{"eventName":"call_started","roomId":"room-1","spaceId":"talks"}"#;
        let good = sign_hmac_sha256(&token("TALKS_SECRET", &self.program).into(), event.as_bytes());
        let forged = secrets.elsewhere("a forged signature");
        for signature in [good, forged] {
            let body = format!(r#"{{"signature":"{signature}","body":{event}}}"#);
            self.post(&format!("talks/{talks}/webhook"), "application/json", body.as_bytes()).await;
        }
        let body = secrets.elsewhere("a body that nobody signed");
        self.post(&format!("talks/{talks}/webhook"), "application/json", body.as_bytes()).await;

        // To nobody.
        let guess = secrets.elsewhere("a guessed callback token");
        for path in [
            format!("acme/{guess}/live-state"),
            format!("nobody/{acme}/live-state"),
            format!("acme/{acme}/nothing"),
            format!("talks/{acme}/webhook"),
        ] {
            self.post(&path, form, start.as_bytes()).await;
        }
        // Too long.
        let body = secrets.elsewhere("a body that is too long").repeat(200_000);
        self.post(&format!("acme/{acme}/live-state"), form, body.as_bytes()).await;
    }

    async fn post(&mut self, path: &str, content_type: &str, body: &[u8]) {
        let request = client()
            .post(format!("http://{}/callbacks/{path}", self.program.public))
            .header("host", PUBLIC_HOST)
            .header("content-type", content_type)
            .body(body.to_vec());
        // Who sends too much may be cut off before the answer.
        if let Ok(response) = request.send().await {
            let head = format!("{} {:?}", response.status(), response.headers());
            self.haystack.add("answers", &head);
            self.haystack.add("answers", &response.text().await.unwrap());
        }
    }

    /// Heads that carry secrets, and bodies that break off: what no HTTP client sends.
    async fn break_off(&mut self, secrets: &mut Secrets) {
        let acme = self.program.environment["ACME_TOKEN"].clone();
        let (login, cookie) = (secrets.elsewhere("an Authorization header"), secrets.elsewhere("a cookie"));
        let (query, host) = (secrets.elsewhere("a query"), secrets.elsewhere("a host name"));
        let heads = [
            format!(
                "POST /callbacks/acme/{acme}/live-state?key={query} HTTP/1.1\r\nHost: {PUBLIC_HOST}\r\nAuthorization: Bearer {login}\r\nCookie: session={cookie}\r\nContent-Length: 500\r\n\r\nbroadcast"
            ),
            format!(
                "POST /callbacks/acme/{acme}/live-state HTTP/1.1\r\nHost: {host}.example\r\nContent-Length: 0\r\n\r\n"
            ),
            format!(
                "POST /callbacks/acme/{acme}/live-state HTTP/1.1\r\nHost: {PUBLIC_HOST}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{login}"
            ),
            format!("BREW /callbacks/acme/{acme}/live-state HTTP/1.1\r\nHost: {PUBLIC_HOST}\r\n\r\n"),
            format!(
                "POST /callbacks/acme/{acme}/live-state HTTP/1.1\r\nHost: {PUBLIC_HOST}\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n{cookie}"
            ),
            format!("GET /{acme} HTTP/9.9\r\nno header {cookie}\r\n\r\n"),
        ];
        for head in heads {
            let mut socket = TcpStream::connect(self.program.public).await.unwrap();
            socket.write_all(head.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
            let mut answer = Vec::new();
            let _ = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
            self.haystack.add("answers", &String::from_utf8_lossy(&answer));
        }
    }

    /// All that operators and consumers can look at.
    async fn look(&mut self, nats: &Nats, password: &str) {
        let events = self.program.ask("/api/v1/events?limit=1000").await;
        let count = events.matches("specversion").count();
        self.haystack.add("events", &events);
        self.haystack.add("metrics", &self.program.ask("/metrics").await);
        self.haystack.add("readiness", &self.program.ask("/readyz").await);
        for wrong in ["/api/v1/events?after=x", "/api/v1/quarantine/x", "/nothing"] {
            self.haystack.add("answers", &self.program.ask(wrong).await);
        }

        let stream = self.program.follow(0, |stream| stream.matches("specversion").count() >= count).await;
        self.haystack.add("event stream", &stream);

        let list = self.program.ask("/api/v1/quarantine").await;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let deliveries = list["deliveries"].as_array().unwrap();
        assert!(deliveries.len() >= 7, "{list}");
        for delivery in deliveries {
            let path = format!("/api/v1/quarantine/{}", delivery["id"]);
            self.haystack.add("quarantine", &self.program.ask(&path).await);
            let retry = client().post(format!("http://{}{path}/retry", self.program.admin));
            self.haystack.add("answers", &retry.send().await.unwrap().text().await.unwrap());
        }
        self.haystack.add("quarantine", &list.to_string());

        let options = async_nats::ConnectOptions::with_user_and_password("livehook".into(), password.into());
        let jetstream = async_nats::jetstream::new(options.connect(nats.url()).await.unwrap());
        let stream = jetstream.get_stream("LIVE").await.unwrap();
        let everything = async_nats::jetstream::consumer::pull::OrderedConfig::default();
        let mut messages = stream.create_consumer(everything).await.unwrap().messages().await.unwrap();
        for _ in 0..count {
            let message = tokio::time::timeout(PATIENCE, messages.next()).await.unwrap().unwrap().unwrap();
            self.haystack.add("bus", &message.subject);
            for (name, values) in message.headers.iter().flat_map(|headers| headers.iter()) {
                self.haystack.add("bus", &format!("{name}: {values:?}"));
            }
            self.haystack.add("bus", &String::from_utf8_lossy(&message.payload));
        }
    }

    /// Commands that do well and commands that do not.
    async fn command(&mut self, secrets: &mut Secrets) {
        let id = self.program.ask("/api/v1/quarantine").await;
        let id = serde_json::from_str::<serde_json::Value>(&id).unwrap()["deliveries"][0]["id"].to_string();
        for arguments in [
            &["check"][..],
            &["check", "--json"],
            &["run"],
            &["tail", "--all", "--count", "5"],
            &["tail", "--all", "--count", "5", "--json"],
            &["quarantine", "list"],
            &["quarantine", "show", &id],
            &["quarantine", "retry", &id],
            &["send", "acme", "live-state", "start"],
            &["send", "acme", "nothing"],
            &["send", "talks", "webhook"],
        ] {
            self.print(arguments).await;
        }

        // Secrets where they do not belong.
        let literal = secrets.elsewhere("a secret written into the configuration");
        let sections = self.program.sections.clone();
        for wrong in [
            format!("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [\"{literal}\"]\n"),
            format!(
                "[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{{ env = \"ACME_TOKEN\", value = \"{literal}\" }}]\n"
            ),
            format!(
                "[bus]\nservers = [\"nats://127.0.0.1\"]\nuser = \"u\"\npassword = \"{literal}\"\n{ACCOUNTS}"
            ),
            format!("[bus]\nservers = [\"nats://u:{literal}@127.0.0.1\"]\n{ACCOUNTS}"),
            format!("[bus]\nservers = [\"u:{literal}@127.0.0.1\"]\n{ACCOUNTS}"),
            format!("[bus]\nservers = [\"nats://u:{literal}@127.0.0.1:port\"]\n{ACCOUNTS}"),
            format!("[bus]\npassword = \"{literal}\n{ACCOUNTS}"),
        ] {
            self.program.sections = wrong;
            for arguments in [&["check", "--offline"][..], &["check", "--json"], &["run"]] {
                self.print(arguments).await;
            }
        }
        self.program.sections = sections;
        for variable in ["ACME_TOKEN", "TALKS_SECRET"] {
            let odd = secrets.elsewhere("a secret with a space") + " ";
            let right = self.program.environment.insert(variable.to_owned(), odd).unwrap();
            self.print(&["check", "--offline"]).await;
            self.program.environment.insert(variable.to_owned(), right);
        }
        let override_ = secrets.elsewhere("a secret in an overriding variable");
        self.program.environment.insert("LIVEHOOK_BUS__PASSWORD".to_owned(), override_);
        self.print(&["check", "--offline"]).await;
        self.program.environment.remove("LIVEHOOK_BUS__PASSWORD");
    }

    async fn print(&mut self, arguments: &[&str]) {
        let printed = self.program.print(arguments).await;
        self.haystack.add("commands", &format!("{} {printed:?}", arguments.join(" ")));
    }
}

/// Draws secrets and remembers them.
#[derive(Default)]
pub struct Secrets(pub Vec<Secret>);

impl Secrets {
    /// One that is kept nowhere.
    pub fn elsewhere(&mut self, what: &'static str) -> String {
        self.draw(what, false)
    }

    /// One that a delivery carries that is kept.
    fn in_body(&mut self, what: &'static str) -> String {
        self.draw(what, true)
    }

    /// A key of 64 hexadecimal digits.
    pub fn hexadecimal(&mut self, what: &'static str) -> String {
        use sha2::{Digest as _, Sha256};
        let value = hex::encode(Sha256::digest(format!("canary {} {what}", self.0.len())));
        self.list(what, &value);
        value
    }

    /// One that somebody else made.
    pub fn list(&mut self, what: &'static str, value: &str) {
        self.0.push(Secret { what, value: value.to_owned(), is_in_bodies: false });
    }

    /// Letters and digits from end to end, so that the two halves of no two secrets are alike.
    fn draw(&mut self, what: &'static str, is_in_bodies: bool) -> String {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(format!("canary {} {what}", self.0.len()));
        let value: String = digest
            .iter()
            .map(|byte| char::from(b"ghijklmnopqrstuvwxyzGHIJKLMNOPQR"[usize::from(byte % 32)]))
            .collect();
        self.0.push(Secret { what, value: value.clone(), is_in_bodies });
        value
    }
}
