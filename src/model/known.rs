//! What we last believed of an entity.

use serde::{Deserialize, Serialize};

use super::{
    attributes::Attributes,
    ids::ContentHash,
    vocabulary::{Phase, Verb},
};

/// The belief that observations are compared with. One revision makes at most one event, so
/// (entity, revision) identifies an event for ever.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Known {
    /// Grows by one with each event; 0 before the first. One that was forgotten begins above all it had.
    #[serde(skip)]
    pub revision: u64,
    /// Where the entity stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Everything said of it so far.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The changes of phase that were already published in this life of the entity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub happened: Vec<Verb>,
    /// What was said by the delivery that made the latest revision, or by a retry that came after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<[u8; 16]>,
}

impl Known {
    /// Whether the latest revision was made by a delivery that said exactly this.
    pub fn was_made_by(&self, content: Option<ContentHash>) -> bool {
        self.made_by.is_some() && self.made_by == content.map(|hash| hash.0)
    }
}
