//! The whole configuration as one value, or every reason why it cannot be used.
//!
//! The only place that reads the environment.

mod access;
mod accounts;
mod addresses;
mod bus;
mod check;
mod file;
mod overrides;
mod poll;
mod questions;
mod secret;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use secrecy::SecretString;

use crate::{
    grants,
    ingest::Receiver,
    model::AccountName,
    ports::{BusOptions, embedded::EmbeddedOptions},
    store::StoreOptions,
};

use overrides::Overrides;
pub use secret::Environment;

/// A configuration that was checked: everything in it can be used.
pub struct Config {
    /// Where to listen.
    pub http: Http,
    /// Where to publish.
    pub bus: Bus,
    /// Where to keep everything.
    pub store: StoreOptions,
    /// What to log, as a `tracing` filter.
    pub log_filter: String,
    /// Who can receive callbacks.
    pub receivers: Vec<Receiver>,
    /// Whose APIs are read.
    pub polled: Vec<crate::poll::Account>,
    /// Whose access is kept.
    pub kept: Vec<grants::Account>,
    /// What tokens are sealed with.
    pub vault: Option<grants::Vault>,
    /// The first URL token of each account, for commands that act as a platform.
    pub url_tokens: BTreeMap<AccountName, SecretString>,
}

/// Where to listen.
#[derive(Clone, Debug)]
pub struct Http {
    /// Address of the public listener.
    pub public_listen: SocketAddr,
    /// Address of the admin listener.
    pub admin_listen: SocketAddr,
    /// `https://host`, without a slash at its end.
    pub public_url: Option<String>,
    /// Hosts that the public listener answers to; empty for any.
    pub public_hosts: Vec<String>,
    /// Host names that the admin listener answers to, besides IP addresses and `localhost`.
    pub admin_hosts: Vec<String>,
    /// Open connections in all, per listener.
    pub connections_max: usize,
    /// Open connections from one address, loopback excepted.
    pub connections_per_ip_max: usize,
    /// Time between the first signal and the end of accepting.
    pub drain: Duration,
}

/// Where to publish.
#[derive(Clone, Debug)]
pub enum Bus {
    /// Nowhere: the store is the log.
    None,
    /// To servers that are there.
    Servers(BusOptions),
    /// To a server of our own; its address and login are added to the options when it runs.
    Embedded(EmbeddedOptions, BusOptions),
}

/// A reason why a configuration cannot be used: the key, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The key, such as `accounts.acme.callback_tokens`.
    pub key: String,
    /// What is wrong and what to do, never with a secret in it.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.key.as_str() {
            "" => f.write_str(&self.message),
            key => write!(f, "{key}: {}", self.message),
        }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(pub Vec<Problem>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|problem| format!("  {problem}")).collect();
        write!(f, "the configuration cannot be used:\n{}", lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// The environment of this process; variables that are not UTF-8 are left out.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reads the file, lays the environment's `LIVEHOOK_<SECTION>__<KEY>` over it, and checks all of it.
///
/// # Errors
/// [`Problems`] with at least one entry, each naming key and remedy.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, Problems> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        problem(
            "",
            format!("the file {} cannot be read ({error}): give its path with --config", path.display()),
        )
    })?;
    parse(&text, environment).map_err(|mut problems| {
        for problem in problems.0.iter_mut().filter(|problem| problem.key.is_empty()) {
            problem.message = format!("{}: {}", path.display(), problem.message);
        }
        problems
    })
}

/// [`load`] for a text.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, environment: &Environment) -> Result<Config, Problems> {
    let table = text.parse::<toml::Table>().map_err(|error| problem("", not_toml(text, &error)))?;
    let mut merged = serde_json::to_value(table).map_err(|error| problem("", error.to_string()))?;
    let overrides = Overrides::lay_over(&mut merged, &schema(), environment)?;
    read(merged)
        .and_then(|file| check::check(file, environment))
        .map_err(|problems| overrides.attribute(problems))
}

fn read(merged: serde_json::Value) -> Result<file::File, Problems> {
    serde_path_to_error::deserialize(merged).map_err(|error| {
        let key = error.path().to_string();
        let key = if key == "." { String::new() } else { key };
        let why = error.inner().to_string();
        let is_bare = why.starts_with("invalid type: ") && why.ends_with("expected a string");
        let remedy = match &*why {
            _ if is_bare => ": write it in quotes",
            why if why.contains("{ env = ") => "",
            _ => ": see `livehook schema --config` for all keys",
        };
        problem(&key, format!("{why}{remedy}"))
    })
}

/// JSON Schema of the file, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(file::File).into()
}

/// Says where the error is, without the line it is in: somebody may have written a secret there.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    format!("this is not valid TOML, at line {line}: {}", error.message())
}

fn problem(key: &str, message: String) -> Problems {
    Problems(vec![Problem { key: key.to_owned(), message }])
}

#[cfg(test)]
mod tests;
