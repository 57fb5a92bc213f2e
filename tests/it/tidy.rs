//! The shape of the tree: what nobody would notice in a review is checked here.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The floors of the house (ARCHITECTURE.md): a module may use only what stands below it.
const FLOORS: &[(&str, u32)] = &[
    ("model", 1),
    ("telemetry", 1),
    ("health", 1),
    ("simulators", 1),
    ("platform", 2),
    ("platforms", 3),
    ("access", 3),
    ("store", 3),
    ("ports", 3),
    ("grants", 4),
    ("ingest", 4),
    ("outbox", 4),
    ("poll", 4),
    ("current", 4),
    ("questions", 4),
    ("config", 5),
    ("web", 5),
    ("documents", 6),
    ("app", 6),
    ("cli", 7),
    ("main", 8),
    ("lib", 9),
];

/// Uses of a module on the same floor, each with its reason.
const NEIGHBOURS: &[(&str, &str, &str)] = &[];

/// Libraries that only some modules may mention, because all others are to work without them.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("axum", &["web"]),
    ("hyper", &["web", "simulators"]),
    ("hyper_util", &["web", "simulators"]),
    ("tower", &["web"]),
    ("maud", &["web"]),
    ("async_nats", &["ports"]),
    ("oauth2", &["platform"]),
    ("chacha20poly1305", &["grants"]),
    ("reqwest", &["ports", "cli"]),
];

/// What only waits, asks or writes: not for values and platforms.
const IO: &[&str] = &["tokio", "std::fs", "std::net", "std::env", "std::process", "async fn", "async move"];

const LINES_MAX: usize = 500;

struct SourceFile {
    /// From the root of the project.
    path: String,
    text: String,
}

impl SourceFile {
    /// The module directly below the crate to which it belongs.
    fn module(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
    }

    /// Tests may use what they like.
    fn is_test(&self) -> bool {
        !self.path.starts_with("src/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The code without its comments.
    fn code(&self) -> String {
        self.text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the project below these places, without what is made or fetched.
fn files(places: &[&str], extensions: &[&str]) -> Vec<SourceFile> {
    let mut waiting: Vec<PathBuf> = places.iter().map(|place| root().join(place)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_ours = !["target", ".git", ".cache", "node_modules", "__pycache__"].contains(&&*name);
            if is_ours {
                waiting
                    .extend(fs::read_dir(&path).expect("it can be read").flatten().map(|entry| entry.path()));
            }
        } else if extensions.is_empty() || extensions.iter().any(|end| name.ends_with(end)) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let path = path.strip_prefix(root()).expect("it is below the root");
            found.push(SourceFile { path: path.to_string_lossy().into_owned(), text });
        }
    }
    assert!(!found.is_empty(), "nothing found in {places:?}");
    found
}

fn sources() -> Vec<SourceFile> {
    files(&["src"], &[".rs"])
}

fn production() -> Vec<SourceFile> {
    sources().into_iter().filter(|file| !file.is_test()).collect()
}

/// The modules directly below the crate that code names: in paths, and in groups of imports.
fn modules_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.insert(identifier(rest));
            continue;
        };
        let (mut depth, mut is_first) = (1, true);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => is_first = true,
                letter if depth == 1 && is_first && !letter.is_whitespace() => {
                    named.insert(identifier(&group[at..]));
                    is_first = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    named
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// Whether code names a library: as the first part of a path, or as what is imported.
fn mentions(code: &str, library: &str) -> bool {
    code.match_indices(library).any(|(at, _)| {
        let stands_alone =
            !code[..at].ends_with(|letter: char| letter.is_alphanumeric() || "_:".contains(letter));
        let after = &code[at + library.len()..];
        stands_alone
            && (after.starts_with("::") || (code[..at].ends_with("use ") && after.starts_with([';', ' '])))
    })
}

fn assert_none(what: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{what}:\n  {}", offences.join("\n  "));
}

#[test]
fn imports_only_run_down_the_floors() {
    let floor = |module: &str| FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor);
    let mut offences = Vec::new();
    for file in production() {
        let from = file.module().to_owned();
        let Some(from_floor) = floor(&from) else {
            offences.push(format!("{from} has no floor: give it one in FLOORS and in ARCHITECTURE.md"));
            continue;
        };
        for to in modules_named(&file.code()) {
            let Some(to_floor) = floor(&to) else { continue };
            let is_excused = NEIGHBOURS.iter().any(|(a, b, _)| (*a, *b) == (&*from, &*to));
            if to != from && to_floor >= from_floor && !is_excused {
                offences.push(format!("{} uses {to} (floor {to_floor}, its own is {from_floor})", file.path));
            }
        }
    }
    assert_none("imports that do not run down", offences);
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut offences = Vec::new();
    for file in production() {
        let code = file.code();
        for (library, homes) in HOMES {
            if mentions(&code, library) && !homes.contains(&file.module()) {
                offences.push(format!("{} uses {library}, which belongs in {homes:?}", file.path));
            }
        }
    }
    assert_none("libraries outside their modules", offences);
}

#[test]
fn values_and_platforms_do_no_io() {
    let mut offences = Vec::new();
    for file in production().iter().filter(|file| ["model", "platform", "platforms"].contains(&file.module()))
    {
        let code = file.code();
        for word in IO.iter().filter(|word| code.contains(**word)) {
            offences.push(format!("{} mentions {word}", file.path));
        }
    }
    assert_none("IO outside of the engine", offences);
}

#[test]
fn the_engine_knows_no_platform_by_name() {
    let mut offences = Vec::new();
    let engine = [
        "access",
        "grants",
        "ingest",
        "poll",
        "outbox",
        "current",
        "questions",
        "store",
        "web",
        "platform",
        "model",
    ];
    for file in production().iter().filter(|file| engine.contains(&file.module())) {
        let code = file.code();
        for platform in ["kollus", "livedigital", "soop", "openfresh"] {
            if code.to_ascii_lowercase().contains(platform) {
                offences.push(format!("{} names {platform}", file.path));
            }
        }
    }
    assert_none("platforms named outside of their folder", offences);
}

#[test]
fn every_source_file_says_first_what_it_is_for() {
    let silent = sources().into_iter().filter(|file| !file.is_test() && !file.text.starts_with("//! "));
    assert_none("files without a first line //!", silent.map(|file| file.path).collect());
}

#[test]
fn every_file_is_compiled() {
    let files = files(&["src", "tests/it"], &[".rs"]);
    let is_declared = |path: &str| {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let Some((parent, name)) = module.rsplit_once('/') else { return false };
        let parents = [".rs", "/mod.rs", "/lib.rs", "/main.rs"].map(|end| format!("{parent}{end}"));
        let declared = files.iter().filter(|file| parents.contains(&file.path));
        let mut lines = declared.flat_map(|file| file.text.lines());
        lines.any(|line| {
            line.split("//").next().unwrap_or_default().trim_end().ends_with(&format!("mod {name};"))
        }) || files.iter().any(|file| file.text.contains(&format!("/{name}.rs\"]")))
    };
    assert!(!is_declared("src/nowhere.rs"));
    let paths = files.iter().map(|file| file.path.clone());
    let others = paths.filter(|path| !["src/lib.rs", "src/main.rs", "tests/it/main.rs"].contains(&&**path));
    assert_none("files that no module declares", others.filter(|path| !is_declared(path)).collect());
}

#[test]
fn no_file_is_too_long_to_read() {
    let code = files(&["src", "tests", "deploy"], &[".rs", ".py", ".sh", ".mjs", ".js", ".lua", ".sql"]);
    let long =
        code.iter().map(|file| (file.text.lines().count(), &file.path)).filter(|(n, _)| *n > LINES_MAX);
    assert_none("too long", long.map(|(lines, path)| format!("{path}: {lines} lines")).collect());
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("dbg", "!("),
    ];
    // What is left to the gate, which runs it last.
    let by_gate = concat!("#[", "ignore = \"the gate runs it");
    assert!(include_str!("../gate.sh").contains("--exact --ignored"));
    let mut offences = Vec::new();
    for file in files(&["src", "tests"], &[".rs"]) {
        let code = file.code().replace(by_gate, "");
        for mark in marks.iter().filter(|mark| code.contains(**mark)) {
            offences.push(format!("{}: {mark}", file.path));
        }
    }
    assert_none("left undone or switched off", offences);
}

/// The project is built wherever it is checked out, from whatever mirror is configured there.
#[test]
fn the_tree_names_no_registry_and_no_machine() {
    let words = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("npmjs", ".org"),
        concat!("npmjs", ".com"),
        concat!("deb.", "debian.org"),
        concat!("proxy.", "golang.org"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/Us", "ers/"),
    ];
    let mut offences = Vec::new();
    // Cargo writes the name of its index into the lock file.
    for file in files(&["."], &[]).iter().filter(|file| !file.path.ends_with("Cargo.lock")) {
        for (number, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                offences.push(format!("{}:{}: {word}", file.path, number + 1));
            }
        }
    }
    assert_none("names of registries or machines", offences);
}

#[test]
fn every_dependency_is_used() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    let code: String = files(&["src", "tests"], &[".rs"]).iter().map(SourceFile::code).collect();
    let mut section = "";
    let mut offences = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let ("[dependencies]" | "[dev-dependencies]", Some((name, _))) =
            (section, line.split_once(" = "))
        {
            let name = name.trim();
            if !name.starts_with('#') && !mentions(&code, &name.replace('-', "_")) {
                offences.push(format!("{name} in {section}"));
            }
        }
    }
    assert_none("dependencies that nobody uses", offences);
}

/// The eyes of this file are tested as well.
#[test]
fn imports_in_groups_and_paths_are_seen() {
    let code =
        "use crate::{\n    model::{EventId, ids::X},\n    store::Store,\n};\nfn f() { crate::web::serve(); }";
    let seen: Vec<_> = modules_named(code).into_iter().collect();
    assert_eq!(seen, ["model", "store", "web"]);
    assert!(mentions("use axum::Router;", "axum") && mentions("let x = axum::serve();", "axum"));
    assert!(!mentions("use axum_server::x;", "axum") && !mentions("crate::axum::x", "axum"));
}
