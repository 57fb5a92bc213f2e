//! Clients that are slow, silent, ambiguous or too many, as raw bytes on real sockets.

mod admin;
mod callbacks;
#[path = "support/http_service.rs"]
mod service;
#[path = "support/http.rs"]
mod support;

use std::time::Duration;

use livehook::web::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use support::{PATIENCE, Served, assert_only, calm_limits, short_limits, statuses};

/// A deadline may be met this late on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

fn assert_about(took: Duration, limit: Duration) {
    assert!(took >= limit.mul_f32(0.8), "closed too early: after {took:?} of {limit:?}");
    assert!(took <= limit + SLACK, "closed too late: after {took:?} of {limit:?}");
}

/// So that only the limit under test can close a connection.
fn patient_between_requests() -> Limits {
    Limits { idle: PATIENCE * 2, ..short_limits() }
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let served = Served::sample(patient_between_requests()).await;
    let took = served.connect().await.closed_after().await;
    assert_about(took, short_limits().first_byte);
}

#[tokio::test]
async fn half_a_head_is_closed() {
    let served = Served::sample(patient_between_requests()).await;
    let mut client = served.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n").await;
    assert_about(client.closed_after().await, short_limits().header);
}

#[tokio::test]
async fn a_head_that_trickles_is_closed() {
    let served = Served::sample(patient_between_requests()).await;
    let (mut read, mut write) = served.connect().await.0.into_split();
    let trickle = tokio::spawn(async move {
        for _ in 0..100 {
            write.write_all(b"X").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::io::Result::Ok(())
    });
    let mut bytes = Vec::new();
    let read = read.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(Duration::from_secs(1), read)
        .await
        .expect("it is closed while bytes still come");
    trickle.abort();
}

#[tokio::test]
async fn an_idle_connection_is_closed_later_than_one_that_has_begun_a_head() {
    let limits = short_limits();
    let served = Served::sample(limits.clone()).await;
    let mut client = served.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.read_until("hello").await;
    assert_about(client.closed_after().await, limits.idle);

    let mut client = served.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT").await;
    client.read_until("hello").await;
    let took = client.closed_after().await;
    assert_about(took, limits.header);
    assert!(took < limits.idle);
}

#[tokio::test]
async fn who_takes_no_answer_is_closed() {
    let served = Served::sample(short_limits()).await;
    let mut client = served.connect().await;
    client.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(short_limits().write * 3).await;
    let text = client.read_to_end().await;
    assert!(text.len() < 64 * 1024 * 1024, "the answer was cut off");
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused_and_the_last() {
    let served = Served::sample(calm_limits()).await;
    let body = "0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\ncontent-length:5\r\nContent-Length: 5",
    ] {
        let text = served.exchange(format!("POST /echo HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{body}")).await;
        assert_only(400, &text);
    }
    // Behind other requests too.
    let before = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
    let both = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    let text = served.exchange(format!("{before}{before}{both}{body}")).await;
    assert_eq!(statuses(&text), [200, 200, 400]);
}

#[tokio::test]
async fn a_chunked_request_is_answered_and_the_last() {
    let served = Served::sample(calm_limits()).await;
    let next = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunked =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    let text = served.exchange(format!("{next}{chunked}{next}")).await;
    assert_eq!(statuses(&text), [200, 200]);
    assert!(text.ends_with("body"), "{text}");
}

#[tokio::test]
async fn malformed_framing_gets_one_refusal() {
    let served = Served::sample(calm_limits()).await;
    for fields in [
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: +4",
        "Content-Length: 4, 5",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "X: folded\r\n line\r\nContent-Length: 0",
    ] {
        let text = served.exchange(format!("POST /echo HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\nbody")).await;
        assert_only(400, &text);
    }
    assert_only(400, &served.exchange("GET / HTTP/1.1\nHost: x\n\n").await);
}

#[tokio::test]
async fn a_request_needs_exactly_one_host() {
    let served = Served::sample(calm_limits()).await;
    assert_only(400, &served.exchange("GET / HTTP/1.1\r\n\r\n").await);
    assert_only(400, &served.exchange("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n").await);
}

#[tokio::test]
async fn what_is_not_http_1_gets_nothing_done() {
    let served = Served::sample(calm_limits()).await;
    for bytes in [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\r\n",
    ] {
        let text = served.exchange(bytes).await;
        assert!(text.is_empty() || statuses(&text) == [400], "{text}");
    }
}

#[tokio::test]
async fn oversized_heads_are_refused() {
    let served = Served::sample(calm_limits()).await;
    let long = |bytes: usize| "a".repeat(bytes);
    assert_only(414, &served.exchange(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(4200))).await);
    let text = served.exchange(format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", long(17_000))).await;
    assert_only(431, &text);
    let many = "A: b\r\n".repeat(64);
    assert_only(431, &served.exchange(format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")).await);
    let some = "A: b\r\n".repeat(62);
    let text = served.exchange(format!("GET / HTTP/1.1\r\nHost: x\r\n{some}Connection: close\r\n\r\n")).await;
    assert_only(200, &text);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let served = Served::sample(calm_limits()).await;
    let mut bytes = String::new();
    for i in 0..100 {
        bytes += &format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n<{i:02}>");
    }
    bytes += "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let text = served.exchange(bytes).await;
    assert_eq!(statuses(&text), [200; 101]);
    let place = |i: usize| text.find(&format!("<{i:02}>")).unwrap();
    assert!((1..100).all(|i| place(i - 1) < place(i)));
}

#[tokio::test]
async fn a_client_may_wait_to_be_told_to_send_its_body() {
    let served = Served::sample(calm_limits()).await;
    let mut client = served.connect().await;
    client
        .send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        .await;
    client.read_until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("body").await;
    let text = client.read_to_end().await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("body"), "{text}");
}

#[tokio::test]
async fn a_refused_client_that_goes_on_sending_sees_its_answer() {
    let served = Served::sample(Limits { linger: SLACK, ..calm_limits() }).await;
    let mut client = served.connect().await;
    client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n").await;
    // After a reset some systems throw away what was not read yet; here sending would fail.
    client.0.write_all(&vec![b'x'; 20_000_000]).await.expect("the connection is not reset");
    assert_only(404, &client.read_to_end().await);
}

#[tokio::test]
async fn a_panic_is_one_answer_and_no_more() {
    let served = Served::sample(calm_limits()).await;
    assert_only(500, &served.exchange("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await);
    let text = served.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_only(200, &text);
}

#[tokio::test]
async fn connections_over_a_cap_are_closed_and_places_are_given_back() {
    let calm = Limits { uncounted_peers: Vec::new(), ..calm_limits() };
    for limits in
        [Limits { connections_max: 2, ..calm.clone() }, Limits { connections_per_ip_max: 2, ..calm }]
    {
        let served = Served::sample(limits).await;
        let mut first = served.connect().await;
        let mut second = served.connect().await;
        for client in [&mut first, &mut second] {
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
            client.read_until("hello").await;
        }
        assert_eq!(served.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, "");
        drop(first);
        let came_again = async {
            while served.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SLACK, came_again).await.expect("the place is free again");
    }
}

#[tokio::test]
async fn shutdown_finishes_the_request_in_hand_and_accepts_no_more() {
    let served = Served::sample(calm_limits()).await;
    let mut idle = served.connect().await;
    idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    idle.read_until("hello").await;
    let mut busy = served.connect().await;
    busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    served.shutdown.cancel();
    assert!(idle.closed_after().await < SLACK / 2);
    let text = busy.read_to_end().await;
    assert!(text.ends_with("done") && text.contains("connection: close"), "{text}");
    tokio::time::timeout(SLACK, served.task).await.expect("serve ends").unwrap();
    assert!(tokio::net::TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let served = Served::sample(short_limits()).await;
    let mut client = served.connect().await;
    client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    served.shutdown.cancel();
    let began = std::time::Instant::now();
    tokio::time::timeout(SLACK, served.task).await.expect("serve ends").unwrap();
    assert_about(began.elapsed(), short_limits().grace);
}
