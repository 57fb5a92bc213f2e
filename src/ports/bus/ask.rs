//! Questions over core NATS: one request, the first reply, and a deadline. Nothing is stored, nothing is sent again.
//!
//! The client's own requests would do, but for two things: it keeps the sender of a request that nobody replies to
//! for ever, and a reply that comes late or twice is dropped unseen. So replies come to an inbox of our own.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::{
    Client, HeaderMap, Message, StatusCode, Subscriber, client::PublishErrorKind, connection::State,
};
use bytes::Bytes;
use futures::StreamExt;
use tokio::{
    sync::{broadcast, oneshot, watch},
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Bus, BusError, Link, publish::said};

/// First part of every question's subject.
pub const PREFIX: &str = "ask";
/// Header with the question's id.
const ID: &str = "Livehook-Question-Id";
/// Header with the time until which a reply counts, RFC 3339.
const DEADLINE: &str = "Livehook-Deadline";
/// A subject below [`PREFIX`] that no service has a reason to listen to.
const CHECK: &str = "livehook.check";
/// How many questions that are over are remembered, to know a reply that comes late or twice.
const PAST_MAX: usize = 4096;
/// For how long.
const PAST_AGE: Duration = Duration::from_secs(30);

/// A question on its way.
#[derive(Clone, Debug)]
pub struct Request<'r> {
    /// The subject without [`PREFIX`]: `kollus.acme.play`.
    pub route: &'r str,
    /// 32 hexadecimal digits that nobody can guess: who knows them can reply.
    pub id: &'r str,
    /// Until when a reply counts, as services are told.
    pub deadline: jiff::Timestamp,
    /// What is asked.
    pub payload: Bytes,
}

/// Why there is no reply.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AskError {
    /// There is no connection, or it broke.
    #[error("there is no connection to the bus")]
    NotConnected,
    /// Nobody subscribes to the subject.
    #[error("nobody subscribes to `{0}`")]
    NoResponder(String),
    /// Nobody replied in time.
    #[error("no reply came in time")]
    Timeout,
    /// The server's configuration does not let us ask.
    #[error(
        "livehook's user may not publish to `{0}`: allow it in the server's configuration, see deploy/nats-server.conf"
    )]
    Denied(String),
    /// The question is larger than the server takes.
    #[error("the question is too large for the bus: {0}")]
    TooLarge(String),
    /// In the client's words.
    #[error("{0}")]
    Other(String),
}

/// A reply that nobody waits for any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stray {
    /// The question's subject without [`PREFIX`]; `None` if it was asked too long ago, or never.
    pub route: Option<String>,
    /// Why nobody waits.
    pub kind: StrayKind,
    /// Since the question.
    pub after: Duration,
}

/// Why nobody waits for a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StrayKind {
    /// The question was over.
    Late,
    /// Somebody else had replied.
    Second,
    /// No such question is remembered.
    Unknown,
}

impl StrayKind {
    /// One word of a closed set, for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Second => "second",
            Self::Unknown => "unknown",
        }
    }
}

/// Asks over one connection; a cheap handle that can be cloned.
#[derive(Clone)]
pub struct Asker {
    client: Client,
    inbox: Arc<str>,
    open: Arc<Mutex<Open>>,
    _listening: Arc<AbortOnDropHandle<()>>,
}

impl Bus {
    /// Begins to listen for replies, whether or not there is a connection yet. `on_stray` is told of replies that
    /// nobody waits for, and must not block.
    ///
    /// # Errors
    /// [`BusError`] when the client has ended.
    pub async fn asker(&self, on_stray: impl Fn(Stray) + Send + Sync + 'static) -> Result<Asker, BusError> {
        let inbox = self.client.new_inbox();
        let replies = self.client.subscribe(format!("{inbox}.*")).await;
        let replies = replies.map_err(|error| self.no_answer(&said(&error)))?;
        let open = Arc::new(Mutex::new(Open::default()));
        let listener = Listener {
            replies,
            link: self.link(),
            denied: self.events.denied.subscribe(),
            open: Arc::clone(&open),
            on_stray,
        };
        Ok(Asker {
            client: self.client.clone(),
            inbox: inbox.into(),
            open,
            _listening: Arc::new(AbortOnDropHandle::new(tokio::spawn(listener.run()))),
        })
    }

    /// Whether the server lets us ask and hear the reply. Nobody need be there to reply.
    ///
    /// # Errors
    /// [`BusError`]: there is no connection, or it does not permit it.
    pub async fn check_asking(&self) -> Result<(), BusError> {
        let inbox = self.client.new_inbox();
        let subject = format!("{PREFIX}.{CHECK}");
        let failed = |why: String| self.no_answer(&why);
        let mut replies = self.client.subscribe(inbox.clone()).await.map_err(|error| failed(said(&error)))?;
        let is_ours = |denied: &str| denied == subject;
        self.in_time_unless_denied(is_ours, async {
            self.client
                .publish_with_reply(subject.clone(), inbox, Bytes::new())
                .await
                .map_err(|error| failed(said(&error)))?;
            // That nobody is there is a reply as well.
            replies.next().await.map(drop).ok_or_else(|| failed("the connection ended".to_owned()))
        })
        .await?
    }
}

impl Asker {
    /// Asks, and waits until `until` for the first reply. Does not wait for a connection.
    ///
    /// # Errors
    /// [`AskError`]; a reply that comes after that is a [`Stray`].
    pub async fn ask(&self, request: Request<'_>, until: Instant) -> Result<Bytes, AskError> {
        let subject = format!("{PREFIX}.{}", request.route);
        let mut headers = HeaderMap::new();
        headers.insert(ID, request.id);
        headers.insert(DEADLINE, format!("{:.3}", request.deadline));

        let (waiter, reply) = oneshot::channel();
        let _question = self.opened(request.id, request.route, waiter);
        // After opening: from here on the listener tells of a connection that breaks.
        if self.client.connection_state() != State::Connected {
            return Err(AskError::NotConnected);
        }
        let inbox = format!("{}.{}", self.inbox, request.id);
        let asked = async {
            let publish =
                self.client.publish_with_reply_and_headers(subject, inbox, headers, request.payload);
            publish.await.map_err(|error| match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => AskError::TooLarge(said(&error)),
                PublishErrorKind::InvalidSubject | PublishErrorKind::Send => AskError::Other(said(&error)),
            })?;
            reply.await.unwrap_or(Err(AskError::NotConnected))
        };
        timeout_at(until, asked).await.unwrap_or(Err(AskError::Timeout))
    }

    fn opened(&self, id: &str, route: &str, waiter: oneshot::Sender<Result<Bytes, AskError>>) -> Opened<'_> {
        let question =
            Question { route: route.to_owned(), asked_at: Instant::now(), fate: Fate::Waits(waiter) };
        locked(&self.open).questions.insert(id.to_owned(), question);
        Opened { open: &self.open, id: id.to_owned() }
    }
}

/// The questions that wait, and those that did.
#[derive(Default)]
struct Open {
    questions: HashMap<String, Question>,
    /// Those that are over, oldest first.
    past: VecDeque<(Instant, String)>,
}

struct Question {
    route: String,
    asked_at: Instant,
    fate: Fate,
}

enum Fate {
    Waits(oneshot::Sender<Result<Bytes, AskError>>),
    /// Nobody waits any more: its time was up, or the viewer left.
    Ended,
    Replied,
}

impl Open {
    /// Ends a question; returns who waits for it.
    fn end(&mut self, id: &str, fate: Fate) -> Option<oneshot::Sender<Result<Bytes, AskError>>> {
        let question = self.questions.get_mut(id)?;
        let Fate::Waits(_) = &question.fate else { return None };
        let Fate::Waits(waiter) = std::mem::replace(&mut question.fate, fate) else { return None };
        let now = Instant::now();
        self.past.push_back((now, id.to_owned()));
        while let Some((ended_at, id)) = self.past.front()
            && (self.past.len() > PAST_MAX || now.duration_since(*ended_at) > PAST_AGE)
        {
            self.questions.remove(id);
            self.past.pop_front();
        }
        Some(waiter)
    }

    /// Ends all questions that still wait and that this is true of.
    fn fail(&mut self, why: &AskError, is_meant: impl Fn(&Question) -> bool) {
        let waits = |question: &Question| matches!(question.fate, Fate::Waits(_));
        let ids = self.questions.iter().filter(|(_, question)| waits(question) && is_meant(question));
        for id in ids.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            // Who gave up waiting a moment ago needs no reason.
            let _ = self.end(&id, Fate::Ended).map(|waiter| waiter.send(Err(why.clone())));
        }
    }
}

fn locked(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A question that is over when this is dropped, at the latest.
struct Opened<'a> {
    open: &'a Mutex<Open>,
    id: String,
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        locked(self.open).end(&self.id, Fate::Ended);
    }
}

/// Hands replies to whoever waits.
struct Listener<F> {
    replies: Subscriber,
    link: watch::Receiver<Link>,
    denied: broadcast::Receiver<Arc<str>>,
    open: Arc<Mutex<Open>>,
    on_stray: F,
}

impl<F: Fn(Stray)> Listener<F> {
    async fn run(mut self) {
        let mut before = self.link.borrow_and_update().clone();
        loop {
            tokio::select! {
                reply = self.replies.next() => match reply {
                    Some(reply) => self.hear(reply),
                    None => return,
                },
                Ok(()) = self.link.changed() => {
                    let now = self.link.borrow_and_update().clone();
                    // Replies to what was asked over a connection that broke are lost.
                    if before.is_up && (!now.is_up || now.connects != before.connects) {
                        locked(&self.open).fail(&AskError::NotConnected, |_| true);
                    }
                    before = now;
                }
                Ok(subject) = self.denied.recv() => {
                    let denied = AskError::Denied(subject.to_string());
                    let route = subject.strip_prefix(PREFIX).map(|route| route.trim_start_matches('.'));
                    locked(&self.open).fail(&denied, |question| Some(&*question.route) == route);
                }
            }
        }
    }

    fn hear(&self, reply: Message) {
        let id = reply.subject.rsplit('.').next().unwrap_or_default();
        let mut open = locked(&self.open);
        if let Some(waiter) = open.end(id, Fate::Replied) {
            let route = open.questions.get(id).map(|question| question.route.clone()).unwrap_or_default();
            drop(open);
            let is_nobody_there = reply.status == Some(StatusCode::NO_RESPONDERS);
            let result = if is_nobody_there {
                Err(AskError::NoResponder(format!("{PREFIX}.{route}")))
            } else {
                Ok(reply.payload)
            };
            // Who gave up waiting a moment ago misses it.
            let _ = waiter.send(result);
            return;
        }
        let stray = match open.questions.get(id) {
            Some(question) => Stray {
                route: Some(question.route.clone()),
                kind: if matches!(question.fate, Fate::Replied) {
                    StrayKind::Second
                } else {
                    StrayKind::Late
                },
                after: question.asked_at.elapsed(),
            },
            None => Stray { route: None, kind: StrayKind::Unknown, after: Duration::ZERO },
        };
        drop(open);
        (self.on_stray)(stray);
    }
}
