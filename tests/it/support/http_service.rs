//! Both listeners over a real store.

use std::sync::Arc;

use livehook::{
    grants::Grants,
    health::Health,
    ingest::{Ingest, Receiver, Receivers},
    model::AccountName,
    platform::{AccountSettings, signature::UrlTokenHash},
    platforms,
    ports::{SystemClock, SystemEntropy, http::HttpClient},
    questions::{Desk, Teller},
    store::{Store, StoreOptions, WriterThread},
    web::{AdminContext, AllowedHosts, Limits, PublicContext, admin, public},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;

use super::support::{Served, calm_limits, serve_router};
use crate::support::{
    canaries::canary,
    remains::{TempDir, tempdir},
};

/// Secret part of all callback URLs.
pub const URL_TOKEN: &str = canary("http-url-token");
/// The name that the public listener answers to.
pub const HOST: &str = "hooks.example.com";

/// Accounts `sample` (loopback), `acme` (kollus) and `talks` (livedigital), and where to reach them.
pub struct Service {
    pub public: Served,
    pub admin: Served,
    pub store: Store,
    pub health: Health,
    pub draining: CancellationToken,
    pub dir: TempDir,
    _writer: WriterThread,
}

impl Service {
    pub async fn start() -> Self {
        Self::with(calm_limits()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let dir = tempdir();
        let options = StoreOptions {
            dir: dir.path().join("data"),
            bytes_max: 1 << 30,
            has_bus: false,
            unsafe_no_fsync: false,
        };
        let (store, writer) = Store::open(options, [7; 32]).unwrap();
        let accounts = [("sample", "loopback"), ("acme", "kollus"), ("talks", "livedigital")];
        let receivers = Receivers::new(accounts.map(|(name, platform)| receiver(name, platform)));
        let (health, draining) = (Health::default(), CancellationToken::new());
        let ingest = Ingest::new(receivers, store.clone(), Arc::new(SystemClock));
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let (desk, _) = Desk::new([], None, store.clone(), clock, entropy, Teller::new(health.clone()));
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let http = Arc::new(HttpClient::new());
        let grants = Grants::new(Vec::new(), None, store.clone(), http, clock, entropy, health.clone());
        let grant_desk = grants.desk();
        let public = PublicContext {
            ingest: ingest.clone(),
            desk,
            grant_desk: grant_desk.clone(),
            public_url: None,
            limits: limits.clone(),
            hosts: AllowedHosts::public([HOST.to_owned()]),
            draining: draining.clone(),
            clock: Arc::new(SystemClock),
        };
        let admin = AdminContext {
            health: health.clone(),
            store: store.clone(),
            ingest,
            board: Default::default(),
            grant_desk,
            public_url: None,
            page_key: "key of the page".into(),
            subject_prefix: "live".to_owned(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            hosts: AllowedHosts::admin([]),
            draining: draining.clone(),
        };
        Self {
            public: serve_router(public::router(public), limits.clone()).await,
            admin: serve_router(admin::router(admin), limits).await,
            store,
            health,
            draining,
            dir,
            _writer: writer,
        }
    }

    /// Delivers to a callback such as `sample/event`; `fields` are more lines of the head.
    pub async fn deliver(&self, callback: &str, fields: &str, body: &str) -> String {
        let length = body.len();
        self.public.exchange(post(callback, &format!("Content-Length: {length}\r\n{fields}"), body)).await
    }

    /// Types of all events, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.store.events_after(0, 1000).await.unwrap();
        events.into_iter().map(|event| event.route.splitn(3, '.').nth(2).unwrap().to_owned()).collect()
    }
}

/// A request whose head says nothing of the body but what is in `fields`. The connection is closed after it.
pub fn post(callback: &str, fields: &str, body: &str) -> String {
    format!("POST {} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{fields}\r\n{body}", path(callback))
}

/// A request without a body.
pub fn ask(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")
}

/// The path of a callback such as `sample/event`.
pub fn path(callback: &str) -> String {
    let (account, callback) = callback.split_once('/').unwrap();
    format!("/callbacks/{account}/{URL_TOKEN}/{callback}")
}

/// What loopback is told when a broadcast goes live.
pub fn live(id: &str) -> String {
    format!(r#"{{"noun":"broadcast","id":"{id}","phase":"live"}}"#)
}

fn receiver(name: &str, platform: &str) -> Receiver {
    Receiver {
        platform: platforms::find(platform).unwrap(),
        settings: AccountSettings {
            webhook_secret: Some(canary("http-webhook-secret").into()),
            ..AccountSettings::new(AccountName::parse(name).unwrap(), name)
        },
        url_tokens: vec![UrlTokenHash::of(URL_TOKEN)],
    }
}
