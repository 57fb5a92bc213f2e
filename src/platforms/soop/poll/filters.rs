//! Watch `filters`: what is left out of the lists that this application gets.

use secrecy::SecretString;

use super::{
    answer::{self, Fields, Quirks},
    rows::{Entries, Entry},
};
use crate::{
    model::{Attributes, Noun, entities},
    platform::{ApiRequest, ApiResponse, Coverage, Failure, Findings, Listing, Sighting, SweepTask, Walk},
};

/// The three lists, which are also the scopes: the end of the path, and what its rows are told apart by.
const KINDS: [(&str, &str); 3] = [("streamer", "black_id"), ("category", "cate_no"), ("keyword", "keyword")];

/// A sweep through the three lists.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    Box::new(Filters {
        client_id: task.account.client_id.clone().unwrap_or_default().into(),
        client_secret: task.account.client_secret.clone().unwrap_or_default(),
        heard: 0,
        quirks: Quirks::default(),
        findings: Findings::default(),
    })
}

struct Filters {
    client_id: SecretString,
    client_secret: SecretString,
    heard: usize,
    quirks: Quirks,
    findings: Findings,
}

impl Walk for Filters {
    fn ask(&mut self) -> Option<ApiRequest> {
        let (kind, _) = KINDS.get(self.heard)?;
        Some(
            ApiRequest::get(["filter", kind])
                .secret_query("client_id", self.client_id.clone())
                .secret_query("client_secret", self.client_secret.clone()),
        )
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let Some((kind, id_field)) = KINDS.get(self.heard) else { return Ok(()) };
        let mut document = answer::document(answer, &mut self.quirks)?;
        let rows = document.rows("filter_list")?;
        let rows = rows.ok_or_else(|| Failure::malformed("the answer has no list of filters"))?;
        document.rest(&mut self.quirks);

        let entries =
            Entries::read(rows, &mut self.quirks, |fields, quirks| entry(fields, kind, id_field, quirks))?;
        let coverage = if entries.are_clear() { Coverage::Whole } else { Coverage::Partial };
        let sighting =
            |entry: Entry| Sighting::in_list(entry.observation(Noun::Filter), *kind, answer.asked_at);
        self.findings.sightings.extend(entries.into_iter().map(sighting));
        self.findings.listings.push(Listing::of(*kind, Noun::Filter, coverage));
        self.heard += 1;
        Ok(())
    }

    fn findings(self: Box<Self>) -> Findings {
        Findings { quirks: self.quirks.into_names(), ..self.findings }
    }
}

fn entry(mut fields: Fields, kind: &str, id_field: &str, quirks: &mut Quirks) -> Option<Entry> {
    let value = match kind {
        "category" => fields.category(id_field),
        _ => fields.identity(id_field),
    }?;
    // A row calls `type` who entered it; the path calls `type` what it is.
    let origin = match fields.text("type").as_deref() {
        Some("1") => Some("client"),
        Some("2") => Some("platform"),
        Some(_) => {
            quirks.note("unknown-origin");
            None
        }
        None => None,
    };
    let filter = entities::Filter {
        kind: Some(kind.to_owned()),
        value: Some(value.clone()),
        reason: fields.text_or_empty("reason"),
        origin: origin.map(str::to_owned),
        category_name: fields.text("cate_name"),
    };
    let attributes = Attributes::of(&filter);
    Some(Entry { id: format!("{kind}:{value}"), attributes, extra: fields.rest(quirks) })
}
