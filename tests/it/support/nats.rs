//! Real nats-server children: each test has its own, on a free port, with its own data.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use livehook::ports::bus::BusOptions;

use super::remains::{TempDir, tempdir};

/// A server, running or not; its data stays until it is dropped, when it is killed.
pub struct Nats {
    dir: TempDir,
    port: u16,
    environment: Vec<(&'static str, String)>,
    child: Option<Child>,
}

/// The program: `LIVEHOOK_NATS_SERVER`, else PATH, else where `deploy/get-nats-server.sh` keeps it.
#[expect(clippy::disallowed_methods, reason = "no configuration tells a test where the server is")]
pub fn binary() -> PathBuf {
    let named = std::env::var_os("LIVEHOOK_NATS_SERVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/nats-server/nats-server");
    named.into_iter().chain(on_path).chain([fetched]).find(|binary| binary.is_file()).expect(
        "no nats-server: run the tests by `make test`, which gets one, or name one in LIVEHOOK_NATS_SERVER",
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nats {
    /// A server with JetStream and nothing else; it accepts connections when this returns.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with more lines of configuration.
    pub fn start_with(configuration: &str) -> Self {
        let mut nats = Self::new();
        nats.configure(configuration);
        nats.restart();
        nats
    }

    /// A server with a configuration file of the project, but on a port and with data of its own.
    pub fn start_from(file: &Path, environment: Vec<(&'static str, String)>) -> Self {
        let mut nats = Self::new();
        let mut text = fs::read_to_string(file).unwrap();
        for (from, to) in [
            ("\"127.0.0.1:4222\"", format!("\"127.0.0.1:{}\"", nats.port)),
            ("\"127.0.0.1:8222\"", format!("\"127.0.0.1:{}\"", free_port())),
            ("\"/var/lib/nats/jetstream\"", format!("{:?}", nats.data())),
            ("max_file_store: 50GB", "max_file_store: 1GB".to_owned()),
        ] {
            assert!(text.matches(from).count() >= 1, "{from} is not in {}", file.display());
            text = text.replace(from, &to);
        }
        fs::write(nats.file(), text).unwrap();
        nats.environment = environment;
        nats.restart();
        nats
    }

    /// Not running yet.
    pub fn new() -> Self {
        let nats = Self { dir: tempdir(), port: free_port(), environment: Vec::new(), child: None };
        nats.configure("");
        nats
    }

    /// Changes the configuration; it counts from the next start on.
    pub fn configure(&self, more: &str) {
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: {:?} }}\n{more}\n",
            self.port,
            self.data()
        );
        fs::write(self.file(), text).unwrap();
    }

    /// Starts it, after killing it if it runs.
    #[expect(clippy::disallowed_methods, reason = "waits for another process, outside the clock of any test")]
    pub fn restart(&mut self) {
        self.kill();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let child = Command::new(binary())
            .arg("--config")
            .arg(self.file())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let child = self.child.insert(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let status = child.try_wait().unwrap();
            let log = self.dir.path().join("nats-server.log");
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(status.is_none(), "nats-server ended: {}", said());
            assert!(Instant::now() < deadline, "nats-server accepts nobody: {}", said());
            sleep(Duration::from_millis(5));
        }
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it without ending it, as a machine that hangs; or lets it go on.
    pub fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &self.pid().to_string()]).status().unwrap().success());
    }

    /// Makes it read its configuration again while it runs.
    pub fn reload(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.pid().to_string()]).status().unwrap().success());
    }

    /// Makes it fsync each message, from the next start on.
    #[allow(dead_code, reason = "the bench uses it")]
    pub fn configure_fsync_always(&self) {
        self.configure(&format!("jetstream {{ store_dir: {:?}, sync_interval: always }}", self.data()));
    }

    /// The process id. It must be running.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Deletes all it stored. Not while it runs.
    pub fn wipe(&self) {
        assert!(self.child.is_none());
        fs::remove_dir_all(self.data()).unwrap();
    }

    /// Copies all it stored. Not while it runs.
    pub fn snapshot(&self) -> TempDir {
        assert!(self.child.is_none());
        let copy = tempdir();
        copy_dir(&self.data(), copy.path());
        copy
    }

    /// Puts a copy back, as if everything since had been lost. Not while it runs.
    pub fn restore(&self, snapshot: &TempDir) {
        self.wipe();
        copy_dir(snapshot.path(), &self.data());
    }

    /// How often a text stands in its log.
    pub fn count_in_log(&self, text: &str) -> usize {
        fs::read_to_string(self.log()).unwrap_or_default().matches(text).count()
    }

    /// `nats://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Options of a bus there, with an answer timeout fit for tests.
    pub fn options(&self) -> BusOptions {
        BusOptions { answer_timeout: Duration::from_secs(2), ..BusOptions::new(vec![self.url()]) }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("nats-server.conf")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("nats-server.log")
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
