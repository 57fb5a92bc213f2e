//! The configuration of the demo: its accounts, its secrets, and where they find the simulated platforms.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use super::worlds::Worlds;
use crate::{
    cli::simulate::KOLLUS_PATH,
    config::{self, Environment},
    ports::Entropy,
};

/// The accounts. The platforms are on loopback.
pub(super) const CONFIG: &str = r#"
[http]
admin_listen = "127.0.0.1:0"
drain_seconds = 0
[bus]
embedded = true
[vault]
key = { env = "VAULT_KEY" }
[accounts.acme]
platform = "kollus"
callback_tokens = [{ env = "KOLLUS_TOKEN" }]
client_id = "55"
client_secret = { env = "KOLLUS_SECRET" }
allow_unknown_hosts = true
poll.channels = { every = "2s" }
[accounts.games]
platform = "soop"
service_account = "gamja"
client_secret = { env = "SOOP_SECRET" }
allow_unknown_hosts = true
poll.broadcasts = { every = "2s" }
poll.station = { every = "30s" }
[accounts.fresh]
platform = "openfresh"
username = "broadcaster"
password = { env = "OPENFRESH_PASSWORD" }
allow_unknown_hosts = true
poll.comments = { every = "2s", programs = ["92823"] }
[accounts.meetings]
platform = "livedigital"
callback_tokens = [{ env = "LIVEDIGITAL_TOKEN" }]
webhook_secret = { env = "LIVEDIGITAL_SECRET" }
client_id = "demo"
client_secret = { env = "LIVEDIGITAL_CLIENT_SECRET" }
username = "owner@example.test"
password = { env = "LIVEDIGITAL_PASSWORD" }
allow_unknown_hosts = true
poll.rooms = { every = "30s" }
poll.calls = { every = "6s" }
"#;

/// The secrets of [`CONFIG`] and of the platforms: drawn anew each time, unless the caller's environment has them under
/// the same names behind [`PREFIX`].
const SECRETS: [&str; 10] = [
    "VAULT_KEY",
    "KOLLUS_TOKEN",
    "KOLLUS_SECRET",
    "SOOP_CLIENT_ID",
    "SOOP_SECRET",
    "OPENFRESH_PASSWORD",
    "LIVEDIGITAL_TOKEN",
    "LIVEDIGITAL_SECRET",
    "LIVEDIGITAL_CLIENT_SECRET",
    "LIVEDIGITAL_PASSWORD",
];

const PREFIX: &str = "LIVEHOOK_DEMO_";

/// The secrets, and what else [`CONFIG`] takes from the environment before the platforms are there.
pub(super) fn environment(dir: &Path, nats_server: Option<&Path>, entropy: &dyn Entropy) -> Environment {
    let secret = || {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        hex::encode(bytes)
    };
    let mut callers = config::environment();
    let mut environment = Environment::new();
    for name in SECRETS {
        let given = callers.remove(&format!("{PREFIX}{name}"));
        environment.insert(name.to_owned(), given.unwrap_or_else(secret));
    }
    environment.extend(callers.remove("PATH").map(|path| ("PATH".to_owned(), path)));
    environment.insert("LIVEHOOK_STORE__DIR".to_owned(), dir.display().to_string());
    if let Some(binary) = nats_server {
        environment.insert("LIVEHOOK_BUS__NATS_SERVER".to_owned(), binary.display().to_string());
    }
    environment
}

/// Adds where the platforms are, and where they find livehook: they send browsers back there.
pub(super) fn point_at(worlds: &Worlds, environment: &mut Environment) -> anyhow::Result<()> {
    for (account, url) in ["ACME", "GAMES", "FRESH", "MEETINGS"].into_iter().zip(worlds.urls()) {
        if account == "ACME" {
            environment.insert("LIVEHOOK_ACCOUNTS__ACME__AUTH_URL".to_owned(), url.clone());
        }
        let url = if account == "ACME" { format!("{url}{KOLLUS_PATH}") } else { url };
        environment.insert(format!("LIVEHOOK_ACCOUNTS__{account}__BASE_URL"), url);
    }
    let client_id = environment.get("SOOP_CLIENT_ID").cloned().unwrap_or_default();
    environment.insert("LIVEHOOK_ACCOUNTS__GAMES__CLIENT_ID".to_owned(), client_id);
    environment.insert("LIVEHOOK_ACCOUNTS__MEETINGS__SERVICE_ACCOUNT".to_owned(), worlds.space.clone());
    // Free at this moment; livehook takes it in the next.
    let public = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    environment.insert("LIVEHOOK_HTTP__PUBLIC_LISTEN".to_owned(), public.to_string());
    environment.insert("LIVEHOOK_HTTP__PUBLIC_URL".to_owned(), format!("http://{public}"));
    Ok(())
}
