//! The search through all that all tests leave behind, the demo among them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
};

use aho_corasick::AhoCorasick;

use super::search::forms;
use crate::support::{
    canaries::{self, canary},
    program::project,
    remains::{remains, tempdir},
};

/// Files of the tests themselves, in which operators write passwords down: for nats-server and for livehook.
const MAY_HOLD_SECRETS: [&str; 2] = ["nats-server.conf", "password"];

/// What must be found, or there was nothing to be searched.
const WORDS: [&str; 9] = [
    "SQLite format 3",
    "live.broadcast.started",
    "live.credential.authorized",
    "Nats-Msg-Id",
    "livehook_deliveries_total",
    "livehook_renewals_total",
    "the sweep failed",
    "panic",
    "HTTP/1.1 404",
];

/// What a search found, and how much it went through.
#[derive(Default)]
struct Found {
    /// The name of a secret, its form, and a file.
    secrets: Vec<String>,
    words: BTreeMap<&'static str, usize>,
    files: usize,
    bytes: u64,
}

/// Looks for every secret in every form, and for [`WORDS`], in all files below `dir`.
fn search(dir: &Path) -> Found {
    let secrets = canaries::all().flat_map(|(name, secret)| {
        forms(secret).into_iter().map(move |(form, needle)| (format!("{name} as {form}"), needle))
    });
    let (mut meanings, mut needles): (Vec<_>, Vec<_>) = secrets.unzip();
    let words_from = needles.len();
    needles.extend(WORDS.map(str::to_owned));
    meanings.extend(WORDS.map(str::to_owned));
    let searcher = AhoCorasick::builder().ascii_case_insensitive(true).build(&needles).unwrap();
    let mut found = Found::default();
    for path in files(dir) {
        let file = File::open(&path).unwrap();
        found.files += 1;
        found.bytes += file.metadata().unwrap().len();
        for hit in searcher.stream_find_iter(BufReader::new(file)) {
            let needle = hit.unwrap().pattern().as_usize();
            match needle.checked_sub(words_from) {
                Some(word) => *found.words.entry(WORDS[word]).or_default() += 1,
                None => found.secrets.push(format!("{} in {}", meanings[needle], path.display())),
            }
        }
    }
    found.secrets.sort();
    found.secrets.dedup();
    found
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.append(&mut self::files(&entry.path()));
        } else if kind.is_file() && !MAY_HOLD_SECRETS.iter().any(|name| entry.file_name() == *name) {
            files.push(entry.path());
        }
    }
    files
}

/// Run by the gate when all tests have ended, with their remains.
#[test]
#[ignore = "the gate runs it, when all others have ended"]
fn no_secret_is_in_what_all_tests_leave() {
    let dir = remains().expect("LIVEHOOK_REMAINS says where it is");
    let found = search(&dir);
    let (count, megabytes) = (canaries::all().count(), found.bytes >> 20);
    eprintln!("{count} secrets in {} files, {megabytes} MiB: {} hits", found.files, found.secrets.len());
    eprintln!("and what must be there: {:?}", found.words);
    assert!(found.secrets.is_empty(), "{:#?}", found.secrets);
    let missing: Vec<_> = WORDS.iter().filter(|word| !found.words.contains_key(*word)).collect();
    assert!(missing.is_empty(), "only a part was searched: {missing:?}");
}

#[test]
fn there_are_fifty_secrets_and_each_is_used() {
    let mut names: Vec<_> = canaries::all().map(|(name, _)| name).collect();
    assert!(names.len() >= 50, "{}", names.len());
    for path in ["tests/it", "tests/consumer", "tests/browser"].map(project).iter().flat_map(|dir| files(dir))
    {
        let is_code =
            path.extension().is_some_and(|kind| ["rs", "py", "mjs"].iter().any(|code| kind == *code));
        if is_code && !path.components().any(|part| part.as_os_str() == "node_modules") {
            let text = fs::read_to_string(&path).unwrap();
            names.retain(|name| !text.contains(&format!("\"{name}\"")));
        }
    }
    assert_eq!(names, [""; 0], "nobody uses them");
}

/// The search itself can fail: whatever is put there is found, wherever a block of the reader ends.
#[test]
fn a_secret_that_was_left_somewhere_is_found() {
    let dir = tempdir();
    let file = dir.path().join("deep/down/log");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for (name, secret) in canaries::all() {
        for (form, needle) in forms(secret) {
            let noise = "x".repeat(8 * 1024 - needle.len() / 2);
            fs::write(&file, format!("{noise}{}{noise}", needle.to_uppercase())).unwrap();
            let found = search(dir.path()).secrets;
            assert!(found.iter().any(|hit| hit.starts_with(&format!("{name} as {form}"))), "{name}, {form}");
        }
    }
    fs::write(&file, "x".repeat(100_000)).unwrap();
    assert_eq!(search(dir.path()).secrets, [""; 0]);
    // Where operators write them down they may be.
    fs::write(dir.path().join("nats-server.conf"), canary("nats-livehook-password")).unwrap();
    assert_eq!(search(dir.path()).secrets, [""; 0]);
    fs::remove_dir_all(dir.path()).unwrap();
}
