//! From a checked reply to the words of an answer.

use serde_json::{Map, Value, json};

use super::reply::Reply;
use crate::platform::{Decision, Question, QuestionSettings, Ruling};

/// One field of a reply and its place in an answer.
struct Term {
    /// In the reply.
    name: &'static str,
    /// In the answer.
    wire: &'static str,
    /// The kinds of question for which it means something.
    kinds: &'static [i64],
    /// How its value is written.
    write: fn(&Value, &QuestionSettings) -> Value,
}

const fn term(
    name: &'static str,
    wire: &'static str,
    kinds: &'static [i64],
    write: fn(&Value, &QuestionSettings) -> Value,
) -> Term {
    Term { name, wire, kinds, write }
}

/// Of `vod-play` (kinds 1 and 3) and `live-play` (100), in the order of the answer. The answer of `live-play` is not
/// documented; what has a meaning there as well is taken over.
const PLAY: &[Term] = &[
    term("expires_at", "expiration_date", &[1, 100], same),
    term("play_limit_seconds", "expiration_playtime", &[1, 100], same),
    term("preview", "play_section", &[1], play_section),
    term("virtual_machine_check", "vmcheck", &[1, 100], flag),
    term("tv_out", "disable_tvout", &[1, 100], not_flag),
    term("expired", "content_expired", &[3], flag),
    term("message", "message", &[1, 3, 100], same),
];

/// Of `download`, in the order of the answer.
const DOWNLOAD: &[Term] = &[
    term("expires_at", "expiration_date", &[1, 3], same),
    term("count_limit", "expiration_count", &[1, 3], same),
    term("play_limit_seconds", "expiration_playtime", &[1, 3], same),
    term("counts_play_time_only", "expiration_playtime_type", &[1], flag),
    term("refresh_popup", "expiration_refresh_popup", &[1], flag),
    term("virtual_machine_check", "vmcheck", &[1], flag),
    term("check_at_every_play", "check_abuse", &[1, 3], flag),
    term("offline_bookmark", "offline_bookmark", &[1], offline_bookmark),
    term("check_at", "check_expiration_date", &[2, 3], same),
    term("expired", "content_expired", &[3], flag),
    term("delete", "content_delete", &[2, 3], flag),
    term("restore", "content_expire_reset", &[3], flag),
    term("message", "message", &[1, 2, 3], same),
];

/// The answer to one question, from what was replied to it.
pub fn rule(question: &Question, reply: &Reply, settings: &QuestionSettings) -> Ruling {
    let result = json!(i32::from(reply.decision == Decision::Allow));
    let mut element = Map::new();
    let mut echo = |name: &str, asked: &str| {
        if let Some(value) = question.asked.get(asked) {
            element.insert(name.to_owned(), value.clone());
        }
    };
    let is_listed =
        question.name == "download" || (question.name == "live-play" && settings.live_play_is_list);
    if is_listed {
        echo("kind", "kind");
        echo("media_content_key", "media_content_key");
    }
    if question.name == "download" && kind(question) == 3 {
        echo("session_key", "session_key");
        echo("start_at", "started_at");
    }
    element.insert("result".to_owned(), result);

    let mut terms = Map::new();
    let table = if question.name == "download" { DOWNLOAD } else { PLAY };
    for term in table.iter().filter(|term| term.kinds.contains(&kind(question))) {
        if let Some(value) = reply.said.get(term.name) {
            element.insert(term.wire.to_owned(), (term.write)(value, settings));
            terms.insert(term.name.to_owned(), value.clone());
        }
    }
    Ruling { decision: reply.decision, element: Value::Object(element), terms, reason: reason(reply) }
}

/// The fields of a reply that mean something for a question.
#[cfg(test)]
pub fn names(question: &str) -> Vec<&'static str> {
    let (table, kinds): (&[Term], &[i64]) = match question {
        "download" => (DOWNLOAD, &[1, 2, 3]),
        "live-play" => (PLAY, &[100]),
        _ => (PLAY, &[1, 3]),
    };
    let means_something = |term: &&Term| term.kinds.iter().any(|kind| kinds.contains(kind));
    table.iter().filter(means_something).map(|term| term.name).collect()
}

/// Whether a reply names a video.
pub fn names_a_video(reply: &Reply) -> bool {
    ["content_key", "url"].iter().any(|name| reply.said.contains_key(*name))
}

/// The answer to `next-episode`. Without a video there is nothing to allow.
pub fn rule_next_episode(reply: &Reply, settings: &QuestionSettings) -> Ruling {
    let decision = if names_a_video(reply) { reply.decision } else { Decision::Deny };
    let mut element = Map::new();
    element.insert("result".to_owned(), json!(i32::from(decision == Decision::Allow)));
    for (says, usual) in [("content_key", "media_content_key"), ("url", "url")] {
        if let Some(value) = reply.said.get(says).filter(|_| decision == Decision::Allow) {
            let name = settings.next_episode_answer.get(says).map_or(usual, String::as_str);
            element.insert(name.to_owned(), value.clone());
        }
    }
    let mut terms = reply.said.clone();
    // The URL of a video is good for whoever holds it, so it is not published.
    terms.retain(|name, _| ["content_key", "message"].contains(&name.as_str()));
    element.extend(reply.said.get("message").map(|message| ("message".to_owned(), message.clone())));
    Ruling { decision, element: Value::Object(element), terms, reason: reason(reply) }
}

/// The platform's number of a question.
pub fn kind(question: &Question) -> i64 {
    question.asked.get("kind").and_then(Value::as_i64).unwrap_or_default()
}

fn reason(reply: &Reply) -> Option<String> {
    reply.text("reason").map(str::to_owned)
}

fn same(value: &Value, _: &QuestionSettings) -> Value {
    value.clone()
}

/// Players take 0 and 1 only.
fn flag(value: &Value, _: &QuestionSettings) -> Value {
    json!(i32::from(value == true))
}

fn not_flag(value: &Value, _: &QuestionSettings) -> Value {
    json!(i32::from(value == false))
}

/// An object in one of Kollus's samples, a list of such objects in another.
fn play_section(value: &Value, settings: &QuestionSettings) -> Value {
    let section = json!({ "start_time": value["from_seconds"], "end_time": value["to_seconds"] });
    if settings.play_section_is_list { json!([section]) } else { section }
}

fn offline_bookmark(value: &Value, settings: &QuestionSettings) -> Value {
    json!({
        "download": flag(&value["download"], settings),
        "readonly": flag(&value["read_only"], settings),
    })
}
