//! The fact sheet's tables once more, written down apart from the code: what an answer may hold, by callback and kind.

use serde_json::Value;

enum Allowed {
    Int(i64, i64),
    /// 0, or a range.
    ZeroOr(i64, i64),
    Text,
    Section,
    Sections,
    Bookmark,
    Key,
}
use Allowed::{Bookmark, Int, Key, Section, Sections, Text, ZeroOr};

const BIT: Allowed = Int(0, 1);
const EXPIRY: Allowed = Int(0, 1_893_455_999);

/// Fields of one element, with the kinds that have them.
const PLAY: &[(&str, &[i64], Allowed)] = &[
    ("result", &[1, 3], BIT),
    ("expiration_date", &[1], EXPIRY),
    ("expiration_playtime", &[1], Int(0, 2_147_483_647)),
    ("play_section", &[1], Section),
    ("vmcheck", &[1], BIT),
    ("disable_tvout", &[1], BIT),
    ("content_expired", &[3], BIT),
    ("message", &[1, 3], Text),
];
const LIVE_PLAY: &[(&str, &[i64], Allowed)] = &[
    ("result", &[100], BIT),
    ("expiration_date", &[100], EXPIRY),
    ("expiration_playtime", &[100], Int(0, 2_147_483_647)),
    ("vmcheck", &[100], BIT),
    ("disable_tvout", &[100], BIT),
    ("message", &[100], Text),
];
const DOWNLOAD: &[(&str, &[i64], Allowed)] = &[
    ("kind", &[1, 2, 3], Int(1, 3)),
    ("media_content_key", &[1, 2, 3], Key),
    ("session_key", &[3], Key),
    ("start_at", &[3], Int(0, 4_102_444_800)),
    ("result", &[1, 2, 3], BIT),
    ("expiration_date", &[1, 3], EXPIRY),
    ("expiration_count", &[1, 3], Int(0, 1000)),
    ("expiration_playtime", &[1, 3], ZeroOr(60, 604_800)),
    ("expiration_playtime_type", &[1], BIT),
    ("expiration_refresh_popup", &[1], BIT),
    ("vmcheck", &[1], BIT),
    ("check_abuse", &[1, 3], BIT),
    ("offline_bookmark", &[1], Bookmark),
    ("check_expiration_date", &[2, 3], EXPIRY),
    ("content_expired", &[3], BIT),
    ("content_delete", &[2, 3], BIT),
    ("content_expire_reset", &[3], BIT),
    ("message", &[1, 2, 3], Text),
];
const NEXT_EPISODE: &[(&str, &[i64], Allowed)] =
    &[("result", &[0], BIT), ("media_content_key", &[0], Key), ("url", &[0], Key), ("message", &[0], Text)];

/// What is wrong with one element of the answer to a question of this kind; kind 0 for one that has none.
pub fn complaints(question: &str, kind: i64, element: &Value, is_listed: bool) -> Vec<String> {
    let table = match question {
        "play" => PLAY,
        "live-play" => LIVE_PLAY,
        "download" => DOWNLOAD,
        _ => NEXT_EPISODE,
    };
    let Value::Object(fields) = element else { return vec!["it is no object".to_owned()] };
    let mut found = Vec::new();
    for (name, value) in fields {
        let allowed = table.iter().find(|(known, kinds, _)| known == name && kinds.contains(&kind));
        match allowed {
            None => found.push(format!("{name} has no place in {question} {kind}")),
            Some((_, _, Section)) if is_listed => {
                if !fits(&Sections, value) {
                    found.push(format!("{name} is {value}"));
                }
            }
            Some((_, _, allowed)) if !fits(allowed, value) => found.push(format!("{name} is {value}")),
            Some(_) => {}
        }
    }
    let needed: &[&str] =
        if question == "download" { &["kind", "media_content_key", "result"] } else { &["result"] };
    found.extend(
        needed.iter().filter(|name| !fields.contains_key(**name)).map(|name| format!("{name} is missing")),
    );
    found
}

fn fits(allowed: &Allowed, value: &Value) -> bool {
    // As it stands in the JSON: neither a quote nor a point nor an exponent.
    let integer = || value.to_string().parse::<i64>().ok();
    match allowed {
        Int(from, to) => integer().is_some_and(|number| (*from..=*to).contains(&number)),
        ZeroOr(from, to) => integer().is_some_and(|number| number == 0 || (*from..=*to).contains(&number)),
        Text => value
            .as_str()
            .is_some_and(|text| text.chars().count() <= 500 && !text.chars().any(char::is_control)),
        Key => value.as_str().is_some_and(|text| !text.is_empty() && !text.chars().any(char::is_control)),
        Section => {
            let seconds = Int(0, 2_147_483_647);
            value.as_object().is_some_and(|section| section.len() == 2)
                && fits(&seconds, &value["start_time"])
                && fits(&seconds, &value["end_time"])
                && value["start_time"].as_i64() < value["end_time"].as_i64()
        }
        Sections => value.as_array().is_some_and(|list| list.len() == 1 && fits(&Section, &list[0])),
        Bookmark => {
            value.as_object().is_some_and(|bookmark| bookmark.len() == 2)
                && fits(&BIT, &value["download"])
                && fits(&BIT, &value["readonly"])
        }
    }
}
