//! Notices what ends or fails, goes on without the store while players ask, drains.

use std::time::Duration;

use super::{App, AppError, Task};
use crate::health::Condition;

/// Longest wait for one task while draining: the publisher's ten seconds and a little.
const JOIN: Duration = Duration::from_secs(12);
/// Time between two reminders that the store has failed.
const REMINDER: Duration = Duration::from_secs(60);
/// Time between two looks at the metrics meanwhile.
const UPKEEP: Duration = Duration::from_secs(3);

impl App {
    /// Serves until it is stopped or something fails, then drains.
    ///
    /// A store that fails ends the service, so that it is started again; but not while players ask: they are
    /// answered without it, and a restart on a broken disk would leave them without an answer. Callbacks are
    /// refused until somebody stops livehook.
    ///
    /// # Errors
    /// [`AppError`] if it was not stopped but failed, or was stopped after the store had failed.
    pub async fn finish(mut self) -> Result<(), AppError> {
        let result = self.supervise().await;
        let is_stopped = self.stop.is_cancelled();
        self.stop.cancel();
        if is_stopped {
            // A load balancer needs a moment to notice; until then its deliveries are welcome.
            tokio::time::sleep(self.drain).await;
        }
        self.draining.cancel();
        let public = self.servers.remove(0);
        join(public).await;
        self.ending.cancel();
        for task in self.workers.drain(..).chain(self.servers.drain(..)) {
            join(task).await;
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
        let why = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            why = failed.wait_for(Option::is_some) => why.ok().and_then(|why| why.clone()),
            name = one_ends(self.workers.iter_mut().chain(&mut self.servers)) => {
                return Err(AppError::WorkerEnded(name));
            }
        };
        let why = why.unwrap_or_else(|| "its writer ended".to_owned());
        if self.is_asked {
            self.answer_without_store(&why).await?;
        }
        self.health.report("store", Condition::Down(why.clone()));
        Err(AppError::StoreFailed(why))
    }

    /// Answers players until the service is stopped.
    async fn answer_without_store(&mut self, why: &str) -> Result<(), AppError> {
        // Without the store they would publish the same again and again, or complain for ever.
        self.idling.cancel();
        for task in self.workers.drain(..) {
            join(task).await;
        }
        self.health.report("store", Condition::Down(format!("{why}: callbacks are refused")));
        let mut upkeep = tokio::time::interval(UPKEEP);
        let mut reminder = tokio::time::interval(REMINDER);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                name = one_ends(&mut self.servers) => return Err(AppError::WorkerEnded(name)),
                _ = upkeep.tick() => self.metrics.run_upkeep(),
                _ = reminder.tick() => tracing::error!(
                    "the store failed: {why}. Players are answered, callbacks are refused and no event is recorded: check the disk, then start livehook again"
                ),
            }
        }
    }
}

/// Waits until one of them ends; its name.
async fn one_ends(tasks: impl IntoIterator<Item = &mut Task>) -> &'static str {
    let ends = tasks.into_iter().map(|(name, task)| {
        let name = *name;
        Box::pin(async move {
            let _ = task.await;
            name
        })
    });
    futures::future::select_all(ends).await.0
}

async fn join((name, task): Task) {
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
