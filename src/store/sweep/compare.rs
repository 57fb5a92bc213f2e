//! What of a sweep is worth writing. Nearly always nearly nothing: so this is found out beside the writer,
//! behind which callbacks wait, and only what may have changed is handed to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use smol_str::{SmolStr, ToSmolStr as _};

use super::prepare::Prepared;
use crate::{
    model::{EntityKey, Hearing, Known},
    platform::{Findings, Listing, Sighting},
    store::{
        SweepRecord,
        absence::{self, GONE_AT, Reading, Scope},
        believe::{self, Believed, Weighed},
        watches::{self, Entry, WatchKey},
    },
};

/// What is to be written of a sweep.
pub(in crate::store) struct Difference {
    /// The sweep, with all that was found.
    pub(super) record: SweepRecord,
    /// What of that may be news.
    pub(in crate::store) heard: Vec<Heard>,
    /// What has to be remembered for longer because it was seen again, and until when; `None` means for ever.
    pub(super) put_off: Vec<(String, Option<i64>)>,
    /// What is not in its list any more.
    pub(super) absent: Vec<Absent>,
    /// What its list will not be asked for any more: which of the findings' listings, and what.
    pub(super) behind: Vec<(usize, String)>,
    /// The lists that nobody reads any more.
    pub(super) silent: Vec<String>,
    /// The lists that are now remembered differently.
    pub(super) scopes: BTreeMap<String, Remembered>,
    pub(super) is_suspicious: bool,
    /// How many sightings were left out.
    pub(super) passed_over: u32,
    /// When livehook began to read anything.
    pub(super) began: Timestamp,
}

/// What was remembered of a list when it was compared, and what is to be. The sweep counts only if the former
/// is still so: the same sweep may be on its way twice.
pub(super) struct Remembered {
    pub(super) before: Scope,
    pub(super) after: Scope,
}

/// What was seen, and how. It stays where it is among the findings: of a long list most of the memory is there.
pub(in crate::store) struct Heard {
    /// Which of the findings' sightings.
    pub(super) sighting: usize,
    pub(super) hearing: Hearing,
    /// What comes of it if nothing is known of it yet.
    pub(super) prepared: Option<Box<Prepared>>,
}

/// Whether writing what was seen may change anything.
enum Worth {
    Nothing,
    /// Nothing was known of it, and this comes of it.
    Unknown(Box<Weighed>),
    Known,
}

/// So much is prepared; it takes up memory until it is written. More than most lists have.
const PREPARED_MAX: usize = if cfg!(test) { 3 } else { 12_000 };

/// A list that is read from some time on may be read from an earlier time again, but not by more than this.
const BACK_MAX: SignedDuration = SignedDuration::from_hours(1);
/// So many that are behind are struck out by one sweep.
const BEHIND_MAX: usize = 1_000;

/// An entry that a list does not hold any more.
pub(super) struct Absent {
    /// Which of the findings' listings.
    pub(super) listing: usize,
    pub(super) entity: EntityKey,
    /// What that adds to its score.
    pub(super) weight: u8,
    /// Since when the list has been known.
    pub(super) known_since: Option<Timestamp>,
}

/// The name of the list of all that is in none.
const NO_LIST: &str = "";

/// Compares with the latest commit.
pub(in crate::store) fn compare(
    connection: &Connection,
    mut record: SweepRecord,
    began: Timestamp,
) -> rusqlite::Result<Difference> {
    // One commit, from beginning to end.
    let snapshot = connection.unchecked_transaction()?;
    record.began_at = whole_ms(record.began_at);
    for sighting in &mut record.findings.sightings {
        sighting.listed_from = sighting.listed_from.map(whole_ms);
    }
    let mut comparison = Comparison::new(&snapshot, &record)?;
    for (index, sighting) in record.findings.sightings.iter().enumerate() {
        comparison.sighting(index, sighting)?;
    }
    if !record.is_confirmation {
        for (index, listing) in record.findings.listings.iter().enumerate() {
            comparison.listing(index, listing, began)?;
        }
        comparison.whole_watch(began)?;
    }
    let Comparison { heard, put_off, absent, behind, silent, passed_over, .. } = comparison;
    let (scopes, is_suspicious) = (comparison.changed_scopes, comparison.is_suspicious);
    Ok(Difference {
        heard,
        put_off,
        absent,
        behind,
        silent,
        scopes,
        is_suspicious,
        passed_over,
        began,
        record,
    })
}

struct Comparison<'a> {
    connection: &'a Connection,
    record: &'a SweepRecord,
    /// `None` for an account of which nothing was written yet.
    key: Option<WatchKey<'a>>,
    scopes: HashMap<String, Scope>,
    /// What was seen, by list; [`NO_LIST`] for what stands in none.
    seen: HashMap<String, HashSet<SmolStr>>,
    /// What this sweep changes: all that it says of these is handed on, or the order would be lost.
    changing: HashSet<SmolStr>,
    heard: Vec<Heard>,
    put_off: Vec<(String, Option<i64>)>,
    absent: Vec<Absent>,
    behind: Vec<(usize, String)>,
    silent: Vec<String>,
    changed_scopes: BTreeMap<String, Remembered>,
    is_suspicious: bool,
    passed_over: u32,
}

/// What a list should hold and does not.
#[derive(Default)]
struct Missing {
    /// How many were thought to be there.
    expected: usize,
    /// Those that were not seen: their ids and scores.
    entries: Vec<(String, u8)>,
    /// What is not asked for any more.
    behind: Vec<String>,
}

impl<'a> Comparison<'a> {
    fn new(connection: &'a Connection, record: &'a SweepRecord) -> rusqlite::Result<Self> {
        let account = watches::account_id(connection, record.account.as_str())?;
        let key = account.map(|account| WatchKey { account, watch: record.watch });
        let scopes = match key {
            Some(key) => watches::scopes(connection, key)?,
            None => HashMap::new(),
        };
        Ok(Self {
            connection,
            record,
            key,
            scopes,
            seen: HashMap::new(),
            changing: HashSet::new(),
            heard: Vec::new(),
            put_off: Vec::new(),
            absent: Vec::new(),
            behind: Vec::new(),
            silent: Vec::new(),
            changed_scopes: BTreeMap::new(),
            is_suspicious: false,
            passed_over: 0,
        })
    }

    fn known_since(&self, scope: Option<&str>) -> Option<Timestamp> {
        self.scopes.get(scope.unwrap_or(NO_LIST)).and_then(|scope| scope.known_since)
    }

    /// Since when the list of that which was seen has been known. In one that is new to the watch, what began while
    /// the watch was known is new as well.
    fn compared_since(&self, sighting: &Sighting) -> Option<Timestamp> {
        let said = &sighting.observation.attributes;
        let time = |name| said.get(name)?.as_str()?.parse::<Timestamp>().ok();
        let began = time("started_at").or_else(|| time("created_at"));
        let of_watch = || self.known_since(None).filter(|since| began.is_some_and(|began| began >= *since));
        self.known_since(sighting.scope.as_deref()).or_else(of_watch)
    }

    fn sighting(&mut self, index: usize, sighting: &Sighting) -> rusqlite::Result<()> {
        let entity = sighting.observation.entity.to_smolstr();
        let hearing = Hearing::Sweep {
            asked_at: sighting.asked_at,
            stale_for: sighting.age.unwrap_or(self.record.stale_for),
            known_since: self.compared_since(sighting),
        };
        let scope = sighting.scope.as_deref().unwrap_or(NO_LIST);
        // Also what cannot be compared is there.
        match self.seen.get_mut(scope) {
            Some(seen) => drop(seen.insert(entity.clone())),
            None => drop(self.seen.insert(scope.to_owned(), HashSet::from([entity.clone()]))),
        }
        // One thing must not hold up all others of the watch.
        let worth = match believe::unless_it_panics(|| self.worth_writing(&entity, sighting, &hearing)) {
            Some(Err(error)) if believe::is_unreadable(&error) => {
                self.passed_over += 1;
                super::tell_unreadable(&entity);
                return Ok(());
            }
            Some(worth) => worth?,
            None => {
                self.passed_over += 1;
                super::tell_defect(&entity);
                return Ok(());
            }
        };
        let prepared = match worth {
            Worth::Nothing => return Ok(()),
            Worth::Unknown(weighed) if self.heard.len() < PREPARED_MAX => {
                let SweepRecord { account, platform, .. } = self.record;
                let prepare = || Prepared::of(account, platform, &sighting.observation, &hearing, *weighed);
                believe::unless_it_panics(prepare).flatten().map(Box::new)
            }
            Worth::Unknown(_) | Worth::Known => None,
        };
        self.changing.insert(entity);
        self.heard.push(Heard { sighting: index, hearing, prepared });
        Ok(())
    }

    fn worth_writing(
        &mut self,
        entity: &str,
        sighting: &Sighting,
        hearing: &Hearing,
    ) -> rusqlite::Result<Worth> {
        if self.changing.contains(entity) {
            return Ok(Worth::Known);
        }
        let weigh = |known: Option<&Known>| believe::weigh(known, &sighting.observation, hearing);
        let Some(key) = self.key else { return Ok(Worth::Unknown(Box::new(weigh(None)))) };
        let believed = believe::load(self.connection, key.account, entity)?;
        // What is there when the watch begins is about to be found.
        let is_there = believed.as_ref().map_or(self.known_since(None).is_none(), |it| !it.known.is_gone);
        if sighting.fills_in && !is_there {
            return Ok(Worth::Nothing);
        }
        let is_unknown = believed.is_none();
        let Believed { known, fades_at } = believed.unwrap_or_default();
        let weighed = weigh(Some(&known));
        if !weighed.is_nothing(&known) {
            return Ok(if is_unknown { Worth::Unknown(Box::new(weighed)) } else { Worth::Known });
        }
        match (fades_at, believe::kept(sighting.observation.entity.noun, &known)) {
            // Not each time: half of it is left.
            (Some(fades_at), Some(kept)) if (sighting.asked_at + kept / 2).as_millisecond() > fades_at => {
                self.put_off.push((entity.to_owned(), Some((sighting.asked_at + kept).as_millisecond())));
            }
            // Nobody looked at it any more, and now somebody does.
            (Some(_), None) => self.put_off.push((entity.to_owned(), None)),
            _ => {}
        }
        if let Some(scope) = &sighting.scope {
            let entry = watches::entry(self.connection, key, scope, entity)?;
            let wanted = Entry { absences: 0, listed_from: sighting.listed_from };
            if entry.is_none_or(|entry| !self.record.is_confirmation && entry != wanted) {
                return Ok(Worth::Known);
            }
        }
        Ok(Worth::Nothing)
    }

    /// Who is absent from a list.
    fn listing(&mut self, index: usize, listing: &Listing, began: Timestamp) -> rusqlite::Result<()> {
        let before = self.scopes.get(&listing.scope).copied().unwrap_or_default();
        let reading = Reading {
            began_at: self.record.began_at,
            stale_for: self.record.stale_for,
            coverage: listing.coverage,
        };
        let missing = match self.key {
            Some(key) if reading.weight(&before) > 0 => self.missing(key, listing)?,
            _ => Missing::default(),
        };
        let missing_now = missing.entries.iter().filter(|(_, absences)| *absences < GONE_AT).count();
        let outcome = reading.outcome(&before, missing.expected, missing.expected - missing_now);
        self.behind.extend(missing.behind.into_iter().map(|entity| (index, entity)));
        self.is_suspicious |= outcome.is_suspicious;
        if outcome.after != before {
            let remembered = Remembered { before, after: outcome.after };
            let changed = self.changed_scopes.entry(listing.scope.clone()).or_insert(remembered);
            // Two kinds of thing in one list.
            changed.after.is_doubted |= outcome.after.is_doubted;
        }
        if outcome.weight == 0 {
            return Ok(());
        }
        for (id, absences) in missing.entries {
            let entity = EntityKey::new(listing.noun, id);
            if absences >= GONE_AT && self.is_held_elsewhere(listing, &entity, began)? {
                continue;
            }
            let known_since = before.known_since;
            self.absent.push(Absent { listing: index, entity, weight: outcome.weight, known_since });
        }
        Ok(())
    }

    /// Compares what was seen in the list with what should be there.
    fn missing(&self, key: WatchKey<'_>, listing: &Listing) -> rusqlite::Result<Missing> {
        let seen = [self.seen.get(&listing.scope), self.seen.get(NO_LIST)];
        let from = listing.from.map(whole_ms);
        let behind = from.map(|from| from.checked_sub(BACK_MAX).unwrap_or(Timestamp::MIN));
        let mut missing = Missing::default();
        watches::each_entry(self.connection, key, &listing.scope, listing.noun, |entity, entry| {
            let is_seen = seen.iter().flatten().any(|seen| seen.contains(entity));
            let was_asked_for = from.is_none_or(|from| entry.listed_from.is_some_and(|at| at >= from));
            if was_asked_for {
                missing.expected += usize::from(entry.absences < GONE_AT);
                if !is_seen {
                    let id = entity.split_once('/').map_or(entity, |(_, id)| id);
                    missing.entries.push((id.to_owned(), entry.absences));
                }
            } else if !is_seen && missing.behind.len() < BEHIND_MAX {
                // Without a place in time it can never be missed.
                let is_behind = entry.listed_from.is_none_or(|at| behind.is_some_and(|behind| at < behind));
                missing.behind.extend(is_behind.then(|| entity.to_owned()));
            }
        })?;
        Ok(missing)
    }

    fn is_held_elsewhere(
        &self,
        listing: &Listing,
        entity: &EntityKey,
        began: Timestamp,
    ) -> rusqlite::Result<bool> {
        let Some(key) = self.key else { return Ok(false) };
        let (entity, now) = (entity.to_string(), self.record.began_at);
        watches::is_listed_elsewhere(self.connection, key, &listing.scope, &entity, began, now)
    }

    /// Since when the watch has been known, for all that stands in no list; and the lists of it that are not read
    /// any more.
    fn whole_watch(&mut self, began: Timestamp) -> rusqlite::Result<()> {
        let Findings { has_more, is_known_throughout, .. } = self.record.findings;
        if has_more && !is_known_throughout {
            return Ok(());
        }
        if self.known_since(None).is_none() {
            let after = Scope { known_since: Some(self.record.began_at), ..Scope::default() };
            self.changed_scopes.insert(NO_LIST.to_owned(), Remembered { before: Scope::default(), after });
        }
        let Some(key) = self.key.filter(|_| !has_more) else { return Ok(()) };
        let mut unread: BTreeSet<_> =
            watches::lists_with_entries(self.connection, key)?.into_iter().collect();
        unread.extend(self.scopes.keys().filter(|name| *name != NO_LIST).cloned());
        for listing in &self.record.findings.listings {
            unread.remove(&listing.scope);
        }
        if unread.is_empty() {
            return Ok(());
        }
        let failed_at = watches::standing(self.connection, key)?.last_failure_at;
        let tried_at = failed_at.map_or(began, |failed_at| failed_at.max(began));
        let is_silent = |name: &String| {
            let scope = self.scopes.get(name).copied().unwrap_or_default();
            absence::is_silent(&scope, tried_at, self.record.began_at)
        };
        self.silent = unread.into_iter().filter(is_silent).collect();
        Ok(())
    }
}

/// As it is kept.
fn whole_ms(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
