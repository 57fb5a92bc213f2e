//! Watch `categories`: what broadcasts are sorted into, in one language.

use serde_json::Value;

use super::{
    answer::{Fields, Quirks},
    question,
    rows::{Entries, Entry},
};
use crate::{
    model::{Attributes, Noun, entities},
    platform::{ApiRequest, Coverage, Failure, Findings, Listing, Sighting, SweepTask, Walk},
};

/// The languages in which categories have names.
const LOCALES: [&str; 7] = [KOREAN, "en_US", "zh_CN", "zh_TW", "ja_JP", "th_TH", "vi_VN"];
const KOREAN: &str = "ko_KR";

/// What a category at the top says to be below. Saying nothing would leave one that was moved there where it was.
const TOP: &str = "";

/// The scope: there is one list.
const ALL: &str = "all";

/// Asks for the whole list.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    let locale = task.account.watches.get(task.watch.name).and_then(|watch| watch.word("locale"));
    let client_id = task.account.client_id.clone().unwrap_or_default();
    let request = ApiRequest::get(["broad", "category", "list"])
        .secret_query("client_id", client_id.into())
        .query("locale", locale.unwrap_or(KOREAN));
    question::walk(request, move |document, answer, quirks| {
        let entries = entries(document?, quirks)?;
        let coverage = if entries.are_clear() { Coverage::Whole } else { Coverage::Partial };
        let sighting =
            |entry: Entry| Sighting::in_list(entry.observation(Noun::Category), ALL, answer.asked_at);
        Ok(Findings {
            sightings: entries.into_iter().map(sighting).collect(),
            listings: vec![Listing::of(ALL, Noun::Category, coverage)],
            ..Findings::default()
        })
    })
}

/// Whether a word can be a locale.
pub fn check_locale(word: &str) -> Result<(), &'static str> {
    let is_known = LOCALES.contains(&word);
    is_known.then_some(()).ok_or("one of ko_KR, en_US, zh_CN, zh_TW, ja_JP, th_TH, vi_VN")
}

fn entries(mut document: Fields, quirks: &mut Quirks) -> Result<Entries, Failure> {
    let parents = document.rows("broad_category")?;
    let parents = parents.ok_or_else(|| Failure::malformed("the answer has no list of categories"))?;
    document.rest(quirks);
    let mut entries = Entries::default();
    add(parents, Some(TOP), &mut entries, quirks)?;
    if entries.is_empty() {
        return Err(Failure::malformed("the list of categories is empty"));
    }
    Ok(entries)
}

/// Two levels are documented; more would do no harm, as the reader of JSON bounds them. `parent` is `None` if it has
/// no number.
fn add(
    rows: Vec<Value>,
    parent: Option<&str>,
    entries: &mut Entries,
    quirks: &mut Quirks,
) -> Result<(), Failure> {
    for row in rows {
        let Value::Object(members) = row else {
            entries.add(None, quirks);
            continue;
        };
        let mut fields = Fields::of(members);
        let children = fields.rows("child")?.unwrap_or_default();
        let id = fields.category("cate_no");
        let category =
            entities::Category { name: fields.text("cate_name"), parent_id: parent.map(str::to_owned) };
        let extra = fields.rest(quirks);
        // One that is said to be below itself was told already.
        if id.is_none() || id.as_deref() != parent {
            let attributes = Attributes::of(&category);
            entries.add(id.clone().map(|id| Entry { id, attributes, extra }), quirks);
        }
        add(children, id.as_deref(), entries, quirks)?;
    }
    Ok(())
}
