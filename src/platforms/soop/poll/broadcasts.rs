//! Watch `broadcasts`: everything that is on air, or what is on air in some categories.

mod list;
mod times;

use list::List;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    answer::{self, Fields, Quirks},
    rows::Entry,
    values,
};
use crate::{
    model::{Noun, Observation, Phase, Rules, entities},
    platform::{ApiRequest, ApiResponse, Failure, Findings, SweepTask, Walk, paging::PageNumber},
};

/// The scope of all broadcasts.
const ALL: &str = "all";

/// A sweep through one list, or one list for each category.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    let settings = task.account.watches.get(task.watch.name);
    let categories = settings.map_or(&[][..], |settings| settings.list("categories"));
    let mut scopes: Vec<String> = Vec::new();
    for category in categories.iter().filter_map(|category| values::category(category)) {
        if !scopes.contains(&category) {
            scopes.push(category);
        }
    }
    if categories.is_empty() {
        scopes.push(ALL.to_owned());
    }
    Box::new(Broadcasts {
        client_id: task.account.client_id.clone().unwrap_or_default().into(),
        lists: scopes.into_iter().map(|scope| List::new(task, scope)).collect(),
        current: 0,
        quirks: Quirks::default(),
    })
}

/// Whether a word can be a category.
pub fn check_category(word: &str) -> Result<(), &'static str> {
    values::category(word).map(drop).ok_or("the number of a category, such as \"00130000\"")
}

struct Broadcasts {
    client_id: SecretString,
    lists: Vec<List>,
    current: usize,
    quirks: Quirks,
}

impl Walk for Broadcasts {
    fn ask(&mut self) -> Option<ApiRequest> {
        let list = self.lists.get(self.current)?;
        let PageNumber { pass, page } = list.next_page()?;
        // Rows that move between the pages of one order stand still in the other.
        let order = if pass == 1 { "broad_start" } else { "view_cnt" };
        let request = ApiRequest::get(["broad", "list"]).secret_query("client_id", self.client_id.clone());
        let request = match list.scope() {
            ALL => request,
            category => request.query("select_key", "cate").query("select_value", category),
        };
        Some(request.query("order_type", order).query("page_no", page))
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let document = answer::document(answer, &mut self.quirks)?;
        let Some(list) = self.lists.get_mut(self.current) else { return Ok(()) };
        list.take(document, answer.asked_at, &mut self.quirks)?;
        if list.next_page().is_none() {
            self.current += 1;
        }
        Ok(())
    }

    fn findings(self: Box<Self>) -> Findings {
        let mut findings = Findings { is_dated: true, ..Findings::default() };
        let mut times = Map::new();
        for list in self.lists {
            times.extend(list.times().seconds().map(|seconds| (list.scope().to_owned(), seconds.into())));
            findings.is_dated &= list.times().are_dated();
            findings.listings.push(list.listing());
            let sightings = list.into_sightings();
            // Nearly always there is one list, and all broadcasts need not be in memory twice.
            match findings.sightings.is_empty() {
                true => findings.sightings = sightings,
                false => findings.sightings.extend(sightings),
            }
        }
        findings.cursor = (!times.is_empty()).then_some(Value::Object(times));
        findings.quirks = self.quirks.into_names();
        findings
    }
}

/// What a row, or the live status, says of a broadcast, besides its number.
pub fn broadcast(fields: &mut Fields) -> entities::Broadcast {
    entities::Broadcast {
        channel_id: fields.identity("user_id"),
        title: fields.text("broad_title"),
        category_id: fields.category("broad_cate_no"),
        streamer_name: fields.text("user_nick"),
        started_at: fields.moment("broad_start"),
        is_password_protected: fields.flag("is_password"),
        age_limit: fields.small("broad_grade"),
        asks_not_to_restream: fields.flag("visit_broad_type"),
        is_paid_promotion: fields.flag("paid_promotion"),
        kilobits_per_second: fields.small("broad_bps"),
        resolution: fields.text("broad_resolution"),
        ..Default::default()
    }
}

/// Of a broadcast that is on air.
pub fn on_air(entry: Entry) -> Observation {
    Observation { phase: Some(Phase::Live), rules: Rules::ONE_USE, ..entry.observation(Noun::Broadcast) }
}

#[cfg(test)]
mod tests;
