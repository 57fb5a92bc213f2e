//! What is told of an account's access: events, metrics, log.

use jiff::Timestamp;

use super::standing::Standing;
use crate::{
    model::{
        AccountName, Attributes, EntityKey, Hearing, Noun, Observation, PlatformId, Rules, Verb,
        entities::Credential,
    },
    telemetry,
};

/// What is told of how access stands now.
pub(super) fn told(
    account: &AccountName,
    standing: &Standing,
    verb: Verb,
    reason: Option<&str>,
    at: Timestamp,
) -> (Observation, Hearing) {
    let credential = Credential {
        kind: Some(standing.kind.clone()),
        scopes: standing.scopes.clone(),
        expires_at: standing.expires_at,
        identity: standing.identity.clone(),
        needs_person: Some(standing.needs_person.is_some()),
        reason: reason.map(str::to_owned),
    };
    let observation = Observation {
        told: Some(verb),
        attributes: Attributes::of(&credential),
        // What was said before must not stand beside what is said now.
        rules: Rules { says_all: true, ..Rules::default() },
        ..Observation::of(EntityKey::new(Noun::Credential, account.as_str()))
    };
    let hearing = match verb {
        Verb::Authorized | Verb::Refreshed => Hearing::Grant { at },
        _ => Hearing::Own { at },
    };
    (observation, hearing)
}

/// Counts events that were committed, and says so.
pub(super) fn count(
    platform: PlatformId,
    account: &AccountName,
    standing: &Standing,
    event_types: &[String],
) {
    for event_type in event_types {
        let is_given = event_type.ends_with(".authorized") || event_type.ends_with(".refreshed");
        let via = if is_given { "oauth" } else { "internal" };
        metrics::counter!(
            telemetry::EVENTS, "platform" => platform, "type" => event_type.clone(), "via" => via
        )
        .increment(1);
        match &standing.trouble {
            Some(why) if !is_given => {
                tracing::warn!(platform, %account, "{platform}/{account}: {event_type}: {why}");
            }
            _ => tracing::info!(platform, %account, "{platform}/{account}: {event_type}"),
        }
    }
}

/// Counts a renewal by how it went.
pub(super) fn count_renewal(platform: PlatformId, outcome: &'static str) {
    metrics::counter!(telemetry::RENEWALS, "platform" => platform, "outcome" => outcome).increment(1);
}

/// Shows how long access lasts.
pub(super) fn show(platform: PlatformId, account: &AccountName, standing: &Standing, now: Timestamp) {
    let left = metrics::gauge!(
        telemetry::CREDENTIAL_SECONDS, "platform" => platform, "account" => account.to_string()
    );
    // Not a number where nobody says when it ends, so that no alarm compares with an older end.
    left.set(standing.expires_at.map_or(f64::NAN, |end| end.duration_since(now).as_secs_f64()));
}
