//! Raw sockets against a real listener: what an HTTP client library would not let a test send.

use std::{
    future::pending,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use livehook::web::{Limits, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::remains::record;

/// Nothing in these tests may take longer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A listener on a free port of this machine.
pub struct Served {
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
}

/// Limits so short that running into them does not slow the tests down. No peer is exempt from counting.
pub fn short_limits() -> Limits {
    Limits {
        uncounted_peers: Vec::new(),
        first_byte: Duration::from_millis(150),
        header: Duration::from_millis(150),
        idle: Duration::from_millis(400),
        write: Duration::from_millis(300),
        linger: Duration::from_millis(100),
        grace: Duration::from_millis(600),
        delivery: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// Limits that no test runs into on a busy machine, unless it sets one lower.
pub fn calm_limits() -> Limits {
    Limits { idle: Duration::from_secs(4), linger: Duration::from_millis(100), ..Limits::default() }
}

pub async fn serve_router(router: Router, limits: Limits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
    Served { address, shutdown, task }
}

/// `/echo` answers with the body, `/never` never, `/slow` after 200 ms, `/panic` not at all, `/huge` without end.
pub fn sample_router() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/never", get(async || pending::<()>().await))
        .route(
            "/slow",
            get(async || {
                tokio::time::sleep(Duration::from_millis(200)).await;
                "done"
            }),
        )
        .route("/panic", get(async || -> &'static str { panic!("as the test wants it") }))
        .route("/huge", get(async || vec![b'x'; 64 * 1024 * 1024]))
}

impl Served {
    pub async fn sample(limits: Limits) -> Self {
        serve_router(sample_router(), limits).await
    }

    pub async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends bytes on a new connection and reads until it is closed.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.send(bytes).await;
        client.read_to_end().await
    }
}

pub struct Client(pub TcpStream);

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // Who is cut off while sending still wants to read why.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Everything until the other side closes.
    pub async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut bytes))
            .await
            .expect("the connection stays open")
            .unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap();
        record(&text);
        text
    }

    /// One answer with the given body, on a connection that stays open.
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("no answer comes");
            let seen = String::from_utf8_lossy(&bytes).into_owned();
            bytes.push(byte.unwrap_or_else(|_| panic!("closed after {seen:?}")));
        }
        String::from_utf8(bytes).unwrap()
    }

    /// How long the other side takes to close, in which it must say nothing.
    pub async fn closed_after(&mut self) -> Duration {
        let began = Instant::now();
        assert_eq!(self.read_to_end().await, "");
        began.elapsed()
    }
}

/// The statuses of all answers in `text`.
pub fn statuses(text: &str) -> Vec<u16> {
    let status = |(at, _)| text[at + 9..at + 12].parse().unwrap();
    text.match_indices("HTTP/1.1 ").map(status).collect()
}

/// Asserts that there is exactly one answer, with this status, and that the connection was closed after it.
pub fn assert_only(status: u16, text: &str) {
    assert_eq!(statuses(text), [status], "{text}");
    if status >= 400 {
        assert!(text.to_ascii_lowercase().contains("connection: close"), "{text}");
    }
}
