//! The real binary, as an operator runs it: a configuration file, a process, signals.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{canaries::canary, load::PUBLIC_HOST, remains::record_admin};

/// The accounts of the configuration, with their platforms.
const ACCOUNTS: [(&str, &str); 3] = [("acme", "kollus"), ("space-1", "livedigital"), ("loop", "loopback")];
/// Key of the signature on livedigital's webhook.
pub const WEBHOOK_SECRET: &str = canary("service-webhook-secret");

/// How long a start may take: far more than it takes, so that only a hang fails.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What differs between tests; everything else in the configuration is fixed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where configuration, log and, unless `store_dir` says otherwise, the store are kept.
    pub home: PathBuf,
    /// The store's directory.
    pub store_dir: PathBuf,
    /// Further lines of the section `[store]`.
    pub store: String,
    /// The section `[bus]` with its subsections; empty for no bus.
    pub bus: String,
    /// Further lines of the section of the account `acme`.
    pub acme: String,
}

impl Setup {
    /// A service below `home` that publishes to the server at `nats_url`.
    pub fn new(home: &Path, nats_url: &str) -> Self {
        Self {
            home: home.to_owned(),
            store_dir: home.join("data"),
            store: String::new(),
            bus: format!("[bus]\nservers = [\"{nats_url}\"]\n"),
            acme: String::new(),
        }
    }

    /// Lets players of the account `acme` ask; those that no service answers get this.
    pub fn asking(mut self, on_no_answer: &str) -> Self {
        self.acme = format!(
            "security_key = {{ env = \"IT_SECURITY_KEY\" }}\nuser_key = {{ env = \"IT_USER_KEY\" }}\n\
             on_no_answer = \"{on_no_answer}\"\n"
        );
        self
    }
}

/// One livehook: its files, its ports and, while it runs, its process. Killed when dropped.
#[derive(Debug)]
pub struct Service {
    /// The configuration's variable parts; written to disk again at each start.
    pub setup: Setup,
    /// Where platforms deliver.
    pub public: SocketAddr,
    /// Where operators look.
    pub admin: SocketAddr,
    child: Option<Child>,
}

impl Service {
    /// Chooses ports; starts nothing.
    pub fn new(setup: Setup) -> Self {
        Self { setup, public: free_address(), admin: free_address(), child: None }
    }

    /// Starts the process and waits until it accepts callbacks.
    pub async fn start(&mut self) {
        if let Err(why) = self.try_start().await {
            panic!("{why}");
        }
    }

    /// Starts the process and waits until it accepts callbacks; `Err` says why it does not.
    pub async fn try_start(&mut self) -> Result<(), String> {
        self.spawn();
        let began = Instant::now();
        while self.get("/readyz").await != Some(200) {
            if let Some(status) = self.exited() {
                self.child = None;
                return Err(format!("livehook ended with {status} at its start:\n{}", self.log_tail()));
            }
            if began.elapsed() > START_TIMEOUT {
                return Err(format!("livehook is not ready after {START_TIMEOUT:?}:\n{}", self.log_tail()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Starts the process and does not wait for anything.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let config = self.write_config();
        let log = self.open_log();
        let child = Command::new(env!("CARGO_BIN_EXE_livehook"))
            .args(["run", "--config"])
            .arg(config)
            .current_dir(&self.setup.home)
            .envs(ACCOUNTS.map(|(account, platform)| (token_variable(platform), url_token(account))))
            .env("IT_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("IT_SECURITY_KEY", canary("questions-security-key"))
            .env("IT_USER_KEY", "EXAMPLE_CUSTOM_KEY")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the livehook binary was built");
        self.child = Some(child);
    }

    /// Ends the process without any chance to tidy up, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a killed child ends");
        }
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("kill can be run").success(), "the signal was not sent");
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                self.child = None;
                return status;
            }
            assert!(began.elapsed() < within, "livehook still runs after {within:?}:\n{}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Drains and ends, as at a deployment.
    pub async fn stop(&mut self) {
        record_admin(self.admin);
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(30)).await;
        assert!(status.success(), "livehook ended with {status}:\n{}", self.log_tail());
    }

    /// The process id; it must be running.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("livehook runs").id()
    }

    /// The path of a callback URL.
    pub fn callback(&self, account: &str, callback: &str) -> String {
        format!("/callbacks/{account}/{}/{callback}", url_token(account))
    }

    /// The status of a `GET` on the admin listener; `None` when nobody answers.
    pub async fn get(&self, path: &str) -> Option<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin);
        let mut socket = TcpStream::connect(self.admin).await.ok()?;
        socket.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.ok()?;
        std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
    }

    /// The end of what it printed, over all its lives.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.setup.home.join("livehook.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().expect("a child can be asked")
    }

    fn open_log(&self) -> File {
        let path = self.setup.home.join("livehook.log");
        OpenOptions::new().create(true).append(true).open(path).expect("the test's directory is writable")
    }

    fn write_config(&self) -> PathBuf {
        let Setup { home, store_dir, store, bus, acme } = &self.setup;
        let mut text = format!(
            "[http]\npublic_listen = \"{}\"\nadmin_listen = \"{}\"\npublic_url = \"https://{PUBLIC_HOST}\"\n\n\
             [store]\ndir = {store_dir:?}\n{store}\n\n{bus}",
            self.public, self.admin
        );
        for (account, platform) in ACCOUNTS {
            let variable = token_variable(platform);
            write!(
                text,
                "[accounts.{account}]\nplatform = \"{platform}\"\ncallback_tokens = [{{ env = \"{variable}\" }}]\n"
            )
            .expect("a string takes everything");
            match platform {
                "livedigital" => text.push_str("webhook_secret = { env = \"IT_WEBHOOK_SECRET\" }\n"),
                "kollus" => text.push_str(acme),
                _ => {}
            }
        }
        let path = home.join("livehook.toml");
        fs::write(&path, text).expect("the test's directory is writable");
        path
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.child.is_some() {
            record_admin(self.admin);
        }
        self.kill();
    }
}

/// The secret part of an account's callback URLs.
fn url_token(account: &str) -> &'static str {
    match account {
        "acme" => canary("service-acme-token"),
        "space-1" => canary("service-space-token"),
        "loop" => canary("service-loop-token"),
        _ => panic!("the configuration has no account {account}"),
    }
}

/// The variable of the environment that holds it.
fn token_variable(platform: &str) -> String {
    format!("IT_URL_TOKEN_{}", platform.to_ascii_uppercase())
}

/// An address on the loopback interface that nobody uses at the moment.
pub fn free_address() -> SocketAddr {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has free ports");
    listener.local_addr().expect("a bound socket has an address")
}
