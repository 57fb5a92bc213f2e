//! What of an account is read, and whether the platform's server can be reached.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use super::Finding;
use crate::{cli::print::span, platform::Status, poll};

/// Longest wait for a server.
const PATIENCE: Duration = Duration::from_secs(5);

/// No request is sent: the platform would count it.
pub(super) async fn finding(account: &poll::Account, is_offline: bool) -> Finding {
    let poll::Account { platform, settings, base_url, .. } = account;
    let every = |every| span(SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX));
    let watches = settings.watches.iter().map(|(name, watch)| format!("{name} every {}", every(watch.every)));
    let watches = watches.collect::<Vec<_>>().join(", ");
    let says = format!("{} at {base_url}: {watches}", settings.name);
    let is_own =
        platform.descriptor().api.as_ref().is_some_and(|api| base_url.as_str().starts_with(api.base_url));
    if is_offline {
        return Finding { what: "reading", is_good: true, says };
    }
    if let (Status::Closed(since), true) = (platform.descriptor().status, is_own) {
        return Finding { what: "reading", is_good: true, says: format!("{says}; closed: {since}") };
    }
    match reach(base_url).await {
        Ok(()) => Finding { what: "reading", is_good: true, says },
        Err(why) => {
            let remedy = format!("correct accounts.{}.base_url, or the way to it", settings.name);
            let says = format!("{says}; the server cannot be reached ({why}): {remedy}");
            Finding { what: "reading", is_good: false, says }
        }
    }
}

async fn reach(url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let connecting = TcpStream::connect((host, url.port_or_known_default().unwrap_or_default()));
    match timeout(PATIENCE, connecting).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
