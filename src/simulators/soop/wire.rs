//! How questions come in and answers go out.

use std::{borrow::Cow, fmt::Display};

use serde_json::{Value, json};

use super::{Options, Refusal, World};
use crate::simulators::{Request, Response, grants::Standing};

/// An answer before it is sent.
pub(super) struct Answer {
    pub status: u16,
    pub body: String,
    pub is_page: bool,
    pub is_list: bool,
}

impl Answer {
    /// JSON with status 200.
    pub fn json(body: &Value) -> Self {
        Self { status: 200, body: body.to_string(), is_page: false, is_list: false }
    }

    /// A list, of which old copies may come.
    pub fn list(body: String) -> Self {
        Self { status: 200, body, is_page: false, is_list: true }
    }

    /// A page for people.
    pub fn page(status: u16) -> Self {
        let body = format!("<!doctype html><html><head><title>{status}</title></head><body></body></html>");
        Self { status, body, is_page: true, is_list: false }
    }

    /// An error inside of status 200.
    pub fn envelope(result: i32, msg: &str) -> Self {
        Self::json(&json!({ "result": result, "msg": msg }))
    }

    /// As JSON of this content type, if it is not a page.
    pub fn send(self, content_type: &str) -> Response {
        let content_type = if self.is_page { "text/html; charset=utf-8" } else { content_type };
        Response::text(self.status, content_type, self.body)
    }
}

/// None is documented.
pub(super) const CONTENT_TYPES: [&str; 4] =
    ["application/json", "application/json; charset=utf-8", "text/html; charset=UTF-8", "text/plain"];

/// A parameter, wherever this method carries its parameters.
pub(super) fn parameter<'r>(request: &'r Request, name: &str) -> Option<Cow<'r, str>> {
    if request.method == "GET" {
        return request.query(name).map(Cow::Borrowed);
    }
    let is_form = |content_type: &str| content_type.starts_with("application/x-www-form-urlencoded");
    if !request.header("content-type").is_none_or(is_form) {
        return None;
    }
    request.form().into_iter().find(|(known, _)| known == name).map(|(_, value)| Cow::Owned(value))
}

/// Whose requests are counted together.
pub(super) fn caller(request: &Request) -> String {
    let by = |name| parameter(request, name).map(|value| format!("{name} {value}"));
    by("access_token").or_else(|| by("client_id")).unwrap_or_else(|| "nobody".to_owned())
}

impl World {
    /// Refuses a client that is not known.
    pub(super) fn refuse_client(&self, request: &Request, needs_secret: bool) -> Option<Answer> {
        let is = |name, expected: &str| parameter(request, name).as_deref() == Some(expected);
        let Options { client_id, client_secret, .. } = &self.options;
        let is_known = is("client_id", client_id) && (!needs_secret || is("client_secret", client_secret));
        (!is_known).then(|| Answer::envelope(-1104, "등록되지 않은 client_id 입니다."))
    }

    /// Whose access token this is, or how it is refused.
    pub(super) fn account_of(&mut self, request: &Request) -> Result<usize, Answer> {
        let error = match parameter(request, "access_token") {
            Some(token) => match self.standing(&token) {
                Standing::Good(login) => match self.place_of(&login) {
                    Some(place) => return Ok(place),
                    None => "invalid_token",
                },
                Standing::Expired => "expired_token",
                Standing::Worthless => "invalid_token",
            },
            None => "not-found-access-token",
        };
        Err(match self.options.refusal {
            Refusal::Envelope => Answer::envelope(-10, "인증에 실패하였습니다."),
            Refusal::Unauthorized => {
                let body = json!({ "error": error, "error_description": "The access token is not valid." });
                Answer { status: 401, ..Answer::json(&body) }
            }
        })
    }

    /// Whether this answer has something, in so many of 100 cases; never if answers do not vary.
    pub(super) fn varies(&mut self, percent: u32) -> bool {
        self.options.varies && self.dice.chance(percent)
    }

    /// One of the hosts that the platform has had, and what is behind the question mark of pictures.
    pub(super) fn host(&mut self) -> (&'static str, u64) {
        const HOSTS: [&str; 3] = ["sooplive.co.kr", "sooplive.com", "afreecatv.com"];
        if !self.options.varies {
            return (HOSTS[0], 4_345_126_843);
        }
        (*self.dice.pick(&HOSTS), self.dice.number() % 10_000_000_000)
    }

    /// The answer of an account's endpoint.
    pub(super) fn account_answer(&mut self, data: Value, is_array: bool) -> Answer {
        let data = if is_array { json!([data]) } else { data };
        let mut answer = json!({ "result": 1, "msg": "성공", "data": data });
        if self.varies(25)
            && let Some(fields) = answer.as_object_mut()
        {
            fields.shift_remove("msg");
        }
        Answer::json(&answer)
    }

    /// A number, or the same as a string.
    pub(super) fn number(&mut self, number: impl Into<i64>) -> Value {
        let number = number.into();
        if self.varies(20) { json!(number.to_string()) } else { json!(number) }
    }
}

/// Appends `"name":value,` with the value in quotation marks or not.
pub(super) fn push_scalar(out: &mut String, name: &str, value: impl Display, is_quoted: bool) {
    use std::fmt::Write;
    // Writing to a string does not fail.
    let _ =
        if is_quoted { write!(out, "\"{name}\":\"{value}\",") } else { write!(out, "\"{name}\":{value},") };
}

/// Appends `"name":"text",` as JSON; with `is_ascii` as some servers have it, with everything escaped.
pub(super) fn push_text(out: &mut String, name: &str, text: &str, is_ascii: bool) {
    use std::fmt::Write;
    out.push('"');
    out.push_str(name);
    out.push_str("\":\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if is_ascii => out.push_str("\\/"),
            letter if letter < ' ' || (is_ascii && !letter.is_ascii()) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            letter => out.push(letter),
        }
    }
    out.push_str("\",");
}
