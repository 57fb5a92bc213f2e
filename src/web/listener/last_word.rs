//! What is said to whoever sends a head that is too long. Where a person sees it, a platform sent an answer that no
//! platform sends, or somebody else did; nobody looked into it.

use axum::http::StatusCode;

/// Of the body.
pub(super) const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// For people. It says nothing of what was sent.
pub(super) const SENTENCE: &str = "This address, or what came with it, is too long, so livehook did not look at it and nothing was changed. \
     If you were connecting an account, press Connect again; if this comes back, somebody tampers with your connection.\n";

/// What the library says by itself when a head does not fit into its buffer: a status, and no word.
const TOO_LARGE: &[u8] = b"HTTP/1.1 431 ";

/// The whole answer to send instead of the one that begins like `written`; `None` if that is any other.
pub(super) fn instead_of(written: &[u8]) -> Option<Vec<u8>> {
    written.starts_with(TOO_LARGE).then(|| {
        let reason = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.canonical_reason().unwrap_or_default();
        let length = SENTENCE.len();
        format!(
            "HTTP/1.1 431 {reason}\r\ncontent-type: {CONTENT_TYPE}\r\ncache-control: no-store\r\n\
             referrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{SENTENCE}"
        )
        .into_bytes()
    })
}
