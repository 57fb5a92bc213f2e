//! Every case comes out as the file beside it says. `UPDATE_EXPECT=1` rewrites those files; review the diff.

use std::{fmt::Write, fs};

use serde_json::Value;

use crate::support::{
    cases::{self, Case, difference, observed},
    desk::{Desk, Outcome, Treated},
};

#[test]
fn every_case_comes_out_as_expected() {
    #[expect(clippy::disallowed_methods, reason = "the switch of the person who runs the tests")]
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failures = String::new();
    for case in cases::all() {
        let told = tell(case);
        let path = case.expect_path();
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if told == expected {
            continue;
        }
        if is_update {
            fs::write(&path, told).unwrap();
        } else {
            write!(failures, "\n{}\n{}", case.path.display(), difference(&expected, &told)).unwrap();
        }
    }
    assert!(
        failures.is_empty(),
        "{failures}\nIf this is right: UPDATE_EXPECT=1 cargo test --test it cases\n"
    );
}

/// What came of a case, as text made for reading.
fn tell(case: &Case) -> String {
    let mut desk = Desk::default();
    let mut text = String::new();
    for request in &case.requests {
        if request.after_seconds > 0 {
            writeln!(text, "\n### +{}s", request.after_seconds).unwrap();
        }
        let treated = desk.treat(case, request);
        writeln!(text, "outcome   {}", in_words(&treated)).unwrap();
        for quirk in &treated.quirks {
            writeln!(text, "quirk     {quirk}").unwrap();
        }
        for exchange in &treated.exchanges {
            writeln!(text, "{exchange}").unwrap();
        }
        if let Some(answer) = &treated.answer {
            writeln!(text, "answer    {}", data(&answer.body)).unwrap();
        }
        for observation in &treated.observations {
            writeln!(text, "observed  {}", observed(observation)).unwrap();
        }
        for event in &treated.events {
            writeln!(text, "event     {}", serde_json::to_string_pretty(event).unwrap()).unwrap();
        }
    }
    text
}

/// What a player reads in an answer, after the signature was checked by somebody else's code.
fn data(token: &[u8]) -> String {
    let key = jsonwebtoken::DecodingKey::from_secret(cases::SECURITY_KEY.as_bytes());
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    rules.required_spec_claims.clear();
    let token = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
    let Value::Object(claims) = &token.claims else { panic!("an answer is an object") };
    assert_eq!(claims.keys().collect::<Vec<_>>(), ["data"], "an answer holds data and nothing else");
    serde_json::to_string(&claims["data"]).unwrap()
}

fn in_words(treated: &Treated) -> String {
    match (&treated.outcome, treated.events.len()) {
        (Outcome::Accepted, 0) => "accepted, no event".to_owned(),
        (Outcome::Accepted, 1) => "accepted, 1 event".to_owned(),
        (Outcome::Accepted, events) => format!("accepted, {events} events"),
        (Outcome::Duplicate, _) => "duplicate".to_owned(),
        (Outcome::Probe, _) => "probe".to_owned(),
        (Outcome::Quarantined(why), _) => format!("quarantined: {why}"),
        (Outcome::Refused(why), _) => format!("refused: {why}"),
    }
}
