//! `GET /v1/comments`: what was written, from a position on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Meta, Trick, World, error, programs::Comment};
use crate::simulators::{Request, Response, grants::Standing};

const LIMIT: usize = 20;

impl World {
    pub(super) fn read_comments(&mut self, request: &Request) -> Response {
        let trick = self.tricks.pop_front().or(self.always);
        let id = request.query("programId").unwrap_or_default();
        let Ok(number) = id.parse::<u64>() else { return error(400, "programId is invalid.") };
        let limit = request.query("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(LIMIT).min(self.options.limit_max);
        let since = request.query("sinceMillisecond").and_then(|since| since.parse().ok()).unwrap_or(0);
        let is_descending = request.query("order") == Some("desc");
        let at = match trick {
            Some(Trick::OldCopy(age)) => self.now.checked_sub(age).unwrap_or(self.now),
            _ => self.now,
        };
        let standing = self.standing(request);
        // Nobody needs a token, but one that has expired is refused.
        if standing == Some(Standing::Expired) {
            return error(401, "unauthorized");
        }
        let Some(program) = self.programs.get(&number) else {
            return error(404, &format!("programId={number} is not found."));
        };
        if program.is_for_members && !matches!(standing, Some(Standing::Good(_))) {
            return match self.options.refusal {
                403 => error(403, "this program is for members."),
                status => error(status, "unauthorized"),
            };
        }

        // Sorted by position, so that only what is asked for is looked at.
        let is_before = |comment: &Comment| match self.options.is_since_inclusive {
            true => comment.millisecond < since,
            false => comment.millisecond <= since,
        };
        let wanted = &program.comments[program.comments.partition_point(is_before)..];
        let visible = |comment: &&Comment| comment.visible_at <= at;
        let page: Vec<&Comment> = if is_descending {
            wanted.iter().rev().filter(visible).take(limit).collect()
        } else {
            wanted.iter().filter(visible).take(limit).collect()
        };
        let latest = match self.options.meta {
            Meta::LatestOfPage => page.iter().map(|comment| comment.millisecond).max(),
            _ => program.comments.iter().rfind(visible).map(|comment| comment.millisecond),
        };
        let meta = self.meta(program.elapsed(at), latest);
        let rows: Vec<Value> = page.into_iter().map(|comment| row(number, comment)).collect();
        let rows = self.tricked(rows, limit, trick);
        let data = match rows.len() {
            0 if self.options.is_none_null => Value::Null,
            1 if self.options.is_single_an_object => rows.into_iter().next().unwrap_or_default(),
            _ => rows.into(),
        };
        let mut answer = json!({ "meta": meta, "data": data });
        if let Some(Trick::Drift(drift)) = trick {
            drift.bend(&mut answer);
        }
        Response::json(200, &answer)
    }

    fn meta(&self, elapsed: Option<i64>, latest: Option<i64>) -> Value {
        let mut meta = Map::new();
        match self.options.meta {
            Meta::HelloWorld => return json!("Hello, world!"),
            Meta::Little => {
                meta.extend(elapsed.map(|elapsed| ("nowMillisecond".to_owned(), json!(elapsed))));
            }
            Meta::LatestOfProgram | Meta::LatestOfPage => {
                meta.insert("nowMillisecond".to_owned(), json!(elapsed));
                meta.extend(latest.map(|latest| ("latestMillisecond".to_owned(), json!(latest))));
            }
        }
        meta.into()
    }

    fn tricked(&mut self, mut rows: Vec<Value>, limit: usize, trick: Option<Trick>) -> Vec<Value> {
        match trick {
            Some(Trick::Shuffle) => self.dice.shuffle(&mut rows),
            Some(Trick::RepeatPage) => return self.last_page.clone(),
            Some(Trick::Truncate) => rows.truncate(rows.len() / 2),
            Some(Trick::EmptyPage) => rows.clear(),
            Some(Trick::Endless) => {
                let source = if rows.is_empty() { &self.last_page } else { &rows };
                rows = source.iter().cycle().take(limit).cloned().collect();
            }
            Some(Trick::OldCopy(_) | Trick::Drift(_)) | None => {}
        }
        if !rows.is_empty() {
            self.last_page.clone_from(&rows);
        }
        rows
    }
}

fn row(program: u64, comment: &Comment) -> Value {
    let is_name = |word: &&str| word.starts_with(['@', '＠']);
    let names = comment.raw.split_whitespace().filter(is_name);
    let atmark: Vec<&str> = names.map(|name| name.trim_start_matches(['@', '＠'])).collect();
    let text = match &*atmark {
        [] => comment.raw.clone(),
        _ => comment.raw.split_whitespace().filter(|word| !is_name(word)).collect::<Vec<_>>().join(" "),
    };
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(comment.id));
    row.insert("type".to_owned(), json!("user"));
    row.insert("freshId".to_owned(), json!(comment.author.to_string()));
    if let Some(username) = &comment.username {
        row.insert("username".to_owned(), json!(username));
    }
    row.insert("programId".to_owned(), json!(program.to_string()));
    row.insert("millisecond".to_owned(), json!(comment.millisecond));
    row.insert("raw".to_owned(), json!(comment.raw));
    row.insert("text".to_owned(), json!(text));
    row.insert("atmark".to_owned(), json!(atmark));
    row.insert("createdAt".to_owned(), json!(japanese_time(comment.written_at, "%Y-%m-%dT%H:%M:%S")));
    row.into()
}

/// A time by the wall clock in Tokyo, with its offset.
pub(super) fn japanese_time(at: Timestamp, pattern: &str) -> String {
    format!("{}+09:00", at.checked_add(SignedDuration::from_hours(9)).unwrap_or(at).strftime(pattern))
}
