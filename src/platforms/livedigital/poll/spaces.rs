//! The watch `spaces`: every space that the credential may see.

use super::{
    tour::{Step, Visit},
    wire::{List, Row, clearable_text, clearable_url, switch, text},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Rules, entities},
    platform::{Findings, Listing, Sighting},
};

/// The only list of this watch.
const ALL: &str = "all";

/// Tells of the spaces in the list.
pub(super) struct Spaces {
    only: Option<String>,
}

impl Spaces {
    /// Of all spaces, or of `only` one.
    pub fn new(only: Option<String>) -> Self {
        Self { only }
    }
}

impl Visit for Spaces {
    fn spaces(&mut self, list: &List, found: &mut Findings) -> Vec<Step> {
        for (id, row) in &list.rows {
            if self.only.as_ref().is_none_or(|only| only == id) {
                found.sightings.push(Sighting::in_list(space(id, row), ALL, list.asked_at));
            }
        }
        found.listings.push(Listing {
            scope: ALL.to_owned(),
            noun: Noun::Space,
            rules: Rules::default(),
            coverage: list.coverage,
            from: None,
        });
        Vec::new()
    }
}

fn space(id: &str, row: &Row) -> Observation {
    let attributes = entities::Space {
        name: text(row, "name"),
        description: clearable_text(row, "description"),
        logo_url: clearable_url(row, "logo"),
        is_public: switch(row, "isPublic"),
        ..Default::default()
    };
    Observation {
        attributes: Attributes::of(&attributes),
        ..Observation::of(EntityKey::new(Noun::Space, id))
    }
}
