//! Watch `vods`: whether videos can still be embedded, and what they are called.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::{self, Fields, Quirks};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, Verb, entities},
    platform::{ApiRequest, ApiResponse, Failure, Findings, Sighting, SweepTask, Walk},
};

/// So many sweeps in a row must fail to find a video before it counts as removed.
const MISSES: u64 = 3;

/// A sweep through the configured videos, one question for each.
pub fn walk(task: &SweepTask<'_>) -> Box<dyn Walk> {
    let watch = task.account.watches.get(task.watch.name);
    let mut ids: Vec<String> = Vec::new();
    for id in watch.map_or(&[][..], |watch| watch.list("ids")) {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    let misses = |id: &String| Some((id.clone(), task.cursor?.get(id)?.as_u64()?));
    Box::new(Vods {
        misses: ids.iter().filter_map(misses).collect(),
        ids,
        heard: 0,
        found: 0,
        sightings: Vec::new(),
        quirks: Quirks::default(),
    })
}

struct Vods {
    ids: Vec<String>,
    heard: usize,
    found: usize,
    /// How often in a row each was not found, if it was not found last time.
    misses: BTreeMap<String, u64>,
    sightings: Vec<Sighting>,
    quirks: Quirks,
}

impl Walk for Vods {
    fn ask(&mut self) -> Option<ApiRequest> {
        let id = self.ids.get(self.heard)?;
        let address = format!("https://vod.sooplive.com/player/{id}");
        Some(ApiRequest::get(["oembed", "embedinfo"]).query("vod_url", address))
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        let Some(id) = self.ids.get(self.heard).cloned() else { return Ok(()) };
        self.heard += 1;
        match answer::document(answer, &mut self.quirks).and_then(|fields| content(fields, &mut self.quirks))
        {
            Ok((content, extra)) => {
                self.found += 1;
                self.misses.remove(&id);
                let attributes = Attributes::of(&content);
                let observation =
                    Observation { attributes, extra, ..Observation::of(EntityKey::new(Noun::Content, id)) };
                self.sightings.push(Sighting::of(observation, answer.asked_at));
            }
            // The others are asked for all the same.
            Err(failure) if self.is_miss(&failure, answer.status) => {
                if self.found == 0 && self.heard == self.ids.len() && self.heard > 1 {
                    // They did not all go at once: nothing is found any more.
                    return Err(failure);
                }
                self.miss(id, answer);
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    fn findings(self: Box<Self>) -> Findings {
        let cursor = self.misses.into_iter().map(|(id, misses)| (id, misses.into()));
        Findings {
            sightings: self.sightings,
            cursor: Some(Value::Object(cursor.collect::<Map<_, _>>())),
            quirks: self.quirks.into_names(),
            ..Findings::default()
        }
    }
}

impl Vods {
    /// Whether a failure is about the video and not about the platform. What is refused may be everything, which only
    /// a video that is found can disprove; a redirect is never about the video: the host has moved.
    fn is_miss(&self, failure: &Failure, status: u16) -> bool {
        match failure {
            Failure::NotFound => status == 404 || self.ids.len() > 1,
            Failure::Refused { .. } => self.ids.len() > 1 && !(300..400).contains(&status),
            _ => false,
        }
    }

    fn miss(&mut self, id: String, answer: &ApiResponse) {
        self.quirks.note("missing-video");
        let misses = self.misses.entry(id.clone()).or_default();
        *misses = misses.saturating_add(1).min(MISSES);
        if *misses == MISSES {
            // Each time: what was removed before is no news to whoever compares.
            let told = Some(Verb::Removed);
            let observation = Observation { told, ..Observation::of(EntityKey::new(Noun::Content, id)) };
            self.sightings.push(Sighting::of(observation, answer.asked_at));
        }
    }
}

/// Sizes are not told, and `html` is a stranger's.
fn content(mut fields: Fields, quirks: &mut Quirks) -> Result<(entities::Content, Attributes), Failure> {
    if !fields.has_any(&["title", "author_name", "author_url"]) {
        return Err(Failure::malformed("the answer describes no video"));
    }
    let content = entities::Content {
        title: fields.text("title"),
        author_name: fields.text("author_name"),
        author_url: fields.place("author_url"),
        ..Default::default()
    };
    fields.skip(&["html", "width", "height", "version", "type", "provider_name", "provider_url"]);
    fields.skip(&["thumbnail_url", "thumbnail_width", "thumbnail_height"]);
    if content == entities::Content::default() {
        // The frame of an answer without a video in it.
        return Err(Failure::NotFound);
    }
    Ok((content, fields.rest(quirks)))
}
