//! What the bus needs to be told; the configuration is mapped into this.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

/// How livehook proves to the server who it is.
#[derive(Clone, Default, Debug)]
pub enum Login {
    /// Not at all, or by what the URL holds.
    #[default]
    None,
    /// User and password.
    Password {
        /// Name of the user.
        user: String,
        /// Its password.
        password: SecretString,
    },
    /// A token.
    Token(SecretString),
    /// A `.creds` file, with a JWT and a key.
    CredentialsFile(PathBuf),
}

/// Limits of one JetStream stream that depend on the site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamLimits {
    /// How long a message is kept; at least the duplicate window of 6 hours.
    pub max_age: Duration,
    /// How many bytes it may take; `None`: livehook sets no limit, and accepts the one it finds.
    pub bytes_max: Option<u64>,
}

/// Where the bus is, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct BusOptions {
    /// `nats://host:port` or `tls://host:port`, one or more servers of one cluster.
    pub servers: Vec<String>,
    /// How to log in.
    pub login: Login,
    /// What every subject begins with; checked by `model::subject::is_prefix`.
    pub prefix: String,
    /// On how many servers of a cluster each message is kept.
    pub replicas: usize,
    /// Limits of `LIVE`.
    pub live: StreamLimits,
    /// Limits of `LIVE_PLAYBACK`.
    pub live_playback: StreamLimits,
    /// How long to wait for a PubAck or for any other answer, from when the question was sent.
    pub answer_timeout: Duration,
}

/// One day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl BusOptions {
    /// The defaults, for these servers.
    pub fn new(servers: Vec<String>) -> Self {
        Self {
            servers,
            login: Login::None,
            prefix: "live".to_owned(),
            replicas: 1,
            live: StreamLimits { max_age: 30 * DAY, bytes_max: None },
            live_playback: StreamLimits { max_age: 7 * DAY, bytes_max: None },
            answer_timeout: Duration::from_secs(5),
        }
    }
}
