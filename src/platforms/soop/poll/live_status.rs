//! Watch `live_status`: whether the streamer who gave the token is on air.

use super::{
    answer::{self, Fields, Quirks},
    broadcasts::{broadcast, on_air},
    question,
    rows::Entry,
};
use crate::{
    model::{Attributes, Noun, Rules},
    platform::{ApiRequest, Coverage, Failure, Findings, Listing, Sighting, SweepTask, Walk},
};

/// The scope: the one account.
const ACCOUNT: &str = "account";

/// Asks for the status; the answer is a list of one broadcast or none.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    let login = task.account.service_account.clone();
    let request = ApiRequest::post(["validate", "live", "status"]).access_token_form("access_token");
    question::walk(request, move |document, answer, quirks| {
        let entry = match document {
            Ok(document) => streaming(document, &login, quirks)?,
            Err(failure) if answer::is_offline(&failure) => {
                quirks.note("offline-by-refusal");
                None
            }
            Err(failure) => return Err(failure),
        };
        let sighting = entry.map(|entry| Sighting::in_list(on_air(entry), ACCOUNT, answer.asked_at));
        Ok(Findings {
            sightings: sighting.into_iter().collect(),
            listings: vec![Listing {
                rules: Rules::ONE_USE,
                ..Listing::of(ACCOUNT, Noun::Broadcast, Coverage::Whole)
            }],
            ..Findings::default()
        })
    })
}

fn streaming(mut document: Fields, login: &str, quirks: &mut Quirks) -> Result<Option<Entry>, Failure> {
    let mut status =
        document.object(&["data"]).ok_or_else(|| Failure::malformed("the answer has no data"))?;
    document.rest(quirks);
    match status.text("status").as_deref() {
        Some("streaming") => {}
        // Some of these answers still name the broadcast that was the last.
        Some("streamend") => return Ok(None),
        _ => return Err(Failure::malformed("the status is neither streaming nor streamend")),
    }
    let id = status.number_id("broad_no");
    let id = id.ok_or_else(|| Failure::malformed("a broadcast is on air, but not which"))?;
    let broadcast = broadcast(&mut status);
    if broadcast.channel_id.as_deref().is_some_and(|said| said != login) {
        quirks.note("other-login");
    }
    status.skip(&["current_view_cnt"]);
    let attributes = Attributes::of(&broadcast);
    Ok(Some(Entry { id, attributes, extra: status.rest(quirks) }))
}
