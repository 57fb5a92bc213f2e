//! Categories and filter lists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What broadcasts are sorted into.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Category {
    /// What it is called, in the language of the watch.
    pub name: Option<String>,
    /// The category above it; empty at the top.
    pub parent_id: Option<String>,
}

/// An entry of a list that takes broadcasts out of the platform's answers.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Filter {
    /// What is taken out: `streamer`, `category` or `keyword`.
    pub kind: Option<String>,
    /// Which one: a login, a category number, a word.
    pub value: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who entered it: `client` or `platform`.
    pub origin: Option<String>,
    /// The name of the category, if it is one.
    pub category_name: Option<String>,
}
