//! What livehook says of itself, and what it was told without knowing the meaning.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A callback that could not be understood. Its bytes are kept: `livehook quarantine show <id>`.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QuarantinedDelivery {
    /// The callback it arrived on.
    pub callback: Option<String>,
    /// Why it could not be understood.
    pub reason: Option<String>,
    /// Length of its body.
    pub body_bytes: Option<u64>,
}

/// A callback whose meaning is undocumented, or an unknown event name; its fields are in `data.extra`.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Notice {
    /// The callback it arrived on.
    pub callback: Option<String>,
    /// The platform's name for what happened, where it gives one.
    pub name: Option<String>,
}

/// How well one watch of an account can be read.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Source {
    /// The watch: what is read.
    pub watch: Option<String>,
    /// Why it cannot be read as it should be, without anything out of an answer.
    pub reason: Option<String>,
    /// How many sweeps failed in a row.
    pub failures: Option<u64>,
    /// When the last sweep succeeded; absent if none did.
    pub last_success_at: Option<Timestamp>,
}

/// What livehook holds to read an account with. Never a token.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Credential {
    /// How it is obtained: `oauth` (a person consented), `password`, `client` (the application's own), `personal` (made
    /// by hand, stands in the configuration).
    pub kind: Option<String>,
    /// What it permits, in the platform's words; absent if nothing says so.
    pub scopes: Option<Vec<String>>,
    /// When it ends; absent if nothing says so, or never. livehook renews it before, unless it is `personal`.
    pub expires_at: Option<Timestamp>,
    /// Whose it is at the platform; absent if nothing says so.
    pub identity: Option<String>,
    /// Whether a person must do something before the account can be read on.
    pub needs_person: Option<bool>,
    /// Why: of `expiring`, `refresh_failed` and `revoked`; empty on the others. Holds nothing out of an answer but an
    /// error code.
    pub reason: Option<String>,
}
