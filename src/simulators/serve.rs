//! Puts a simulated platform on a loopback port, with real HTTP and real misbehaviour.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, future, stream, stream::BoxStream};
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::{
    HeaderMap,
    body::{Frame, Incoming},
    header::{CONTENT_LENGTH, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{Manner, Request, Response, Simulator};

/// Nobody waits longer for an answer that never comes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between the half of a body and the end of the connection, so that the half arrives.
const CUT_PAUSE: Duration = Duration::from_millis(20);
/// After nobody could be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// More than this nobody sends to a platform.
const REQUEST_BYTES_MAX: usize = 1 << 20;

type Half = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;
type Body = Either<Full<Bytes>, Half>;

/// A simulated platform that listens. Dropping it stops it at once, [`stop`](Self::stop) with good manners.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    accepting: JoinHandle<()>,
}

/// Serves `world` on this port of loopback, 0 for any that is free, at the times that `clock` says. Whoever else
/// has the world can move it meanwhile.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve<S: Simulator + ?Sized + 'static>(
    world: Arc<Mutex<S>>,
    port: u16,
    clock: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let shutdown = CancellationToken::new();
    let answer = move |request: &Request| {
        // A test that failed while it held the world is over; the others go on.
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        world.answer(request, clock())
    };
    let accepting = tokio::spawn(accept(listener, Arc::new(answer), shutdown.clone()));
    Ok(Server { address, shutdown, accepting })
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:1234`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts nobody any more, lets answers in hand be finished, and gives up those that would never come.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<A>(listener: TcpListener, answer: Arc<A>, shutdown: CancellationToken)
where
    A: Fn(&Request) -> Response + Send + Sync + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&answer), shutdown.clone()));
                }
                // Too many open files, perhaps: some will be closed.
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse<A>(stream: TcpStream, answer: Arc<A>, shutdown: CancellationToken)
where
    A: Fn(&Request) -> Response,
{
    let service = service_fn(|request| respond(request, &*answer, &shutdown));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // Errors are on order, or the client's.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// # Errors
/// When the connection is to be closed.
async fn respond(
    request: hyper::Request<Incoming>,
    answer: &impl Fn(&Request) -> Response,
    shutdown: &CancellationToken,
) -> io::Result<hyper::Response<Body>> {
    let response = answer(&read(request).await?);
    let body = Bytes::from(response.body);
    let mut sent = match response.manner {
        Manner::Whole => hyper::Response::new(Either::Left(Full::new(body))),
        Manner::Cut => cut(&body),
        Manner::Never => {
            tokio::select! {
                () = sleep(PATIENCE) => {}
                () = shutdown.cancelled() => {}
            }
            return Err(io::Error::other("there was never to be an answer"));
        }
    };
    *sent.status_mut() = hyper::StatusCode::from_u16(response.status).map_err(io::Error::other)?;
    for (name, value) in response.headers {
        let name = HeaderName::try_from(name).map_err(io::Error::other)?;
        sent.headers_mut().append(name, HeaderValue::try_from(value).map_err(io::Error::other)?);
    }
    Ok(sent)
}

async fn read(request: hyper::Request<Incoming>) -> io::Result<Request> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Request {
        method: head.method.to_string(),
        path: percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned(),
        query: url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        headers: headers(&head.headers),
        body: body.to_vec(),
    })
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The length of the whole, the first half of it, and then the end of the connection.
fn cut(body: &Bytes) -> hyper::Response<Body> {
    let half = body.slice(..body.len() / 2);
    let breaks = stream::once(async {
        sleep(CUT_PAUSE).await;
        Err(io::Error::other("cut on order"))
    });
    let frames = stream::once(future::ready(Ok(Frame::data(half)))).chain(breaks);
    let mut response = hyper::Response::new(Either::Right(StreamBody::new(frames.boxed())));
    // An empty body could not be cut.
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len().max(2)));
    response
}

#[cfg(test)]
mod tests;
