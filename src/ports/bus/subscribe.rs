//! What a consumer sees: for `tail`, `demo` and whoever checks that events arrive.

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use bytes::Bytes;
use futures::{Stream, StreamExt, future, stream};

use super::{Bus, BusError, JsStream, publish::said};

/// A message as a subscriber gets it.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its subject.
    pub subject: String,
    /// Its payload: the envelope.
    pub payload: Bytes,
}

impl Bus {
    /// Messages on subjects that `filter` matches, from now on.
    ///
    /// # Errors
    /// [`BusError`] when there is no connection or the server does not permit it.
    pub async fn subscribe(
        &self,
        filter: &str,
    ) -> Result<impl Stream<Item = Received> + Send + Unpin + use<>, BusError> {
        let filter = filter.to_owned();
        let subscriber = self
            .client
            .subscribe(filter)
            .await
            .map_err(|error| self.refused("subscribing", &said(&error)))?;
        // A subscription counts from when the server has it.
        self.in_time(self.client.flush()).await?.map_err(|error| self.no_answer(&said(&error)))?;
        Ok(subscriber
            .map(|message| Received { subject: message.subject.to_string(), payload: message.payload }))
    }

    /// Messages on subjects that `filter` matches: those that the JetStream streams hold, then new ones.
    ///
    /// # Errors
    /// [`BusError`] when there is no connection, no stream, or the server does not permit it.
    pub async fn replay(
        &self,
        filter: &str,
    ) -> Result<impl Stream<Item = Received> + Send + Unpin + use<>, BusError> {
        let mut parts = Vec::new();
        for js_stream in JsStream::ALL {
            let config = pull::OrderedConfig {
                filter_subject: filter.to_owned(),
                deliver_policy: DeliverPolicy::All,
                ..Default::default()
            };
            let refused = |why: String| self.refused("reading a stream", &why);
            let found = self.in_time(self.jetstream.get_stream(js_stream.as_str())).await?;
            let found = found.map_err(|error| refused(said(&error)))?;
            let consumer = found.create_consumer(config).await.map_err(|error| refused(said(&error)))?;
            let messages = consumer.messages().await.map_err(|error| refused(said(&error)))?;
            // An ordered consumer makes itself anew after an error.
            parts.push(Box::pin(messages.filter_map(|message| future::ready(message.ok()))));
        }
        Ok(stream::select_all(parts).map(|message| Received {
            subject: message.subject.to_string(),
            payload: message.payload.clone(),
        }))
    }

    fn refused(&self, what: &'static str, why: &str) -> BusError {
        BusError::Refused { what, why: why.to_owned() }
    }
}
