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
    /// The platform: `kollus`, `livedigital`, `loopback`.
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
}

impl Account {
    /// The keys that only some platforms give a meaning to, with whether they are set.
    pub fn platform_keys(&self) -> [(&'static str, bool); 2] {
        [
            ("webhook_secret", self.webhook_secret.is_some()),
            ("progress_fields", self.progress_fields.is_some()),
        ]
    }
}
