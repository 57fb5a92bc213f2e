//! A nats-server of our own: a supervised child on loopback, for whoever has no bus yet.

use std::path::PathBuf;

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

/// A running server.
pub struct EmbeddedServer;
