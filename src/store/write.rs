//! A small job made of a closure: everything that is written besides deliveries.

use tokio::sync::{mpsc, oneshot};

use super::{
    StoreError,
    writer::{Job, Session, WriteError},
};

/// Where it is noted that a delivery was committed and not answered.
#[derive(Clone, Debug)]
pub(super) struct Unanswered(pub(super) mpsc::WeakSender<Box<dyn Job>>);

impl Unanswered {
    /// Not waited for. A note that is lost, because the queue is full or the store is closed, is made up for
    /// by the distances at which platforms retry.
    pub(super) fn note(&self, delivery: u64) {
        let note = Write::unawaited(move |session: &mut Session<'_>| {
            let mut update =
                session.connection.prepare_cached("UPDATE delivery SET unanswered = 1 WHERE id = ?1")?;
            update.execute([delivery as i64]).map(drop)
        });
        if let Some(jobs) = self.0.upgrade() {
            let _ = jobs.try_send(Box::new(note));
        }
    }
}

pub(super) struct Write<T, F> {
    write: F,
    written: Option<T>,
    waiter: Option<oneshot::Sender<Result<T, StoreError>>>,
}

impl<T, F> Write<T, F>
where
    T: Send,
    F: FnMut(&mut Session<'_>) -> rusqlite::Result<T> + Send,
{
    /// Nobody waits for it.
    pub(super) fn unawaited(write: F) -> Self {
        Self { write, written: None, waiter: None }
    }

    /// The receiver gets what `write` returned, once that is on disk.
    pub(super) fn awaited(write: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (waiter, answer) = oneshot::channel();
        (Self { write, written: None, waiter: Some(waiter) }, answer)
    }
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnMut(&mut Session<'_>) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, session: &mut Session<'_>) -> rusqlite::Result<()> {
        self.written = Some((self.write)(session)?);
        Ok(())
    }

    fn finish(self: Box<Self>, result: Result<(), WriteError>) {
        let Some(waiter) = self.waiter else { return };
        let answer = match (result, self.written) {
            (Ok(()), Some(written)) => Ok(written),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError("it was not written".to_owned())),
        };
        // Whoever asked may have gone.
        let _ = waiter.send(answer);
    }
}
