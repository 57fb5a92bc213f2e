//! Cases: requests kept under `tests/platforms/<platform>/<callback>`, and what livehook makes of them.
//!
//! A file holds comment lines, then a request as it stands on the wire with `{token}` for the secret part of
//! the URL. A line `### +300s` begins another one, received that much later. Bodies may be any bytes: they
//! end before that line, or with the file.
//!
//! ```text
//! # origin: synthetic: why it exists           (required, once)
//! # at: 2026-01-14T04:30:12Z                   (required, once: when the first request is received)
//! # answered: late                             (before a request: our answer to it did not leave in time)
//! # reply: {"result":"allow"}                  (before a request that asks: to its first question, then the next;
//! # policy: allow                               without a reply the policy decides, which is to deny)
//! POST /callbacks/loop/{token}/event HTTP/1.1
//! content-type: application/json
//!
//! {"noun":"broadcast", ...
//! ```

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use livehook::{
    model::{AccountName, Observation},
    platform::{AccountSettings, CallbackKind, Decision, Delivery, OnNoAnswer, Platform, QuestionSettings},
    platforms,
};

/// The key of `space-1`; must never be seen in anything that is published.
pub const WEBHOOK_SECRET: &str = "example-webhook-secret-0001";
/// The key with which answers of `acme` are signed, as in the fact sheet; must never be seen either.
pub const SECURITY_KEY: &str = "example-security-key";
/// What names it to players; is seen in the header of answers only.
pub const USER_KEY: &str = "EXAMPLE_CUSTOM_KEY";

/// A file of requests that follow each other.
pub struct Case {
    pub path: PathBuf,
    pub origin: String,
    pub platform: &'static dyn Platform,
    pub account: AccountSettings,
    pub requests: Vec<Request>,
}

/// One request, and how it was answered.
pub struct Request {
    pub delivery: Delivery,
    pub is_answered_in_time: bool,
    /// Since the one before.
    pub after_seconds: i64,
    /// What a decision service replies to its questions, in order.
    pub replies: Vec<String>,
    /// What the policy says to those that are left.
    pub policy: Decision,
}

impl Case {
    /// The file beside it that says what must come out.
    pub fn expect_path(&self) -> PathBuf {
        self.path.with_extension("expect")
    }
}

/// Every case of every platform, in the order of their paths.
pub fn all() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(read_all);
    &CASES
}

fn read_all() -> Vec<Case> {
    let mut cases = Vec::new();
    for platform in platforms::ALL {
        for callback in platform.descriptor().callbacks {
            let paths = files_in(&root().join(platform.descriptor().id).join(callback.name));
            let cases_here = paths.iter().filter(|path| path.extension().is_some_and(|it| it == "http"));
            cases.extend(cases_here.map(|path| {
                read(*platform, callback, path).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
            }));
        }
    }
    cases
}

/// Where the cases are.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/platforms")
}

/// What is in a folder, sorted; nothing if there is no such folder.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The accounts that cases are delivered to.
fn account(name: &str) -> Option<AccountSettings> {
    let settings = AccountSettings::new(AccountName::parse(name).ok()?, name);
    match name {
        "acme" => Some(AccountSettings { questions: Some(question_settings()), ..settings }),
        // Its viewers have pseudonyms, its answers the other shapes, its console names of its own.
        "acme-odd" => Some(AccountSettings {
            service_account: "acme".to_owned(),
            progress_hash_key: Some("example-account".into()),
            questions: Some(QuestionSettings {
                pseudonym_key: Some("example-pseudonym-key".into()),
                play_section_is_list: true,
                live_play_is_list: true,
                next_episode_fields: named(&[
                    ("CID", "media_content_key"),
                    ("member", "client_user_id"),
                    ("course", "user_values.course"),
                ]),
                next_episode_answer: named(&[("content_key", "next_mck"), ("url", "next_url")]),
                ..question_settings()
            }),
            ..settings
        }),
        "loop" => Some(settings),
        "space-1" => Some(AccountSettings { webhook_secret: Some(WEBHOOK_SECRET.into()), ..settings }),
        _ => None,
    }
}

/// How questions of an account are answered unless it says otherwise.
pub fn question_settings() -> QuestionSettings {
    let questions = ["play", "live-play", "download", "next-episode"];
    QuestionSettings {
        security_key: SECURITY_KEY.into(),
        user_key: USER_KEY.into(),
        on_no_answer: questions.map(|question| (question, OnNoAnswer::Deny)).into(),
        deadline: Duration::from_millis(800),
        remember: Duration::ZERO,
        pseudonym_key: None,
        play_section_is_list: false,
        live_play_is_list: false,
        next_episode_fields: BTreeMap::new(),
        next_episode_answer: BTreeMap::new(),
    }
}

fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, means)| ((*name).to_owned(), (*means).to_owned())).collect()
}

fn read(
    platform: &'static dyn Platform,
    callback: &'static CallbackKind,
    path: &Path,
) -> Result<Case, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let mut origin = None;
    let mut received_at: Option<Timestamp> = None;
    let mut account_name = None;
    let mut requests = Vec::new();

    for (after_seconds, part) in parts(&bytes)? {
        let (head, body) = head_and_body(part).ok_or("a request has no empty line behind its head")?;
        let mut is_answered_in_time = true;
        let (mut replies, mut policy) = (Vec::new(), Decision::Deny);
        let mut lines = head.lines().peekable();
        while let Some(comment) = lines.next_if(|line| line.starts_with('#')) {
            match comment.trim_start_matches(['#', ' ']).split_once(": ") {
                Some(("origin", words)) => origin = Some(words.to_owned()),
                Some(("at", instant)) => {
                    received_at = Some(instant.parse().map_err(|_| "`at` is no instant")?)
                }
                Some(("answered", "late")) => is_answered_in_time = false,
                Some(("reply", reply)) => replies.push(reply.to_owned()),
                Some(("policy", "allow")) => policy = Decision::Allow,
                // An origin may go on over several lines.
                None if origin.is_some() => {}
                _ => return Err(format!("a comment is not known: {comment}")),
            }
        }
        let request_line = lines.next().unwrap_or_default();
        account_name = Some(account_in(request_line, callback)?);
        let content_type = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.trim().to_owned());

        let now = received_at.ok_or("`# at:` is missing")? + SignedDuration::from_secs(after_seconds);
        received_at = Some(now);
        let delivery =
            Delivery { callback, content_type, body: Bytes::copy_from_slice(body), received_at: now };
        requests.push(Request { delivery, is_answered_in_time, after_seconds, replies, policy });
    }

    let account_name = account_name.ok_or("there is no request")?;
    Ok(Case {
        path: path.to_owned(),
        origin: origin.ok_or("`# origin:` is missing")?,
        platform,
        account: account(&account_name).ok_or(format!("there is no account {account_name} in the tests"))?,
        requests,
    })
}

/// The requests of a file, each with its distance from the one before.
fn parts(bytes: &[u8]) -> Result<Vec<(i64, &[u8])>, String> {
    const MARK: &[u8] = b"\n### +";
    let mut parts = Vec::new();
    let (mut after_seconds, mut rest) = (0, bytes);
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        parts.push((after_seconds, &rest[..at]));
        let behind = &rest[at + MARK.len()..];
        let line_end = behind.iter().position(|&byte| byte == b'\n').ok_or("nothing follows a `###` line")?;
        let distance = str::from_utf8(&behind[..line_end]).ok().and_then(|line| line.strip_suffix('s'));
        after_seconds =
            distance.and_then(|seconds| seconds.parse().ok()).ok_or("a distance looks like `### +300s`")?;
        rest = &behind[line_end + 1..];
    }
    parts.push((after_seconds, rest));
    Ok(parts)
}

fn head_and_body(request: &[u8]) -> Option<(&str, &[u8])> {
    let end = request.windows(2).position(|pair| pair == b"\n\n")?;
    Some((str::from_utf8(&request[..end]).ok()?, &request[end + 2..]))
}

/// The account in `POST /callbacks/<account>/{token}/<callback> HTTP/1.1`.
fn account_in(request_line: &str, callback: &CallbackKind) -> Result<String, String> {
    request_line
        .strip_prefix("POST /callbacks/")
        .and_then(|rest| rest.strip_suffix(&format!("/{{token}}/{} HTTP/1.1", callback.name)))
        .map(str::to_owned)
        .ok_or(format!(
            "expected `POST /callbacks/<account>/{{token}}/{} HTTP/1.1`, got `{request_line}`",
            callback.name
        ))
}

/// An observation in words, as the files of expectations show it.
pub fn observed(observation: &Observation) -> String {
    let mut words = vec![observation.entity.to_string()];
    words.extend(observation.phase.map(|phase| phase.to_string()));
    words.extend(observation.told.map(|verb| format!("told {verb}")));
    words.extend(observation.at.map(|at| format!("at {at}")));
    words.extend(observation.member.as_ref().map(|member| {
        let place = if member.entry.is_some() { "in" } else { "out of" };
        format!("{} {place} {}", member.id, member.list)
    }));
    for (name, said) in [("attributes", &observation.attributes), ("extra", &observation.extra)] {
        if !said.is_empty() {
            words.push(format!("{name} {}", serde_json::to_string(said).unwrap()));
        }
    }
    words.join(", ")
}

/// The lines that differ, without what is alike before and behind them.
pub fn difference(expected: &str, told: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), told.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let behind =
        old[before..].iter().rev().zip(new[before..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut text = format!("  from line {}:\n", before + 1);
    for line in &old[before..old.len() - behind] {
        writeln!(text, "  - {line}").unwrap();
    }
    for line in &new[before..new.len() - behind] {
        writeln!(text, "  + {line}").unwrap();
    }
    text
}
