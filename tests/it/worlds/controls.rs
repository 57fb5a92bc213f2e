//! Whether the judge of random worlds would notice: what is told is falsified, and platforms get defects.

use jiff::Timestamp;
use livehook::{
    model::{EntityKey, Noun, Observation, Phase, Verb},
    platform::{
        ApiRequest, ApiResponse, Coverage, Descriptor, Failure, Findings, Listed, Platform, Poll, Sighting,
        SweepTask, Walk,
    },
    simulators::Transition,
};
use serde_json::json;

use super::{
    random::{one, runtime},
    soop::Soops,
};
use crate::support::world::{Books, Case, Told, judge, tempdir};

/// In so many worlds each defect must be noticed.
const WORLDS: u64 = 25;

/// A few worlds in which nothing is wrong.
fn cases() -> Vec<Case> {
    let dir = tempdir();
    let books = Books::open(dir.path());
    let cases: Vec<_> =
        (1..4).map(|seed| runtime().block_on(one::<Soops>(&books.store, seed, None)).unwrap()).collect();
    assert!(cases.iter().all(|case| judge(case).is_empty() && case.told.len() > 10));
    cases
}

fn is_there(case: &Case, told: &Told) -> bool {
    case.truths.now().contains_key(&told.subject)
}

/// Falsifies each event that can be, one at a time; every time the judge must say something.
fn assert_noticed(what: &str, falsify: impl Fn(&mut Case, usize) -> bool) {
    let mut count = 0;
    for case in cases() {
        for place in 0..case.told.len() {
            let mut falsified = case.clone();
            if falsify(&mut falsified, place) {
                count += 1;
                assert!(!judge(&falsified).is_empty(), "{what} was not noticed: {:?}", case.told[place]);
            }
        }
    }
    assert!(count > 10, "{what} was tried {count} times");
}

#[test]
fn an_event_that_is_missing_is_noticed() {
    assert_noticed("a loss", |case, place| {
        // Who is told the end has no use for the changes before.
        let can_be = case.told[place].verb != "updated" || is_there(case, &case.told[place]);
        case.told.remove(place);
        can_be
    });
}

#[test]
fn an_event_that_comes_twice_is_noticed() {
    assert_noticed("a repetition", |case, place| {
        let again = case.told[place].clone();
        case.told.insert(place + 1, again);
        true
    });
}

#[test]
fn an_end_that_did_not_happen_is_noticed() {
    assert_noticed("an end", |case, place| {
        let mut end = case.told[place].clone();
        "ended".clone_into(&mut end.verb);
        let can_be = end.noun() == "broadcast" && is_there(case, &end);
        case.told.insert(place + 1, end);
        can_be
    });
}

#[test]
fn something_that_was_never_said_is_noticed() {
    assert_noticed("an untruth", |case, place| {
        let told = &mut case.told[place];
        let noun = told.noun().to_owned();
        let entity = told.data.get_mut(&noun).and_then(|entity| entity.as_object_mut()).unwrap();
        entity.insert("title".to_owned(), json!("never"));
        noun == "broadcast"
    });
}

#[test]
fn a_life_that_nobody_was_told_of_is_noticed() {
    assert_noticed("a life", |case, place| {
        let subject = case.told[place].subject.clone();
        let has_begun = case.told[place].verb == "started" && is_there(case, &case.told[place]);
        case.told.retain(|told| told.subject != subject);
        has_begun
    });
}

#[test]
fn what_happened_and_was_not_told_is_noticed() {
    assert_noticed("an event", |case, place| {
        let Told { subject, .. } = &case.told[place];
        let ended =
            Transition { at: case.journal.last().unwrap().at, subject: subject.clone(), verb: "ended" };
        let can_be = case.told[place].noun() == "broadcast" && is_there(case, &case.told[place]);
        case.journal.push(ended);
        can_be
    });
}

/// Plays worlds until one is wrong.
fn assert_caught(defect: fn(&'static dyn Platform) -> &'static dyn Platform) {
    let dir = tempdir();
    let books = Books::open(dir.path());
    let is_wrong = |seed| match runtime().block_on(one::<Soops>(&books.store, seed, Some(defect))) {
        Ok(case) => !judge(&case).is_empty(),
        Err(_) => true,
    };
    assert!((1..=WORLDS).any(is_wrong), "the defect was not noticed in {WORLDS} worlds");
}

#[test]
fn a_platform_that_takes_every_list_for_whole_is_caught() {
    assert_caught(|platform| {
        defective(platform, |findings, _, _| {
            findings.listings.iter_mut().for_each(|listing| listing.coverage = Coverage::Whole);
        })
    });
}

#[test]
fn a_platform_that_overlooks_something_is_caught() {
    assert_caught(|platform| {
        defective(platform, |findings, _, _| {
            findings.sightings.retain(|sighting| !sighting.observation.entity.id.ends_with('7'))
        })
    });
}

#[test]
fn absence_that_counts_at_once_is_caught() {
    assert_caught(|platform| {
        defective(platform, |findings, listed, asked_at| {
            let is_seen = |id: &str| findings.sightings.iter().any(|it| it.observation.entity.id == id);
            let whole = findings.listings.iter().filter(|it| it.coverage == Coverage::Whole);
            let absent: Vec<_> = whole
                .flat_map(|listing| {
                    listed.get(&listing.scope).into_iter().flatten().map(move |id| (listing, id))
                })
                .filter(|(_, id)| !is_seen(id))
                .map(|(listing, id)| {
                    let key = EntityKey::new(listing.noun, id.clone());
                    let mut observation = Observation { rules: listing.rules, ..Observation::of(key) };
                    match listing.noun {
                        Noun::Broadcast => observation.phase = Some(Phase::Ended),
                        _ => observation.told = Some(Verb::Removed),
                    }
                    Sighting::of(observation, asked_at)
                })
                .collect();
            findings.sightings.extend(absent);
        })
    });
}

type Spoil = fn(&mut Findings, &Listed, Timestamp);

/// A platform of whose findings something is wrong.
struct Defective {
    platform: &'static dyn Platform,
    spoil: Spoil,
}

fn defective(platform: &'static dyn Platform, spoil: Spoil) -> &'static dyn Platform {
    Box::leak(Box::new(Defective { platform, spoil }))
}

impl Platform for Defective {
    fn descriptor(&self) -> &'static Descriptor {
        self.platform.descriptor()
    }

    fn poll(&self) -> Option<&dyn Poll> {
        Some(self)
    }
}

impl Poll for Defective {
    fn begin(&self, task: SweepTask<'_>) -> Box<dyn Walk> {
        let listed = task.listed.clone();
        let walk = self.platform.poll().expect("it can be read").begin(task);
        Box::new(DefectiveWalk { walk, listed, asked_at: Timestamp::MIN, spoil: self.spoil })
    }
}

struct DefectiveWalk {
    walk: Box<dyn Walk>,
    listed: Listed,
    asked_at: Timestamp,
    spoil: Spoil,
}

impl Walk for DefectiveWalk {
    fn ask(&mut self) -> Option<ApiRequest> {
        self.walk.ask()
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        self.asked_at = answer.asked_at;
        self.walk.hear(answer)
    }

    fn findings(self: Box<Self>) -> Findings {
        let mut findings = self.walk.findings();
        (self.spoil)(&mut findings, &self.listed, self.asked_at);
        findings
    }
}
