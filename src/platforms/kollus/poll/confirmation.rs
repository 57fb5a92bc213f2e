//! One broadcast alone, read because a callback told of it.

use super::{answer, get, rows::Broadcast};
use crate::platform::{ApiRequest, ApiResponse, Failure, Findings, Sighting, Walk};

/// `GET /broadcasts/{broadcast_key}`.
pub(super) struct Confirmation {
    service_account: String,
    broadcast_key: String,
    is_over: bool,
    findings: Findings,
}

impl Confirmation {
    /// Of this broadcast; an empty key means none, and nothing is asked.
    pub(super) fn new(service_account: &str, broadcast_key: &str) -> Self {
        Self {
            service_account: service_account.to_owned(),
            broadcast_key: broadcast_key.to_owned(),
            is_over: broadcast_key.is_empty(),
            findings: Findings::default(),
        }
    }
}

impl Walk for Confirmation {
    fn ask(&mut self) -> Option<ApiRequest> {
        (!self.is_over).then(|| get(&self.service_account, &["broadcasts", &self.broadcast_key]))
    }

    fn hear(&mut self, answer: &ApiResponse) -> Result<(), Failure> {
        self.is_over = true;
        // The API may not know yet what a callback told a moment ago: that is a failure, which is tried again.
        let row = answer::single(answer)?;
        let broadcast = Broadcast::of(&row, &mut self.findings.quirks);
        if broadcast.key.as_ref().is_some_and(|key| *key != self.broadcast_key) {
            return Err(Failure::malformed("the document is about another broadcast"));
        }
        let observation = broadcast.observation(&self.broadcast_key);
        self.findings.sightings.push(Sighting::of(observation, answer.asked_at));
        Ok(())
    }

    fn findings(self: Box<Self>) -> Findings {
        self.findings
    }
}
