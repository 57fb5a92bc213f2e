//! Misbehaviour of authorisation servers on order: at the token endpoint, and on the way back from the consent.

use serde_json::Value;

use super::{Fault, drift::Drift};

/// What becomes of one request to the token endpoint.
#[derive(Clone, PartialEq, Debug)]
pub enum TokenTrick {
    /// The request has no effect: nothing is issued, nothing is revoked, and this comes instead of an answer.
    Instead(Fault),
    /// The request takes full effect, and this becomes of its answer.
    Spoilt(Fault),
    /// A good answer has another shape: members are missing or have other names.
    Shape(Drift),
    /// A good answer has this value in this member, wherever it stands: `expires_in` 0, -1, or `"3600"`.
    Says(&'static str, Value),
}

impl TokenTrick {
    /// The answer is lost on its way, and with it the only copy of tokens that replaced others.
    pub const LOST: Self = Self::Spoilt(Fault::Cut);

    /// Bends a good answer.
    pub(super) fn bend(&self, answer: &mut Value) {
        match self {
            Self::Shape(drift) => drift.bend(answer),
            Self::Says(name, value) => say(answer, name, value),
            Self::Instead(_) | Self::Spoilt(_) => {}
        }
    }
}

fn say(answer: &mut Value, name: &str, value: &Value) {
    let Value::Object(fields) = answer else { return };
    fields.values_mut().for_each(|field| say(field, name, value));
    if let Some(field) = fields.get_mut(name) {
        field.clone_from(value);
    }
}

/// What becomes of one redirect back to the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RedirectTrick {
    /// It names an issuer in `iss` (RFC 9207): the right one, or another.
    Issuer(String),
    /// There is a second, different `code`.
    TwoCodes,
    /// Beside what belongs there it says `error=access_denied`.
    WithError,
    /// `state` is not the one that was sent.
    StateChanged,
    /// There is no `state`.
    StateMissing,
}

impl RedirectTrick {
    /// Bends the parameters.
    pub(super) fn bend(self, parameters: &mut Vec<(&'static str, String)>) {
        match self {
            Self::Issuer(issuer) => parameters.push(("iss", issuer)),
            Self::TwoCodes => {
                let code = parameters.iter().find(|(name, _)| *name == "code");
                parameters.extend(code.map(|(_, code)| ("code", code.chars().rev().collect())));
            }
            Self::WithError => parameters.push(("error", "access_denied".to_owned())),
            Self::StateChanged => {
                let state = parameters.iter_mut().filter(|(name, _)| *name == "state");
                state.for_each(|(_, state)| state.push('x'));
            }
            Self::StateMissing => parameters.retain(|(name, _)| *name != "state"),
        }
    }
}
