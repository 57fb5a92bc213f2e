//! The documents that are generated from the code: the schemas, the description of the bus, the README's tables.
//!
//! The code is the only producer of events, so its types come first. The generated files are committed,
//! because they are what consumers build on and the diff that reviewers see; a stale one fails the tests.

use std::{fs, io, path::Path};

use serde_json::Value;

use crate::config;

mod about;
mod asyncapi;
mod emitted;
mod entity;
mod event;
mod question;
mod readme;

pub use emitted::{Emitted, emitted};

/// A generated file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Where it belongs, from the root of the project, with `/` between folders.
    pub path: String,
    /// The whole file, with a newline at its end.
    pub contents: String,
}

impl Document {
    fn json(path: impl Into<String>, value: &Value) -> Self {
        Self { path: path.into(), contents: format!("{value:#}\n") }
    }
}

/// The folder that holds one schema for each event type and nothing else.
const EVENTS_DIR: &str = "schemas/events";
/// The folder that holds two schemas for each question and nothing else.
const QUESTIONS_DIR: &str = "schemas/questions";
const README: &str = "README.md";

/// Every file that is generated as a whole.
pub fn all() -> Vec<Document> {
    let mut documents =
        vec![Document::json(format!("{EVENTS_DIR}/envelope.schema.json"), &event::envelope())];
    documents.extend(emitted().iter().map(|emitted| {
        let path = format!("{EVENTS_DIR}/{}.schema.json", emitted.event_type);
        Document::json(path, &event::schema(emitted.event_type))
    }));
    documents.extend(question::all().iter().flat_map(|asked| {
        let path = format!("{QUESTIONS_DIR}/{}.{}", asked.platform, asked.name);
        let question = Document::json(format!("{path}.question.schema.json"), &asked.question);
        [question, Document::json(format!("{path}.reply.schema.json"), &asked.reply)]
    }));
    documents.push(Document::json("schemas/asyncapi.json", &asyncapi::document()));
    documents.push(Document::json("schemas/config.schema.json", &config::schema()));
    documents
}

/// Brings every generated file below `root`, and the generated parts of its README, up to date.
/// Returns the paths of the files that had to change.
///
/// # Errors
/// When a file cannot be written, or the README has lost the markers of a generated part.
pub fn write_all(root: &Path) -> io::Result<Vec<String>> {
    let mut changed = Vec::new();
    for leftover in leftovers(root) {
        fs::remove_file(root.join(&leftover))?;
        changed.push(leftover);
    }
    for document in all() {
        let path = root.join(&document.path);
        if fs::read_to_string(&path).ok().as_deref() == Some(&document.contents) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, document.contents)?;
        changed.push(document.path);
    }
    if let Ok(text) = fs::read_to_string(root.join(README)) {
        let fresh = readme::updated(&text).map_err(io::Error::other)?;
        if fresh != text {
            fs::write(root.join(README), fresh)?;
            changed.push(README.to_owned());
        }
    }
    Ok(changed)
}

/// What [`write_all`] would change below `root`, one sentence for each file; empty when all is fresh.
pub fn stale(root: &Path) -> Vec<String> {
    let mut found: Vec<_> = leftovers(root)
        .into_iter()
        .map(|path| format!("{path} is generated from nothing any more"))
        .collect();
    for document in all() {
        match fs::read_to_string(root.join(&document.path)) {
            Ok(contents) if contents == document.contents => {}
            Ok(_) => found.push(format!("{} differs from what the code says", document.path)),
            Err(error) => found.push(format!("{} cannot be read: {error}", document.path)),
        }
    }
    if let Ok(text) = fs::read_to_string(root.join(README)) {
        match readme::updated(&text) {
            Ok(fresh) if fresh == text => {}
            Ok(_) => found.push(format!("the generated tables of {README} differ from what the code says")),
            Err(error) => found.push(error.to_string()),
        }
    }
    found
}

/// Files in the generated folders that nothing accounts for.
fn leftovers(root: &Path) -> Vec<String> {
    let generated = all();
    let folders = [EVENTS_DIR, QUESTIONS_DIR].into_iter();
    let files = folders.filter_map(|folder| Some((folder, fs::read_dir(root.join(folder)).ok()?)));
    let mut found: Vec<_> = files
        .flat_map(|(folder, entries)| entries.flatten().map(move |entry| (folder, entry.file_name())))
        .map(|(folder, name)| format!("{folder}/{}", name.to_string_lossy()))
        .filter(|path| generated.iter().all(|document| document.path != *path))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests;
