//! Decision services, as others would write them: subscribers that reply.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, Message};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::nats::Nats;

/// Subject of the question whether a viewer may play.
pub const PLAY: &str = "ask.kollus.acme.play";

/// A question and its headers.
type Heard = (Value, Option<async_nats::HeaderMap>);

/// A service; gone when dropped.
pub struct Service {
    /// What it was asked, with the headers, in the order in which it came.
    asked: Arc<Mutex<Vec<Heard>>>,
    replies: Arc<AtomicUsize>,
    client: Client,
    work: JoinHandle<()>,
}

impl Service {
    /// Treats each question as `treat` does, all at once.
    pub async fn start<F, W>(nats: &Nats, subject: &str, treat: F) -> Self
    where
        F: Fn(Asked) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let client = async_nats::connect(nats.url()).await.unwrap();
        Self::of(client, subject, treat).await
    }

    /// The same over a connection with a login of its own.
    pub async fn of<F, W>(client: Client, subject: &str, treat: F) -> Self
    where
        F: Fn(Asked) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let mut questions = client.queue_subscribe(subject.to_owned(), "decide".to_owned()).await.unwrap();
        client.flush().await.unwrap();
        let (asked, replies) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicUsize>::default());
        let (seen, counter, replying) = (Arc::clone(&asked), Arc::clone(&replies), client.clone());
        let work = tokio::spawn(async move {
            while let Some(message) = questions.next().await {
                let question: Value = serde_json::from_slice(&message.payload).unwrap();
                seen.lock().unwrap().push((question.clone(), message.headers.clone()));
                let replies = Arc::clone(&counter);
                tokio::spawn(treat(Asked { question, message, client: replying.clone(), replies }));
            }
        });
        Self { asked, replies, client, work }
    }

    /// Always replies this, at once.
    pub async fn replying(nats: &Nats, subject: &str, reply: impl Into<Bytes>) -> Self {
        let reply = reply.into();
        Self::start(nats, subject, move |asked| asked.reply(reply.clone())).await
    }

    /// Always says yes, after `delay`.
    pub async fn allowing(nats: &Nats, subject: &str, delay: Duration) -> Self {
        Self::start(nats, subject, move |asked| async move {
            tokio::time::sleep(delay).await;
            asked.reply(allow()).await;
        })
        .await
    }

    /// What it was asked, oldest first.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().iter().map(|(question, _)| question.clone()).collect()
    }

    /// The headers of the question it was asked last.
    pub fn headers(&self) -> async_nats::HeaderMap {
        self.asked.lock().unwrap().last().unwrap().1.clone().unwrap()
    }

    /// How often it replied.
    pub fn replies(&self) -> usize {
        self.replies.load(Ordering::Relaxed)
    }

    /// Goes away at once; the server knows when this returns.
    pub async fn kill(self) {
        self.work.abort();
        // The subscription ended with the task that held it.
        while !self.work.is_finished() {
            tokio::task::yield_now().await;
        }
        self.client.flush().await.unwrap();
        self.client.drain().await.unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// A question in the hands of a service.
#[derive(Clone)]
pub struct Asked {
    pub question: Value,
    message: Message,
    client: Client,
    replies: Arc<AtomicUsize>,
}

impl Asked {
    pub async fn reply(self, reply: impl Into<Bytes>) {
        let inbox = self.message.reply.clone().expect("a question says where to reply");
        self.client.publish(inbox, reply.into()).await.unwrap();
        self.client.flush().await.unwrap();
        self.replies.fetch_add(1, Ordering::Relaxed);
    }
}

/// The shortest reply.
pub fn allow() -> Bytes {
    json!({ "result": "allow" }).to_string().into()
}
