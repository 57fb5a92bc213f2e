//! How much one client may take of us, in connections, bytes and time.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// The limits of one listener.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Name of the listener, on its metrics: `public` or `admin`.
    pub listener: &'static str,
    /// Open connections; one more is closed at once.
    pub connections_max: usize,
    /// Open connections of one peer address; one more is closed at once.
    pub connections_per_ip_max: usize,
    /// Peers that `connections_per_ip_max` does not count: the reverse proxy, behind which everybody is.
    pub uncounted_peers: Vec<IpAddr>,
    /// From accepting a connection to its first byte.
    pub first_byte: Duration,
    /// From the first byte of a request's head to its last.
    pub header: Duration,
    /// From the end of one request to the end of the next one's head.
    pub idle: Duration,
    /// How long a client may leave an answer untaken.
    pub write: Duration,
    /// How long a refused client's remaining bytes are read and dropped, so that it sees the answer and
    /// not a reset connection.
    pub linger: Duration,
    /// After shutdown has begun, how long a client may take to learn of it by the answer to its next request.
    pub leave: Duration,
    /// How long requests in hand may take after that.
    pub grace: Duration,
    /// Bytes of the request line, which is nearly all URI; more is answered with 414.
    pub request_line_bytes_max: usize,
    /// Bytes of the whole head; more is answered with 431.
    pub header_bytes_max: usize,
    /// Header fields; more are answered with 431.
    pub headers_max: usize,
    /// Bytes of a callback's body; more are answered with 413.
    pub body_bytes_max: usize,
    /// From a delivery's head to its answer: a late body is answered with 408, a late commit with 503.
    pub delivery: Duration,
    /// Deliveries in hand; one more is answered with 503.
    pub deliveries_max: usize,
}

impl Default for Limits {
    /// Those of the public listener.
    fn default() -> Self {
        Self {
            listener: "public",
            connections_max: 8192,
            connections_per_ip_max: 256,
            uncounted_peers: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            first_byte: Duration::from_secs(5),
            header: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            write: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            leave: Duration::from_millis(500),
            grace: Duration::from_secs(3),
            request_line_bytes_max: 4 * 1024,
            header_bytes_max: 16 * 1024,
            headers_max: 64,
            body_bytes_max: 64 * 1024,
            delivery: Duration::from_secs(2),
            deliveries_max: 4096,
        }
    }
}

impl Limits {
    /// Those of the admin listener: few clients, but patient ones, with long answers.
    pub fn admin() -> Self {
        Self {
            listener: "admin",
            connections_max: 512,
            write: Duration::from_secs(30),
            leave: Duration::ZERO,
            ..Self::default()
        }
    }
}
