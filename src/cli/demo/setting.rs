//! The configuration of the demo: its accounts, its secrets, and where they find the simulated platforms.

use std::path::Path;

use super::worlds::Worlds;
use crate::{
    cli::simulate::KOLLUS_PATH,
    config::{self, Environment},
    ports::Entropy,
};

/// The accounts. Secrets are drawn anew each time, and the platforms are on loopback.
pub(super) const CONFIG: &str = r#"
[http]
public_listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
drain_seconds = 0
[bus]
embedded = true
[log]
filter = "warn"
[accounts.acme]
platform = "kollus"
callback_tokens = [{ env = "KOLLUS_TOKEN" }]
token = { env = "KOLLUS_ACCESS" }
allow_unknown_hosts = true
poll.channels = { every = "2s" }
[accounts.games]
platform = "soop"
allow_unknown_hosts = true
poll.broadcasts = { every = "2s" }
[accounts.fresh]
platform = "openfresh"
allow_unknown_hosts = true
poll.comments = { every = "2s", programs = ["92823"] }
[accounts.meetings]
platform = "livedigital"
callback_tokens = [{ env = "LIVEDIGITAL_TOKEN" }]
webhook_secret = { env = "LIVEDIGITAL_SECRET" }
token = { env = "LIVEDIGITAL_ACCESS" }
allow_unknown_hosts = true
poll.rooms = { every = "30s" }
poll.calls = { every = "6s" }
"#;

/// What is drawn at random for [`CONFIG`] and for the platforms.
const SECRETS: [&str; 6] = [
    "KOLLUS_TOKEN",
    "KOLLUS_ACCESS",
    "SOOP_CLIENT_ID",
    "LIVEDIGITAL_TOKEN",
    "LIVEDIGITAL_SECRET",
    "LIVEDIGITAL_ACCESS",
];

/// The secrets, and what else [`CONFIG`] takes from the environment before the platforms are there.
pub(super) fn environment(dir: &Path, nats_server: Option<&Path>, entropy: &dyn Entropy) -> Environment {
    let secret = || {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        hex::encode(bytes)
    };
    let mut environment: Environment = SECRETS.into_iter().map(|name| (name.to_owned(), secret())).collect();
    environment.extend(config::environment().remove("PATH").map(|path| ("PATH".to_owned(), path)));
    environment.insert("LIVEHOOK_STORE__DIR".to_owned(), dir.display().to_string());
    if let Some(binary) = nats_server {
        environment.insert("LIVEHOOK_BUS__NATS_SERVER".to_owned(), binary.display().to_string());
    }
    environment
}

/// Adds where the platforms are.
pub(super) fn point_at(worlds: &Worlds, environment: &mut Environment) {
    for (account, url) in ["ACME", "GAMES", "FRESH", "MEETINGS"].into_iter().zip(worlds.urls()) {
        let url = if account == "ACME" { format!("{url}{KOLLUS_PATH}") } else { url };
        environment.insert(format!("LIVEHOOK_ACCOUNTS__{account}__BASE_URL"), url);
    }
    let client_id = environment.get("SOOP_CLIENT_ID").cloned().unwrap_or_default();
    environment.insert("LIVEHOOK_ACCOUNTS__GAMES__CLIENT_ID".to_owned(), client_id);
    environment.insert("LIVEHOOK_ACCOUNTS__MEETINGS__SERVICE_ACCOUNT".to_owned(), worlds.space.clone());
}
