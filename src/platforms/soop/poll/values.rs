//! SOOP's ways of writing a value, undone: numbers as text, Korean time, one thing under three host names.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{self, Offset},
};
use serde_json::Value;
use url::Url;

/// Korea has one clock, nine hours ahead, all year.
const KOREA: Offset = tz::offset(9);

/// The platform's domains, in the order of its names; what is found under one is found under the others.
const DOMAINS: [&str; 3] = ["afreecatv.com", "sooplive.co.kr", "sooplive.com"];
/// The domain that is published instead of the others.
const DOMAIN: &str = "sooplive.com";

/// Beyond this a float skips whole numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The text of a scalar, without the space around it; `None` for what is none. Empty text is text.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
                (float as i64).to_string()
            }
            _ => number.to_string(),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `true` for 1, `false` for 0, in any spelling.
pub fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// A category's number as the lists write it: eight digits. Some answers leave out the zeros in front.
pub fn category(text: &str) -> Option<String> {
    let is_number = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| format!("{:0>8}", text.trim_start_matches('0')))
}

/// `2026-01-06 12:25:42` or `2026-01-06 12:25`, by the clock of Korea.
pub fn moment(text: &str) -> Option<Timestamp> {
    let has_shape = |shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(is, must)| match must {
                b'0' => is.is_ascii_digit(),
                must => is == must,
            })
    };
    let format = match () {
        () if has_shape("0000-00-00 00:00:00") => "%Y-%m-%d %H:%M:%S",
        () if has_shape("0000-00-00 00:00") => "%Y-%m-%d %H:%M",
        () => return None,
    };
    DateTime::strptime(format, text).and_then(|clock| KOREA.to_timestamp(clock)).ok()
}

/// Where something is found on the web, as it compares: host and path. Schemes, queries against caches and the
/// platform's older domains are no differences.
pub fn place(text: &str) -> Option<String> {
    let absolute = match text.strip_prefix("//") {
        Some(rest) => format!("https://{rest}"),
        None => text.to_owned(),
    };
    let url = Url::parse(&absolute).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let host = url.host_str()?;
    let own = DOMAINS.iter().find_map(|domain| {
        let before = host.strip_suffix(domain)?;
        (before.is_empty() || before.ends_with('.')).then(|| format!("{before}{DOMAIN}"))
    });
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}{}", own.as_deref().unwrap_or(host), url.path().trim_end_matches('/')))
}

#[cfg(test)]
mod tests;
