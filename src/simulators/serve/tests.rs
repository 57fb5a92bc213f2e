use std::collections::VecDeque;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::*;
use crate::simulators::{Fault, Transition, Violation, grants::Grants, kollus};

/// Answers with the request as it understood it.
struct Echo {
    now: Timestamp,
    faults: VecDeque<Fault>,
    grants: Grants,
}

impl Simulator for Echo {
    fn platform(&self) -> &'static str {
        "echo"
    }

    fn respond(&mut self, request: &Request) -> Response {
        let now = self.now;
        Response::text(201, "text/plain", format!("{request:?} at {now}")).header("x-own", "1")
    }

    fn advance(&mut self, now: Timestamp) {
        self.now = now;
    }

    fn journal(&self) -> &[Transition] {
        &[]
    }

    fn faults(&mut self) -> &mut VecDeque<Fault> {
        &mut self.faults
    }

    fn violations(&self) -> &[Violation] {
        &[]
    }

    fn grants(&self) -> &Grants {
        &self.grants
    }

    fn grants_mut(&mut self) -> &mut Grants {
        &mut self.grants
    }
}

async fn echo(faults: &[Fault]) -> Server {
    let world = Arc::new(Mutex::new(Echo {
        now: Timestamp::UNIX_EPOCH,
        faults: faults.iter().cloned().collect(),
        grants: Grants::new(0),
    }));
    serve(world, 0, || Timestamp::UNIX_EPOCH).await.unwrap()
}

async fn send(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Everything until the server closes the connection.
async fn exchange(server: &Server, request: &str) -> String {
    let mut bytes = Vec::new();
    // A connection that is cut may end with a reset; what came before it counts.
    let _ = send(server, request).await.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

const GET: &str =
    "GET /a%20b/%EA%B3%B5?x=1+2&y=%2B&x=3 HTTP/1.1\r\nHost: h\r\nAccept: text/*\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn requests_arrive_decoded_and_answers_leave_whole() {
    let server = echo(&[]).await;
    let answer = exchange(&server, GET).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(answer.contains("\r\nx-own: 1\r\n") && answer.contains("\r\ncontent-type: text/plain\r\n"));
    assert!(answer.contains("path: \"/a b/공\", query: [(\"x\", \"1 2\"), (\"y\", \"+\"), (\"x\", \"3\")]"));
    assert!(answer.contains("(\"accept\", \"text/*\")") && answer.ends_with("at 1970-01-01T00:00:00Z"));
    let post = "POST /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=b";
    assert!(exchange(&server, post).await.contains("body: [97, 61, 98]"));
}

#[tokio::test]
async fn a_cut_answer_promises_more_than_it_brings() {
    let server = echo(&[Fault::Cut]).await;
    let answer = exchange(&server, GET).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let promised: usize = promised.parse().unwrap();
    assert_eq!(body.len(), promised / 2, "{answer}");
    assert!(!body.is_empty());
}

#[tokio::test]
async fn an_answer_that_never_comes_does_not_keep_the_server_from_stopping() {
    let server = echo(&[Fault::Silence]).await;
    let mut stream = send(&server, GET).await;
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(100), stream.read(&mut byte)).await.is_err());
    let address = server.address();
    timeout(Duration::from_secs(5), server.stop()).await.unwrap();
    assert!(matches!(stream.read(&mut byte).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_world_moves_while_it_is_served() {
    let world = Arc::new(Mutex::new(kollus::World::new(kollus::Options::default())));
    let seconds = Arc::new(Mutex::new(0));
    let clock = move || {
        let mut seconds = seconds.lock().unwrap();
        *seconds += 2;
        Timestamp::from_second(1_768_365_000 + *seconds).unwrap()
    };
    let shared: Arc<Mutex<dyn Simulator>> = world.clone();
    let server = serve(shared, 0, clock).await.unwrap();
    let get = "GET /api/v1/live/service-accounts/acme/channels HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
               Authorization: Bearer example-kollus-access\r\nAccept: application/json\r\n\r\n";
    assert!(exchange(&server, get).await.contains("\"data\":[]"));
    world.lock().unwrap().add_channel("Main hall");
    assert!(exchange(&server, get).await.contains("\"title\":\"Main hall\""));
    server.stop().await;
    assert!(world.lock().unwrap().violations().is_empty());
}
