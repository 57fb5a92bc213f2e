//! SOOP's answers while they are read: wrapping off, refusals told from successes, every scalar in any spelling.
//!
//! A refusal mostly comes with status 200. A list has no mark of success at all, so only the name of the list
//! tells an empty one from something else.

mod fields;

use serde_json::{Map, Value};

use super::values;
use crate::platform::{ApiResponse, Failure, json};

pub use fields::{Fields, Quirks};

/// The result that stands for success.
const SUCCESS: &str = "1";
/// The token or the client id is not accepted.
const UNAUTHORIZED: [i64; 2] = [-10, -1104];
/// The account is not broadcasting now: the result, or the number at the end of the message.
const OFFLINE: [&str; 2] = ["-1302", "143"];

/// The longest error word that is shown.
const WORD_BYTES_MAX: usize = 32;

/// What an answer says if it is a success.
///
/// # Errors
/// [`Failure`] by status, by an error inside an answer of any status, and for what is no JSON object in UTF-8.
pub fn document(answer: &ApiResponse, quirks: &mut Quirks) -> Result<Fields, Failure> {
    let said = read(&answer.body, quirks);
    let by_status = match answer.success() {
        Ok(_) => None,
        // Whatever a page of trouble says, it is not about our request.
        Err(
            failure @ (Failure::Unauthorized | Failure::RateLimited { .. } | Failure::Unavailable { .. }),
        ) => return Err(failure),
        Err(failure) => Some(failure),
    };
    let refusal = said.as_ref().ok().and_then(|document| refusal(document, answer));
    match (by_status, refusal) {
        (None, Some(refusal)) | (Some(Failure::Refused { .. }), Some(refusal)) => Err(refusal),
        (Some(_), Some(Failure::Unauthorized)) => Err(Failure::Unauthorized),
        (Some(by_status), _) => Err(by_status),
        (None, None) => {
            let mut document = said?;
            document.shift_remove("result");
            document.shift_remove("msg");
            Ok(Fields::of(document))
        }
    }
}

/// Whether a refusal says that the account is not broadcasting.
pub fn is_offline(failure: &Failure) -> bool {
    let Failure::Refused { code } = failure else { return false };
    let mut numbers = code.split(' ');
    numbers.next() == Some(OFFLINE[0]) || numbers.next() == Some(OFFLINE[1])
}

fn read(body: &[u8], quirks: &mut Quirks) -> Result<Map<String, Value>, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::malformed("the answer is not UTF-8"))?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => {
            quirks.note("byte-order-mark");
            text
        }
        None => text,
    };
    let text = text.trim();
    if text.starts_with('<') {
        return Err(Failure::malformed("the answer is a page for people"));
    }
    let text = match call(text) {
        Some(argument) => {
            quirks.note("jsonp");
            argument
        }
        None => text,
    };
    match json::parse_answer(text.as_bytes())? {
        Value::Object(document) => Ok(document),
        _ => Err(Failure::malformed("the answer is no JSON object")),
    }
}

/// The argument of `name( … );`.
fn call(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once('(')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    let name = name.trim_end();
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let rest = rest.trim_end();
    rest.strip_suffix(';').unwrap_or(rest).trim_end().strip_suffix(')')
}

/// Why the answer is no success, if it is none.
fn refusal(document: &Map<String, Value>, answer: &ApiResponse) -> Option<Failure> {
    if let Some(error) = document.get("error") {
        return Some(of_word(&values::scalar(error).unwrap_or_default(), answer));
    }
    let result = match document.get("result")? {
        Value::Null => return None,
        result => values::scalar(result).unwrap_or_default(),
    };
    if result == SUCCESS || result == "true" {
        return None;
    }
    let Ok(result) = result.parse::<i64>() else {
        return Some(Failure::Refused { code: "unknown result".to_owned() });
    };
    if UNAUTHORIZED.contains(&result) {
        return Some(Failure::Unauthorized);
    }
    let message = document.get("msg").and_then(values::scalar).unwrap_or_default();
    let code = match number_behind(&message) {
        Some(number) => format!("{result} {number}"),
        None => result.to_string(),
    };
    Some(Failure::Refused { code })
}

/// What an error in the style of OAuth means.
fn of_word(error: &str, answer: &ApiResponse) -> Failure {
    match error {
        "insufficient_scope" | "access_denied" => Failure::Forbidden,
        "server_error" | "temporarily_unavailable" => {
            Failure::Unavailable { status: answer.status, retry_after: answer.retry_after.clone() }
        }
        _ if ["token", "grant", "client"].iter().any(|word| error.contains(word)) => Failure::Unauthorized,
        _ => {
            // Words only: a secret that is sent back has digits or is longer.
            let is_word = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-');
            let is_shown = !error.is_empty() && error.len() <= WORD_BYTES_MAX && error.bytes().all(is_word);
            let code = if is_shown { error.replace('_', " ") } else { "unknown error".to_owned() };
            Failure::Refused { code }
        }
    }
}

/// The number in brackets at the end of a message.
fn number_behind(message: &str) -> Option<u32> {
    message.trim_end().strip_suffix(')')?.rsplit_once('(')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests;
