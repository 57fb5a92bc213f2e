//! What is not documented, or documented in two ways: a world can be each way.

use jiff::{SignedDuration, Timestamp};

use crate::simulators::{Cache, postbox::Delivery};

/// What kind of world it is. The default is as close to the documented samples as it gets.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// The only service account there is.
    pub service_account: String,
    /// The access token that is right.
    pub access_token: String,
    /// Whether the token may read what is live; else every answer is 403.
    pub has_scope: bool,
    /// Where the API begins.
    pub base: BasePath,
    /// Whether a request that does not accept JSON gets a login page with status 200.
    pub login_page_without_accept: bool,
    /// Whether the latest broadcast of a channel says which one it is, and its title.
    pub latest_has_key: bool,
    /// How a broadcast says which channel it belongs to.
    pub channel_of: ChannelOf,
    /// Whether a paused broadcast still counts as on air. Not documented; if it does, its answers cannot be told from
    /// those of an API in which `paused_at` stays when it goes on.
    pub is_onair_while_paused: bool,
    /// Whether channels and broadcasts show their ingest secrets.
    pub shows_ingest: bool,
    /// How long pages may be.
    pub per_page: PerPage,
    /// Whether lists have `links`, with whole URLs on the platform's own host.
    pub has_links: bool,
    /// Whether answers may be old.
    pub cache: Option<Cache>,
    /// Whether numbers and booleans come as whatever PHP made of them.
    pub mixes_scalars: bool,
    /// What stands where there is nothing.
    pub empty: Empty,
    /// Whether slashes and everything outside ASCII are escaped.
    pub escapes: bool,
    /// How many of 100 callbacks have the misspelt field.
    pub misspelt: u32,
    /// How well callbacks are delivered.
    pub delivery: Delivery,
    /// The application that may ask for tokens.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Where codes are sent to; anywhere if this is empty.
    pub redirect_uri: String,
    /// Who can log in. All of them own the account.
    pub users: Vec<String>,
    /// How long a code is good.
    pub code_life: SignedDuration,
    /// How long an access token is good.
    pub access_life: SignedDuration,
    /// How long a refresh token is good.
    pub refresh_life: SignedDuration,
    /// How a bad refresh token is refused.
    pub bad_refresh: BadRefresh,
    /// Whether the application gets tokens without a person: `client_credentials`.
    pub has_client_credentials: bool,
    /// When the world begins.
    pub begins_at: Timestamp,
    /// What decides everything that is left to chance.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            service_account: "acme".to_owned(),
            access_token: "example-kollus-access".to_owned(),
            has_scope: true,
            base: BasePath::ServiceAccounts,
            login_page_without_accept: false,
            latest_has_key: false,
            channel_of: ChannelOf::Key,
            is_onair_while_paused: false,
            shows_ingest: false,
            per_page: PerPage::Lowered(100),
            has_links: true,
            cache: None,
            mixes_scalars: false,
            empty: Empty::Null,
            escapes: false,
            misspelt: 0,
            delivery: Delivery::default(),
            client_id: "55".to_owned(),
            client_secret: "example-kollus-secret".to_owned(),
            redirect_uri: String::new(),
            users: vec!["operator@acme.example".to_owned()],
            code_life: SignedDuration::from_mins(10),
            access_life: SignedDuration::from_secs(31_622_400),
            refresh_life: SignedDuration::from_hours(732 * 24),
            bad_refresh: BadRefresh::Grant,
            has_client_credentials: false,
            begins_at: Timestamp::constant(1_740_877_200, 0), // 2025-03-02T01:00:00Z
            seed: 1,
        }
    }
}

/// Where the API begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BasePath {
    /// `/api/v1/live/service-accounts/{account}`
    ServiceAccounts,
    /// `/api/v1/live/{account}`
    Short,
    /// Both.
    Both,
}

/// How a broadcast says which channel it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelOf {
    /// `channel_key`
    Key,
    /// `channel: { key, title }`
    Object,
    /// Not at all.
    Unsaid,
}

/// What happens to a longer page than allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PerPage {
    /// It gets shorter, and `meta.per_page` says so.
    Lowered(usize),
    /// 422.
    Refused(usize),
}

/// What stands where there is no object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Empty {
    /// `{}`
    Object,
    /// `[]`
    Array,
    /// `null`
    Null,
    /// Each of them, by chance.
    Any,
}

/// How a bad refresh token is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadRefresh {
    /// 400 `invalid_grant`, as the standard has it.
    Grant,
    /// 401 `invalid_request`, as Passport had it for years.
    Request,
}
