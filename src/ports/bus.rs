//! The bus: NATS JetStream. Nothing else knows the client.
//!
//! The client connects and reconnects by itself, for ever; [`Bus::link`] tells how it fares. Nothing here
//! tries again: who calls does, because only it knows what must stay in order.

mod ask;
mod bucket;
mod link;
mod options;
mod publish;
mod streams;
mod subscribe;
mod version;

use std::{future::Future, time::Duration};

use async_nats::{ConnectOptions, jetstream};
use backon::{BackoffBuilder, ExponentialBuilder};
use secrecy::ExposeSecret;
use tokio::sync::watch;

pub use self::{
    ask::{AskError, Asker, PREFIX as ASK_PREFIX, Request as AskRequest, Stray, StrayKind},
    bucket::{Bucket, BucketKey},
    link::Link,
    options::{BusOptions, Login, StreamLimits},
    publish::{PubAck, PublishError},
    streams::{DUPLICATE_WINDOW, Drift, JsStream, StreamStanding},
    subscribe::Received,
    version::ServerVersion,
};
use self::{link::LinkEvents, publish::said};
use super::embedded::EmbeddedError;

/// A connection to the bus; a cheap handle that can be cloned.
#[derive(Clone)]
pub struct Bus {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    events: LinkEvents,
    options: std::sync::Arc<BusOptions>,
}

/// What can go wrong on the bus, besides publishing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BusError {
    /// The options cannot work.
    #[error("{0}")]
    Options(String),
    /// The embedded server cannot be started.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// There is no connection, or no answer came over it in time.
    #[error("no answer from the bus at {servers}{why}")]
    NoAnswer {
        /// Where it should be.
        servers: String,
        /// Begins with `: ` when the client said why.
        why: String,
    },
    /// The server is too old.
    #[error(
        "nats-server {found} is older than {oldest}, which livehook needs: {remedy}",
        oldest = ServerVersion::OLDEST,
        remedy = ServerVersion::REMEDY
    )]
    OldServer {
        /// Its version, as it tells it.
        found: String,
    },
    /// The server has no JetStream for this account.
    #[error(
        "the server has JetStream switched off for livehook's account: add `jetstream {{ store_dir: ... }}` to its configuration"
    )]
    NoJetStream,
    /// The server's configuration does not let us ask.
    #[error(
        "livehook's user may not publish to `{0}`: allow it in the server's configuration, see deploy/nats-server.conf"
    )]
    Denied(String),
    /// A stream is not as it must be.
    #[error("{0}")]
    Drift(Drift),
    /// A bucket is not as it must be.
    #[error(
        "the key-value bucket {name} cannot be used because {why}: move it away, and livehook makes it anew"
    )]
    Bucket {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A stream vanished right after it was made.
    #[error("JetStream stream {0} vanished right after it was created; is somebody deleting it?")]
    StreamMissing(JsStream),
    /// The server said no.
    #[error("{what} failed: {why}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// In the server's words.
        why: String,
    },
}

/// How long to wait before connecting again: 50 ms, doubled each time up to 2 s, and up to as much again
/// at random, so that not everybody comes back at once.
fn reconnect_delay(attempts: usize) -> Duration {
    let delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .with_jitter();
    delays.build().nth(attempts.saturating_sub(1).min(16)).unwrap_or(Duration::from_secs(2))
}

impl Bus {
    /// Begins to connect and returns at once, whether or not a server is there.
    ///
    /// # Errors
    /// [`BusError::Options`] for what can never work: no server, a URL that is none, a credentials file
    /// that cannot be read.
    pub async fn connect(options: BusOptions) -> Result<Self, BusError> {
        let bad = |why: String| BusError::Options(why);
        if options.servers.is_empty() {
            return Err(bad("bus.servers names no server".to_owned()));
        }
        let servers = options.servers.iter().map(|url| {
            url.parse::<async_nats::ServerAddr>().map_err(|error| {
                bad(format!("bus.servers: `{}` is not a server URL: {error}", without_login(url)))
            })
        });
        let servers = servers.collect::<Result<Vec<_>, _>>()?;

        let events = LinkEvents::new();
        let connecting = ConnectOptions::new()
            .name("livehook")
            .retry_on_initial_connect()
            .max_reconnects(None)
            // A server that is gone without a word is noticed at the third ping.
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(reconnect_delay)
            .request_timeout(Some(options.answer_timeout))
            .event_callback({
                let events = events.clone();
                move |event| {
                    events.take(event);
                    std::future::ready(())
                }
            });
        let connecting = match &options.login {
            Login::None => connecting,
            Login::Password { user, password } => {
                connecting.user_and_password(user.clone(), password.expose_secret().to_owned())
            }
            Login::Token(token) => connecting.token(token.expose_secret().to_owned()),
            Login::CredentialsFile(path) => connecting.credentials_file(path).await.map_err(|error| {
                bad(format!("bus.credentials_file: {} cannot be used: {error}", path.display()))
            })?,
        };
        let client = connecting.connect(servers).await.map_err(|error| bad(said(&error)))?;
        let jetstream =
            jetstream::ContextBuilder::new().timeout(options.answer_timeout).build(client.clone());
        Ok(Self { client, jetstream, events, options: std::sync::Arc::new(options) })
    }

    /// How the connection fares; changes with every disconnect and reconnect.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.events.link.subscribe()
    }

    /// Where the bus should be, for messages; without logins.
    pub fn servers(&self) -> String {
        self.options.servers.iter().map(|url| without_login(url)).collect::<Vec<_>>().join(", ")
    }

    /// Refuses a server that is too old.
    pub async fn check_server_version(&self) -> Result<ServerVersion, BusError> {
        // What a new server says of itself is kept by the time it has answered something.
        self.in_time(self.client.flush()).await?.map_err(|error| self.no_answer(&said(&error)))?;
        let found = self.client.try_server_info().map(|info| info.version).unwrap_or_default();
        match ServerVersion::parse(&found) {
            Some(version) if version.is_new_enough() => Ok(version),
            _ => Err(BusError::OldServer { found }),
        }
    }

    /// Waits for the answer to a question to JetStream, and for what can come instead of it.
    async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Result<T, BusError> {
        let is_of_a_stream = |subject: &str| subject.starts_with("$JS.") && !bucket::is_of_a_bucket(subject);
        self.in_time_unless_denied(is_of_a_stream, answer).await
    }

    /// The same, for a question that is denied when a publish to one of these subjects is. The server does not say
    /// which publish it denied, so streams and buckets must not take each other's denials for their own.
    async fn in_time_unless_denied<T>(
        &self,
        is_ours: impl Fn(&str) -> bool,
        answer: impl Future<Output = T>,
    ) -> Result<T, BusError> {
        let mut denied = self.events.denied.subscribe();
        let is_denied = async {
            loop {
                match denied.recv().await {
                    Ok(subject) if is_ours(&subject) => return subject,
                    Ok(_) => {}
                    // It missed some: then the timeout answers.
                    Err(_) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            biased;
            answer = tokio::time::timeout(self.options.answer_timeout, answer) => answer.map_err(|_| {
                let trouble = self.events.link.borrow().trouble.clone();
                self.no_answer(&trouble.unwrap_or_default())
            }),
            subject = is_denied => Err(BusError::Denied(subject.to_string())),
        }
    }

    fn no_answer(&self, why: &str) -> BusError {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        BusError::NoAnswer { servers: self.servers(), why }
    }
}

/// A server URL without `user:password@`.
fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => url.to_owned(),
    }
}
