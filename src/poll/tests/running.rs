//! The loop itself, in real time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::support::*;
use crate::{
    health::Health,
    model::AccountName,
    platform::{Limits, Wake},
    poll::Poller,
    ports::{Http, HttpError, HttpRequest, HttpResponse, SystemClock},
};

/// A host that never answers beside one that does.
struct TwoHosts {
    answered: AtomicU32,
    confirmed: mpsc::UnboundedSender<()>,
}

impl Http for TwoHosts {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        if request.url.host_str() == Some("slow.example.com") {
            return Box::pin(std::future::pending());
        }
        if request.url.path() == "/long/b1" {
            let _ = self.confirmed.send(());
        } else {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async { rows(&[], 1) })
    }
}

#[tokio::test]
async fn a_host_that_is_silent_holds_up_nobody_else_and_ends_when_it_should() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _writer) = store(dir.path(), 1 << 30);
    let limits = Limits { gap_ms: 1, per_minute: 9_000, routine_per_minute: 6_000, ..LIMITS };
    let mut slow = account("slow", descriptor(limits), &[("short", 0)]);
    slow.base_url = "https://slow.example.com".parse().unwrap();
    let fast = account("fast", descriptor(limits), &[("short", 0), ("long", 10_800)]);
    let unread = account("unread", descriptor(limits), &[]);
    let (confirmed, mut confirmations) = mpsc::unbounded_channel();
    let http = Arc::new(TwoHosts { answered: AtomicU32::new(0), confirmed });
    let poller = Poller::new(
        vec![slow, fast, unread],
        store,
        Arc::clone(&http) as _,
        Arc::new(SystemClock),
        Arc::new(Seeded::new(1)),
        Health::default(),
    );
    let (wakes, board) = (poller.wakes(), poller.board());
    let ending = CancellationToken::new();
    let running = tokio::spawn(poller.run(ending.clone()));
    let within = |time| {
        tokio::time::timeout(Duration::from_secs(time), async {
            while http.answered.load(Ordering::Relaxed) < 5 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    within(20).await.expect("the fast one is read again and again");
    wakes.wake(&AccountName::parse("fast").unwrap(), Wake { watches: &["long"], target: "b1".to_owned() });
    tokio::time::timeout(Duration::from_secs(20), confirmations.recv()).await.expect("it is confirmed");
    let board = board.snapshot();
    let accounts: Vec<_> = board.iter().map(|account| account.account.as_str()).collect();
    assert_eq!(accounts, ["fast", "slow"]);
    let slow = &board[1].watches[0];
    assert_eq!((slow.under_way.unwrap().requests, slow.last_success_at), (0, None));

    assert!(!running.is_finished());
    ending.cancel();
    tokio::time::timeout(Duration::from_secs(20), running).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn with_nothing_to_read_it_waits_for_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _writer) = store(dir.path(), 1 << 30);
    let http = Arc::new(TwoHosts { answered: AtomicU32::new(0), confirmed: mpsc::unbounded_channel().0 });
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(Seeded::new(1)));
    let poller = Poller::new(Vec::new(), store, http, clock, entropy, Health::default());
    let ending = CancellationToken::new();
    let mut running = Box::pin(poller.run(ending.clone()));
    assert!(futures::poll!(&mut running).is_pending());
    ending.cancel();
    running.await;
}
