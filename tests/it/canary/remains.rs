//! The search through all that all tests leave behind, the demo among them.

use std::{
    fs,
    io::{self, Read},
};

use super::files::{Found, Searcher, files, needles};
use crate::support::{
    canaries::{self, canary},
    program::project,
    remains::remains,
};

/// What must be found, or only a part was searched: stores, bus, logs, metrics, answers, panics; and what only the
/// demo and the consumers in Python say.
const WORDS: [&str; 12] = [
    "SQLite format 3",
    "live.credential.authorized",
    "Nats-Msg-Id",
    "DEBUG",
    "livehook_deliveries_total",
    "livehook_renewals_total",
    "HTTP/1.1 404",
    "panic: panicked at",
    "Requests that broke a limit of the platforms: 0",
    "only up to the first wait",
    "cases; examples in",
    "<h1>",
];

/// Run by the gate when all tests have ended, with their remains.
#[test]
#[ignore = "the gate runs it, when all others have ended"]
fn no_secret_is_in_what_all_tests_leave() {
    let dir = remains().expect("LIVEHOOK_REMAINS says where it is");
    let found = Searcher::new(&WORDS).search(&dir);
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
        if is_code
            && !path.ends_with(file!())
            && !path.components().any(|it| it.as_os_str() == "node_modules")
        {
            let text = fs::read_to_string(&path).unwrap();
            names.retain(|name| !text.contains(&format!("\"{name}\"")));
        }
    }
    assert_eq!(names, [""; 0], "nobody uses them");
}

/// Comes in small pieces, as nothing says where the pieces of a file end.
struct InPieces<'b>(&'b [u8]);

impl Read for InPieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(7);
        self.0.read(&mut into[..most])
    }
}

/// The search itself can fail: every form of every secret is found, wherever it is cut.
#[test]
fn a_secret_that_was_left_somewhere_is_found() {
    let searcher = Searcher::new(&WORDS);
    let needles = needles();
    assert!(needles.len() > 600, "{}", needles.len());
    for (meaning, needle) in needles {
        let bytes = [b"\0innocent ".as_slice(), &needle.to_ascii_uppercase(), b" innocent"].concat();
        let mut found = Found::default();
        searcher.read(InPieces(&bytes), "somewhere", &mut found);
        let expected = format!("{meaning}: somewhere, before byte {}", bytes.len() - " innocent".len());
        assert!(found.secrets.contains(&expected), "{expected}: {:?}", found.secrets);
    }
    let mut found = Found::default();
    searcher.read(InPieces(&[b'x'; 1000]), "somewhere", &mut found);
    assert_eq!(found.secrets, [""; 0]);
}

/// In a tree, too, but for where operators write them down.
#[test]
fn whole_trees_are_searched() {
    let dir = tempfile::tempdir().unwrap();
    let searcher = Searcher::new(&[]);
    let secret = canary("nats-livehook-password");
    fs::write(dir.path().join("nats-server.conf"), secret).unwrap();
    assert_eq!(searcher.search(dir.path()).secrets, [""; 0]);
    fs::create_dir_all(dir.path().join("deep/down")).unwrap();
    fs::write(dir.path().join("deep/down/log"), format!("user livehook, {secret}")).unwrap();
    let found = searcher.search(dir.path()).secrets;
    assert_eq!(found.len(), 2, "both halves: {found:?}");
}
