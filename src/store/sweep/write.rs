//! What is left of a sweep after comparing it, in one transaction.

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    compare::{Absent, Difference, Heard, Remembered},
    own_word,
};
use crate::{
    model::{Hearing, Observation, Verb},
    platform::{Listing, Sighting},
    store::{
        DEGRADED_AFTER, StoreError, SweepOutcome,
        absence::{self, GONE_AT},
        believe::{self, Speaker},
        unwatched,
        watches::{self, WatchKey},
        writer::{Job, Session, WriteError},
    },
};

/// So many entries of a list that nobody reads any more are struck out by one sweep.
const SILENT_MAX: usize = 1_000;

/// About what an event takes up in a batch.
const EVENT_BYTES: usize = 1024;

pub(in crate::store) struct CommitSweep {
    pub(in crate::store) difference: Difference,
    pub(in crate::store) outcome: SweepOutcome,
    pub(in crate::store) waiter: oneshot::Sender<Result<SweepOutcome, StoreError>>,
}

impl Job for CommitSweep {
    fn run(&mut self, session: &mut Session<'_>) -> rusqlite::Result<()> {
        self.outcome = write(session, &self.difference)?;
        Ok(())
    }

    fn finish(self: Box<Self>, result: Result<(), WriteError>) {
        let Self { outcome, waiter, .. } = *self;
        // Whoever asked may have gone; the sweep is committed all the same.
        let _ = waiter.send(result.map(|()| outcome).map_err(Into::into));
    }

    fn bytes(&self) -> usize {
        self.difference.heard.len() * EVENT_BYTES
    }
}

fn write(session: &mut Session<'_>, difference: &Difference) -> rusqlite::Result<SweepOutcome> {
    let record = &difference.record;
    let account = session.account_id(&record.account, record.platform)?;
    let mut writing = Writing {
        speaker: Speaker { account, name: &record.account, platform: record.platform },
        key: WatchKey { account, watch: record.watch },
        session,
        difference,
        outcome: SweepOutcome {
            is_suspicious: difference.is_suspicious,
            passed_over: difference.passed_over,
            ..SweepOutcome::default()
        },
    };
    for heard in &difference.heard {
        writing.sighting(heard)?;
    }
    for (entity, fades_at) in &difference.put_off {
        believe::put_off(writing.session.connection, account, entity, *fades_at)?;
    }
    writing.lists()?;
    if !record.is_confirmation {
        writing.success()?;
    }
    Ok(writing.outcome)
}

struct Writing<'a, 's> {
    session: &'a mut Session<'s>,
    speaker: Speaker<'a>,
    key: WatchKey<'a>,
    difference: &'a Difference,
    outcome: SweepOutcome,
}

impl Writing<'_, '_> {
    /// Returns whether it was believed.
    fn hear(&mut self, observation: &Observation, hearing: &Hearing) -> rusqlite::Result<bool> {
        match self.weigh_and_learn(observation, hearing) {
            Ok(None) => Ok(true),
            Ok(Some(until)) => {
                self.outcome.doubts.push((observation.entity.clone(), until));
                Ok(false)
            }
            // One entity must not hold up all others of the watch.
            Err(error) if believe::is_unreadable(&error) => {
                self.outcome.passed_over += 1;
                super::tell_unreadable(&observation.entity.to_string());
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns until when it is doubtful, if it is.
    fn weigh_and_learn(
        &mut self,
        observation: &Observation,
        hearing: &Hearing,
    ) -> rusqlite::Result<Option<Timestamp>> {
        let entity = observation.entity.to_string();
        let believed = believe::load(self.session.connection, self.key.account, &entity)?;
        let known = believed.map(|believed| believed.known);
        let weigh = || believe::weigh(known.as_ref(), observation, hearing);
        let Some(weighed) = believe::unless_it_panics(weigh) else {
            self.outcome.passed_over += 1;
            super::tell_defect(&entity);
            return Ok(None);
        };
        let said = (observation, hearing);
        let event_types = &mut self.outcome.event_types;
        believe::learn(self.session, &self.speaker, said, known, weighed, event_types)
    }

    fn sighting(&mut self, Heard { sighting, hearing, prepared }: &Heard) -> rusqlite::Result<()> {
        let sighting = self.difference.record.findings.sightings.get(*sighting);
        let Some(Sighting { observation, scope, listed_from, .. }) = sighting else { return Ok(()) };
        let event_types = &mut self.outcome.event_types;
        let is_written = match prepared {
            Some(it) => it.write(self.session, &self.speaker, observation, hearing, event_types)?,
            None => false,
        };
        if !is_written {
            self.hear(observation, hearing)?;
        }
        let Some(scope) = scope else { return Ok(()) };
        let entity = observation.entity.to_string();
        let resets = !self.difference.record.is_confirmation;
        watches::note_entry(self.session.connection, self.key, scope, &entity, *listed_from, resets)
    }

    /// What is absent, and what is remembered of the lists.
    fn lists(&mut self) -> rusqlite::Result<()> {
        let Difference { record, scopes, absent, behind, silent, .. } = self.difference;
        let (connection, key) = (self.session.connection, self.key);
        for name in silent {
            unwatched::strike_list(connection, key, name, record.began_at, SILENT_MAX)?;
        }
        for (listing, entity) in behind {
            if let Some(listing) = record.findings.listings.get(*listing) {
                watches::strike_entry(connection, key, &listing.scope, entity)?;
            }
        }
        if scopes.is_empty() {
            return Ok(());
        }
        let now = watches::scopes(connection, key)?;
        let is_as_compared = |name: &str, remembered: &Remembered| {
            now.get(name).copied().unwrap_or_default() == remembered.before
        };
        for absent in absent {
            if let Some(listing) = record.findings.listings.get(absent.listing)
                && let Some(remembered) = scopes.get(&listing.scope)
                && is_as_compared(&listing.scope, remembered)
            {
                self.absence(absent, listing)?;
            }
        }
        for (name, remembered) in scopes {
            if is_as_compared(name, remembered) {
                watches::write_scope(connection, key, name, &remembered.after)?;
            }
        }
        Ok(())
    }

    fn absence(&mut self, absent: &Absent, listing: &Listing) -> rusqlite::Result<()> {
        let Difference { record, began, .. } = self.difference;
        let (connection, key, scope) = (self.session.connection, self.key, &listing.scope);
        let entity = absent.entity.to_string();
        let Some(entry) = watches::entry(connection, key, scope, &entity)? else { return Ok(()) };
        let absences = absence::score(entry.absences, absent.weight);
        if absences != entry.absences {
            watches::set_absences(connection, key, scope, &entity, absences)?;
        }
        // As long as another list holds it, it stays on the brink in this one.
        if absences < GONE_AT
            || watches::is_listed_elsewhere(connection, key, scope, &entity, *began, record.began_at)?
        {
            return Ok(());
        }
        let hearing = Hearing::Sweep {
            asked_at: record.began_at,
            stale_for: jiff::SignedDuration::ZERO,
            known_since: absent.known_since,
        };
        if self.hear(&Observation::absent(absent.entity.clone(), listing.rules), &hearing)? {
            watches::strike(self.session.connection, self.key.account, &entity)?;
        }
        Ok(())
    }

    fn success(&mut self) -> rusqlite::Result<()> {
        let record = &self.difference.record;
        let connection = self.session.connection;
        let before = watches::standing(connection, self.key)?;
        if before.failures >= DEGRADED_AFTER {
            let recovered = own_word(record.watch, Verb::Recovered, None, 0, Some(record.ended_at));
            self.hear(&recovered, &Hearing::Own { at: record.ended_at })?;
        }
        let cursor = record.findings.cursor.as_ref().map(ToString::to_string);
        watches::note_success(connection, self.key, cursor.as_deref(), record.ended_at, record.requests)
    }
}
