//! A simulated platform behind the HTTP port, without sockets: as fast as a function call, on a clock that tests move.

use std::{
    io::Read,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::{FutureExt, future::BoxFuture};
use jiff::{SignedDuration, Timestamp};
use livehook::{
    ports::{Clock, Http, HttpError, HttpRequest, HttpResponse, ManualClock, http},
    simulators::{Manner, Request, Response, Simulator},
};
use secrecy::ExposeSecret;
use tokio::sync::Notify;

/// How long the real client waits for an answer that does not come.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// What happens to a world right before it answers.
pub type Before<S> = dyn FnMut(&mut S, &Request, Timestamp) + Send;

/// Asks a simulator. The answer is made when the request is sent; then time passes.
pub struct DirectHttp<S> {
    pub world: Arc<Mutex<S>>,
    pub clock: Arc<ManualClock>,
    /// How long a request takes.
    pub takes: SignedDuration,
    before: Mutex<Option<Box<Before<S>>>>,
    sent: Mutex<Vec<Sent>>,
    death: Mutex<Option<Death>>,
    count: AtomicU64,
    died: Notify,
}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Timestamp,
    /// When its answer was there.
    pub answered_at: Timestamp,
    pub host: String,
}

/// The request at which the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastRequest {
    /// The one of this number, from 1 on.
    Nth(u64),
    /// The next one that asks for tokens.
    ForTokens,
}

/// The end of the process at a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Death {
    pub at: LastRequest,
    /// The platform has got the request; otherwise not even that.
    pub after_asking: bool,
}

impl<S: Simulator> DirectHttp<S> {
    pub fn new(world: Arc<Mutex<S>>, clock: Arc<ManualClock>, takes: SignedDuration) -> Self {
        Self {
            world,
            clock,
            takes,
            before: Mutex::default(),
            sent: Mutex::default(),
            death: Mutex::default(),
            count: AtomicU64::new(0),
            died: Notify::new(),
        }
    }

    /// From now on, this happens before each answer.
    pub fn before_each(&self, hook: Option<Box<Before<S>>>) {
        *self.before.lock().unwrap() = hook;
    }

    /// What was sent since the last time.
    pub fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }

    /// How many requests there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The process ends at a request: that is never answered, and [`DirectHttp::death`] returns.
    pub fn die(&self, death: Option<Death>) {
        *self.death.lock().unwrap() = death;
    }

    /// Returns when the process ended, as ordered.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    fn answer(&self, request: HttpRequest) -> Option<Result<HttpResponse, HttpError>> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let is_last = |death: &Death| match death.at {
            LastRequest::Nth(at) => at == number,
            LastRequest::ForTokens => request.url.path().ends_with("/token"),
        };
        let death = self.death.lock().unwrap().filter(is_last);
        if death.is_some_and(|death| !death.after_asking) {
            return None;
        }
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let request = as_it_comes_over_the_wire(request);
        let at = self.clock.now();
        let response = {
            let mut world = self.world.lock().unwrap();
            world.advance(at);
            if let Some(hook) = self.before.lock().unwrap().as_mut() {
                hook(&mut world, &request, at);
            }
            world.answer(&request, at)
        };
        self.clock.advance(if response.manner == Manner::Never { GIVEN_UP_AFTER } else { self.takes });
        self.sent.lock().unwrap().push(Sent { at, answered_at: self.clock.now(), host });
        death.is_none().then(|| received(response))
    }
}

impl<S: Simulator> Http for DirectHttp<S> {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        match self.answer(request) {
            Some(answer) => async move { answer }.boxed(),
            None => {
                self.died.notify_one();
                futures::future::pending().boxed()
            }
        }
    }
}

fn as_it_comes_over_the_wire(request: HttpRequest) -> Request {
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.expose_secret().to_owned()))
        .collect();
    headers.push(("accept".to_owned(), "application/json, */*".to_owned()));
    let (body_type, body) = request.body.map_or((None, String::new()), |(content_type, body)| {
        (Some(content_type), body.expose_secret().to_owned())
    });
    headers.extend(body_type.map(|it| ("content-type".to_owned(), it.to_owned())));
    Request {
        method: request.method.to_owned(),
        path: percent_encoding::percent_decode_str(request.url.path()).decode_utf8_lossy().into_owned(),
        query: request.url.query_pairs().into_owned().collect(),
        headers,
        body: body.into_bytes(),
    }
}

/// What the real client makes of it.
fn received(response: Response) -> Result<HttpResponse, HttpError> {
    match response.manner {
        Manner::Cut => return Err(HttpError::Broken),
        Manner::Never => return Err(HttpError::TimedOut),
        Manner::Whole => {}
    }
    if response.body.len() > http::BODY_BYTES_MAX {
        return Err(HttpError::TooLarge);
    }
    let header =
        |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let body = if header("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(&response.body[..])
            .take(http::EXPANDED_BYTES_MAX as u64 + 1)
            .read_to_end(&mut body)
            .map_err(|_| HttpError::Encoding)?;
        if body.len() > http::EXPANDED_BYTES_MAX {
            return Err(HttpError::TooLarge);
        }
        body
    } else {
        response.body.clone()
    };
    let retry_after = header("retry-after").cloned();
    Ok(HttpResponse { status: response.status, retry_after, body: body.into() })
}
