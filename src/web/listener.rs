//! Accepts connections, within limits that `axum::serve` does not have.
//!
//! Who sends nothing, or slowly, or takes no answer, is closed; who sends a request that two programs could
//! read differently is refused. `connection` serves one client, `io` watches its clock, `head` its bytes.

mod connection;
mod head;
mod io;
mod last_word;
mod peers;

use std::{io::ErrorKind, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use futures::FutureExt;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use crate::telemetry;
use peers::Peers;

/// How long to wait when no connection can be accepted: too short to be noticed, too long to burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Such trouble is logged once in this time.
const ACCEPT_COMPLAINT: Duration = Duration::from_secs(1);

/// Serves `router` to whoever connects, until `shutdown`. For [`Limits::leave`] after it requests are still answered,
/// each as the last of its connection, so that none is lost that was on its way; then nobody new is accepted,
/// requests in hand are finished for at most [`Limits::grace`], and what is still open is closed.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: CancellationToken) {
    let mut clients = Clients {
        router,
        limits: Arc::new(limits),
        shutdown: shutdown.clone(),
        peers: Peers::default(),
        connections: JoinSet::new(),
    };
    let limits = Arc::clone(&clients.limits);
    let mut left = pin!(async {
        shutdown.cancelled().await;
        sleep(limits.leave).await;
    });
    let mut complained_at: Option<Instant> = None;
    loop {
        clients.count();
        let accepted = tokio::select! {
            () = &mut left => break,
            accepted = listener.accept() => accepted,
            Some(_) = clients.connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => clients.admit(stream, peer),
            Err(error) if is_of_one_client(error.kind()) => {}
            Err(error) => {
                if complained_at.is_none_or(|at| at.elapsed() >= ACCEPT_COMPLAINT) {
                    complained_at = Some(Instant::now());
                    tracing::error!(%error, "cannot accept connections: {error}; raise the limit of open files if it is that");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Those that wait to be accepted would be reset.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        clients.admit(stream, peer);
    }
    drop(listener);
    let mut connections = clients.connections;
    let finish = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.leave + limits.grace, finish).await.is_err() {
        tracing::warn!(open = connections.len(), "closing connections that did not finish in time");
        connections.shutdown().await;
    }
}

/// Who is connected.
struct Clients {
    router: Router,
    limits: Arc<Limits>,
    shutdown: CancellationToken,
    peers: Peers,
    connections: JoinSet<()>,
}

impl Clients {
    /// Serves it, unless that were one too many.
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let Self { router, limits, shutdown, peers, connections } = self;
        // Over a limit, dropping the stream closes it: answering would cost what the limit saves.
        if connections.len() >= limits.connections_max {
            count_refused(limits, "total");
        } else if let Some(place) = peers.place(peer.ip(), limits) {
            let (limits, shutdown) = (Arc::clone(limits), shutdown.clone());
            connections.spawn(serve_one(stream, router.clone(), limits, shutdown, place));
        } else {
            count_refused(limits, "per_ip");
        }
    }

    fn count(&self) {
        let open = self.connections.len() as f64;
        metrics::gauge!(telemetry::CONNECTIONS, "listener" => self.limits.listener).set(open);
    }
}

async fn serve_one(
    stream: TcpStream,
    router: Router,
    limits: Arc<Limits>,
    shutdown: CancellationToken,
    _place: peers::Place,
) {
    // An error here is the client's: it went away, was late, or did not speak HTTP. It is closed either way.
    if let Err(error) = connection::serve(stream, router, limits, shutdown).await {
        tracing::trace!(%error, "a connection ended early");
    }
}

fn count_refused(limits: &Limits, limit: &'static str) {
    metrics::counter!(telemetry::CONNECTIONS_REFUSED, "listener" => limits.listener, "limit" => limit)
        .increment(1);
}

/// Whether accepting failed because this one client had already gone.
fn is_of_one_client(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}
