//! How a world is set up: what the documentation leaves open is chosen here.

use jiff::{SignedDuration, Timestamp};

use super::things::Account;
use crate::simulators::{Cache, grants::Rotation};

/// How a world is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Equal seeds make equal worlds.
    pub seed: u64,
    /// The time until another is handed in; what is there from the start began then.
    pub begins_at: Timestamp,
    /// What is accepted as `client_id`.
    pub client_id: String,
    /// What is accepted as `client_secret`.
    pub client_secret: String,
    /// Where codes are sent to; anywhere if this is empty.
    pub redirect_uri: String,
    /// Whether `state` comes back.
    pub echoes_state: bool,
    /// How the redirect looks after somebody refused.
    pub denial: Denial,
    /// How long a code is good.
    pub code_life: SignedDuration,
    /// How long a certification number is good.
    pub certification_life: SignedDuration,
    /// How long an access token is good.
    pub access_life: SignedDuration,
    /// How long a refresh token is good.
    pub refresh_life: SignedDuration,
    /// What becomes of a refresh token that is used.
    pub rotation: Rotation,
    /// Whether the scope that was asked for comes with the tokens; else it is `null`.
    pub says_scope: bool,
    /// Who has linked an account, or can.
    pub accounts: Vec<Account>,
    /// Broadcasts on a page.
    pub page_block: usize,
    /// What has no meaning varies from answer to answer: numbers as strings and the reverse, escapes, hosts, optional
    /// fields of the frame, the order of unordered lists, the content type.
    pub varies: bool,
    /// `paid_promotion` is left out of a row now and then, once it was told since it changed last.
    pub omits_paid_promotion: bool,
    /// Whether lists may be old, each page for itself; those of broadcasts say how old.
    pub cache: Option<Cache>,
    /// How a bad access token is refused.
    pub refusal: Refusal,
    /// What becomes of a request that comes too early; it is a violation in any case.
    pub over_limit: OverLimit,
    /// How long after its start chat information still says that a broadcast is not on air.
    pub chat_lag: SignedDuration,
    /// Whether live status says `user_id` while nothing is on air.
    pub says_login_offline: bool,
    /// The name of the object with the settings: `data` or `info`.
    pub settings_name: &'static str,
    /// `data` is an array with one object, where the documentation knows it as an object.
    pub data_is_array: bool,
    /// What is answered of a video that is not there any more.
    pub vod_gone: VodGone,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            begins_at: Timestamp::constant(1_767_669_942, 0),
            client_id: "client-id".to_owned(),
            client_secret: "client-secret".to_owned(),
            redirect_uri: String::new(),
            echoes_state: false,
            denial: Denial::Error,
            code_life: SignedDuration::from_mins(10),
            certification_life: SignedDuration::from_mins(3),
            access_life: SignedDuration::from_secs(28_800),
            refresh_life: SignedDuration::from_hours(60 * 24),
            rotation: Rotation::Always,
            says_scope: false,
            accounts: vec![Account::new("soop1234", "access-token")],
            page_block: 60,
            varies: true,
            omits_paid_promotion: false,
            cache: None,
            refusal: Refusal::Unauthorized,
            over_limit: OverLimit::Answered,
            chat_lag: SignedDuration::from_secs(30),
            says_login_offline: true,
            settings_name: "data",
            data_is_array: false,
            vod_gone: VodGone::NotFound,
        }
    }
}

/// How the redirect looks after somebody refused: unknown, so all that is likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// `error=access_denied`.
    Error,
    /// No `code`, and no word about why.
    NoCode,
}

/// How a bad access token is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Status 401 with `error`: `expired_token`, `invalid_token`, `not-found-access-token`.
    Unauthorized,
    /// Status 200 with `result` -10.
    Envelope,
}

/// What becomes of a request that comes too early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OverLimit {
    /// It is answered as if nothing were wrong: no limit is documented.
    Answered,
    /// Status 429, with `Retry-After` in all its forms in turn.
    Refused,
}

/// What is answered of a video that is not there any more: unknown, so all that is likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VodGone {
    /// Status 404 with a page.
    NotFound,
    /// Status 200 with a negative `result`.
    Envelope,
    /// Status 200 with the usual fields, all empty.
    EmptyFields,
}
