//! The program as an operator uses it: a configuration file, an environment, commands and their output.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use super::remains::{TempDir, record, record_admin, remains, tempdir};

/// The name that platforms know.
pub const PUBLIC_HOST: &str = "hooks.example.com";

/// Nothing that a test waits for takes longer, unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration, the environment it needs, and the directory they are used in.
pub struct Program {
    pub home: TempDir,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    /// The sections `[bus]`, `[log]` and the accounts.
    pub sections: String,
    /// All that the program finds in its environment.
    pub environment: BTreeMap<String, String>,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Printed {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// With free ports and a directory of its own.
    pub fn new(sections: &str, environment: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            home: tempdir(),
            public: free_address(),
            admin: free_address(),
            sections: sections.to_owned(),
            environment: environment.iter().map(owned).collect(),
        }
    }

    /// Path of the configuration file; written anew for each command.
    pub fn config(&self) -> PathBuf {
        self.home.path().join("livehook.toml")
    }

    fn write_config(&self) {
        let text = format!(
            "[http]\npublic_listen = \"{}\"\nadmin_listen = \"{}\"\npublic_url = \"https://{PUBLIC_HOST}\"\ndrain_seconds = 0\n\n{}",
            self.public, self.admin, self.sections
        );
        // A command that was started before may be reading it.
        let draft = self.config().with_extension("draft");
        fs::write(&draft, text).unwrap();
        fs::rename(&draft, self.config()).unwrap();
    }

    /// A command in the home directory, with this configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.write_config();
        let mut command = Command::new(env!("CARGO_BIN_EXE_livehook"));
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .envs(&self.environment)
            .env("LIVEHOOK_CONFIG", self.config())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn print(&self, arguments: &[&str]) -> Printed {
        let output = tokio::time::timeout(PATIENCE, self.command(arguments).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
        let printed = Printed {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        record(&format!("{}\n{}", printed.stdout, printed.stderr));
        printed
    }

    /// Runs the service; returns when it is ready.
    pub async fn run(&self) -> Running {
        let path = self.home.path().join("log");
        let log = File::options().create(true).append(true).open(&path).unwrap();
        let command = &mut self.command(&["run"]);
        if remains().is_some() && !self.sections.contains("[log]") {
            command.env("LIVEHOOK_LOG__FILTER", "debug");
        }
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut running = Running { child, log: path, admin: self.admin };
        let began = Instant::now();
        while !running.is_ready().await {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < PATIENCE, "it is not ready:\n{}", running.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        running
    }

    /// The answer of the admin listener to a `GET`.
    pub async fn ask(&self, target: &str) -> String {
        let answer = client().get(format!("http://{}{target}", self.admin)).send().await.unwrap();
        let answer = answer.text().await.unwrap();
        record(&answer);
        answer
    }

    /// The event stream behind the event with this number, read until it holds enough.
    pub async fn follow(&self, after: u64, is_enough: impl Fn(&str) -> bool) -> String {
        let request = client().get(format!("http://{}/api/v1/events", self.admin));
        let request = request.header("accept", "text/event-stream").header("last-event-id", after);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if is_enough(&text) {
                record(&text);
                return text.into_owned();
            }
            let piece = tokio::time::timeout(PATIENCE, response.chunk()).await.expect("more comes").unwrap();
            bytes.extend_from_slice(&piece.expect("the stream goes on"));
        }
    }
}

/// `run`, while it runs; killed when dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
    admin: SocketAddr,
}

impl Running {
    async fn is_ready(&self) -> bool {
        let answer = client().get(format!("http://{}/readyz", self.admin)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// Everything it printed, in this life and earlier ones.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a signal by name and waits for the end.
    pub async fn ended_by(mut self, signal: &str) -> ExitStatus {
        record_admin(self.admin);
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().await.unwrap();
        assert!(sent.success());
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        record_admin(self.admin);
    }
}

/// An HTTP client for tests.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap()
}

/// The file below the project's root.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
