//! What is opened, what is refused, and what the refusal says.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use rusqlite::Connection;

use super::*;
use crate::store::{OpenError, migrate::SCHEMA_VERSION};

impl Rig {
    fn file(&self) -> PathBuf {
        self.options.dir.join("livehook.sqlite")
    }

    /// Ends it in order; its files stay, to be damaged.
    fn ended(self) -> Ended {
        let file = self.file();
        let Self { options, store, writer, _dir } = self;
        drop(store);
        writer.join();
        Ended { options, file, _dir }
    }
}

struct Ended {
    options: StoreOptions,
    file: PathBuf,
    _dir: TempDir,
}

impl Ended {
    async fn with_rows() -> Self {
        let rig = Rig::new();
        let body = "x".repeat(6000);
        for nth in 0..12 {
            let _ =
                rig.store.commit(saying(&format!("{nth}{body}"), vec![titled("b1", &body)])).await.unwrap();
        }
        rig.ended()
    }

    fn open(&self) -> Result<(Store, WriterThread), OpenError> {
        Store::open(self.options.clone(), [8; 32])
    }

    /// Opens a file with these bytes, which must be refused and left as it is.
    fn refusal_of(&self, bytes: &[u8]) -> OpenError {
        fs::write(&self.file, bytes).unwrap();
        let refusal = self.refusal();
        assert_eq!(fs::read(&self.file).unwrap(), bytes, "{refusal}: but the file was changed");
        refusal
    }

    fn refusal(&self) -> OpenError {
        match self.open() {
            Err(error) => error,
            Ok(_) => panic!("it was opened"),
        }
    }

    fn sqlite(&self, sql: &str) {
        let connection = Connection::open(&self.file).unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
    }
}

/// Names the directory, and what to do.
fn assert_says(refusal: &OpenError, options: &StoreOptions, remedy: &str) {
    let message = refusal.to_string();
    assert!(message.contains(&options.dir.display().to_string()), "{message}");
    assert!(message.contains(remedy), "{message}");
}

#[tokio::test]
async fn a_new_store_is_readable_by_its_owner_only() {
    let rig = Rig::new();
    let _ = rig.store.commit(start("b1")).await.unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(rig.options.dir.clone()), 0o700);
    assert_eq!(mode(rig.file()), 0o600);
    assert_eq!(mode(rig.options.dir.join("livehook.sqlite-wal")), 0o600);
}

#[tokio::test]
async fn a_store_has_one_user_at_a_time() {
    let rig = Rig::new();
    let Err(refusal) = Store::open(rig.options.clone(), [8; 32]) else { panic!("it was opened twice") };
    assert!(matches!(refusal, OpenError::InUse(_)), "{refusal}");
    assert_says(&refusal, &rig.options, "stop it first");
    let _ = rig.store.commit(start("the first user goes on")).await.unwrap();
    assert_eq!(rig.reopened().events().await.len(), 1);
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(&dir);
    let file = dir.path().join("a file");
    fs::write(&file, "").unwrap();
    // Below a file, a file itself, and where nobody may make files.
    for unusable in [file.join("data"), file, PathBuf::from("/proc/livehook")] {
        options.dir = unusable;
        let Err(refusal) = Store::open(options.clone(), [7; 32]) else { panic!("{:?}", options.dir) };
        assert!(matches!(refusal, OpenError::Unusable { .. }), "{refusal}");
        assert_says(&refusal, &options, "Check that store.dir is a directory on a local disk");
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let ended = Ended::with_rows().await;
    ended.sqlite(&format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1));
    let refusal = ended.refusal_of(&fs::read(&ended.file).unwrap());
    assert!(matches!(refusal, OpenError::Newer { found, .. } if found == SCHEMA_VERSION + 1), "{refusal}");
    assert_says(&refusal, &ended.options, "run the newer livehook");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let ended = Ended::with_rows().await;
    fs::remove_file(&ended.file).unwrap();
    ended.sqlite("CREATE TABLE theirs (value TEXT); INSERT INTO theirs VALUES ('precious')");
    let refusal = ended.refusal_of(&fs::read(&ended.file).unwrap());
    assert!(matches!(refusal, OpenError::Foreign(_)), "{refusal}");
    assert_says(&refusal, &ended.options, "point store.dir to another directory");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let ended = Ended::with_rows().await;
    for bytes in [&b""[..], b"x", &b"no database at all, but a text. ".repeat(400)] {
        let refusal = ended.refusal_of(bytes);
        assert!(matches!(refusal, OpenError::Corrupt { .. }), "{} bytes: {refusal}", bytes.len());
        assert_says(&refusal, &ended.options, "restore a backup");
    }
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_refused_whatever_is_missing() {
    let ended = Ended::with_rows().await;
    let whole = fs::read(&ended.file).unwrap();
    for length in (0..whole.len()).step_by(1024).chain([1, 99, 101, whole.len() - 1]) {
        let refusal = ended.refusal_of(&whole[..length]);
        assert!(matches!(refusal, OpenError::Corrupt { .. }), "{length} bytes: {refusal}");
    }
    fs::write(&ended.file, &whole).unwrap();
    assert!(ended.open().is_ok(), "the whole one can be opened");
}

#[tokio::test]
async fn a_file_with_a_page_of_rubbish_is_refused_whichever_it_is() {
    const PAGE: usize = 4096;
    let ended = Ended::with_rows().await;
    let whole = fs::read(&ended.file).unwrap();
    assert!(whole.len() > 20 * PAGE);
    for page in 0..whole.len() / PAGE {
        let mut damaged = whole.clone();
        damaged[page * PAGE..][..PAGE].fill(0xa5);
        let refusal = ended.refusal_of(&damaged);
        assert!(matches!(refusal, OpenError::Corrupt { .. }), "page {page}: {refusal}");
    }
}

/// As after a power cut: the end of the log was never written. What is whole counts.
#[tokio::test]
async fn a_torn_log_gives_what_was_whole() {
    let rig = Rig::new();
    let _ = rig.commit_broadcasts(1).await;
    for nth in 0..9 {
        let _ = rig.store.commit(start(&format!("b{nth}"))).await.unwrap();
    }
    // Copied while it is open: the log was not yet taken over into the file.
    let [file, log] =
        ["livehook.sqlite", "livehook.sqlite-wal"].map(|name| fs::read(rig.options.dir.join(name)).unwrap());
    assert!(!log.is_empty());

    let mut counts = Vec::new();
    for length in (0..log.len()).step_by(1500).chain([log.len()]) {
        let dir = tempfile::tempdir().unwrap();
        let options = options(&dir);
        fs::create_dir(&options.dir).unwrap();
        fs::write(options.dir.join("livehook.sqlite"), &file).unwrap();
        fs::write(options.dir.join("livehook.sqlite-wal"), &log[..length]).unwrap();
        let (store, writer) = Store::open(options, [8; 32]).unwrap();
        let found = rows(&store.events_after(0, 100).await.unwrap());
        assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
        counts.push(found.len());
        let next = store.commit(start("next")).await.unwrap();
        assert_eq!(next.delivery(), found.len() as u64 + 1);
        drop(store);
        writer.join();
    }
    assert!(counts.is_sorted());
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&10)), "{counts:?}");
}

#[tokio::test]
async fn what_a_start_left_behind_in_the_middle_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(&dir);
    fs::create_dir(&options.dir).unwrap();
    for name in ["livehook.draft", "livehook.draft-journal", "livehook.lock"] {
        fs::write(options.dir.join(name), "half of something").unwrap();
    }
    let (store, _writer) = Store::open(options, [7; 32]).unwrap();
    let _ = store.commit(start("b1")).await.unwrap();
}

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn doing_without_fsync_is_warned_of() {
    let said = |unsafe_no_fsync| {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            Rig::with(|options| options.unsafe_no_fsync = unsafe_no_fsync);
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    };
    assert!(said(true).contains("store.unsafe_no_fsync is on: what is acknowledged may be lost"));
    assert_eq!(said(false), "");
}
