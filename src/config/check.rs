//! From the file as it is written to a configuration that can be used; collects everything that is wrong.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::accounts::Checked;
use super::{Bus, Config, Environment, Http, Problem, Problems, file, secret::SecretSource};
use crate::{
    grants::{Vault, parse_key},
    model::AccountName,
    store::StoreOptions,
};

pub(super) fn check(file: file::File, environment: &Environment) -> Result<Config, Problems> {
    let mut checker = Checker {
        environment,
        problems: Vec::new(),
        first_url_tokens: BTreeMap::new(),
        has_vault: file.vault.is_some(),
        public_url: file.http.public_url.clone(),
    };
    let http = checker.http(&file.http);
    let bus = checker.bus(file.bus.as_ref(), &file.store);
    let vault = file.vault.as_ref().and_then(|vault| checker.vault(vault));
    let accounts = checker.accounts(&file.accounts);
    let store = checker.store(&file.store, !matches!(bus, Bus::None));
    checker.log(&file.log);
    if !checker.problems.is_empty() {
        return Err(Problems(checker.problems));
    }
    let url_tokens = checker.first_url_tokens;
    let (mut receivers, mut polled, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for Checked { receiver, read, access } in accounts {
        receivers.extend((!receiver.url_tokens.is_empty()).then_some(receiver));
        polled.extend(read);
        kept.extend(access);
    }
    Ok(Config { http, bus, store, vault, log_filter: file.log.filter, receivers, polled, kept, url_tokens })
}

pub(super) struct Checker<'e> {
    pub(super) environment: &'e Environment,
    problems: Vec<Problem>,
    pub(super) first_url_tokens: BTreeMap<AccountName, SecretString>,
    /// Whether tokens can be kept.
    pub(super) has_vault: bool,
    /// Where browsers come back to.
    pub(super) public_url: Option<String>,
}

impl Checker<'_> {
    pub(super) fn wrong(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), message: message.into() });
    }

    pub(super) fn secret(&mut self, key: &str, source: &SecretSource) -> Option<SecretString> {
        source.read(self.environment).map_err(|message| self.wrong(key, message)).ok()
    }

    fn http(&mut self, http: &file::Http) -> Http {
        if http.public_listen == http.admin_listen && http.public_listen.port() != 0 {
            self.wrong("http.admin_listen", "is the same address as http.public_listen: choose another port");
        }
        if !http.admin_listen.ip().is_loopback() && !http.allow_remote_admin {
            self.wrong(
                "http.admin_listen",
                "is not a loopback address: use 127.0.0.1, or set http.allow_remote_admin = true if only your own network reaches it",
            );
        }
        for (key, value) in [
            ("http.connections_max", http.connections_max),
            ("http.connections_per_ip_max", http.connections_per_ip_max),
        ] {
            if value == 0 {
                self.wrong(key, "is 0, so nobody could connect: use 1 or more");
            }
        }
        let public_host = http.public_url.as_deref().and_then(|url| self.public_host(url));
        let mut public_hosts: Vec<_> = public_host.into_iter().collect();
        if !public_hosts.is_empty() {
            public_hosts.extend(http.allowed_hosts.iter().cloned());
            // A health check on this machine knows no host name.
            public_hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        if http.public_url.is_none() && !http.allowed_hosts.is_empty() {
            self.wrong(
                "http.allowed_hosts",
                "goes with http.public_url: set that too, or any host is accepted",
            );
        }
        for host in &http.allowed_hosts {
            if Url::parse(&format!("http://{host}")).is_err() || host.contains(['/', '@', ':']) {
                self.wrong(
                    "http.allowed_hosts",
                    format!("{host:?} is not a host name: write it without scheme and port"),
                );
            }
        }
        Http {
            public_listen: http.public_listen,
            admin_listen: http.admin_listen,
            public_url: http.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
            public_hosts,
            admin_hosts: http.allowed_hosts.clone(),
            connections_max: http.connections_max,
            connections_per_ip_max: http.connections_per_ip_max,
            drain: Duration::from_secs(http.drain_seconds),
        }
    }

    fn public_host(&mut self, public_url: &str) -> Option<String> {
        let key = "http.public_url";
        let Ok(url) = Url::parse(public_url) else {
            // Not shown: a login may stand in it.
            self.wrong(key, "is not a URL: write it like https://hooks.example.com");
            return None;
        };
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_bare || !url.username().is_empty() {
            self.wrong(
                key,
                "must be only scheme and host, http or https: write it like https://hooks.example.com",
            );
        }
        url.host_str().map(str::to_owned)
    }

    fn vault(&mut self, vault: &file::Vault) -> Option<Vault> {
        let mut key = |name: &str, source: &SecretSource| {
            let secret = self.secret(name, source)?;
            let key = parse_key(&secret);
            if key.is_none() {
                self.wrong(
                    name,
                    format!(
                        "{source} must hold 64 hexadecimal digits: make them with `openssl rand -hex 32`"
                    ),
                );
            }
            key
        };
        let newest = key("vault.key", &vault.key);
        let old: Vec<_> = vault.old_keys.iter().filter_map(|source| key("vault.old_keys", source)).collect();
        Some(Vault::new(&newest?, &old))
    }

    fn store(&mut self, store: &file::Store, has_bus: bool) -> StoreOptions {
        if store.dir.as_os_str().is_empty() {
            self.wrong("store.dir", "is empty: give a directory on a local disk, such as data");
        } else if store.dir.exists() && !store.dir.is_dir() {
            self.wrong("store.dir", format!("{} is not a directory: give another path", store.dir.display()));
        }
        if store.max_mib < 16 {
            self.wrong("store.max_mib", format!("is {}: use 16 or more", store.max_mib));
        }
        StoreOptions {
            dir: store.dir.clone(),
            bytes_max: store.max_mib << 20,
            has_bus,
            unsafe_no_fsync: store.unsafe_no_fsync,
        }
    }

    fn log(&mut self, log: &file::Log) {
        if tracing_subscriber::EnvFilter::try_new(&log.filter).is_err() {
            self.wrong(
                "log.filter",
                format!("{:?} is not a filter: write error, warn, info or debug", log.filter),
            );
        }
    }
}
