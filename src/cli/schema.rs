//! `livehook schema`: the documents that are generated from the code.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::say;
use crate::{config, documents};

/// Print, write or compare the generated documents: schemas, AsyncAPI, tables.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook schema broadcast.started      JSON Schema of an event type
  livehook schema --config               JSON Schema of the configuration file
  livehook schema --write .              writes all documents into the repository in this directory")]
pub(super) struct Schema {
    /// An event type, such as `broadcast.started`; without it the types are listed.
    event_type: Option<String>,
    /// Print the JSON Schema of the configuration file.
    #[arg(long, conflicts_with = "event_type")]
    config: bool,
    /// Write all documents below this directory.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Fail if a document below this directory is not what the code generates.
    #[arg(long, value_name = "DIR", conflicts_with = "write")]
    check: Option<PathBuf>,
}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.config {
            say(serde_json::to_string_pretty(&config::schema())?);
        } else if let Some(root) = self.write {
            documents::write_all(&root)?;
        } else if let Some(root) = self.check {
            let stale = documents::stale(&root);
            if !stale.is_empty() {
                bail!(
                    "these are not what the code generates: {}. Run `livehook schema --write DIR`",
                    stale.join(", ")
                );
            }
        } else if let Some(event_type) = self.event_type {
            let path = format!("schemas/events/{event_type}.schema.json");
            match documents::all().into_iter().find(|document| document.path == path) {
                Some(document) => say(document.contents.trim_end()),
                None => bail!("there is no event type {event_type:?}: `livehook schema` lists them"),
            }
        } else {
            documents::emitted().iter().for_each(|emitted| say(emitted.event_type));
        }
        Ok(())
    }
}
