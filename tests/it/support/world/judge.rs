//! Compares what was published with what happened: nothing invented, nothing missed, nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use livehook::simulators::Transition;
use serde_json::{Map, Value};

use super::{
    events::Told,
    looks::{Look, within},
    truth::Truths,
};

/// The store keeps milliseconds: what is told in the moment in which it happened may be dated so much earlier.
const PRECISION: SignedDuration = SignedDuration::from_millis(1);
/// Looks that an entity must have been there for if it must have been noticed.
const LOOKS: usize = 3;

/// What happened in a world, what was published of it, and what an honest reader could know.
#[derive(Clone)]
pub struct Case {
    /// What happened to that which is watched.
    pub journal: Vec<Transition>,
    pub told: Vec<Told>,
    pub truths: Truths,
    /// When the first look began, and when it was over; in between nothing happened.
    pub known_from: Timestamp,
    pub known_at: Timestamp,
    /// Looks that nothing disturbed.
    pub looks: Vec<Look>,
    /// Two looks that are closer than this may have read one copy.
    pub apart: SignedDuration,
    /// The watch, as in [`Look::watch`], that shows a noun; missing if what is short may be missed altogether.
    pub shown_by: BTreeMap<&'static str, String>,
    /// Nouns of which watches that say less may speak first; the others then fill in the rest.
    pub filled_in: Vec<&'static str>,
    /// Answers were spoilt: what they should have said may come later.
    pub is_disturbed: bool,
    /// What is wrong with that which is judged elsewhere.
    pub also: Vec<String>,
    /// How the answers were spoilt.
    pub diary: Vec<String>,
}

/// Everything that is wrong.
pub fn judge(case: &Case) -> Vec<String> {
    let mut complaints = case.also.clone();
    let mut subjects: BTreeSet<&str> = case.truths.now().keys().map(String::as_str).collect();
    subjects.extend(case.told.iter().map(|told| &*told.subject));
    subjects.extend(case.journal.iter().map(|transition| &*transition.subject));
    for subject in subjects {
        let told: Vec<_> = case.told.iter().filter(|told| told.subject == subject).collect();
        if subject.starts_with("source/") {
            complaints.extend(sources(subject, &told));
            continue;
        }
        let happened: Vec<_> =
            case.journal.iter().filter(|transition| transition.subject == subject).collect();
        let file = File { case, subject, happened, told };
        let of_this = file.complaints();
        if !of_this.is_empty() {
            complaints.extend(of_this);
            complaints.push(file.tell());
        }
    }
    complaints
}

/// What livehook says of itself comes in turn.
fn sources(subject: &str, told: &[&Told]) -> Option<String> {
    let verbs: Vec<_> = told.iter().map(|told| &*told.verb).collect();
    let in_turn = verbs.iter().zip(["degraded", "recovered"].iter().cycle()).all(|(is, must)| is == must);
    let is_well = in_turn && verbs.last() != Some(&"degraded");
    (!is_well).then(|| format!("{subject}: {verbs:?}"))
}

/// Of these several may be told as one: they are counted.
fn is_counted(verb: &str) -> bool {
    matches!(verb, "updated" | "rotated")
}

/// Of these the first sight is no event.
fn is_silent(subject: &str) -> bool {
    subject.starts_with("content/") || subject.starts_with("stream_key/")
}

/// Where an entity stands after this.
fn state<'v>(verb: &'v str, entity: Option<&'v Map<String, Value>>) -> &'v str {
    match verb {
        "started" | "resumed" => "on",
        "discovered" => match entity.and_then(|entity| entity.get("state")).and_then(Value::as_str) {
            Some("live" | "recording") => "on",
            Some(state) => state,
            None => "created",
        },
        verb => verb,
    }
}

/// When it was told at the latest.
fn latest(told: &Told) -> Timestamp {
    told.recorded_at + PRECISION
}

/// All about one entity.
struct File<'c> {
    case: &'c Case,
    subject: &'c str,
    happened: Vec<&'c Transition>,
    told: Vec<&'c Told>,
}

impl File<'_> {
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        complaints.extend(self.without_beginning());
        complaints.extend(self.invented());
        complaints.extend(self.too_many());
        complaints.extend(self.untrue());
        complaints.extend(self.wrong_in_the_end());
        complaints.extend(self.unnoticed());
        complaints
    }

    fn tell(&self) -> String {
        let seconds = |at: Timestamp| at.duration_since(self.case.known_from).as_secs_f64();
        let happened: Vec<_> =
            self.happened.iter().map(|it| format!("{} {:.1}", it.verb, seconds(it.at))).collect();
        let told = self.told.iter().map(|it| {
            let changes = it.data.get("changes").map(ToString::to_string).unwrap_or_default();
            format!("{} {:.1} {changes}", it.verb, seconds(it.recorded_at))
        });
        let told: Vec<_> = told.collect();
        let known_at = seconds(self.case.known_at);
        format!("  {}: happened {happened:?}; known at {known_at:.1}; told {told:?}", self.subject)
    }

    fn steps(&self) -> Vec<&Transition> {
        self.happened.iter().copied().filter(|it| !is_counted(it.verb)).collect()
    }

    /// The first that is told of a thing is that there is one.
    fn without_beginning(&self) -> Option<String> {
        let first = self.told.first().filter(|_| !is_silent(self.subject))?;
        let is_beginning = matches!(&*first.verb, "discovered" | "started" | "created");
        (!is_beginning).then(|| format!("{}: the first that is told of it is {}", self.subject, first.verb))
    }

    /// Each step that was told is one that happened before, in the same order, each once.
    fn invented(&self) -> Option<String> {
        let steps = self.steps();
        let mut next = 0;
        for (index, told) in self.told.iter().enumerate().filter(|(_, told)| !is_counted(&told.verb)) {
            let before = steps.iter().take_while(|step| step.at <= latest(told)).count();
            if told.verb == "discovered" {
                let began_before = steps.iter().any(|step| step.at <= self.case.known_at);
                if index > 0 || !(began_before || steps.is_empty()) {
                    return Some(format!("{}: discovered, though it is new or known", self.subject));
                }
                next = before;
                continue;
            }
            let is_first_sight =
                index == 0 && steps.first().is_some_and(|step| step.at <= self.case.known_at);
            if is_first_sight && matches!(&*told.verb, "started" | "created") {
                return Some(format!("{}: {}, though it was there before", self.subject, told.verb));
            }
            match (next..before).find(|place| steps[*place].verb == told.verb) {
                Some(place) => next = place + 1,
                None => return Some(format!("{}: {} was told and did not happen", self.subject, told.verb)),
            }
        }
        None
    }

    /// What is told as one may be several, and never the reverse.
    fn too_many(&self) -> Option<String> {
        for verb in ["updated", "rotated"] {
            let told = self.told.iter().filter(|told| told.verb == verb && !self.only_fills_in(told));
            for (count, told) in told.enumerate() {
                let before = |it: &&&Transition| it.verb == verb && it.at <= latest(told);
                let happened = self.happened.iter().filter(before);
                let happened = happened.filter(|it| it.at > self.case.known_from).count();
                if count >= happened {
                    return Some(format!("{}: {verb} {} times, told once more", self.subject, happened));
                }
            }
        }
        None
    }

    fn only_fills_in(&self, told: &Told) -> bool {
        let changes = told.data.get("changes").and_then(Value::as_object);
        (self.case.is_disturbed || self.case.filled_in.contains(&told.noun()))
            && changes.is_some_and(|changes| changes.values().all(|change| change["from"].is_null()))
    }

    /// What an event says of the entity was true at some time; what it says to have changed, it had said before.
    fn untrue(&self) -> Option<String> {
        let mut before: Option<&Map<String, Value>> = None;
        for told in &self.told {
            let entity = told.entity();
            for (name, value) in entity.iter().filter(|(name, value)| *name != "state" && !value.is_null()) {
                if self.case.truths.ever(self.subject, name, value, latest(told)) == Some(false) {
                    return Some(format!("{}: {name} was never {value}", self.subject));
                }
            }
            let changes = told.data.get("changes").and_then(Value::as_object);
            for (name, change) in changes.into_iter().flatten() {
                let said = |entity: &Map<String, Value>| entity.get(name).cloned().unwrap_or_default();
                if before.is_some_and(|before| said(before) != change["from"]) || said(entity) != change["to"]
                {
                    return Some(format!("{}: {name} did not change as {change}", self.subject));
                }
            }
            if let Some((name, value)) = before.filter(|_| told.verb == "updated").and_then(|before| {
                let is_new = |name: &String, value: &Value| before.get(name) != Some(value);
                let is_told = |name: &String| changes.is_some_and(|changes| changes.contains_key(name));
                entity.iter().find(|(name, value)| is_new(name, value) && !is_told(name))
            }) {
                return Some(format!("{}: {name} became {value}, and nobody was told", self.subject));
            }
            before = Some(entity);
        }
        None
    }

    /// After all, consumers know what is true.
    fn wrong_in_the_end(&self) -> Option<String> {
        let truth = self.case.truths.now().get(self.subject);
        let steps = self.steps();
        let last_step = self.told.iter().rfind(|told| !is_counted(&told.verb));
        if let Some((last, told)) = steps.last().zip(last_step) {
            let (must, is) = (state(last.verb, None), state(&told.verb, Some(told.entity())));
            if must != is {
                return Some(format!("{}: it is {must}, and was told to be {is}", self.subject));
            }
        }
        let truth = truth?;
        let last = match self.told.last() {
            Some(last) => last.entity(),
            None if is_silent(self.subject) && !self.has_changed() => return None,
            None => return Some(format!("{}: it is there, and was never told", self.subject)),
        };
        let wrong = truth.iter().find(|(name, value)| last.get(*name).unwrap_or(&Value::Null) != *value);
        if let Some((name, value)) = wrong {
            let told = last.get(name).unwrap_or(&Value::Null);
            return Some(format!("{}: {name} is {value}, and was told to be {told}", self.subject));
        }
        let rotated = self.happened.iter().rfind(|it| it.verb == "rotated" && it.at > self.case.known_at);
        let is_told =
            |at: Timestamp| self.told.iter().any(|told| told.verb == "rotated" && latest(told) >= at);
        rotated.filter(|it| !is_told(it.at)).map(|_| format!("{}: rotated, and not told", self.subject))
    }

    /// Whether it is not as it was when it was seen first.
    fn has_changed(&self) -> bool {
        let truth = self.case.truths.now().get(self.subject).into_iter().flatten();
        let mut truth = truth;
        truth.any(|(name, value)| {
            self.case.truths.ever(self.subject, name, value, self.case.known_at) == Some(false)
        }) || self.happened.iter().any(|it| it.verb == "rotated" && it.at > self.case.known_at)
    }

    /// What was there for long enough was seen, and what is over was told to be over.
    fn unnoticed(&self) -> Option<String> {
        if !self.told.is_empty() || self.case.truths.now().contains_key(self.subject) {
            return None;
        }
        let noun = self.subject.split_once('/').map_or("", |(noun, _)| noun);
        let watch = self.case.shown_by.get(noun)?;
        let steps = self.steps();
        let lives = steps.windows(2).find(|pair| {
            let is_life = matches!(pair[0].verb, "started" | "created" | "resumed" | "paused");
            is_life && within(&self.case.looks, watch, pair[0].at, pair[1].at, self.case.apart) >= LOOKS
        });
        lives.map(|_| format!("{}: it was there for {LOOKS} looks, and was never told", self.subject))
    }
}
