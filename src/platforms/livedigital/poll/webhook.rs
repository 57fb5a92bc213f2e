//! The watch `webhook`: where each space's webhook leads, and whether it is switched on.

use serde_json::Value;
use url::Url;

use super::{
    tour::{Step, Visit},
    wire::{List, Row, switch, text},
};
use crate::{
    model::{Attributes, EntityKey, Noun, Observation, entities},
    platform::{ApiResponse, Failure, Findings, Seal, Sighting, SweepTask, json},
};

/// Tells of the webhook of each space.
pub(super) struct Webhook {
    /// Of URLs.
    seal: Seal,
    /// Another watch tells which spaces there are, and which are gone.
    fills_in: bool,
}

impl Webhook {
    pub fn new(task: &SweepTask<'_>) -> Self {
        Self {
            seal: task.seal("the webhooks of livedigital"),
            fills_in: task.account.watches.contains_key("spaces"),
        }
    }

    fn configuration(&self, answer: &ApiResponse) -> Result<entities::Space, Failure> {
        let configuration = match answer.success() {
            Err(Failure::NotFound) => Value::Null,
            body => json::parse_answer(body?)?,
        };
        // What a space without webhook answers is not documented: 404, null or an object without anything in it.
        let configuration = match configuration {
            Value::Null => Row::new(),
            Value::Object(configuration) if configuration.is_empty() || configuration.contains_key("url") => {
                configuration
            }
            _ => return Err(Failure::malformed("the answer is not the configuration of a webhook")),
        };
        let url = text(&configuration, "url");
        Ok(entities::Space {
            is_webhook_active: switch(&configuration, "isActive").or(url.is_none().then_some(false)),
            webhook_host: url.as_deref().and_then(|url| Url::parse(url).ok()?.host_str().map(str::to_owned)),
            webhook_fingerprint: url.map(|url| self.seal.fingerprint(&url)),
            ..Default::default()
        })
    }
}

impl Visit for Webhook {
    fn spaces(&mut self, list: &List, _: &mut Findings) -> Vec<Step> {
        list.rows.iter().map(|(space_id, _)| Step::Webhook { space_id: space_id.clone() }).collect()
    }

    fn detail(&mut self, step: &Step, answer: &ApiResponse, found: &mut Findings) -> Result<(), Failure> {
        let Step::Webhook { space_id } = step else { return Ok(()) };
        let observation = Observation {
            attributes: Attributes::of(&self.configuration(answer)?),
            ..Observation::of(EntityKey::new(Noun::Space, space_id))
        };
        let sighting = Sighting::of(observation, answer.asked_at);
        found.sightings.push(Sighting { fills_in: self.fills_in, ..sighting });
        Ok(())
    }
}
