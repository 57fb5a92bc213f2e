//! Every case comes out as the file beside it says. `UPDATE_EXPECT=1` rewrites those files; review the diff.

use std::{fmt::Write, fs};

use livehook::model::Observation;

use crate::support::{
    cases::{self, Case},
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
        for observation in &treated.observations {
            writeln!(text, "observed  {}", observed(observation)).unwrap();
        }
        for event in &treated.events {
            writeln!(text, "event     {}", serde_json::to_string_pretty(event).unwrap()).unwrap();
        }
    }
    text
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

fn observed(observation: &Observation) -> String {
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
fn difference(expected: &str, told: &str) -> String {
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
