//! A nats-server of our own: a supervised child on loopback, for whoever has no bus yet.
//!
//! It keeps everything in one directory: data, configuration, logins, log. It fsyncs every message, is
//! started again when it dies, and ends with us; one that outlived us is ended at the next start.

mod binary;
mod child;
mod files;

use std::path::PathBuf;

use secrecy::SecretString;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::child::Plan;
use super::{
    Entropy,
    bus::{BusError, BusOptions, Login, ServerVersion},
};
use crate::health::{Condition, Health};

/// Name of its component in [`Health`].
const COMPONENT: &str = "nats-server";
/// Name of the user that may read events, not publish any.
const CONSUMER: &str = "consumer";

/// What the embedded server needs to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmbeddedOptions {
    /// The program; `None`: `nats-server` on `path`.
    pub binary: Option<PathBuf>,
    /// Where it keeps everything; made if absent.
    pub dir: PathBuf,
    /// Port on 127.0.0.1; `None`: a free one.
    pub port: Option<u16>,
    /// The variable `PATH`, to find the program and to name what was found.
    pub path: String,
}

impl EmbeddedOptions {
    /// The program that would be started.
    ///
    /// # Errors
    /// [`BusError::Embedded`] when there is none, or it is too old.
    pub async fn find_binary(&self) -> Result<PathBuf, BusError> {
        Ok(binary::find(self.binary.clone(), &self.path).await?)
    }

    /// How a consumer reaches the server that another process started with these options; `None` if none
    /// was ever started.
    pub fn running(&self, options: BusOptions) -> Option<BusOptions> {
        let (url, password) = files::consumer_access(&self.dir)?;
        let login = Login::Password { user: CONSUMER.to_owned(), password };
        Some(BusOptions { servers: vec![url], login, ..options })
    }
}

/// Why the embedded server cannot be started.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no program.
    #[error("there is no nats-server {place}: {remedy}, or name one in bus.nats_server", remedy = ServerVersion::REMEDY)]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// The program is no nats-server, or too old.
    #[error(
        "{} is {found}, livehook needs nats-server {oldest} or newer: {remedy}, and name it in bus.nats_server",
        path.display(), oldest = ServerVersion::OLDEST, remedy = ServerVersion::REMEDY
    )]
    Unusable {
        /// The program.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// Its directory cannot be used.
    #[error("{} cannot be used ({why}): livehook's user must be able to write there", path.display())]
    Directory {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It did not begin to accept connections.
    #[error("nats-server {why}; its log is {}", log.display())]
    NotReady {
        /// What happened instead.
        why: String,
        /// Where it says more.
        log: PathBuf,
    },
}

/// A running server. It ends when this is dropped; [`EmbeddedServer::stop`] ends it gently.
pub struct EmbeddedServer {
    url: String,
    passwords: files::Passwords,
    dir: PathBuf,
    stop: CancellationToken,
    supervisor: AbortOnDropHandle<()>,
}

impl EmbeddedServer {
    /// Starts the server and waits until it accepts connections.
    ///
    /// # Errors
    /// [`BusError::Embedded`], with the remedy.
    pub async fn start(
        options: EmbeddedOptions,
        entropy: &dyn Entropy,
        health: Health,
    ) -> Result<Self, BusError> {
        let binary = binary::find(options.binary, &options.path).await?;
        let dir = files::make_dir(&options.dir)?;
        child::end_leftover(&binary, &dir).await;
        let port = match options.port {
            Some(port) => port,
            None => files::free_port(&dir)?,
        };
        let passwords = files::passwords(&dir, entropy)?;
        let mut mark = [0; 8];
        entropy.fill(&mut mark);
        let server_name = format!("livehook-{}", hex::encode(mark));
        files::write_configuration(&dir, port, &server_name, &passwords)?;

        let plan = Plan { binary, dir: dir.clone(), port, server_name };
        let running = plan.start().await?;
        health.report(COMPONENT, Condition::Ok);
        let url = format!("nats://127.0.0.1:{port}");
        tracing::info!(
            url,
            pid = running.id(),
            "nats-server is ready at {url}, its data is in {}",
            dir.display()
        );
        let stop = CancellationToken::new();
        let supervisor = tokio::spawn(plan.supervise(running, health, stop.clone()));
        Ok(Self { url, passwords, dir, stop, supervisor: AbortOnDropHandle::new(supervisor) })
    }

    /// `nats://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The login that may publish: for livehook alone.
    pub fn login(&self) -> Login {
        Login::Password { user: "livehook".to_owned(), password: self.passwords.livehook.clone() }
    }

    /// User and password for consumers: they may read events, not publish any. The same at every start.
    pub fn consumer(&self) -> (&'static str, SecretString) {
        (CONSUMER, self.passwords.consumer.clone())
    }

    /// The file that holds the consumers' password, to point people to.
    pub fn consumer_password_file(&self) -> PathBuf {
        files::consumer_password(&self.dir)
    }

    /// Ends the server, and returns when it has ended.
    pub async fn stop(self) {
        self.stop.cancel();
        // The supervisor returns nothing; had it panicked, the child would have ended with it.
        let _ = self.supervisor.await;
    }
}
