//! The tables of the README that follow from the code, kept between markers.

use super::{
    about::about,
    emitted::{emitted, event_types_of},
};
use crate::{platform::Status, platforms};

/// The README has no place for a table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("README.md needs the lines `<!-- generated: {0} -->` and, below it, `<!-- end -->`")]
pub struct MissingMarkers(&'static str);

/// `text` with its tables of platforms and events as they are now.
pub fn updated(text: &str) -> Result<String, MissingMarkers> {
    let text = between_markers(text, "platforms", &platforms_table())?;
    between_markers(&text, "events", &events_table())
}

/// What a newcomer wants to know of each platform.
fn platforms_table() -> String {
    let mut table =
        "| platform | status | callbacks | watches | events |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for platform in platforms::ALL {
        let descriptor = platform.descriptor();
        let status = match descriptor.status {
            Status::Working => "working".to_owned(),
            Status::Closed(since) => format!("closed: {since}"),
        };
        let callbacks = listed(descriptor.callbacks.iter().map(|callback| callback.name));
        let watches = listed(descriptor.watches.iter().map(|watch| watch.name));
        let events = listed(event_types_of(descriptor));
        table += &format!(
            "| [{}]({}) | {status} | {callbacks} | {watches} | {events} |\n",
            descriptor.name, descriptor.docs
        );
    }
    table
}

/// What a consumer can subscribe to.
fn events_table() -> String {
    let mut table = "| event | means | from |\n| --- | --- | --- |\n".to_owned();
    for emitted in emitted() {
        let from = listed(emitted.platforms.iter().map(|descriptor| descriptor.id));
        table += &format!(
            "| [`{0}`](schemas/events/{0}.schema.json) | {1} | {from} |\n",
            emitted.event_type,
            about(emitted.event_type)
        );
    }
    table
}

fn listed<T: std::fmt::Display>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" ") }
}

/// Replaces what stands between the markers of `name`.
fn between_markers(text: &str, name: &'static str, table: &str) -> Result<String, MissingMarkers> {
    let missing = MissingMarkers(name);
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, rest) = text.split_once(&begin).ok_or(missing.clone())?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or(missing)?;
    Ok(format!("{before}{begin}\n{table}\n<!-- end -->{after}"))
}
