//! Wires configuration, ports, store and workers; supervises; drains.

mod asking;
mod housekeeping;
mod supervise;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, Config},
    current::Mirroring,
    grants::Grants,
    health::{Condition, Health},
    ingest::{Ingest, Receivers, WakeSink},
    outbox::Publisher,
    poll::{self, Board, Poller},
    ports::{Bus, BusOptions, Clock, EmbeddedServer, Entropy, Http, bus::BusError},
    store::{ConfiguredAccount, OpenError, Store, StoreError, WriterThread},
    web::{self, AdminContext, AllowedHosts, Limits, PublicContext},
};

/// What the outside world is made of.
#[derive(Clone)]
pub struct Ports {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// How platforms' APIs are asked.
    pub http: Arc<dyn Http>,
}

/// Why the service could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The disk failed while the service ran.
    #[error(
        "the store failed: {0}. Nothing was acknowledged since; check the disk, then start livehook again"
    )]
    StoreFailed(String),
    /// The bus cannot be used as it is configured.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// An address cannot be listened on.
    #[error("{key} = {address} cannot be listened on ({why}): free it or choose another")]
    Listen {
        /// The configuration key.
        key: &'static str,
        /// Its value.
        address: SocketAddr,
        /// What the system says.
        why: std::io::Error,
    },
    /// A worker ended although nobody asked it to.
    #[error("{0} ended by itself; this is a defect, please report it with the log before this line")]
    WorkerEnded(&'static str),
}

/// The running service.
pub struct App {
    /// Address of the public listener.
    pub public_addr: SocketAddr,
    /// Address of the admin listener.
    pub admin_addr: SocketAddr,
    /// How to reach the bus, if there is one.
    pub bus_options: Option<BusOptions>,
    drain: Duration,
    health: Health,
    board: Board,
    store: Store,
    writer: WriterThread,
    stop: CancellationToken,
    /// New deliveries are refused.
    draining: CancellationToken,
    /// No more events are loaded for the bus; the admin listener ends.
    ending: CancellationToken,
    /// What works with the store shall end: with everything, or alone when the store failed.
    idling: CancellationToken,
    /// What works with the store.
    workers: Vec<Task>,
    /// What serves: the public listener first, the admin listener, the recording of what players were answered.
    servers: Vec<Task>,
    /// Whether players ask, so that there is work without the store.
    is_asked: bool,
    metrics: PrometheusHandle,
    embedded: Option<EmbeddedServer>,
}

/// A task with its name in messages.
type Task = (&'static str, JoinHandle<()>);

impl App {
    /// How the reading of platforms' APIs fares.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Starts everything; returns when both listeners accept connections.
    ///
    /// A bus that cannot be reached is no reason to fail: callbacks are accepted and kept.
    ///
    /// # Errors
    /// [`AppError`], before anything listens.
    pub async fn start(config: Config, ports: Ports, metrics: PrometheusHandle) -> Result<Self, AppError> {
        let health = Health::default();
        let mut event_mark = [0; 32];
        ports.entropy.fill(&mut event_mark);
        let accounts = configured(&config);
        let (store, writer) = Store::open(config.store, event_mark)?;
        health.report("store", Condition::Ok);
        // Before anybody looks at what is known.
        store.register_accounts(accounts, ports.clock.now()).await.map_err(unwritable)?;

        let (embedded, bus_options) = bus_options(config.bus, &ports, &health).await?;
        let public = listen("http.public_listen", config.http.public_listen).await?;
        let admin = listen("http.admin_listen", config.http.admin_listen).await?;
        let (public_addr, admin_addr) = (local_addr(&public.1)?, local_addr(&admin.1)?);

        let ending = CancellationToken::new();
        let mut app = Self {
            public_addr,
            admin_addr,
            bus_options,
            drain: config.http.drain,
            health: health.clone(),
            board: Board::default(),
            store: store.clone(),
            writer,
            stop: CancellationToken::new(),
            draining: CancellationToken::new(),
            idling: ending.child_token(),
            ending,
            workers: Vec::new(),
            servers: Vec::new(),
            is_asked: false,
            metrics: metrics.clone(),
            embedded,
        };
        app.start_publisher(&ports).await?;
        app.work(
            "housekeeping",
            housekeeping::run(
                store.clone(),
                Arc::clone(&ports.clock),
                health,
                metrics.clone(),
                app.idling.clone(),
            ),
        );

        for poll::Account { platform, settings, base_url, .. } in &config.polled {
            let watches = settings.watches.keys().copied().collect::<Vec<_>>().join(", ");
            let id = platform.descriptor().id;
            tracing::info!("{id}/{} is read at {base_url}: {watches}", settings.name);
        }
        let grants = Grants::new(
            config.kept,
            config.vault,
            store.clone(),
            Arc::clone(&ports.http),
            Arc::clone(&ports.clock),
            Arc::clone(&ports.entropy),
            app.health.clone(),
        );
        let grant_desk = grants.desk();
        let idling = app.idling.clone();
        app.work("the keeper of access", grants.run(idling));
        let poller = Poller::new(
            config.polled,
            store.clone(),
            Arc::clone(&ports.http),
            Arc::clone(&ports.clock),
            Arc::clone(&ports.entropy),
            app.health.clone(),
        );
        let wakes = poller.wakes();
        app.board = poller.board();
        let wake: WakeSink = Arc::new(move |account, wake| wakes.wake(account, wake));
        let idling = app.idling.clone();
        app.work("the poller", poller.run(idling));

        let (desk, recording) = app.desk(&config.receivers, &ports).await?;
        let recording = recording.run(app.ending.clone());
        let ingest = Ingest::new(Receivers::new(config.receivers), store.clone(), Arc::clone(&ports.clock));
        let ingest = ingest.waking(wake);
        let limits = Limits {
            connections_max: config.http.connections_max,
            connections_per_ip_max: config.http.connections_per_ip_max,
            ..Limits::default()
        };
        let router = web::public::router(PublicContext {
            ingest: ingest.clone(),
            desk,
            grant_desk: grant_desk.clone(),
            public_url: config.http.public_url.clone(),
            limits: limits.clone(),
            hosts: AllowedHosts::public(config.http.public_hosts),
            draining: app.draining.clone(),
            clock: Arc::clone(&ports.clock),
        });
        let served = web::serve(public.1, router, limits, app.draining.clone());
        app.servers.push(("the public listener", tokio::spawn(served)));
        app.servers.push(("the recording of exchanges", tokio::spawn(recording)));
        let mut page_key = [0; 32];
        ports.entropy.fill(&mut page_key);
        let router = web::admin::router(AdminContext {
            health: app.health.clone(),
            store,
            ingest,
            board: app.board.clone(),
            grant_desk,
            public_url: config.http.public_url,
            page_key: URL_SAFE_NO_PAD.encode(page_key).into(),
            subject_prefix: app.subject_prefix(),
            metrics,
            hosts: AllowedHosts::admin(config.http.admin_hosts),
            draining: app.stop.clone(),
        });
        let served = web::serve(admin.1, router, Limits::admin(), app.ending.clone());
        app.servers.push(("the admin listener", tokio::spawn(served)));
        tracing::info!("livehook accepts callbacks on http://{public_addr}, admin on http://{admin_addr}");
        Ok(app)
    }

    /// Cancel it to drain.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    async fn start_publisher(&mut self, ports: &Ports) -> Result<(), AppError> {
        let Some(options) = self.bus_options.clone() else {
            tracing::warn!(
                "NO BUS IS CONFIGURED: events stay in the store, readable at http://{}/api/v1/events; set bus.servers or bus.embedded to publish them",
                self.admin_addr
            );
            self.health.report(
                "bus",
                Condition::Degraded("no bus is configured: events stay in the store".to_owned()),
            );
            return Ok(());
        };
        let bus = Bus::connect(options).await?;
        let mirroring = Mirroring::new(self.store.clone(), bus.clone(), self.health.clone());
        let idling = self.idling.clone();
        self.work("the bucket of current state", mirroring.run(idling));
        let publisher =
            Publisher::new(self.store.clone(), bus, Arc::clone(&ports.clock), self.health.clone());
        let idling = self.idling.clone();
        self.work("the publisher", publisher.run(idling));
        Ok(())
    }

    fn work(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.workers.push((name, tokio::spawn(work)));
    }

    fn subject_prefix(&self) -> String {
        self.bus_options.as_ref().map_or_else(|| "live".to_owned(), |options| options.prefix.clone())
    }
}

/// Every account; one that is called, read and kept comes thrice.
fn configured(config: &Config) -> Vec<ConfiguredAccount> {
    let receivers = config.receivers.iter().map(|receiver| (&receiver.settings, receiver.platform));
    let polled = config.polled.iter().map(|account| (&account.settings, account.platform));
    let kept = config.kept.iter().map(|account| (&account.settings, account.platform));
    let configured = receivers.chain(polled).chain(kept).map(|(settings, platform)| ConfiguredAccount {
        name: settings.name.clone(),
        platform: platform.descriptor().id,
        watches: settings.watches.keys().copied().collect(),
    });
    configured.collect()
}

fn unwritable(error: StoreError) -> AppError {
    AppError::StoreFailed(error.to_string())
}

async fn bus_options(
    bus: config::Bus,
    ports: &Ports,
    health: &Health,
) -> Result<(Option<EmbeddedServer>, Option<BusOptions>), AppError> {
    match bus {
        config::Bus::None => Ok((None, None)),
        config::Bus::Servers(options) => Ok((None, Some(options))),
        config::Bus::Embedded(embedded, options) => {
            let server = EmbeddedServer::start(embedded, ports.entropy.as_ref(), health.clone()).await?;
            let options = BusOptions { servers: vec![server.url()], login: server.login(), ..options };
            let (consumer, _) = server.consumer();
            let password_file = server.consumer_password_file();
            tracing::info!(
                "consumers read events at {} as user {consumer}, with the password in {}",
                server.url(),
                password_file.display()
            );
            Ok((Some(server), Some(options)))
        }
    }
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<(&'static str, TcpListener), AppError> {
    let listener = TcpListener::bind(address).await.map_err(|why| AppError::Listen { key, address, why })?;
    Ok((key, listener))
}

fn local_addr(listener: &TcpListener) -> Result<SocketAddr, AppError> {
    let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
    listener.local_addr().map_err(|why| AppError::Listen { key: "http", address: unspecified, why })
}
