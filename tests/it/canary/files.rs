//! Finds every secret of the tests in the files of a directory, in whatever form it came out, and words as well.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use aho_corasick::AhoCorasick;

use super::search::{forms, inside_base64};
use crate::support::canaries;

/// Files of the tests themselves, in which operators write passwords down: for nats-server and for livehook.
pub const MAY_HOLD_SECRETS: [&str; 2] = ["nats-server.conf", "password"];

/// What a search found, and how much it went through.
#[derive(Default)]
pub struct Found {
    /// The name of a secret, its form, a file, and the byte behind it.
    pub secrets: Vec<String>,
    /// How often each word was there.
    pub words: BTreeMap<&'static str, usize>,
    pub files: usize,
    pub bytes: u64,
}

/// Looks for all secrets at once.
pub struct Searcher {
    automaton: AhoCorasick,
    /// What each needle means.
    meanings: Vec<Meaning>,
}

enum Meaning {
    Secret(String),
    Word(&'static str),
}

/// What a secret looks like when it comes out: its name with the form, and the bytes.
pub fn needles() -> Vec<(String, Vec<u8>)> {
    let mut needles = Vec::new();
    for (name, secret) in canaries::all() {
        needles
            .extend(forms(secret).into_iter().map(|(form, text)| (format!("{name} as {form}"), text.into())));
        // Keys are held as the bytes that their digits stand for.
        if let Ok(key) = hex::decode(secret) {
            for (which, half) in ["first", "second"].into_iter().zip(key.chunks(key.len() / 2)) {
                needles.push((format!("{name} as bytes, {which} half"), half.to_owned()));
                needles.extend((0..3).map(|before| {
                    let text = inside_base64(half, before);
                    (format!("{name} as bytes in base64, {which} half, behind {before}"), text.into())
                }));
            }
        }
    }
    needles
}

impl Searcher {
    pub fn new(words: &[&'static str]) -> Self {
        let (mut meanings, mut texts): (Vec<_>, Vec<_>) =
            needles().into_iter().map(|(meaning, text)| (Meaning::Secret(meaning), text)).unzip();
        meanings.extend(words.iter().map(|word| Meaning::Word(word)));
        texts.extend(words.iter().map(|word| word.as_bytes().to_owned()));
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(texts).unwrap();
        Self { automaton, meanings }
    }

    /// Everything below `dir`.
    pub fn search(&self, dir: &Path) -> Found {
        let mut found = Found::default();
        for path in files(dir) {
            match File::open(&path) {
                Ok(file) => {
                    found.files += 1;
                    found.bytes += file.metadata().unwrap().len();
                    self.read(file, &path.display().to_string(), &mut found);
                }
                // Somebody cleaned up meanwhile.
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{}", path.display()),
            }
        }
        found.secrets.sort();
        found.secrets.dedup();
        found
    }

    /// One source, which is called so.
    pub fn read(&self, source: impl Read, name: &str, found: &mut Found) {
        for hit in self.automaton.stream_find_iter(source) {
            let hit = hit.unwrap();
            match &self.meanings[hit.pattern().as_usize()] {
                Meaning::Word(word) => *found.words.entry(word).or_default() += 1,
                Meaning::Secret(meaning) => {
                    found.secrets.push(format!("{meaning}: {name}, before byte {}", hit.end()));
                }
            }
        }
    }
}

/// All files below a directory that may hold no secret.
pub fn files(dir: &Path) -> Vec<PathBuf> {
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
