//! What becomes of a sweep that ended: committed, or failed and told.

use jiff::{SignedDuration, Timestamp};

use super::{
    Progress, Rounds, STORE_PAUSE,
    work::{Confirmation, Work},
};
use crate::{
    platform::Findings,
    poll::{
        budget::Pass,
        sweep::Sweep,
        trouble::{Rests, Trouble},
    },
    ports::jitter::after,
    store::{DEGRADED_AFTER, FailedSweep, Fullness, Retry, StoreError, SweepOutcome, SweepRecord},
    telemetry,
};

/// Shortest wait before what is not believed is asked again.
const REPEAT_MIN: SignedDuration = SignedDuration::from_secs(5);
/// How often a confirmation is tried again.
const RETRIES_MAX: u32 = 2;
/// How often in a row the store may fail at a sweep: one that is read again each time costs the platform something.
const NOT_KEPT_MAX: u32 = 2;
/// A sweep that takes longer is worth a line.
const LONG_SWEEP: SignedDuration = SignedDuration::from_secs(30);

impl Rounds {
    /// Commits a sweep that has read everything.
    pub(super) async fn finish(&mut self, work: Work, sweep: Sweep) -> Progress {
        let (began_at, ended_at, requests) = (sweep.began_at, sweep.moved_at, sweep.requests);
        self.note_acceptance(work, sweep.token_version);
        let mut findings = match sweep.findings() {
            Ok(findings) => findings,
            Err(trouble) => {
                self.fail(work, trouble, None).await;
                return Progress::Worked;
            }
        };
        let took = ended_at.duration_since(began_at).max(SignedDuration::ZERO);
        let is_confirmation = matches!(work, Work::Confirmation(_));
        // Without a request nothing would hold up the next sweep.
        findings.has_more &= requests > 0;
        // The sightings may be many: they are handed over, not copied.
        let sightings = std::mem::take(&mut findings.sightings);
        let record = SweepRecord {
            account: self.account.settings.name.clone(),
            platform: self.platform(),
            watch: self.watches[self.watch_of(work)].kind.name,
            is_confirmation,
            began_at,
            ended_at,
            requests,
            // What is dated comes out of no cache.
            stale_for: if findings.is_dated { SignedDuration::ZERO } else { self.stale_for() },
            findings: Findings { sightings, ..findings.clone() },
        };
        let outcome = match self.shared.store.commit_sweep(record).await {
            Ok(outcome) => outcome,
            Err(error) => return self.postpone(work, error, None).await,
        };
        self.tell(work, &findings, &outcome, took, requests);
        match work {
            Work::Routine(index) => {
                self.watches[index].standing.last_success_at = Some(ended_at);
                self.watches[index].standing.last_requests = requests;
                self.succeed(index, began_at, findings, &outcome);
            }
            Work::Confirmation(index) => {
                let confirmation = self.confirmations.remove(index);
                self.repeat(confirmation, &outcome);
            }
        }
        Progress::Worked
    }

    fn succeed(&mut self, index: usize, began_at: Timestamp, findings: Findings, outcome: &SweepOutcome) {
        let now = self.shared.clock.now();
        let every = self.every_now(index);
        let mut due = after(began_at, self.shared.jitter.shortened(every));
        if findings.has_more {
            due = now;
        }
        if outcome.is_suspicious {
            due = due.min(after(now, self.stale_for().max(REPEAT_MIN)));
        }
        if let Some(until) = outcome.doubts.iter().map(|(_, until)| *until).max() {
            due = due.min(until);
        }
        let watch = &mut self.watches[index];
        for list in watch.partial.count(&findings.listings, now) {
            let (account, watch) = (&self.account.settings.name, watch.kind.name);
            tracing::warn!(
                %account, watch, list,
                "{account} {watch}: the list {list} is never seen as a whole: what goes away in it is not told"
            );
        }
        watch.due = due.max(now);
        watch.last_events = outcome.event_types.len() as u64;
        watch.not_kept = 0;
        watch.standing.failures = 0;
        watch.standing.retry = None;
        watch.standing.cursor = findings.cursor.or(watch.standing.cursor.take());
        self.breaker.failures = 0;
        self.report(index);
    }

    /// Reads once more, later, what an answer may have said out of a cache.
    fn repeat(&mut self, confirmation: Confirmation, outcome: &SweepOutcome) {
        if outcome.doubts.is_empty() || confirmation.is_repeated {
            return;
        }
        let now = self.shared.clock.now();
        let doubts = outcome.doubts.iter().map(|(_, until)| *until);
        let not_before = doubts.fold(after(now, self.stale_for()), Timestamp::max);
        self.confirmations.push(Confirmation {
            not_before,
            failures: 0,
            not_kept: 0,
            is_repeated: true,
            ..confirmation
        });
    }

    /// Notes that a sweep failed: nothing of it counts. The `pass` is given back only when those who share it
    /// know that they must rest.
    pub(super) async fn fail(&mut self, work: Work, trouble: Trouble, pass: Option<Pass>) {
        let now = self.shared.clock.now();
        let failures = 1 + match work {
            Work::Confirmation(index) => self.confirmations[index].failures,
            Work::Routine(index) => self.watches[index].standing.failures,
        };
        let descriptor = self.account.platform.descriptor();
        let reaction = trouble.reaction(failures, descriptor, now, &self.shared.jitter);
        let until = after(now, reaction.pause);
        match reaction.rests {
            Rests::Watch => {}
            Rests::Account => self.rests_until = self.rests_until.max(Some(until)),
            Rests::Budget => self.seat.budget.rest(until),
        }
        drop(pass);
        let kept = match reaction.rests {
            Rests::Watch => Ok(()),
            Rests::Account => self.shared.store.spend(&self.rest_key(), until, until).await,
            Rests::Budget => self.seat.budget.keep_rest(&self.shared.store, until).await,
        };
        if let Err(error) = kept {
            tracing::warn!("that {} must rest cannot be kept: {error}", self.platform());
        }
        self.count(work, trouble.outcome());
        match work {
            Work::Confirmation(index) if reaction.is_lasting || failures > RETRIES_MAX => {
                let confirmation = self.confirmations.remove(index);
                let watch = self.watches[confirmation.watch].kind.name;
                let (platform, account) = (self.platform(), &self.account.settings.name);
                tracing::debug!("{platform}/{account} {watch}: a callback could not be confirmed: {trouble}");
            }
            Work::Confirmation(index) => {
                let confirmation = &mut self.confirmations[index];
                (confirmation.failures, confirmation.not_before) = (failures, until);
            }
            Work::Routine(index) => {
                let retry = Retry { at: until, is_lasting: reaction.is_lasting, asked_as: self.asked_as() };
                self.fail_watch(index, &trouble, retry, now).await;
            }
        }
    }

    async fn fail_watch(&mut self, index: usize, trouble: &Trouble, retry: Retry, now: Timestamp) {
        let reason = trouble.to_string();
        let watch = &mut self.watches[index];
        let is_known = watch.is_lasting() && watch.standing.last_failure.as_ref() == Some(&reason);
        let until = retry.at;
        watch.due = until;
        watch.standing.failures = watch.standing.failures.saturating_add(1);
        watch.standing.last_failure_at = Some(now);
        watch.standing.last_failure = Some(reason.clone());
        watch.standing.retry = Some(retry.clone());
        let (watch, failures) = (watch.kind.name, watch.standing.failures);
        if trouble.is_of_the_platform() {
            self.breaker.note_failure(now, self.api, &self.shared.jitter);
            if self.breaker.is_open() {
                // They begin again, one after the other.
                self.watches.iter_mut().for_each(|watch| (watch.sweep, watch.under_way) = (None, None));
            }
        }
        self.report(index);

        let (platform, account) = (self.platform(), self.account.settings.name.clone());
        let seconds = until.duration_since(now).as_secs();
        if is_known {
            tracing::debug!("{platform}/{account} {watch}: still: {reason}");
        } else {
            tracing::warn!(
                platform, %account, watch, failures,
                "{platform}/{account} {watch}: the sweep failed: {reason}; tried again in {seconds} s"
            );
        }
        // If the platform was not even asked, nobody has to wait after the next start.
        let retry = trouble.is_of_the_platform().then_some(retry);
        let failed = FailedSweep { account, platform, watch, at: now, reason, retry };
        match self.shared.store.sweep_failed(failed).await {
            Ok(event_types) => self.count_events(&event_types),
            Err(error) => tracing::warn!("that a sweep failed cannot be kept: {error}"),
        }
    }

    /// The store failed: the sweep is read again soon. If that does not help, it has failed.
    pub(super) async fn postpone(&mut self, work: Work, error: StoreError, pass: Option<Pass>) -> Progress {
        *self.sweep_of(work) = None;
        let not_kept = match work {
            Work::Confirmation(index) => &mut self.confirmations[index].not_kept,
            Work::Routine(index) => &mut self.watches[index].not_kept,
        };
        *not_kept += 1;
        if *not_kept > NOT_KEPT_MAX {
            self.fail(work, error.into(), pass).await;
            return Progress::Worked;
        }
        tracing::warn!("a sweep of {} is put off: {error}", self.account.settings.name);
        let until = after(self.shared.clock.now(), STORE_PAUSE);
        match work {
            Work::Confirmation(index) => self.confirmations[index].not_before = until,
            Work::Routine(index) => self.watches[index].due = until,
        }
        Progress::Worked
    }

    /// Reports whether a watch is in trouble.
    pub(super) fn report(&self, index: usize) {
        let watch = &self.watches[index];
        let is_degraded = watch.is_lasting() || watch.standing.failures >= DEGRADED_AFTER;
        let why = watch.standing.last_failure.as_deref().filter(|_| is_degraded);
        self.shared.sources.report(self.platform(), &self.account.settings.name, watch.kind.name, why);
    }

    fn tell(
        &self,
        work: Work,
        findings: &Findings,
        outcome: &SweepOutcome,
        took: SignedDuration,
        requests: u32,
    ) {
        let (platform, account) = (self.platform(), &self.account.settings.name);
        let watch = self.watches[self.watch_of(work)].kind.name;
        for quirk in &findings.quirks {
            metrics::counter!(telemetry::QUIRKS, "platform" => platform, "quirk" => *quirk).increment(1);
        }
        self.count_events(&outcome.event_types);
        self.count(work, "ok");
        if outcome.passed_over > 0 {
            metrics::counter!(telemetry::PASSED_OVER, "platform" => platform, "watch" => watch)
                .increment(outcome.passed_over.into());
        }
        metrics::histogram!(telemetry::SWEEP_SECONDS, "platform" => platform, "watch" => watch)
            .record(took.as_secs_f64());

        let ms = took.as_millis();
        let detail = match outcome.event_types.len() {
            0 => "nothing new".to_owned(),
            1..=5 => outcome.event_types.join(", "),
            events => format!("{events} events"),
        };
        if outcome.event_types.is_empty() && took <= LONG_SWEEP {
            tracing::debug!(platform, %account, watch, requests, "{platform}/{account} {watch}: {detail} ({ms} ms)");
        } else {
            tracing::info!(
                platform, %account, watch, requests,
                "{platform}/{account} {watch}: {detail} (requests: {requests}, {ms} ms)"
            );
        }
    }

    fn count(&self, work: Work, outcome: &'static str) {
        let watch = self.watches[self.watch_of(work)].kind.name;
        let reason = if matches!(work, Work::Confirmation(_)) { "confirmation" } else { "routine" };
        metrics::counter!(
            telemetry::SWEEPS,
            "platform" => self.platform(), "watch" => watch, "reason" => reason, "outcome" => outcome
        )
        .increment(1);
    }

    fn count_events(&self, event_types: &[String]) {
        for event_type in event_types {
            // What livehook itself says of the source comes along with what the source says.
            let via = if event_type.starts_with("source.") { "internal" } else { "poll" };
            metrics::counter!(
                telemetry::EVENTS,
                "platform" => self.platform(), "type" => event_type.clone(), "via" => via
            )
            .increment(1);
        }
    }

    /// The interval of a watch; a store that fills up makes it longer.
    fn every_now(&self, index: usize) -> SignedDuration {
        let factor = if self.shared.store.fullness() >= Fullness::Shrinking { 2 } else { 1 };
        let every = self.watches[index].every;
        every.checked_mul(factor).unwrap_or(every)
    }

    fn stale_for(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.api.stale_seconds))
    }
}
