//! What is not documented, or documented in two ways: a world can be each way.

use jiff::{SignedDuration, Timestamp};

use crate::simulators::{grants::Rotation, postbox::Delivery};

/// What kind of world it is. The default is as close to the documented samples as it gets.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// A personal token of the owner.
    pub access_token: String,
    /// A token that may only look at public rooms.
    pub client_token: String,
    /// The key of every webhook's signature.
    pub webhook_secret: String,
    /// Whether lists say how many there are in total.
    pub has_total: bool,
    /// How many hours the day of a call begins before that of UTC.
    pub zone_hours: i8,
    /// Whether calls are shown before they are over.
    pub shows_active_calls: bool,
    /// Whether the plan includes the analytics, calls among them; else 403.
    pub has_analytics: bool,
    /// When the time of a room's last call moves.
    pub last_call: LastCall,
    /// Whether the state of a record says more than `new`.
    pub tells_record_states: bool,
    /// How a record looks before it is finished.
    pub unfinished: Unfinished,
    /// What stands for the webhook of a space that has none.
    pub without_webhook: WithoutWebhook,
    /// How the address of a record's file is given.
    pub download: Download,
    /// Whether rooms show only what every server shows.
    pub has_few_room_fields: bool,
    /// What refusals say.
    pub refusal: Refusal,
    /// Whether answers set cookies. Whoever sends one back is refused.
    pub sets_cookies: bool,
    /// How well callbacks are delivered.
    pub delivery: Delivery,
    /// The application that may ask for tokens.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The owner's e-mail address.
    pub username: String,
    /// The owner's password.
    pub password: String,
    /// What becomes of a client token beside a password.
    pub client_token_beside_password: ClientToken,
    /// What becomes of a refresh token that is used; `None`: nobody can use one.
    pub refresh: Option<Rotation>,
    /// How long an access token is good; no answer says it.
    pub access_life: SignedDuration,
    /// How long a refresh token is good.
    pub refresh_life: SignedDuration,
    /// Whether tokens are no JWTs, so that nothing says when they end.
    pub has_opaque_tokens: bool,
    /// When the world begins.
    pub begins_at: Timestamp,
    /// What decides everything that is left to chance.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access_token: "example-livedigital-personal".to_owned(),
            client_token: "example-livedigital-client".to_owned(),
            webhook_secret: "example-webhook-secret-0001".to_owned(),
            has_total: true,
            zone_hours: 0,
            shows_active_calls: true,
            has_analytics: true,
            last_call: LastCall::Start,
            tells_record_states: false,
            unfinished: Unfinished::Missing,
            without_webhook: WithoutWebhook::NotFound,
            download: Download::Text,
            has_few_room_fields: false,
            refusal: Refusal::Full,
            sets_cookies: true,
            delivery: Delivery::default(),
            client_id: "example-livedigital-id".to_owned(),
            client_secret: "example-livedigital-secret".to_owned(),
            username: "user@example.test".to_owned(),
            password: "password".to_owned(),
            client_token_beside_password: ClientToken::Tolerated,
            refresh: None,
            access_life: SignedDuration::from_hours(7 * 24),
            refresh_life: SignedDuration::from_hours(21 * 24),
            has_opaque_tokens: false,
            begins_at: Timestamp::constant(1_737_367_200, 0), // 2025-01-20T10:00:00Z
            seed: 1,
        }
    }
}

/// What becomes of a client token in a request with a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientToken {
    /// Without a good one the request is refused with 401.
    Required,
    /// Whatever stands there is ignored.
    Tolerated,
    /// With anything there the request is refused with 401.
    Refused,
}

/// When the time of a room's last call moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastCall {
    /// When the call begins.
    Start,
    /// When it ends.
    End,
    /// Both times.
    Both,
}

/// How the end and the size of a record look while there are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfinished {
    /// They are missing.
    Missing,
    /// They are `null`.
    Null,
    /// The size is 0 and grows, the end is `null`.
    Growing,
}

/// What stands for a webhook where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WithoutWebhook {
    /// 404.
    NotFound,
    /// `null`.
    Null,
    /// `{}`
    Empty,
}

/// How the address of a file is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Download {
    /// As a redirect.
    Redirect,
    /// As bare text.
    Text,
    /// As a JSON string.
    Json,
}

/// What a refusal says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A message and a code.
    Full,
    /// Both are `null`.
    Nulls,
    /// `{}`
    Empty,
    /// No JSON.
    Text,
}
