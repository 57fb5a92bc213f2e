//! Every case of a poll comes out as the file beside it says (`UPDATE_EXPECT=1` rewrites those files), and what
//! every platform must do with answers, whatever they say.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write,
    fs,
};

use bytes::Bytes;
use livehook::{
    platform::{Failure, Findings},
    platforms,
};
use proptest::{prelude::*, sample::Index};

use crate::support::{
    cases::{difference, observed},
    poll_cases::{
        Answer, PollCase, document_in,
        walker::{Step, Walked, walk, walk_all, walked_cases},
    },
};

#[test]
fn every_poll_case_comes_out_as_expected() {
    #[expect(clippy::disallowed_methods, reason = "the switch of the person who runs the tests")]
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failures = String::new();
    for (case, steps) in walked_cases() {
        let path = case.path.display();
        for misfit in steps.iter().filter_map(|step| step.walked.misfit.as_ref()) {
            write!(failures, "\n{path}: {misfit}; asked was\n{}", tell(steps)).unwrap();
        }
        let told = tell(steps);
        for secret in case.secrets() {
            assert!(!told.contains(&secret), "{path}: a secret is in\n{told}");
        }
        let expected = fs::read_to_string(case.expect_path()).unwrap_or_default();
        if told == expected {
            continue;
        }
        if is_update {
            fs::write(case.expect_path(), told).unwrap();
        } else {
            write!(failures, "\n{path}\n{}", difference(&expected, &told)).unwrap();
        }
    }
    assert!(
        failures.is_empty(),
        "{failures}\nIf this is right: UPDATE_EXPECT=1 cargo test --test it poll_cases\n"
    );
}

/// What came of a case, as text made for reading.
fn tell(steps: &[Step<'_>]) -> String {
    let mut text = String::new();
    for (index, step) in steps.iter().enumerate() {
        if index > 0 {
            writeln!(text, "\n### sweep +{}s", step.sweep.after_seconds).unwrap();
        }
        for request in &step.walked.requests {
            writeln!(text, "request   {request}").unwrap();
        }
        match &step.walked.outcome {
            Err(failure) => writeln!(text, "failure   {failure}").unwrap(),
            Ok(findings) => tell_findings(&mut text, findings),
        }
        for (entity, until) in &step.outcome.doubts {
            writeln!(text, "doubt     {entity} until {until}").unwrap();
        }
        if step.outcome.is_suspicious {
            writeln!(text, "suspicious").unwrap();
        }
        for event in &step.events {
            writeln!(text, "event     {event:#}").unwrap();
        }
    }
    text
}

fn tell_findings(text: &mut String, findings: &Findings) {
    for sighting in &findings.sightings {
        let scope = sighting.scope.as_ref().map(|scope| format!(" in {scope}")).unwrap_or_default();
        let from = sighting.listed_from.map(|from| format!(" from {from}")).unwrap_or_default();
        let age = sighting.age.map(|age| format!(", {age:#} old")).unwrap_or_default();
        writeln!(text, "sighted   {}{scope}{from}{age}", observed(&sighting.observation)).unwrap();
    }
    for listing in &findings.listings {
        let coverage = format!("{:?}", listing.coverage).to_lowercase();
        let from = listing.from.map(|from| format!(" from {from}")).unwrap_or_default();
        writeln!(text, "listing   {} {} {coverage}{from}", listing.scope, listing.noun).unwrap();
    }
    if let Some(cursor) = &findings.cursor {
        writeln!(text, "cursor    {cursor}").unwrap();
    }
    for quirk in &findings.quirks {
        writeln!(text, "quirk     {quirk}").unwrap();
    }
    if findings.has_more {
        writeln!(text, "more").unwrap();
    }
}

#[test]
fn the_same_sweep_again_changes_nothing() {
    for ((case, once), (_, twice)) in walked_cases().iter().zip(walk_all(2)) {
        for (once, twice) in once.iter().zip(twice) {
            assert_eq!(twice.events, once.events, "{}", case.path.display());
        }
    }
}

#[test]
fn every_event_of_a_sweep_is_announced_in_the_descriptor() {
    for (case, steps) in walked_cases() {
        let announced: Vec<_> = case.watch.emits.iter().map(|emitted| format!("live.{emitted}")).collect();
        for event in steps.iter().flat_map(|step| &step.events) {
            let event_type = event["type"].as_str().unwrap();
            let is_own = event_type.starts_with("live.source.");
            assert!(
                is_own || announced.iter().any(|announced| announced == event_type),
                "{}: the watch {} does not announce {event_type}",
                case.path.display(),
                case.watch.name
            );
        }
    }
}

#[test]
fn no_secret_is_in_the_debug_output_of_what_was_found() {
    for (case, steps) in walked_cases() {
        let secrets = case.secrets();
        for step in steps {
            let told = format!("{:?}", step.walked.outcome);
            for secret in &secrets {
                assert!(!told.contains(secret), "{}: a secret is in {told}", case.path.display());
            }
        }
    }
}

#[test]
fn reading_the_same_twice_finds_the_same() {
    for (case, steps) in walked_cases() {
        for step in steps {
            let again = walk(case, step.sweep, &step.before, &step.sweep.answers);
            assert_eq!(again.outcome, step.walked.outcome, "{}", case.path.display());
            assert_eq!(again.requests, step.walked.requests, "{}", case.path.display());
        }
    }
}

#[test]
fn every_watch_has_a_case_that_leads_to_an_event_and_one_that_fails() {
    let (mut led, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for (case, steps) in walked_cases() {
        assert!(case.origin.len() > 10, "{}: `# origin:` says too little", case.path.display());
        let watch = (case.platform.descriptor().id, case.watch.name);
        for step in steps {
            match &step.walked.outcome {
                Ok(_) if step.events.is_empty() => false,
                Ok(_) => led.insert(watch),
                Err(_) => failed.insert(watch),
            };
        }
    }
    for platform in platforms::ALL {
        let id = platform.descriptor().id;
        assert_eq!(platform.poll().is_some(), !platform.descriptor().watches.is_empty(), "{id}");
        for watch in platform.descriptor().watches {
            let (watch, name) = ((id, watch.name), watch.name);
            assert!(led.contains(&watch), "no case leads to an event: add one to {id}/poll/{name}");
            assert!(failed.contains(&watch), "no case fails: add one to {id}/poll/{name}");
        }
    }
}

/// Reads a sweep again in which the answer at `index` is another one.
fn walk_with(case: &PollCase, step: &Step<'_>, index: usize, answer: Answer) -> Walked {
    let mut answers = step.sweep.answers.clone();
    answers[index] = answer;
    // The sweep may now take another way, so it is not led further than the damage.
    answers.truncate(index + 1);
    walk(case, step.sweep, &step.before, &answers)
}

/// Every answer of every case, with its place.
fn answers() -> Vec<(&'static PollCase, &'static Step<'static>, usize)> {
    let mut places = Vec::new();
    for (case, steps) in walked_cases() {
        for step in steps {
            places.extend((0..step.sweep.answers.len()).map(|index| (*case, step, index)));
        }
    }
    places
}

#[test]
fn no_part_of_a_document_is_believed() {
    let mut tried = 0;
    for (case, step, index) in answers() {
        let answer = &step.sweep.answers[index];
        let document = document_in(&answer.body);
        let ends_badly = index + 1 == step.sweep.answers.len() && step.walked.outcome.is_err();
        let is_document = serde_json::from_slice::<serde_json::Value>(document).is_ok();
        if ends_badly || !is_document || !(200..300).contains(&answer.status) {
            continue;
        }
        let before = document.as_ptr() as usize - answer.body.as_ptr() as usize;
        let end = before + document.len();
        for cut in (before..end).step_by((document.len() / 24).max(1)) {
            tried += 1;
            let part = Answer { body: answer.body.slice(..cut), ..answer.clone() };
            let walked = walk_with(case, step, index, part);
            let is_refused = matches!(walked.outcome, Err(Failure::Malformed(_) | Failure::Gone));
            assert!(is_refused, "{}: answer {index} cut at {cut}", case.path.display());
        }
    }
    assert!(tried > 0, "no answer can be cut");
}

#[test]
fn no_trouble_is_taken_for_an_answer() {
    const LOGIN_PAGE: &str = "<!DOCTYPE html><html><title>Log in</title><form></form></html>";
    for (case, step, index) in answers() {
        for (status, body) in [
            (200, LOGIN_PAGE),
            (200, ""),
            (302, ""),
            (401, r#"{"message":"Unauthenticated."}"#),
            (429, r#"{"message":"Too Many Attempts."}"#),
            (500, "null"),
            (503, LOGIN_PAGE),
        ] {
            let answer = Answer { status, retry_after: None, body: Bytes::from_static(body.as_bytes()) };
            let walked = walk_with(case, step, index, answer);
            assert!(walked.outcome.is_err(), "{}: {status} {body} at {index}", case.path.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_answer_makes_a_platform_panic(
        body in prop::collection::vec(any::<u8>(), 0..300), status in 100..600_u16,
    ) {
        let mut met = HashSet::new();
        for (case, step, index) in answers() {
            if met.insert((case.watch.name, index, step.sweep.target.is_some())) {
                let answer = Answer { status, retry_after: None, body: Bytes::from(body.clone()) };
                walk_with(case, step, index, answer);
            }
        }
    }

    #[test]
    fn no_damage_to_an_answer_makes_a_platform_panic(
        place: Index, damages in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let answers = answers();
        let (case, step, index) = *place.get(&answers);
        let answer = &step.sweep.answers[index];
        let mut body = answer.body.to_vec();
        if !body.is_empty() {
            for (at, byte) in damages {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        walk_with(case, step, index, Answer { body: Bytes::from(body), ..answer.clone() });
    }
}
