//! The configuration file as it is written; the JSON Schema of it is made from this.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::SecretSource;

/// `livehook.toml`. Every key can be overridden by `LIVEHOOK_<SECTION>__<KEY>` in the environment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "livehook configuration")]
pub struct File {
    /// Where livehook listens.
    #[serde(default)]
    pub http: Http,
    /// Where events are published. Without this section they stay in the store, readable at
    /// `/api/v1/events`.
    pub bus: Option<Bus>,
    /// Where livehook keeps everything.
    #[serde(default)]
    pub store: Store,
    /// How the tokens are sealed that livehook obtains.
    pub vault: Option<Vault>,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
    /// The accounts at platforms, by a name of your choice: 1 to 63 lower-case letters, digits, hyphens.
    /// The name is part of callback URLs and bus subjects.
    #[serde(default)]
    pub accounts: BTreeMap<String, Account>,
}

/// Where livehook listens.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// What platforms and browsers reach, usually through a reverse proxy with TLS.
    #[schemars(with = "String")]
    pub public_listen: SocketAddr,
    /// Health, metrics and the API. Keep it on loopback or in a private network.
    #[schemars(with = "String")]
    pub admin_listen: SocketAddr,
    /// The public listener's URL as platforms know it: `https://hooks.example.com`. With it, requests for
    /// other hosts are refused.
    pub public_url: Option<String>,
    /// Further host names under which the listeners may be addressed, without port.
    pub allowed_hosts: Vec<String>,
    /// Permits `admin_listen` on an address that is not loopback. Whoever reaches it sees all events.
    pub allow_remote_admin: bool,
    /// Open connections in all, per listener.
    pub connections_max: usize,
    /// Open connections from one address, loopback excepted. Raise it to `connections_max` when a reverse
    /// proxy on another machine stands in front.
    pub connections_per_ip_max: usize,
    /// Seconds between the first signal and the end of accepting, for a load balancer to notice; default 5.
    pub drain_seconds: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            public_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            public_url: None,
            allowed_hosts: Vec::new(),
            allow_remote_admin: false,
            connections_max: 8192,
            connections_per_ip_max: 256,
            drain_seconds: 5,
        }
    }
}

/// Where events are published: either `servers`, or `embedded = true`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Bus {
    /// `nats://host:port` or `tls://host:port`; several servers of one cluster.
    pub servers: Vec<String>,
    /// Starts and supervises a nats-server of its own, on loopback, with its data under `store.dir`.
    pub embedded: bool,
    /// The nats-server program for `embedded`; default: the one on PATH.
    pub nats_server: Option<PathBuf>,
    /// Loopback port for `embedded`; default: a free one.
    pub embedded_port: Option<u16>,
    /// The first part of every subject; default `live`.
    pub prefix: Option<String>,
    /// User name.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<SecretSource>,
    /// Token, instead of `user`.
    pub token: Option<SecretSource>,
    /// Path of a `.creds` file, instead of `user`.
    pub credentials_file: Option<PathBuf>,
    /// Copies of each message in a cluster: 1, 3 or 5; default 1.
    pub replicas: Option<usize>,
    /// The JetStream stream `LIVE`.
    pub live: JsStream,
    /// The JetStream stream `LIVE_PLAYBACK`.
    pub live_playback: JsStream,
}

/// Limits of a JetStream stream.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub struct JsStream {
    /// How long messages are kept, such as `720h`; at least the duplicate window of `6h`. Default `720h`
    /// for `LIVE`, `168h` for `LIVE_PLAYBACK`.
    pub max_age: Option<String>,
    /// Bytes the stream may take; when it is full, livehook holds its events back. Default: no limit.
    pub max_bytes: Option<u64>,
}

/// Where livehook keeps everything.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// A directory on a local disk; created if absent.
    pub dir: PathBuf,
    /// MiB the store may take. Published events and understood deliveries are the first to go.
    pub max_mib: u64,
    /// Skips fsync. Loses what was acknowledged when the power fails; for tests of exactly that.
    pub unsafe_no_fsync: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self { dir: PathBuf::from("data"), max_mib: 8192, unsafe_no_fsync: false }
    }
}

/// How the tokens are sealed that livehook obtains.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// 64 hexadecimal digits: `openssl rand -hex 32`. Whoever has it and the store has the tokens; without it nobody.
    pub key: SecretSource,
    /// Keys that tokens may still be sealed with. They are sealed anew with `key` at the next start; then leave these out.
    #[serde(default)]
    pub old_keys: Vec<SecretSource>,
}

/// What is logged.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or a filter such as `info,livehook::outbox=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned() }
    }
}

/// An account at a platform.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The platform: `kollus`, `soop`, `openfresh`, `livedigital`, `loopback`.
    pub platform: String,
    /// The platform's own name of the account; default: the account's name here.
    pub service_account: Option<String>,
    /// The secret parts of this account's callback URLs, each of 22 or more letters, digits, `-` and `_`.
    /// Several are valid at once, so that one can replace another.
    #[serde(default)]
    pub callback_tokens: Vec<SecretSource>,
    /// Charset of form bodies, such as `euc-kr`, whatever they declare; default: as declared, else decided by
    /// the bytes.
    pub charset: Option<String>,
    /// livedigital: the key of its webhook's signature.
    pub webhook_secret: Option<SecretSource>,
    /// kollus: which of your LMS parameter names carries which figure, as `parameter = "figure"`.
    pub progress_fields: Option<BTreeMap<String, String>>,
    /// kollus: the key of the field `hash` that live progress may have. A wrong hash is only counted, as
    /// `wrong-hash` on the metric of oddities: it proves nothing either way.
    pub progress_hash_key: Option<SecretSource>,
    /// Another address of the platform's API, such as `https://api.example.com/v1`.
    pub base_url: Option<String>,
    /// Permits a `base_url` that is not the platform's own. It gets the account's credentials.
    #[serde(default)]
    pub allow_unknown_hosts: bool,
    /// A static access token: Kollus or livedigital personal token, SOOP access token.
    pub token: Option<SecretSource>,
    /// Another address of the platform's authorisation server, such as `https://login.example.com`.
    pub auth_url: Option<String>,
    /// kollus, soop, livedigital: id of your application.
    pub client_id: Option<String>,
    /// kollus, soop, livedigital: secret of your application. With it and `[vault]`, livehook obtains and renews the
    /// account's tokens.
    pub client_secret: Option<SecretSource>,
    /// kollus, soop: what tokens shall permit; default: what livehook needs.
    pub scopes: Option<Vec<String>>,
    /// openfresh, livedigital: who logs in; at livedigital the e-mail address.
    pub username: Option<String>,
    /// openfresh, livedigital: password of `username`.
    pub password: Option<SecretSource>,
    /// What is read from the platform's API, by the name of the watch; a watch is off unless named.
    #[serde(default)]
    pub poll: BTreeMap<String, Watch>,
    /// kollus: the key with which answers to players are signed. With it, the callbacks `vod-play`, `live-play`,
    /// `download` and `next-episode` exist.
    pub security_key: Option<SecretSource>,
    /// kollus: the custom key of the console; it names the security key to players.
    pub user_key: Option<SecretSource>,
    /// kollus: what viewers get when no decision service answers in time. Goes with `security_key`; no default.
    pub on_no_answer: Option<OnNoAnswer>,
    /// kollus: how players' questions are answered; goes with `security_key`.
    pub questions: Option<Questions>,
}

/// What viewers get when no decision service answers in time: one policy for all questions, or one for each.
#[derive(Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "use \"allow\", \"deny\" or \"refuse\", or one of them for each question: { play = \"deny\", ... }"
)]
pub enum OnNoAnswer {
    /// The same for all.
    Always(Policy),
    /// By the name of the question: `play`, `live-play`, `download`, `next-episode`, each of them.
    Each(BTreeMap<String, Policy>),
}

/// What a viewer gets.
#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// They may.
    Allow,
    /// They may not.
    Deny,
    /// No answer: 503.
    Refuse,
}

/// How players' questions are answered.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Questions {
    /// From a question's first byte to its answer, at most, such as `800ms`, which is the default; 50ms to 5s.
    pub deadline: Option<String>,
    /// How long a decision also serves the same viewer, player and content, such as `10s`; 0s to 60s, off by
    /// default. Players ask twice for one playback.
    pub remember: Option<String>,
    /// Key of the pseudonyms under which viewers and devices of this account are published, also in progress and
    /// bookmarks; without it they are published as they are.
    pub pseudonym_key: Option<SecretSource>,
    /// How a preview's range is written: `object` (the default) or `list`, an object in a list.
    pub play_section: Shape,
    /// How the answer of `live-play` is written: `object` (the default), like the one of `vod-play`, or `list`, like
    /// the one of `download`.
    pub live_play_answer: Shape,
    /// The names your console gives to the fields of `next-episode`, as `field = "client_user_id"`; `mck` carries
    /// `media_content_key` unless you say otherwise.
    pub next_episode_fields: BTreeMap<String, String>,
    /// The names under which an answer to `next-episode` says `content_key` and `url`; default
    /// `{ content_key = "media_content_key", url = "url" }`.
    pub next_episode_answer: BTreeMap<String, String>,
}

/// Of two ways in which documentation and samples write the same.
#[derive(Deserialize, JsonSchema, Default, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// As an object.
    #[default]
    Object,
    /// As a list with that object in it.
    List,
}

/// How one thing is read. Each watch takes only the keys that mean something to it.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Time between two sweeps, such as `60s` or `5m`; default: what the platform bears well.
    pub every: Option<String>,
    /// soop `broadcasts`: categories, each of eight digits; default: all of them.
    pub categories: Option<Vec<String>>,
    /// soop `vods`: ids of the videos.
    pub ids: Option<Vec<String>>,
    /// openfresh `comments`: ids of the programs.
    pub programs: Option<Vec<String>>,
    /// soop `categories`: the language of names; default `ko_KR`.
    pub locale: Option<String>,
    /// soop `settings`: your partner name at the platform; default `SOOP`.
    pub partner: Option<String>,
    /// openfresh `comments`: also what was written before livehook came.
    pub history: Option<bool>,
    /// soop `settings`: also notice when the stream key is replaced, by its fingerprint.
    pub stream_key: Option<bool>,
}

impl Watch {
    /// The options that are set, by name.
    pub fn options(&self) -> Vec<(&'static str, WatchValue<'_>)> {
        let lists = [("categories", &self.categories), ("ids", &self.ids), ("programs", &self.programs)];
        let words = [("locale", &self.locale), ("partner", &self.partner)];
        let switches = [("history", self.history), ("stream_key", self.stream_key)];
        let lists =
            lists.into_iter().filter_map(|(name, list)| Some((name, WatchValue::List(list.as_deref()?))));
        let words =
            words.into_iter().filter_map(|(name, word)| Some((name, WatchValue::Word(word.as_deref()?))));
        let switches =
            switches.into_iter().filter_map(|(name, is_on)| Some((name, WatchValue::Switch(is_on?))));
        lists.chain(words).chain(switches).collect()
    }
}

/// What stands behind an option of a watch.
#[derive(Clone, Copy, Debug)]
pub enum WatchValue<'f> {
    /// Several words.
    List(&'f [String]),
    /// One.
    Word(&'f str),
    /// On or off.
    Switch(bool),
}

impl Account {
    /// The keys that only some platforms give a meaning to, with whether they are set.
    pub fn platform_keys(&self) -> Vec<(&'static str, bool)> {
        let keys = [
            ("webhook_secret", self.webhook_secret.is_some()),
            ("progress_fields", self.progress_fields.is_some()),
            ("progress_hash_key", self.progress_hash_key.is_some()),
            ("token", self.token.is_some()),
            ("client_id", self.client_id.is_some()),
            ("client_secret", self.client_secret.is_some()),
            ("scopes", self.scopes.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("auth_url", self.auth_url.is_some()),
            ("base_url", self.base_url.is_some()),
            ("security_key", self.security_key.is_some()),
        ];
        keys.into_iter().chain(self.question_keys()).collect()
    }

    /// The keys that go with `security_key`, with whether they are set.
    pub fn question_keys(&self) -> [(&'static str, bool); 3] {
        [
            ("user_key", self.user_key.is_some()),
            ("on_no_answer", self.on_no_answer.is_some()),
            ("questions", self.questions.is_some()),
        ]
    }
}
