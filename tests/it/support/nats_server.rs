//! A real nats-server on a free port that tests may kill, wipe and set back.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{rig::setting, service::free_address};

/// A server, its files and, while it runs, its process. Killed when dropped.
#[derive(Debug)]
pub struct NatsServer {
    home: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl NatsServer {
    /// A server below `home`; starts nothing.
    pub fn new(home: &Path) -> Self {
        let server = Self { home: home.join("nats"), address: free_address(), child: None };
        fs::create_dir_all(&server.home).expect("the test's directory is writable");
        server.configure("", "");
        server
    }

    /// Where clients connect, without credentials.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Where clients connect, as this user.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("nats://{user}:{password}@{}", self.address)
    }

    /// Writes its configuration: further keys of `jetstream`, further sections. Read at the next start.
    pub fn configure(&self, jetstream: &str, sections: &str) {
        let text = format!(
            "listen: \"{}\"\njetstream {{\n  store_dir: {:?}\n  {jetstream}\n}}\n{sections}\n",
            self.address,
            self.store_dir()
        );
        fs::write(self.config(), text).expect("the test's directory is writable");
    }

    /// Starts the process and waits until it greets clients.
    pub async fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = self.home.join("nats.log");
        let child = Command::new(binary())
            .arg("--config")
            .arg(self.config())
            .arg("--log")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is there: `make test` gets it, LIVEHOOK_NATS_SERVER names another");
        self.child = Some(child);
        let began = Instant::now();
        while !self.greets().await {
            let waited = began.elapsed();
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(
                waited < Duration::from_secs(20),
                "nats-server is not there after {waited:?}:\n{}",
                said()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the process without any chance to tidy up.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a killed child ends");
        }
    }

    /// Lets the process end in order, so that its files can be copied.
    pub fn stop(&mut self) {
        self.signal("TERM");
        self.child.take().expect("it runs").wait().expect("it ends");
    }

    /// Reads the configuration again, without a restart.
    pub fn reload(&self) {
        self.signal("HUP");
    }

    /// Forgets everything it stored. It must not run.
    pub fn wipe(&self) {
        assert!(self.child.is_none(), "it still runs");
        remove(&self.store_dir());
    }

    /// Keeps a copy of everything it stored. It must not run.
    pub fn save(&self) {
        assert!(self.child.is_none(), "it still runs");
        copy(&self.store_dir(), &self.home.join("saved"));
    }

    /// Goes back to the copy. It must not run.
    pub fn set_back(&self) {
        self.wipe();
        copy(&self.home.join("saved"), &self.store_dir());
    }

    /// The process id; it must be running.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("nats-server runs").id()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("kill can be run").success(), "the signal was not sent");
    }

    async fn greets(&self) -> bool {
        let Ok(mut socket) = TcpStream::connect(self.address).await else { return false };
        let mut greeting = [0; 4];
        socket.read_exact(&mut greeting).await.is_ok() && &greeting == b"INFO"
    }

    fn store_dir(&self) -> PathBuf {
        self.home.join("store")
    }

    fn config(&self) -> PathBuf {
        self.home.join("nats.conf")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server that the gate found, else the one on `PATH`.
pub fn binary() -> String {
    setting("LIVEHOOK_NATS_SERVER").unwrap_or_else(|| "nats-server".to_owned())
}

fn remove(dir: &Path) {
    if let Err(error) = fs::remove_dir_all(dir) {
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{dir:?}: {error}");
    }
}

fn copy(from: &Path, to: &Path) {
    remove(to);
    let copied = Command::new("cp").arg("-R").args([from, to]).status();
    assert!(copied.expect("cp can be run").success(), "{from:?} was not copied");
}
