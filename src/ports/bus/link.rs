//! Whether the bus can be reached, as the client tells it while it connects and reconnects by itself.

use std::sync::Arc;

use async_nats::{Event, ServerError};
use tokio::sync::{broadcast, watch};

/// The connection to the bus.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Link {
    /// Whether it stands.
    pub is_up: bool,
    /// How often it was made; grows with each reconnect.
    pub connects: u64,
    /// What the server or the client last complained of since it was made or lost.
    pub trouble: Option<String>,
}

/// Where the client's events go.
#[derive(Clone, Debug)]
pub(super) struct LinkEvents {
    pub(super) link: Arc<watch::Sender<Link>>,
    /// Subjects that we were not allowed to publish to: the server answers such a publish in no other way.
    pub(super) denied: broadcast::Sender<Arc<str>>,
}

impl LinkEvents {
    pub(super) fn new() -> Self {
        Self { link: Arc::new(watch::Sender::new(Link::default())), denied: broadcast::Sender::new(1024) }
    }

    pub(super) fn take(&self, event: Event) {
        match event {
            Event::Connected => self.link.send_modify(|link| {
                *link = Link { is_up: true, connects: link.connects + 1, trouble: None };
            }),
            Event::Disconnected | Event::Closed => self.link.send_modify(|link| link.is_up = false),
            Event::ServerError(ServerError::Other(message)) => match denied_subject(&message) {
                // Nobody listening means nothing is in flight that could be denied.
                Some(subject) => drop(self.denied.send(subject.into())),
                None => self.trouble(message),
            },
            Event::ServerError(error) => self.trouble(error.to_string()),
            Event::ClientError(error) => self.trouble(error.to_string()),
            Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => tracing::debug!(%event, "bus"),
        }
    }

    fn trouble(&self, message: String) {
        tracing::debug!(message, "bus");
        self.link.send_if_modified(|link| {
            let is_news = link.trouble.as_deref() != Some(&message);
            if is_news {
                link.trouble = Some(message);
            }
            is_news
        });
    }
}

/// The subject in `Permissions Violation for Publish to "live.kollus.acme.broadcast.started"`.
fn denied_subject(message: &str) -> Option<&str> {
    let at = message.to_ascii_lowercase().find("permissions violation for publish to \"")?;
    message[at..].split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::denied_subject;

    #[test]
    fn a_denied_publish_names_its_subject() {
        let message = "Permissions Violation for Publish to \"live.kollus.acme.broadcast.started\"";
        assert_eq!(denied_subject(message), Some("live.kollus.acme.broadcast.started"));
    }

    #[test]
    fn other_errors_deny_no_subject() {
        assert_eq!(denied_subject("Permissions Violation for Subscription to \"live.>\""), None);
        assert_eq!(denied_subject("Stale Connection"), None);
    }
}
