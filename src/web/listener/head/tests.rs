#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;

const PLAIN: &[u8] = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
const BOTH: &[u8] =
    b"POST /bb HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\ncontent-LENGTH : 3\r\n\r\n";

fn watch() -> (HeadWatch, Limits) {
    let limits = Limits::default();
    (HeadWatch::new(&limits), limits)
}

#[tokio::test]
async fn a_head_is_found_behind_the_body_before_it() {
    let (watch, limits) = watch();
    watch.saw(&[b"\r\n".as_slice(), PLAIN, b"a"].concat(), &limits);
    let head = watch.take(Framing::Length(3)).unwrap();
    assert_eq!(head, Head { request_line_bytes: 16, has_content_length: true, has_bare_line_feed: false });
    watch.saw(&[b"bc".as_slice(), BOTH].concat(), &limits);
    watch.answered(&limits);
    assert_eq!(watch.take(Framing::Chunked).unwrap().request_line_bytes, 17);
}

#[tokio::test]
async fn a_content_length_beside_a_transfer_encoding_is_seen_wherever_it_stands() {
    let without = b"POST / HTTP/1.1\r\nHost: content-length\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 3\r\n\r\n";
    for (bytes, expected) in [(BOTH, true), (without.as_slice(), false)] {
        let (watch, limits) = watch();
        watch.saw(bytes, &limits);
        assert_eq!(watch.take(Framing::Chunked).unwrap().has_content_length, expected);
    }
}

#[tokio::test]
async fn a_line_without_carriage_return_is_noticed() {
    let (watch, limits) = watch();
    watch.saw(b"GET / HTTP/1.1\nHost: x\r\n\r\n", &limits);
    assert!(watch.take(Framing::Length(0)).unwrap().has_bare_line_feed);
}

#[tokio::test]
async fn an_unfinished_head_is_not_found() {
    let (watch, limits) = watch();
    watch.saw(b"GET / HTTP/1.1\r\nHost: x\r\n", &limits);
    assert_eq!(watch.take(Framing::Length(0)), None);
}

#[tokio::test]
async fn a_deadline_runs_only_while_a_head_is_awaited() {
    let (watch, limits) = watch();
    assert!(watch.head_by().is_some(), "of the first byte");
    watch.saw(PLAIN, &limits);
    watch.take(Framing::Length(3)).unwrap();
    assert_eq!(watch.head_by(), None, "while the request is in hand");
    watch.saw(b"abcPOS", &limits);
    assert_eq!(watch.head_by(), None, "while the request is in hand");
    watch.answered(&limits);
    assert!(watch.head_by().is_some(), "of the head that has begun");
}

#[tokio::test]
async fn nothing_is_kept_of_a_body() {
    let (watch, limits) = watch();
    watch.saw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", &limits);
    watch.take(Framing::Length(70_000)).unwrap();
    watch.saw(&[b'a'; 70_000], &limits);
    assert!(watch.lock().pending.is_empty());
}
