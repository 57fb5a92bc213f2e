//! Wires configuration, ports, store and workers; supervises; drains.

mod housekeeping;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, Config},
    health::{Condition, Health},
    ingest::{Ingest, Receivers},
    outbox::Publisher,
    ports::{Bus, BusOptions, Clock, EmbeddedServer, Entropy, bus::BusError},
    store::{OpenError, Store, WriterThread},
    web::{self, AdminContext, AllowedHosts, Limits, PublicContext},
};

/// What the outside world is made of.
#[derive(Clone)]
pub struct Ports {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
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
    store: Store,
    writer: WriterThread,
    stop: CancellationToken,
    /// New deliveries are refused.
    draining: CancellationToken,
    /// No more events are loaded for the bus; the admin listener ends.
    ending: CancellationToken,
    workers: Vec<(&'static str, JoinHandle<()>)>,
    listeners: Vec<(&'static str, JoinHandle<()>)>,
    embedded: Option<EmbeddedServer>,
}

impl App {
    /// What a consumer types to see the events of the embedded bus; `None` if there is no embedded bus.
    pub fn subscribe_command(&self) -> Option<String> {
        let embedded = self.embedded.as_ref()?;
        let (user, _) = embedded.consumer();
        let file = embedded.consumer_password_file();
        let (url, subject) = (embedded.url(), format!("{}.>", self.subject_prefix()));
        Some(format!(
            "nats --server {url} --user {user} --password \"$(cat {})\" sub '{subject}'",
            file.display()
        ))
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
        let (store, writer) = Store::open(config.store, event_mark)?;
        health.report("store", Condition::Ok);

        let (embedded, bus_options) = bus_options(config.bus, &ports, &health).await?;
        let public = listen("http.public_listen", config.http.public_listen).await?;
        let admin = listen("http.admin_listen", config.http.admin_listen).await?;
        let (public_addr, admin_addr) = (local_addr(&public.1)?, local_addr(&admin.1)?);

        let mut app = Self {
            public_addr,
            admin_addr,
            bus_options,
            drain: config.http.drain,
            health: health.clone(),
            store: store.clone(),
            writer,
            stop: CancellationToken::new(),
            draining: CancellationToken::new(),
            ending: CancellationToken::new(),
            workers: Vec::new(),
            listeners: Vec::new(),
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
                app.ending.clone(),
            ),
        );

        let ingest = Ingest::new(Receivers::new(config.receivers), store.clone(), Arc::clone(&ports.clock));
        let limits = Limits {
            connections_max: config.http.connections_max,
            connections_per_ip_max: config.http.connections_per_ip_max,
            ..Limits::default()
        };
        let router = web::public::router(PublicContext {
            ingest: ingest.clone(),
            limits: limits.clone(),
            hosts: AllowedHosts::public(config.http.public_hosts),
            draining: app.draining.clone(),
            clock: ports.clock,
        });
        let served = web::serve(public.1, router, limits, app.draining.clone());
        app.listeners.push(("the public listener", tokio::spawn(served)));
        let router = web::admin::router(AdminContext {
            health: app.health.clone(),
            store,
            ingest,
            subject_prefix: app.subject_prefix(),
            metrics,
            hosts: AllowedHosts::admin(config.http.admin_hosts),
            draining: app.stop.clone(),
        });
        let served = web::serve(admin.1, router, Limits::admin(), app.ending.clone());
        app.listeners.push(("the admin listener", tokio::spawn(served)));
        tracing::info!("livehook accepts callbacks on http://{public_addr}, admin on http://{admin_addr}");
        Ok(app)
    }

    /// Cancel it to drain.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Serves until it is stopped or something fails, then drains.
    ///
    /// # Errors
    /// [`AppError`] if it was not stopped but failed.
    pub async fn finish(mut self) -> Result<(), AppError> {
        let result = self.supervise().await;
        self.stop.cancel();
        if result.is_ok() {
            // A load balancer needs a moment to notice; until then its deliveries are welcome.
            tokio::time::sleep(self.drain).await;
        }
        self.draining.cancel();
        let public = self.listeners.remove(0);
        join(public).await;
        self.ending.cancel();
        for worker in self.workers.drain(..).chain(self.listeners.drain(..)) {
            join(worker).await;
        }
        if let Some(embedded) = self.embedded.take() {
            embedded.stop().await;
        }
        let Self { store, writer, .. } = self;
        drop(store);
        let _ = tokio::task::spawn_blocking(|| writer.join()).await;
        tracing::info!("livehook ended");
        result
    }

    /// Returns when the service should drain.
    async fn supervise(&mut self) -> Result<(), AppError> {
        let mut failed = self.store.failed();
        let tasks = self.workers.iter_mut().chain(self.listeners.iter_mut());
        let ended = futures::future::select_all(tasks.map(|(name, task)| {
            let name = *name;
            Box::pin(async move {
                let _ = task.await;
                name
            })
        }));
        tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            why = failed.wait_for(Option::is_some) => {
                let why = why.ok().and_then(|why| why.clone()).unwrap_or_else(|| "its writer ended".to_owned());
                self.health.report("store", Condition::Down(why.clone()));
                Err(AppError::StoreFailed(why))
            }
            (name, ..) = ended => Err(AppError::WorkerEnded(name)),
        }
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
        let publisher =
            Publisher::new(self.store.clone(), bus, Arc::clone(&ports.clock), self.health.clone());
        let ending = self.ending.clone();
        self.work("the publisher", publisher.run(ending));
        Ok(())
    }

    fn work(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.workers.push((name, tokio::spawn(work)));
    }

    fn subject_prefix(&self) -> String {
        self.bus_options.as_ref().map_or_else(|| "live".to_owned(), |options| options.prefix.clone())
    }
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

/// Longest wait for one task while draining: the publisher's ten seconds and a little.
const JOIN: Duration = Duration::from_secs(12);

async fn join((name, task): (&'static str, JoinHandle<()>)) {
    // One that ended by itself was taken notice of already.
    if task.is_finished() {
        return;
    }
    let abort = task.abort_handle();
    if tokio::time::timeout(JOIN, task).await.is_err() {
        tracing::warn!("{name} did not end in time");
        abort.abort();
    }
}
