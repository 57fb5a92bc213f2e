//! What the tests leave behind.
//!
//! When `LIVEHOOK_REMAINS` names a directory, all that livehook writes, answers or prints in a test stays there, and
//! `canary::remains` searches it for the secrets of all tests: that is what the gate does at their end. The unit tests
//! inside of `src/` start no livehook, and leave nothing.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use tracing_subscriber::EnvFilter;

/// Nobody waits longer for an admin listener.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers, what commands print, logs and panics, as far as no file of livehook holds them.
static RECORD: LazyLock<Option<Arc<File>>> = LazyLock::new(|| {
    let path = remains()?.join(format!("record-{}", std::process::id()));
    let file = OpenOptions::new().create(true).append(true).open(path).expect("remains are kept there");
    let file = Arc::new(file);
    // A test that reads the log of its thread records it by itself.
    let filter = EnvFilter::new("info,livehook=debug");
    let log =
        tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_writer(Arc::clone(&file));
    let _ = log.try_init();
    let (earlier, panics) = (std::panic::take_hook(), Arc::clone(&file));
    std::panic::set_hook(Box::new(move |info| {
        let _ = writeln!(&*panics, "panic: {info}");
        earlier(info);
    }));
    Some(file)
});

/// Where remains are kept, if they are.
#[expect(clippy::disallowed_methods, reason = "the gate's wish is no part of livehook's configuration")]
pub fn remains() -> Option<PathBuf> {
    std::env::var_os("LIVEHOOK_REMAINS").map(PathBuf::from)
}

/// A directory that is gone when the test is over, unless remains are kept.
#[derive(Debug)]
pub struct TempDir(tempfile::TempDir);

impl Deref for TempDir {
    type Target = tempfile::TempDir;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Every store holds space in reserve: too much to be kept, and nobody writes there.
impl Drop for TempDir {
    fn drop(&mut self) {
        let below = fs::read_dir(self.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        for place in below.chain([self.path().to_owned()]) {
            let _ = fs::remove_file(place.join("ballast"));
        }
    }
}

/// Makes one.
pub fn tempdir() -> TempDir {
    tempdir_in(&std::env::temp_dir())
}

/// The same for a store that nobody needs afterwards: in memory, if possible.
pub fn tempdir_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempdir_in(memory) } else { tempdir() }
}

/// The same for what should not lie just anywhere.
pub fn tempdir_in(place: &Path) -> TempDir {
    LazyLock::force(&RECORD);
    let kept = remains();
    let mut builder = tempfile::Builder::new();
    let dir = builder.disable_cleanup(kept.is_some()).tempdir_in(kept.as_deref().unwrap_or(place));
    TempDir(dir.expect("a directory can be made"))
}

/// What every admin listener is asked for at the end.
const TARGETS: [&str; 6] =
    ["/metrics", "/readyz", "/connect", "/api/v1/events", "/api/v1/watches", "/api/v1/credentials"];

/// Records what an admin listener says, if it answers; to be called before its process ends.
pub fn record_admin(admin: SocketAddr) {
    if RECORD.is_none() {
        return;
    }
    for target in TARGETS {
        let Ok(mut socket) = TcpStream::connect_timeout(&admin, PATIENCE) else { return };
        let _ = socket.set_read_timeout(Some(PATIENCE));
        let mut answer = Vec::new();
        let _ = write!(socket, "GET {target} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
        let _ = socket.read_to_end(&mut answer);
        record(&String::from_utf8_lossy(&answer));
    }
}

/// Somebody outside of livehook got this from it, and it may hold no secret.
pub fn record(text: &str) {
    if let Some(mut file) = RECORD.as_deref() {
        file.write_all(format!("{text}\n").as_bytes()).expect("remains can be written");
    }
}
