//! Watch `station`: the lasting place of the streamer who gave the token.

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

/// Asks for the station. Its heading in the documentation names another path, which nobody uses.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    let login = task.account.service_account.clone();
    let request = ApiRequest::post(["user", "stationinfo"]).access_token_form("access_token");
    question::walk(request, move |document, answer, quirks| {
        let observation = station(document?, &login, quirks)?;
        Ok(Findings {
            sightings: vec![Sighting::in_list(observation, ACCOUNT, answer.asked_at)],
            listings: vec![Listing::of(ACCOUNT, Noun::Channel, Coverage::Whole)],
            ..Findings::default()
        })
    })
}

/// The station has no id of its own: it is the streamer's, so it has their login.
fn station(mut document: Fields, login: &str, quirks: &mut Quirks) -> Result<Observation, Failure> {
    let mut fields = match document.object(&["data"]) {
        Some(data) => {
            document.rest(quirks);
            data
        }
        None => {
            quirks.note("no-data-around");
            document
        }
    };
    let station = entities::Channel {
        kind: Some("station".to_owned()),
        title: fields.text("station_name"),
        streamer_name: fields.text("user_nick"),
        image_url: fields.place("profile_image"),
        last_broadcast_at: fields.moment("lately_broad_date"),
        ..Default::default()
    };
    if station.title.is_none() && station.streamer_name.is_none() {
        return Err(Failure::malformed("the answer names neither a station nor its streamer"));
    }
    if station.image_url.as_deref().and_then(login_of_image).is_some_and(|said| said != login) {
        quirks.note("other-login");
    }
    fields.skip(&["favorite_cnt"]);
    Ok(Observation {
        attributes: Attributes::of(&station),
        extra: fields.rest(quirks),
        ..Observation::of(EntityKey::new(Noun::Channel, login))
    })
}

/// `…/LOGO/so/soop1234/soop1234.jpg`: a habit of the platform, not a promise.
fn login_of_image(place: &str) -> Option<&str> {
    place.split_once("/LOGO/")?.1.split('/').nth(1)
}
