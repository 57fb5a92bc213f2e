//! Watch `settings`: how the streamer who gave the token has set up the next broadcast.
//!
//! Only the call that reads is ever made. The ones beside it change what they show: one ends the broadcast.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    answer::{Fields, Quirks},
    question,
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, entities},
    platform::{ApiRequest, Coverage, Failure, Findings, Listing, Sighting, SweepTask, Walk},
};

/// The scope: the one account.
const ACCOUNT: &str = "account";
/// The partner's name that the documentation uses.
const PARTNER: &str = "SOOP";

/// Asks for address, key and settings, which come together.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    let login = task.account.service_account.clone();
    let watch = task.account.watches.get(task.watch.name);
    let partner = watch.and_then(|watch| watch.word("partner")).unwrap_or(PARTNER);
    let seal = watch
        .is_some_and(|watch| watch.is_on("stream_key"))
        .then(|| task.seal("what stream keys are fingerprinted with"));
    let request =
        ApiRequest::post(["broad", "rtmp"]).access_token_form("access_token").form("platform_type", partner);
    question::walk(request, move |document, answer, quirks| {
        let (settings, key) = settings(document?, &login, quirks)?;
        let mut sightings = vec![Sighting::in_list(settings, ACCOUNT, answer.asked_at)];
        sightings.extend(seal.as_ref().zip(key).map(|(seal, key)| {
            let fingerprint = Some(seal.fingerprint(key.expose_secret()));
            let observation = Observation {
                attributes: Attributes::of(&entities::StreamKey { fingerprint }),
                ..Observation::of(EntityKey::new(Noun::StreamKey, &login))
            };
            Sighting::of(observation, answer.asked_at)
        }));
        Ok(Findings {
            sightings,
            listings: vec![Listing::of(ACCOUNT, Noun::Settings, Coverage::Whole)],
            ..Findings::default()
        })
    })
}

fn settings(
    mut document: Fields,
    login: &str,
    quirks: &mut Quirks,
) -> Result<(Observation, Option<SecretString>), Failure> {
    let mut outer = document.object(&["data"]).ok_or_else(|| Failure::malformed("the answer has no data"))?;
    document.rest(quirks);
    // The documentation's table calls it `info`, its sample `data`.
    let inner = outer.object(&["data", "info"]);
    let mut inner = inner.ok_or_else(|| Failure::malformed("the answer has no settings"))?;
    let key = outer.text("key").map(SecretString::from);
    let holds_key = |text: &str| key.as_ref().is_some_and(|key| text.contains(key.expose_secret()));

    let settings = entities::Settings {
        title: inner.text("title"),
        category_id: inner.category("category"),
        viewers_max: inner.whole("allowed_view_cnt"),
        is_password_protected: inner.flag("is_password"),
        is_hidden: inner.flag("broad_hidden"),
        age_limit: inner.small("broad_grade"),
        hashtags: inner.text_or_empty("hashtags").map(|text| hashtags(&text)),
        ending_message: inner.text_or_empty("broad_ending_msg"),
        has_waiting_room: inner.flag("is_wait"),
        waiting_minutes: inner.small("waiting_time"),
        watermark: inner.small("water_mark"),
        asks_not_to_restream: inner.flag("broad_tune_out"),
        is_paid_promotion: inner.flag("paid_promotion"),
        ingest_url: outer.text("rtmp").filter(|url| !holds_key(url)),
    };
    let mut extra = Attributes::default();
    for (name, value) in outer.rest(quirks).iter().chain(inner.rest(quirks).iter()) {
        let value = Value::from(value);
        if !holds_key(&value.to_string()) {
            extra.set(name, value);
        }
    }
    let observation = Observation {
        attributes: Attributes::of(&settings),
        extra,
        ..Observation::of(EntityKey::new(Noun::Settings, login))
    };
    Ok((observation, key))
}

fn hashtags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
