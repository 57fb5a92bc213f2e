//! A second look at deliveries in quarantine, after a fix or a change of configuration.

use super::{Ingest, Reading, Route, read, record};
use crate::{
    platform::Delivery,
    store::{QuarantinedRow, StoreError},
};

/// Why a delivery stays in quarantine.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is none with this number.
    #[error("there is no delivery {0} in quarantine: `livehook quarantine list` shows those that are")]
    Unknown(u64),
    /// Its account or callback is gone.
    #[error(
        "account {account} no longer has a callback {callback}: bring it back into the configuration first"
    )]
    NoRoute {
        /// The account it was delivered to.
        account: String,
        /// The callback it was delivered to.
        callback: String,
    },
    /// It still cannot be understood.
    #[error("it still cannot be understood: {0}")]
    Malformed(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ingest {
    /// Decodes the delivery again and publishes what follows; returns the types of the events.
    ///
    /// # Errors
    /// [`RetryError`]; the delivery stays in quarantine.
    pub async fn retry_quarantined(&self, id: u64) -> Result<Vec<String>, RetryError> {
        let row = self.store.quarantined_delivery(id).await?.ok_or(RetryError::Unknown(id))?;
        let receiver = self.receivers.get(&row.account);
        let callback = receiver.and_then(|r| r.platform.descriptor().callback(&row.callback));
        let (Some(receiver), Some(callback)) = (receiver, callback) else {
            return Err(RetryError::NoRoute { account: row.account, callback: row.callback });
        };
        let route = Route { receiver, callback };
        let delivery = Delivery {
            callback,
            content_type: row.content_type,
            body: row.body,
            received_at: row.received_at,
        };
        match read(route, &delivery) {
            Reading::Understood { content, observations, .. } => {
                let record = record(route, delivery, row.proof, content, observations, None);
                Ok(self.store.requeue(id, record).await?)
            }
            Reading::Probe => Err(RetryError::Malformed("it is an empty form".to_owned())),
            Reading::Malformed { reason, .. } => Err(RetryError::Malformed(reason.0)),
            Reading::Unverified(why) => Err(RetryError::Malformed(why.to_string())),
        }
    }

    /// The body of a delivery in quarantine for a person to look at: as it came, but for the values of
    /// form fields that hold secrets.
    pub fn masked_body(&self, row: &QuarantinedRow) -> Vec<u8> {
        let callback =
            self.receivers.get(&row.account).and_then(|r| r.platform.descriptor().callback(&row.callback));
        let secret_fields = callback.map_or(&[][..], |callback| callback.secret_fields);
        let is_secret = |pair: &[u8]| {
            let name = pair.split(|&b| b == b'=').next().unwrap_or_default();
            secret_fields.iter().any(|field| field.as_bytes() == name)
        };
        let pairs: Vec<_> = row
            .body
            .split(|&b| b == b'&')
            .map(|pair| match pair.iter().position(|&b| b == b'=') {
                Some(end) if is_secret(pair) => [&pair[..=end], b"(masked)"].concat(),
                _ => pair.to_vec(),
            })
            .collect();
        pairs.join(&b'&')
    }
}
