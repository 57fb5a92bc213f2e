//! The client against servers that do what servers do, and worse.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;

/// A server that writes these bytes on each connection when a request came, and what came.
async fn server(answer: impl Into<Vec<u8>>) -> (Url, mpsc::UnboundedReceiver<String>) {
    let answer = answer.into();
    serve(move |mut connection| {
        let answer = answer.clone();
        async move {
            // The client may have closed already: it has seen enough.
            let _ = connection.write_all(&answer).await;
            let _ = connection.shutdown().await;
            // Closing with unread bytes would reset what is still on its way.
            let _ = connection.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

async fn serve<F: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> (Url, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/list?client_id=hidden", listener.local_addr().unwrap());
    let (requests, came) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let request = read_request(&mut connection).await;
            let _ = requests.send(request);
            tokio::spawn(answer(connection));
        }
    });
    (url.parse().unwrap(), came)
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().split("content-length: ").nth(1).map_or(0, |rest| {
                rest.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap_or(0)
            });
            if body.len() >= length {
                return text;
            }
        }
        let mut piece = [0; 4096];
        match connection.read(&mut piece).await {
            Ok(length) if length > 0 => request.extend_from_slice(&piece[..length]),
            _ => return text,
        }
    }
}

fn get(url: &Url) -> HttpRequest {
    HttpRequest { method: "GET", url: url.clone(), headers: Vec::new(), body: None }
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Text that shrinks to about a tenth.
fn ordinary_text(bytes: usize) -> Vec<u8> {
    let line = |n: usize| format!("{{\"title\": \"broadcast {}\", \"viewers\": {}}}\n", n * n, n % 7919);
    let mut text: Vec<u8> = (0..bytes / 20).flat_map(|n| line(n).into_bytes()).collect();
    text.truncate(bytes);
    text
}

async fn asked(answer: impl Into<Vec<u8>>) -> Result<HttpResponse, HttpError> {
    let (url, _came) = server(answer).await;
    HttpClient::new().send(get(&url)).await
}

#[tokio::test]
async fn a_request_says_who_asks_and_nothing_more() {
    let (url, mut came) = server(answer("set-cookie: a=b\r\n", b"{}")).await;
    let client = HttpClient::new();
    client.send(get(&url)).await.unwrap();
    let request = HttpRequest {
        method: "POST",
        headers: vec![("authorization", "Bearer hidden".to_owned().into())],
        body: Some(("application/x-www-form-urlencoded", "a=1&b=%20".to_owned().into())),
        ..get(&url)
    };
    client.send(request).await.unwrap();
    let lines = |request: String| {
        let mut lines: Vec<_> =
            request.split("\r\n").map(str::to_owned).filter(|line| !line.starts_with("host: ")).collect();
        lines.sort_unstable();
        lines.retain(|line| !line.is_empty());
        lines
    };
    let agent = concat!("user-agent: livehook/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines(came.recv().await.unwrap()),
        [
            "GET /api/list?client_id=hidden HTTP/1.1",
            "accept-encoding: gzip",
            "accept: application/json, */*",
            agent
        ]
    );
    assert_eq!(
        lines(came.recv().await.unwrap()),
        [
            "POST /api/list?client_id=hidden HTTP/1.1",
            "a=1&b=%20",
            "accept-encoding: gzip",
            "accept: application/json, */*",
            "authorization: Bearer hidden",
            "content-length: 9",
            "content-type: application/x-www-form-urlencoded",
            agent
        ]
    );
}

#[tokio::test]
async fn an_answer_is_taken_as_it_is() {
    let answer =
        asked("HTTP/1.1 429 Slow Down\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\nno").await.unwrap();
    assert_eq!((answer.status, answer.retry_after.as_deref(), &*answer.body), (429, Some("7"), &b"no"[..]));
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{\"\r\n3\r\na\":\r\n2\r\n1}\r\n0\r\n\r\n";
    assert_eq!(asked(chunked).await.unwrap().body, "{\"a\":1}");
    let until_the_end = "HTTP/1.0 200 OK\r\n\r\n{}";
    assert_eq!(asked(until_the_end).await.unwrap().body, "{}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let (elsewhere, mut came) = server(answer("", b"{}")).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(asked(redirect).await.unwrap().status, 302);
    assert!(came.try_recv().is_err());
}

#[tokio::test]
async fn gzip_is_undone_and_no_other_encoding_is() {
    let text = ordinary_text(300_000);
    for name in ["gzip", "GZIP", "x-gzip"] {
        let headers = format!("content-encoding: {name}\r\n");
        assert_eq!(asked(answer(&headers, &gzipped(&text))).await.unwrap().body, text, "{name}");
    }
    // Two parts one after the other are one (RFC 1952).
    let parts = [gzipped(b"{\"a\":"), gzipped(b"1}")].concat();
    assert_eq!(asked(answer("content-encoding: gzip\r\n", &parts)).await.unwrap().body, "{\"a\":1}");
    assert_eq!(asked(answer("content-encoding: gzip\r\n", b"")).await.unwrap().body, "");
    assert_eq!(asked(answer("content-encoding: identity\r\n", b"{}")).await.unwrap().body, "{}");

    let whole = gzipped(&text);
    let damaged = [&whole[..whole.len() - 9], &[0; 9]].concat();
    for (headers, body) in [
        ("content-encoding: br\r\n", &whole[..]),
        ("content-encoding: deflate\r\n", &whole),
        ("content-encoding: gzip, gzip\r\n", &whole),
        ("content-encoding: gzip\r\ncontent-encoding: gzip\r\n", &whole),
        ("content-encoding: gzip\r\n", b"{}"),
        ("content-encoding: gzip\r\n", &whole[..whole.len() - 20]),
        ("content-encoding: gzip\r\n", &damaged),
        ("content-encoding: gzip\r\n", &[&whole[..], b"and more"].concat()),
    ] {
        assert_eq!(asked(answer(headers, body)).await.unwrap_err(), HttpError::Encoding, "{headers}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    assert_eq!(asked(answer("", &vec![b' '; BODY_BYTES_MAX])).await.unwrap().body.len(), BODY_BYTES_MAX);
    let says_so = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", BODY_BYTES_MAX + 1);
    assert_eq!(asked(says_so).await.unwrap_err(), HttpError::TooLarge);

    let (url, _came) = serve(|mut connection| async move {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while connection.write_all(b"1000\r\n").await.is_ok()
            && connection.write_all(&[b' '; 0x1000]).await.is_ok()
            && connection.write_all(b"\r\n").await.is_ok()
        {}
    })
    .await;
    assert_eq!(HttpClient::new().send(get(&url)).await.unwrap_err(), HttpError::TooLarge);
}

#[tokio::test]
async fn a_small_answer_that_becomes_huge_is_refused() {
    let gzip = "content-encoding: gzip\r\n";
    let bomb = gzipped(&vec![0; EXPANDED_BYTES_MAX + 1]);
    assert!(bomb.len() < 100_000);
    assert_eq!(asked(answer(gzip, &bomb)).await.unwrap_err(), HttpError::TooLarge);
    // A thousandth, but not much.
    let tame = vec![b' '; 1 << 20];
    assert_eq!(asked(answer(gzip, &gzipped(&tame))).await.unwrap().body.len(), tame.len());
    assert_eq!(
        asked(answer(gzip, &gzipped(&vec![b' '; (1 << 20) + 1]))).await.unwrap_err(),
        HttpError::TooLarge
    );
    // Much, but honest.
    let text = ordinary_text(8 << 20);
    assert_eq!(asked(answer(gzip, &gzipped(&text))).await.unwrap().body.len(), text.len());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    for broken in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n{}",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<html>hello</html>",
    ] {
        assert_eq!(asked(broken).await.unwrap_err(), HttpError::Broken, "{broken}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let (listener, client) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), HttpClient::new());
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    assert_eq!(client.send(get(&url)).await.unwrap_err(), HttpError::Unreachable);
    let nowhere: Url = "http://no-such-host.invalid/".parse().unwrap();
    assert_eq!(client.send(get(&nowhere)).await.unwrap_err(), HttpError::Unreachable);
}

#[tokio::test]
async fn ten_seconds_are_all_that_an_answer_gets() {
    let trickles = |mut connection: TcpStream| async move {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        while connection.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let silent = |connection: TcpStream| async move {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        drop(connection);
    };
    for (url, mut came) in [serve(trickles).await, serve(silent).await] {
        let began_at = tokio::time::Instant::now();
        let client = HttpClient::new();
        let asking = tokio::spawn(async move { client.send(get(&url)).await });
        came.recv().await.unwrap();
        // From here on nobody waits for real.
        tokio::time::pause();
        assert_eq!(asking.await.unwrap().unwrap_err(), HttpError::TimedOut);
        let took = began_at.elapsed();
        assert!((Duration::from_secs(9)..Duration::from_secs(12)).contains(&took), "{took:?}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn what_is_said_of_requests_and_errors_holds_no_secret() {
    let (url, _came) = server("").await;
    let request = HttpRequest {
        headers: vec![("authorization", "Bearer hidden".to_owned().into())],
        body: Some(("text/plain", "hidden".to_owned().into())),
        ..get(&url)
    };
    let shown = format!("{request:?}");
    assert!(shown.starts_with("GET http://127.0.0.1") && !shown.contains("hidden"), "{shown}");
    let error = HttpClient::new().send(request).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hidden"));
}
