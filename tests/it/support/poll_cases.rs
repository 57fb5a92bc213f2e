//! Cases of polls: answers kept under `tests/platforms/<platform>/poll/<watch>`, and how a platform reads them.
//!
//! A file holds comment lines, then answers as they stand on the wire, in the order in which they are asked for.
//! Marks, each a line of its own, stand between: `### answer` before the next answer of the same sweep,
//! `### sweep +60s` before the first of the next sweep, which begins that much later and knows what the ones
//! before it left. Bodies may be any bytes: they end before the mark, or with the file. A sweep that asks nothing
//! has no answer.
//!
//! ```text
//! # origin: synthetic: why it exists                      (required, once; may go on over several lines)
//! # at: 2026-01-14T04:30:12Z                              (required, once: when the first sweep begins)
//! # account: acme                                         (before the first sweep: instead of the usual one)
//! # options: {"categories": ["00130000"], "history": true}  (before the first sweep: what the watch is set to)
//! # target: 20260114-w8r2n5ya                             (before a sweep: it confirms this one thing)
//! HTTP/1.1 200 OK
//! content-type: application/json
//!
//! {"data": ...
//! ```
//!
//! A secret that is invented for an answer has `-secret-` in it, so that it is found where it must not be.

pub mod walker;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use livehook::{
    model::AccountName,
    platform::{AccountSettings, OptionKind, Platform, WatchKind, WatchSettings},
    platforms,
};
use serde_json::Value;

use super::cases::{files_in, root};

/// Secrets of the accounts in the cases; must never be seen in anything that is shown or published.
pub const SECRETS: [&str; 2] = ["example-client-id", "example-client-secret-0001"];

/// The account whose sweeps a platform's cases show, unless they name another.
const USUAL_ACCOUNTS: &[(&str, &str)] = &[
    ("kollus", "acme"),
    ("soop", "soop-1"),
    ("openfresh", "fresh-1"),
    ("livedigital", "space-1"),
    ("loopback", "loop"),
];

/// A file of sweeps that follow each other.
pub struct PollCase {
    pub path: PathBuf,
    pub origin: String,
    pub platform: &'static dyn Platform,
    pub watch: &'static WatchKind,
    pub account: AccountSettings,
    pub sweeps: Vec<Sweep>,
}

/// One sweep, and what the platform answers to it.
pub struct Sweep {
    pub begins_at: Timestamp,
    /// Since the one before.
    pub after_seconds: i64,
    pub target: Option<String>,
    pub answers: Vec<Answer>,
}

/// What came back, but for the time.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Bytes,
}

impl PollCase {
    /// The file beside it that says what must come out.
    pub fn expect_path(&self) -> PathBuf {
        self.path.with_extension("expect")
    }

    /// Everything in it that must not come out.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = SECRETS.map(str::to_owned).to_vec();
        for answer in self.sweeps.iter().flat_map(|sweep| &sweep.answers) {
            if let Ok(document) = serde_json::from_slice(document_in(&answer.body)) {
                collect_secrets(&document, &mut secrets);
            }
        }
        secrets
    }
}

/// Every case of every watch, in the order of their paths.
pub fn all() -> &'static [PollCase] {
    static CASES: LazyLock<Vec<PollCase>> = LazyLock::new(read_all);
    &CASES
}

fn read_all() -> Vec<PollCase> {
    let mut cases = Vec::new();
    for platform in platforms::ALL {
        for watch in platform.descriptor().watches {
            let paths = files_in(&root().join(platform.descriptor().id).join("poll").join(watch.name));
            let cases_here = paths.iter().filter(|path| path.extension().is_some_and(|it| it == "http"));
            cases.extend(cases_here.map(|path| {
                read(*platform, watch, path).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
            }));
        }
    }
    cases
}

fn read(platform: &'static dyn Platform, watch: &'static WatchKind, path: &Path) -> Result<PollCase, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let usual = USUAL_ACCOUNTS.iter().find(|(id, _)| *id == platform.descriptor().id);
    let mut account_name = usual.map_or("main", |(_, account)| account).to_owned();
    let mut origin = None;
    let mut begins_at: Option<Timestamp> = None;
    let mut settings =
        WatchSettings { every: Duration::from_secs(watch.every_seconds.into()), ..Default::default() };
    let mut sweeps: Vec<Sweep> = Vec::new();

    for (mark, part) in parts(&bytes)? {
        let (comments, answer) = comments_and_answer(part)?;
        if let Mark::Sweep { after_seconds } = mark {
            let mut target = None;
            for comment in comments {
                match comment.trim_start_matches(['#', ' ']).split_once(": ") {
                    Some(("origin", words)) if origin.is_none() => origin = Some(words.to_owned()),
                    Some(("at", instant)) if sweeps.is_empty() => {
                        begins_at = Some(instant.parse().map_err(|_| "`at` is no instant")?);
                    }
                    Some(("account", name)) if sweeps.is_empty() => account_name = name.to_owned(),
                    Some(("options", json)) if sweeps.is_empty() => set_options(&mut settings, watch, json)?,
                    Some(("target", id)) => target = Some(id.to_owned()),
                    _ if origin.is_some() && sweeps.is_empty() => {}
                    _ => return Err(format!("a comment is not known here: {comment}")),
                }
            }
            let now = begins_at.ok_or("`# at:` is missing")? + SignedDuration::from_secs(after_seconds);
            begins_at = Some(now);
            sweeps.push(Sweep { begins_at: now, after_seconds, target, answers: Vec::new() });
        } else if !comments.is_empty() {
            return Err("comments stand before a sweep, not before an answer".to_owned());
        }
        if let (Some(sweep), Some(answer)) = (sweeps.last_mut(), answer) {
            sweep.answers.push(answer);
        }
    }
    let name = AccountName::parse(&account_name).map_err(|error| error.to_string())?;
    let mut account = AccountSettings::new(name, account_name);
    account.client_id = Some(SECRETS[0].to_owned());
    account.client_secret = Some(SECRETS[1].into());
    account.watches.insert(watch.name, settings);
    let origin = origin.ok_or("`# origin:` is missing")?;
    Ok(PollCase { path: path.to_owned(), origin, platform, watch, account, sweeps })
}

fn set_options(settings: &mut WatchSettings, watch: &'static WatchKind, json: &str) -> Result<(), String> {
    let options: Value = serde_json::from_str(json).map_err(|error| format!("`options`: {error}"))?;
    for (name, value) in options.as_object().ok_or("`options` is a JSON object")? {
        let option = watch.options.iter().find(|option| option.name == name);
        let option = option.ok_or(format!("{} has no option {name}", watch.name))?;
        match (option.kind, value) {
            (OptionKind::List, Value::Array(words)) => {
                let words = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                settings.lists.insert(option.name, words);
            }
            (OptionKind::Word, Value::String(word)) => {
                settings.words.insert(option.name, word.clone());
            }
            (OptionKind::Switch, Value::Bool(true)) => settings.switches.push(option.name),
            (OptionKind::Switch, Value::Bool(false)) => {}
            (kind, _) => return Err(format!("the option {name} is of kind {kind:?}")),
        }
    }
    Ok(())
}

/// What a part of a file begins.
enum Mark {
    Sweep { after_seconds: i64 },
    Answer,
}

fn parts(bytes: &[u8]) -> Result<Vec<(Mark, &[u8])>, String> {
    const MARK: &[u8] = b"\n### ";
    let mut parts = Vec::new();
    let (mut mark, mut rest) = (Mark::Sweep { after_seconds: 0 }, bytes);
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        parts.push((mark, &rest[..at]));
        let behind = &rest[at + MARK.len()..];
        let end = behind.iter().position(|&byte| byte == b'\n').unwrap_or(behind.len());
        let line = str::from_utf8(&behind[..end]).unwrap_or_default();
        let distance = line.strip_prefix("sweep +").and_then(|distance| distance.strip_suffix('s'));
        mark = match (line, distance.and_then(|seconds| seconds.parse().ok())) {
            ("answer", _) => Mark::Answer,
            (_, Some(after_seconds)) => Mark::Sweep { after_seconds },
            _ => return Err(format!("`### {line}` is neither `### answer` nor like `### sweep +60s`")),
        };
        // The next mark may follow at once, so the end of this line stays.
        rest = &behind[end..];
    }
    parts.push((mark, rest));
    Ok(parts)
}

fn comments_and_answer(part: &[u8]) -> Result<(Vec<&str>, Option<Answer>), String> {
    let mut comments = Vec::new();
    let mut rest = part.strip_prefix(b"\n").unwrap_or(part);
    while rest.starts_with(b"#") {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        comments.push(str::from_utf8(&rest[..end]).map_err(|_| "a comment is not UTF-8")?);
        rest = &rest[(end + 1).min(rest.len())..];
    }
    if rest.iter().all(u8::is_ascii_whitespace) {
        return Ok((comments, None));
    }
    let end = rest.windows(2).position(|pair| pair == b"\n\n").ok_or("an answer has no empty line")?;
    let head = str::from_utf8(&rest[..end]).map_err(|_| "the head of an answer is not UTF-8")?;
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok());
    let retry_after = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
        .map(|(_, value)| value.trim().to_owned());
    Ok((
        comments,
        Some(Answer {
            status: status.ok_or("an answer begins like `HTTP/1.1 200 OK`")?,
            retry_after,
            body: Bytes::copy_from_slice(&rest[end + 2..]),
        }),
    ))
}

/// The JSON in a body, without what JSONP puts around it.
pub fn document_in(body: &[u8]) -> &[u8] {
    let begin = body.iter().position(|byte| b"{[".contains(byte)).unwrap_or(0);
    let end = body.iter().rposition(|byte| b"}]".contains(byte)).map_or(0, |at| at + 1);
    &body[begin..end.max(begin)]
}

/// Members of an answer with one of these in their name hold secrets.
const SECRET_WORDS: [&str; 5] = ["stream_key", "streamkey", "secret", "token", "passw"];

fn collect_secrets(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.to_ascii_lowercase();
                match member {
                    Value::String(text)
                        if text.len() > 3 && SECRET_WORDS.iter().any(|word| name.contains(word)) =>
                    {
                        secrets.push(text.clone());
                    }
                    member => collect_secrets(member, secrets),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, secrets)),
        Value::String(text) if text.contains("-secret-") => secrets.push(text.clone()),
        _ => {}
    }
}
