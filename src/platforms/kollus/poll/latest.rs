//! Which broadcast the latest one of a channel is, and which ones came and went before it.
//!
//! The documented `latest_broadcast` says how a broadcast goes and not which one it is. The list of the channel's
//! broadcasts says it: the one that began at the same instant. It also shows what a channel has no place for:
//! the end of the broadcast before, and those that came and went between two sweeps. It is asked for once for each
//! broadcast; where that does not help, again when something changed, and else less and less often.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{course::Course, open::Open, rows::Broadcast};

/// So many channels are asked for in one sweep; the others have to wait.
const ASKED_MAX: usize = 20;
/// Distance to the second try; it doubles from try to try.
const SECOND_TRY: SignedDuration = SignedDuration::from_secs(45);
/// After so many tries the distance stays: 48 minutes.
const DOUBLED_MAX: u32 = 6;

/// What is known of a channel's latest broadcast.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
struct Learnt {
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// When the one before began: what began after it was not asked for yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_vain: Option<InVain>,
}

/// It was asked for, and that was not enough.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct InVain {
    /// Where it stood then.
    course: Option<Course>,
    tries: u32,
    again_at: Timestamp,
}

/// What the list of a channel's broadcasts tells.
#[derive(PartialEq, Default, Debug)]
pub(super) struct Told {
    /// The latest one, now with its key.
    pub(super) latest: Option<Broadcast>,
    /// Those before it that may be news.
    pub(super) others: Vec<Broadcast>,
}

/// What is known of the latest broadcasts, by the channel's key.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Latest(BTreeMap<String, Learnt>);

impl Latest {
    /// Takes in what a channel shows now; returns the key of its latest broadcast, if that is known.
    pub(super) fn see(&mut self, channel_key: &str, latest: Option<&Broadcast>) -> Option<String> {
        if latest.is_some_and(|latest| latest.key.is_none() && latest.course.started_at.is_none()) {
            // It may be any.
            return None;
        }
        let before = self.0.remove(channel_key);
        // What came before it is asked for when there is a next one.
        let latest = latest?;
        let mut learnt = match before {
            Some(before) if before.is_of(latest) => before,
            before => Learnt::after(before, latest),
        };
        learnt.key = latest.key.clone().or(learnt.key);
        let key = learnt.key.clone();
        self.0.insert(channel_key.to_owned(), learnt);
        key
    }

    /// Whether the key of this channel's latest broadcast is known.
    pub(super) fn knows(&self, channel_key: &str) -> bool {
        self.0.get(channel_key).is_some_and(|learnt| learnt.key.is_some())
    }

    /// Which of these channels to ask for, the most urgent first.
    pub(super) fn to_ask<'b>(
        &self,
        channels: impl Iterator<Item = (&'b str, Option<&'b Broadcast>)>,
        now: Timestamp,
    ) -> Vec<String> {
        let course = |latest: &Option<&Broadcast>| latest.map(|latest| latest.course);
        let mut due: Vec<_> = channels
            .filter(|(channel_key, latest)| {
                self.0.get(*channel_key).is_some_and(|learnt| learnt.is_due(course(latest), now))
            })
            .collect();
        due.sort_by_key(|(_, latest)| {
            let course = course(latest);
            (!course.is_some_and(|it| it.is_open()), Reverse(course.and_then(|it| it.started_at)))
        });
        due.into_iter().take(ASKED_MAX).map(|(channel_key, _)| channel_key.to_owned()).collect()
    }

    /// Takes in the list of the channel's broadcasts. Of those whose end was not seen, it tells where they stand.
    pub(super) fn learn(
        &mut self,
        channel_key: &str,
        latest: Option<&Broadcast>,
        listed: &[Broadcast],
        open: &Open,
        now: Timestamp,
    ) -> Told {
        let Some(learnt) = self.0.get_mut(channel_key) else { return Told::default() };
        let mut told = Told::default();
        if let Some(latest) = latest.filter(|_| learnt.key.is_none())
            && let Some(found) = the_same(latest, listed)
        {
            learnt.key.clone_from(&found.key);
            // Where it stands, the channel says; the list may be an older copy.
            let title = latest.title.clone().or(found.title.clone());
            told.latest = Some(Broadcast { key: found.key.clone(), title, ..latest.clone() });
        }
        for other in listed.iter().filter(|other| other.key != learnt.key) {
            let is_new = learnt.unseen_since.is_some_and(|since| other.course.started_at >= Some(since));
            if other.key.as_ref().is_some_and(|key| is_new || open.contains(key)) {
                told.others.push(Broadcast { channel_key: Some(channel_key.to_owned()), ..other.clone() });
            }
        }
        if learnt.key.is_some() {
            learnt.unseen_since = None;
        }
        learnt.note_try(latest.map(|latest| latest.course), now);
        told
    }

    /// Forgets the channels that are not there any more.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|channel_key, _| is_there(channel_key));
    }
}

impl Learnt {
    /// Another broadcast stands where `before` was.
    fn after(before: Option<Self>, latest: &Broadcast) -> Self {
        let unseen_since = before.and_then(|before| before.unseen_since.or(before.started_at));
        Self { started_at: latest.course.started_at, unseen_since, ..Self::default() }
    }

    /// Whether it is the same broadcast.
    fn is_of(&self, latest: &Broadcast) -> bool {
        match (&self.key, &latest.key) {
            (Some(known), Some(said)) => known == said,
            _ => self.started_at.is_some() && self.started_at == latest.course.started_at,
        }
    }

    fn is_due(&self, course: Option<Course>, now: Timestamp) -> bool {
        let is_due = self.in_vain.as_ref().is_none_or(|it| it.course != course || it.again_at <= now);
        is_due && self.has_questions()
    }

    fn has_questions(&self) -> bool {
        let has_no_key = self.key.is_none() && self.started_at.is_some();
        has_no_key || self.unseen_since.is_some()
    }

    fn note_try(&mut self, course: Option<Course>, now: Timestamp) {
        let tries = self.in_vain.take().map_or(0, |in_vain| in_vain.tries);
        if self.has_questions() {
            let again_at = now + SECOND_TRY * (1 << tries.min(DOUBLED_MAX));
            self.in_vain = Some(InVain { course, tries: tries.saturating_add(1), again_at });
        }
    }
}

/// The one that began when `latest` did. Of two that did, nobody can say which one is meant.
fn the_same<'b>(latest: &Broadcast, listed: &'b [Broadcast]) -> Option<&'b Broadcast> {
    let started_at = latest.course.started_at?;
    let mut same = listed.iter().filter(|other| other.course.started_at == Some(started_at));
    let found = same.next().filter(|found| found.key.is_some());
    found.filter(|_| same.next().is_none())
}
