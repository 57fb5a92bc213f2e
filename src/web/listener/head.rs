//! The raw head of each request, as the bytes that arrived: what the HTTP library no longer shows.
//!
//! Of a request with both `Content-Length` and `Transfer-Encoding` the library drops the former, so a handler
//! cannot see that another program may have found another end of the body. Here it can. No framing is
//! guessed: where a body ends is said by the library, and a request with `Transfer-Encoding` is the last one
//! of its connection.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::web::limits::Limits;

/// What was seen of one connection; shared by its bytes' way in and its requests' service.
pub(super) struct HeadWatch(Mutex<Seen>);

struct Seen {
    /// Bytes from the beginning of the next head on.
    pending: Vec<u8>,
    /// Bytes of the current body that did not arrive yet.
    body_bytes_left: u64,
    /// No more heads are expected: what follows is dropped.
    is_last: bool,
    /// A request is in hand, so that the next one may take its time.
    is_busy: bool,
    /// When the connection is closed unless a head (or, on a new connection, a byte) has come.
    head_by: Option<Instant>,
}

/// What the raw head of a request says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    /// Length of the request line, without its end.
    pub(super) request_line_bytes: usize,
    /// There is a field `Content-Length`.
    pub(super) has_content_length: bool,
    /// A line ends without a carriage return.
    pub(super) has_bare_line_feed: bool,
}

/// How a request's body ends, as the library found it.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunked,
}

impl HeadWatch {
    /// For a connection accepted now.
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Seen {
            pending: Vec::new(),
            body_bytes_left: 0,
            is_last: false,
            is_busy: false,
            head_by: Some(Instant::now() + limits.first_byte),
        }))
    }

    /// Takes note of bytes that arrived.
    pub(super) fn saw(&self, bytes: &[u8], limits: &Limits) {
        let mut seen = self.lock();
        let body_bytes = usize::try_from(seen.body_bytes_left).unwrap_or(usize::MAX).min(bytes.len());
        seen.body_bytes_left -= body_bytes as u64;
        let bytes = &bytes[body_bytes..];
        if bytes.is_empty() || seen.is_last {
            return;
        }
        if seen.pending.is_empty() && !seen.is_busy {
            seen.head_by = Some(Instant::now() + limits.header);
        }
        seen.pending.extend_from_slice(bytes);
    }

    /// The head of the request that the library just read; `None` if it cannot be found.
    pub(super) fn take(&self, framing: Framing) -> Option<Head> {
        let mut seen = self.lock();
        seen.is_busy = true;
        seen.head_by = None;
        let found = find_head(&seen.pending);
        let head = found.map(|(begin, end)| read_head(&seen.pending[begin..end]));
        match (framing, found) {
            (Framing::Length(length), Some((_, end))) => {
                let arrived = seen.pending.len() - end;
                let body_bytes = usize::try_from(length).unwrap_or(usize::MAX).min(arrived);
                seen.body_bytes_left = length - body_bytes as u64;
                seen.pending.drain(..end + body_bytes);
            }
            _ => {
                seen.is_last = true;
                seen.pending = Vec::new();
            }
        }
        head
    }

    /// The request in hand was answered; a head that has begun must now be finished in time.
    pub(super) fn answered(&self, limits: &Limits) {
        let mut seen = self.lock();
        seen.is_busy = false;
        seen.head_by = (!seen.pending.is_empty()).then(|| Instant::now() + limits.header);
    }

    /// When to close the connection unless something arrives.
    pub(super) fn head_by(&self) -> Option<Instant> {
        self.lock().head_by
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the first head in `bytes` begins and ends. Empty lines before it belong to nothing.
fn find_head(bytes: &[u8]) -> Option<(usize, usize)> {
    let begin = bytes.iter().position(|&b| b != b'\r' && b != b'\n')?;
    let mut at = begin;
    loop {
        at += bytes[at..].iter().position(|&b| b == b'\n')? + 1;
        match bytes[at..] {
            [b'\n', ..] => return Some((begin, at + 1)),
            [b'\r', b'\n', ..] => return Some((begin, at + 2)),
            _ => {}
        }
    }
}

fn read_head(bytes: &[u8]) -> Head {
    let mut head = Head::default();
    for (number, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        head.has_bare_line_feed |= !line.ends_with(b"\r\n");
        if number == 0 {
            head.request_line_bytes = line.trim_ascii_end().len();
        } else if let Some(colon) = line.iter().position(|&b| b == b':') {
            head.has_content_length |= line[..colon].trim_ascii().eq_ignore_ascii_case(b"content-length");
        }
    }
    head
}

#[cfg(test)]
mod tests;
