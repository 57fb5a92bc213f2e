//! A decision service's reply, checked: what is wrong in it must never be signed, for a limit that a device has got
//! cannot be taken back.

use serde_json::{Map, Value};

use crate::platform::{BadReply, Decision, json};

/// The last second of 2029: the latest expiry that players take.
pub const EXPIRES_AT_MAX: i64 = 1_893_455_999;
/// The most plays of a copy.
pub const COUNT_MAX: i64 = 1_000;
/// The shortest and the longest time for which a copy can be played, besides 0 for no limit.
pub const COPY_SECONDS: std::ops::RangeInclusive<i64> = 60..=604_800;
/// No documentation bounds seconds of online playback; players count in 32 bits.
pub const SECONDS_MAX: i64 = i32::MAX as i64;

const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Of text for people.
pub const MESSAGE_CHARS_MAX: usize = 500;
/// Of a content key.
pub const KEY_BYTES_MAX: usize = 256;
/// Of a link.
pub const URL_BYTES_MAX: usize = 4096;

/// What can stand in a field.
#[derive(Clone, Copy)]
enum Check {
    Text,
    Integer(i64, i64),
    PlayLimit,
    Flag,
    Preview,
    OfflineBookmark,
    Key,
    Url,
}

/// Every field of a reply, but `result`. One that means nothing for a question is checked all the same.
const FIELDS: &[(&str, Check)] = &[
    ("message", Check::Text),
    ("reason", Check::Text),
    ("expires_at", Check::Integer(0, EXPIRES_AT_MAX)),
    ("count_limit", Check::Integer(0, COUNT_MAX)),
    ("play_limit_seconds", Check::PlayLimit),
    ("counts_play_time_only", Check::Flag),
    ("refresh_popup", Check::Flag),
    ("preview", Check::Preview),
    ("virtual_machine_check", Check::Flag),
    ("tv_out", Check::Flag),
    ("check_at_every_play", Check::Flag),
    ("offline_bookmark", Check::OfflineBookmark),
    ("check_at", Check::Integer(0, EXPIRES_AT_MAX)),
    ("expired", Check::Flag),
    ("delete", Check::Flag),
    ("restore", Check::Flag),
    ("content_key", Check::Key),
    ("url", Check::Url),
];

/// A reply in which every field has the right type and range.
pub struct Reply {
    /// Whether the viewer may.
    pub decision: Decision,
    /// Everything else that was said, by its name.
    pub said: Map<String, Value>,
}

impl Reply {
    /// That and nothing else.
    pub fn of(decision: Decision) -> Self {
        Self { decision, said: Map::new() }
    }

    /// Reads the reply to the question called `question`.
    ///
    /// # Errors
    /// [`BadReply`] when it is no JSON object, says something twice, something unknown, or something out of range.
    pub fn parse(question: &str, reply: &[u8]) -> Result<Self, BadReply> {
        if reply.len() > REPLY_BYTES_MAX {
            return Err(bad("reply", format!("is longer than {REPLY_BYTES_MAX} bytes")));
        }
        let Value::Object(mut fields) = json::parse(reply).map_err(|why| bad("reply", why.to_string()))?
        else {
            return Err(bad("reply", "is not a JSON object like {\"result\": \"allow\"}"));
        };
        let decision = match fields.remove("result").as_ref().and_then(Value::as_str) {
            Some("allow") => Decision::Allow,
            Some("deny") => Decision::Deny,
            _ => return Err(bad("result", "must be \"allow\" or \"deny\"")),
        };
        let mut said = Map::new();
        for (name, check) in FIELDS {
            // What a service writes as null it does not say.
            let Some(value) = fields.remove(*name).filter(|value| !value.is_null()) else { continue };
            check.pass(question, &value).map_err(|why| bad(name, why))?;
            said.insert((*name).to_owned(), value);
        }
        match fields.keys().next() {
            None => Ok(Self { decision, said }),
            Some(unknown) => Err(bad("reply", not_a_field(unknown))),
        }
    }

    /// Some text that was said.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.said.get(name).and_then(Value::as_str)
    }
}

impl Check {
    fn pass(self, question: &str, value: &Value) -> Result<(), String> {
        match self {
            Self::Text => {
                let chars_max = MESSAGE_CHARS_MAX;
                let fits =
                    |text: &str| text.chars().count() <= chars_max && !text.chars().any(char::is_control);
                is(value.as_str().is_some_and(fits), || {
                    format!("must be text of at most {chars_max} characters, without control characters")
                })
            }
            Self::Integer(from, to) => integer(value, from, to),
            Self::PlayLimit if question == "download" => {
                let fits = |seconds| seconds == 0 || COPY_SECONDS.contains(&seconds);
                is(value.as_i64().is_some_and(fits), || {
                    let (from, to) = COPY_SECONDS.into_inner();
                    format!("must be 0 for no limit, or a whole number from {from} to {to}")
                })
            }
            Self::PlayLimit => integer(value, 0, SECONDS_MAX),
            Self::Flag => is(value.is_boolean(), || "must be true or false".to_owned()),
            Self::Preview => {
                let second = |name| value[name].as_i64().filter(|second| (0..=SECONDS_MAX).contains(second));
                let fits = matches!((second("from_seconds"), second("to_seconds")), (Some(from), Some(to)) if from < to);
                is(fits && has_members(value, 2), || {
                    "must be {\"from_seconds\": …, \"to_seconds\": …}, whole numbers, the second one greater"
                        .to_owned()
                })
            }
            Self::OfflineBookmark => {
                let fits = value["download"].is_boolean() && value["read_only"].is_boolean();
                is(fits && has_members(value, 2), || {
                    "must be {\"download\": …, \"read_only\": …}, each true or false".to_owned()
                })
            }
            Self::Key => {
                let fits = |key: &str| {
                    (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
                };
                is(value.as_str().is_some_and(fits), || {
                    format!("must be a key of 1 to {KEY_BYTES_MAX} letters, digits and signs")
                })
            }
            Self::Url => {
                let fits = |url: &str| {
                    url.len() <= URL_BYTES_MAX
                        && url::Url::parse(url)
                            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
                        && url.bytes().all(|b| b.is_ascii_graphic())
                };
                is(value.as_str().is_some_and(fits), || {
                    format!("must be an http or https URL of at most {URL_BYTES_MAX} bytes, escaped")
                })
            }
        }
    }
}

/// A number in text, or with a fraction, is none: players refuse what has the wrong type, and a rounded limit is
/// another limit.
fn integer(value: &Value, from: i64, to: i64) -> Result<(), String> {
    is(value.as_i64().is_some_and(|number| (from..=to).contains(&number)), || {
        format!("must be a whole number from {from} to {to}, without quotes and fraction")
    })
}

fn has_members(value: &Value, count: usize) -> bool {
    value.as_object().is_some_and(|members| members.len() == count)
}

fn is(fits: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if fits { Ok(()) } else { Err(why()) }
}

fn bad(field: &'static str, why: impl Into<String>) -> BadReply {
    BadReply { field, why: why.into() }
}

/// A name of the service's own choice is shown shortened and escaped.
fn not_a_field(unknown: &str) -> String {
    let names = FIELDS.iter().map(|(name, _)| *name).chain(["result"]);
    let likest =
        names.map(|name| (strsim::jaro_winkler(unknown, name), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    let shown: String = unknown.chars().take(40).collect();
    match likest {
        Some((likeness, name)) if likeness > 0.8 => {
            format!("has a field {shown:?} that is not known: did you mean {name}?")
        }
        _ => format!("has a field {shown:?} that is not known: leave it out"),
    }
}
