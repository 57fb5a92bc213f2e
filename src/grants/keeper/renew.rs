//! Another access token in place of the one that ends, or was refused.

use jiff::{SignedDuration, Timestamp};

use super::Keeper;
use crate::{
    access::Access,
    grants::{
        errands::Trouble,
        standing::{Intent, RENEWAL, RETRY_MAX},
        tell,
        vault::Held,
    },
    model::Verb,
    platform::{Denial, Failure, Obtain, Tokens, Way, retry_after},
    ports::{
        HttpError,
        jitter::{after, times},
    },
    store::StoreError,
};

/// Failures in a row after which it is told.
const TOLD_AFTER: u32 = 3;
/// From so many failures on there is one try a minute at most.
const PATIENT_AFTER: u32 = 5;
const BACKOFF_MAX: SignedDuration = SignedDuration::from_secs(55);
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);
const PATIENCE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// What lives shorter than this is renewed once a minute at most.
const SHORT: SignedDuration = SignedDuration::from_mins(5);
/// A password or an application that is refused is tried again after this, and so on: people mend it, not time, and
/// platforms lock users out.
const REFUSED_PAUSE: SignedDuration = SignedDuration::from_mins(15);

impl Keeper {
    /// Asks for other tokens, once.
    pub(super) async fn renew(&mut self, way: Way, now: Timestamp) -> Result<(), StoreError> {
        let was_doubtful = self.standing.intent == Some(Intent::Renewal);
        let refresh = self.held.as_ref().and_then(|held| held.refresh.clone());
        if way == Way::Browser && refresh.is_none() {
            // Nothing to renew it with: its end is told in time.
            let before = self.standing.clone();
            self.standing.renew_at = None;
            self.standing.needs_consent = true;
            let account = &self.account.settings.name;
            self.standing.needs_person = Some(format!(
                "the platform gave nothing to renew access with: connect the account again with `livehook connect {account}`"
            ));
            return self.keep_or(before, &[], now).await;
        }
        // What is asked from here on may take effect though nobody hears of it.
        self.account.keeping.put(Access::Renewing);
        let before = self.standing.clone();
        self.standing.intent = Some(Intent::Renewal);
        self.keep_or(before, &[], now).await?;
        self.show();
        let refresh = refresh.filter(|_| way == Way::Browser || !self.is_turn_of_the_configured());
        let mut result = match &refresh {
            Some(refresh) => self.obtain(Obtain::Refresh(refresh)).await,
            None => self.obtain(Obtain::Configured).await,
        };
        let is_no = matches!(result, Err(Trouble::Denied(Denial::Refused(_) | Denial::Application(_))));
        if refresh.is_some() && way != Way::Browser && is_no {
            // Not every server knows this grant; the keys in the configuration are as good.
            self.standing.is_refresh_unknown = true;
            result = self.obtain(Obtain::Configured).await;
        }
        tell::count_renewal(self.platform(), result.as_ref().map_or_else(Trouble::outcome, |_| "ok"));
        let now = self.shared.clock.now();
        match result {
            Ok(tokens) => {
                let is_first = self.standing.obtained_at.is_none();
                let verb = if is_first { Verb::Authorized } else { Verb::Refreshed };
                self.take_up(tokens, verb).await
            }
            Err(trouble) => self.note_failure(way, &trouble, was_doubtful, now).await,
        }
    }

    /// Whether to log in with the configured keys although there is a refresh token: where the platform does not know
    /// such, and every other time when asking with it led to nothing.
    fn is_turn_of_the_configured(&self) -> bool {
        !self.standing.is_refreshable() || self.standing.failures % 2 == 1
    }

    async fn obtain(&self, with: Obtain<'_>) -> Result<Tokens, Trouble> {
        let errand = self.grants.and_then(|grants| grants.obtain(&self.account.settings, with));
        let errand = errand.ok_or_else(|| Denial::Refused("there is no such way".to_owned()))?;
        self.shared.run(errand, &self.account.auth_url, None).await
    }

    /// Writes tokens down, then lets users have them. If that fails it is tried again, and nothing else is done before.
    pub(super) async fn take_up(&mut self, tokens: Tokens, verb: Verb) -> Result<(), StoreError> {
        let kept = self.write_down(&tokens, verb).await;
        if kept.is_err() {
            self.unkept = Some((tokens, verb));
        }
        kept
    }

    pub(super) async fn write_down(&mut self, tokens: &Tokens, verb: Verb) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let before = self.held.as_ref().and_then(|held| held.refresh.clone());
        // Where nothing new comes, the one that was used stays good; a consent owes nothing to the one before.
        let inherited = before.filter(|_| verb == Verb::Refreshed);
        let held = Held { access: tokens.access.clone(), refresh: tokens.refresh.clone().or(inherited) };
        let version = self.version + 1;
        let sealed = self.seal(&held, version, false)?;
        let before = (self.standing.clone(), self.version, self.sealed.clone());
        let standing = &mut self.standing;
        standing.obtained_at = Some(tokens.asked_at);
        // A token that has ended before it came says nothing: one of two clocks is wrong, and the platform will say so.
        standing.expires_at = tokens.expires_at.filter(|end| *end > now);
        standing.renew_at = standing.expires_at.map(|end| {
            let life = end.duration_since(tokens.asked_at);
            let share = self.shared.jitter.between(times(life, RENEWAL.start), times(life, RENEWAL.end));
            after(tokens.asked_at, share)
        });
        standing.identity = tokens.identity.clone().or(standing.identity.take());
        standing.scopes = tokens.scopes.clone().or(standing.scopes.take());
        standing.intent = None;
        standing.noticed_days = None;
        standing.clear_trouble();
        standing.authorized += u64::from(verb == Verb::Authorized);
        // One that ends at once must not be renewed at once, and so on.
        let is_short = standing.expires_at.is_some_and(|end| end.duration_since(now) < SHORT);
        standing.retry_at = is_short.then(|| after(now, PATIENCE));
        self.version = version;
        self.sealed = Some(sealed);
        if let Err(error) = self.keep(&[verb], now).await {
            (self.standing, self.version, self.sealed) = before;
            return Err(error);
        }
        for quirk in &tokens.quirks {
            let platform = self.platform();
            metrics::counter!(crate::telemetry::QUIRKS, "platform" => platform, "quirk" => *quirk)
                .increment(1);
        }
        self.held = Some(held);
        self.stays_sealed = None;
        self.publish(false);
        Ok(())
    }

    async fn note_failure(
        &mut self,
        way: Way,
        trouble: &Trouble,
        was_doubtful: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let account = &self.account.settings.name;
        let needed_person = self.standing.needs_person.is_some();
        let standing = &mut self.standing;
        standing.failures = standing.failures.saturating_add(1);
        standing.trouble = Some(trouble.to_string());
        // A request that was not answered, or not so that it can be read, may have been heard: only a clear no ends the doubt.
        let is_answered = matches!(trouble, Trouble::Denied(Denial::Refused(_) | Denial::Application(_)));
        let is_unreadable = matches!(trouble, Trouble::Denied(Denial::Passing(Failure::Malformed(_))));
        let is_unanswered = match trouble {
            Trouble::Http(error) => *error != HttpError::Unreachable,
            Trouble::Defect => true,
            Trouble::Denied(_) | Trouble::Unsendable(_) => false,
        };
        let is_lost = is_unreadable || is_unanswered || was_doubtful;
        if is_answered || !is_lost {
            standing.intent = None;
        }
        let mut is_told = standing.failures >= TOLD_AFTER;
        let pause = match trouble {
            Trouble::Denied(Denial::Refused(_)) if way == Way::Browser => {
                let cause = if was_doubtful { "the answer to the last renewal was lost, and " } else { "" };
                standing.needs_person = Some(format!(
                    "{cause}{trouble}: connect the account again with `livehook connect {account}`"
                ));
                standing.needs_consent = true;
                is_told = true;
                RETRY_MAX
            }
            Trouble::Denied(Denial::Refused(_) | Denial::Application(_)) | Trouble::Unsendable(_) => {
                let keys =
                    self.account.platform.descriptor().grant.as_ref().map_or(&[][..], |grant| grant.keys);
                standing.needs_person = Some(format!(
                    "{trouble}: correct {} of [accounts.{account}] and restart",
                    keys.join(", ")
                ));
                is_told = true;
                let doubled = REFUSED_PAUSE.checked_mul(1 << (standing.failures - 1).min(8));
                doubled.unwrap_or(RETRY_MAX).min(RETRY_MAX)
            }
            _ => {
                let told = retry_after::read(trouble.retry_after(), now);
                let wait = if standing.failures < PATIENT_AFTER {
                    self.shared.jitter.backoff(standing.failures, BACKOFF_MAX)
                } else {
                    let more = (standing.failures - PATIENT_AFTER).min(8);
                    let longest = PATIENCE.checked_mul(1 << more).unwrap_or(PATIENCE_MAX).min(PATIENCE_MAX);
                    self.shared.jitter.between(PATIENCE, longest)
                };
                told.map_or(wait, |told| told.max(wait))
            }
        };
        standing.retry_at = Some(after(now, pause));
        // That now a person is needed is news, too.
        let is_news = !standing.is_failure_told || (standing.needs_person.is_some() && !needed_person);
        let tells = is_told && is_news;
        standing.is_failure_told |= is_told;
        let verbs: &[Verb] = if tells { &[Verb::RefreshFailed] } else { &[] };
        let account = &self.account.settings.name;
        tracing::debug!(%account, "access of {account} was not renewed: {trouble}");
        if let Err(error) = self.keep(verbs, now).await {
            self.standing.is_failure_told &= !tells;
            return Err(error);
        }
        let is_refused = self.account.keeping.is_refused(self.version);
        self.publish(is_refused || self.standing.is_over(now));
        Ok(())
    }
}
