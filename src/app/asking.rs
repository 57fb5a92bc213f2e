//! The desk at which players are answered, with a connection to the bus of its own: events on their way must not
//! stand in front of a question.

use std::sync::Arc;

use super::{App, AppError, Ports};
use crate::{
    ingest::Receiver,
    ports::Bus,
    questions::{AskingAccount, Desk, Recording, Teller},
};

impl App {
    pub(super) async fn desk(
        &mut self,
        receivers: &[Receiver],
        ports: &Ports,
    ) -> Result<(Desk, Recording), AppError> {
        let accounts = receivers.iter().filter_map(|it| AskingAccount::new(it.platform, &it.settings));
        let accounts: Vec<_> = accounts.collect();
        self.is_asked = !accounts.is_empty();
        let teller = Teller::new(self.health.clone());
        let asker = match &self.bus_options {
            Some(options) if self.is_asked => {
                let bus = Bus::connect(options.clone()).await?;
                let teller = teller.clone();
                Some(bus.asker(move |stray| teller.stray(&stray)).await?)
            }
            _ => None,
        };
        if self.is_asked && asker.is_none() {
            tracing::warn!(
                "players ask, but no bus is configured: on_no_answer decides every question until bus.servers or bus.embedded is set"
            );
        }
        let (store, clock) = (self.store.clone(), Arc::clone(&ports.clock));
        Ok(Desk::new(accounts, asker, store, clock, Arc::clone(&ports.entropy), teller))
    }
}
