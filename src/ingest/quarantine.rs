//! A second look at deliveries in quarantine, after a fix or a change of configuration.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{Ingest, Reading, Route, read, record};
use crate::{
    platform::Delivery,
    platforms,
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
                let record = record(route, delivery, row.proof, content, observations);
                Ok(self.store.requeue(id, record).await?)
            }
            Reading::Probe => Err(RetryError::Malformed("it is an empty form".to_owned())),
            Reading::Malformed { reason, .. } => Err(RetryError::Malformed(reason.0)),
            Reading::Unverified(why) => Err(RetryError::Malformed(why.to_string())),
        }
    }

    /// The body of a delivery in quarantine for a person to look at: as it came, but for what stands behind
    /// the names of fields that hold secrets, however the names are written.
    pub fn masked_body(&self, row: &QuarantinedRow) -> Vec<u8> {
        let callback =
            self.receivers.get(&row.account).and_then(|r| r.platform.descriptor().callback(&row.callback));
        let secret_fields: Vec<_> = match callback {
            Some(callback) => callback.secret_fields.to_vec(),
            // Of an account that is not configured any more: whatever is secret anywhere.
            None => platforms::ALL
                .iter()
                .flat_map(|platform| platform.descriptor().callbacks)
                .flat_map(|callback| callback.secret_fields)
                .copied()
                .collect(),
        };
        let pairs: Vec<_> = row.body.split(|&b| b == b'&').map(|pair| mask(pair, &secret_fields)).collect();
        pairs.join(&b'&')
    }
}

/// A pair of a form, or all of a body that is no form, up to and with the name of a secret field.
fn mask<'p>(pair: &'p [u8], secret_fields: &[&str]) -> Cow<'p, [u8]> {
    let names_a_secret = |part: &[u8]| {
        let part: Vec<_> = percent_decode(part).map(|byte| byte.to_ascii_lowercase()).collect();
        secret_fields.iter().any(|field| part.windows(field.len()).any(|window| window == field.as_bytes()))
    };
    if !names_a_secret(pair) {
        return pair.into();
    }
    // The shortest beginning that holds the name.
    let (mut without, mut shown) = (0, pair.len());
    while shown - without > 1 {
        let middle = without.midpoint(shown);
        if names_a_secret(&pair[..middle]) {
            shown = middle;
        } else {
            without = middle;
        }
    }
    let equals_sign: &[u8] = if pair.get(shown) == Some(&b'=') { b"=" } else { b"" };
    [&pair[..shown], equals_sign, b"(masked)"].concat().into()
}
