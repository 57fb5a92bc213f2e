//! From the file as it is written to a configuration that can be used; collects everything that is wrong.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Bus, Config, Environment, Http, Problem, Problems, file, secret::SecretSource};
use crate::{
    ingest::Receiver,
    model::{AccountName, Attributes, entities::Playback, subject},
    platform::{AccountSettings, Descriptor, signature::UrlTokenHash},
    platforms,
    ports::{
        BusOptions,
        bus::{DUPLICATE_WINDOW, Login, StreamLimits},
        embedded::EmbeddedOptions,
    },
    store::StoreOptions,
};

/// Shortest secret part of a callback URL: 22 characters of base64url hold 128 bits.
const URL_TOKEN_CHARS_MIN: usize = 22;

pub(super) fn check(file: file::File, environment: &Environment) -> Result<Config, Problems> {
    let mut checker = Checker { environment, problems: Vec::new(), first_url_tokens: BTreeMap::new() };
    let http = checker.http(&file.http);
    let bus = checker.bus(file.bus.as_ref(), &file.store);
    let receivers = checker.accounts(&file.accounts);
    let store = checker.store(&file.store, !matches!(bus, Bus::None));
    checker.log(&file.log);
    if !checker.problems.is_empty() {
        return Err(Problems(checker.problems));
    }
    let url_tokens = checker.first_url_tokens;
    Ok(Config { http, bus, store, log_filter: file.log.filter, receivers, url_tokens })
}

struct Checker<'e> {
    environment: &'e Environment,
    problems: Vec<Problem>,
    first_url_tokens: BTreeMap<AccountName, SecretString>,
}

impl Checker<'_> {
    fn wrong(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), message: message.into() });
    }

    fn secret(&mut self, key: &str, source: &SecretSource) -> Option<SecretString> {
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
            self.wrong(key, format!("{public_url:?} is not a URL: write it like https://hooks.example.com"));
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

    fn bus(&mut self, bus: Option<&file::Bus>, store: &file::Store) -> Bus {
        let Some(bus) = bus else { return Bus::None };
        for server in &bus.servers {
            self.bus_server(server);
        }
        let login = self.login(bus);
        let prefix = bus.prefix.clone().unwrap_or_else(|| "live".to_owned());
        if !subject::is_prefix(&prefix) {
            self.wrong("bus.prefix", format!("{prefix:?} cannot begin a subject: use lower-case letters, digits, - and _, in parts joined by dots"));
        }
        let replicas = bus.replicas.unwrap_or(1);
        if !matches!(replicas, 1 | 3 | 5) {
            self.wrong("bus.replicas", format!("is {replicas}: use 1, 3 or 5"));
        }
        let defaults = BusOptions::new(bus.servers.clone());
        let options = BusOptions {
            login: login.clone(),
            prefix,
            replicas,
            live: self.js_stream("bus.live", &bus.live, defaults.live),
            live_playback: self.js_stream("bus.live_playback", &bus.live_playback, defaults.live_playback),
            ..defaults
        };
        match (bus.embedded, bus.servers.is_empty()) {
            (false, true) => {
                self.wrong("bus", "says neither where nor that it is embedded: set bus.servers = [\"nats://127.0.0.1:4222\"] or bus.embedded = true, or leave [bus] out");
            }
            (true, false) => self.wrong("bus.embedded", "goes without bus.servers: leave one of them out"),
            (true, true) if !matches!(login, Login::None) => {
                self.wrong(
                    "bus.embedded",
                    "makes its own login: leave user, password, token and credentials_file out",
                );
            }
            (false, false) if bus.nats_server.is_some() || bus.embedded_port.is_some() => {
                self.wrong("bus.nats_server", "is only for the embedded server: set bus.embedded = true or leave nats_server and embedded_port out");
            }
            _ => {}
        }
        if let Some(binary) = bus.nats_server.as_ref().filter(|binary| !binary.is_file()) {
            self.wrong(
                "bus.nats_server",
                format!("{} is not a file: correct the path, or leave it out to use PATH", binary.display()),
            );
        }
        if bus.embedded {
            let embedded = EmbeddedOptions {
                binary: bus.nats_server.clone(),
                dir: store.dir.join("nats"),
                port: bus.embedded_port,
                path: self.environment.get("PATH").cloned().unwrap_or_default(),
            };
            Bus::Embedded(embedded, options)
        } else {
            Bus::Servers(options)
        }
    }

    fn bus_server(&mut self, server: &str) {
        // What stands before an `@` may be a login.
        let shown = server.rsplit('@').next().unwrap_or_default();
        match Url::parse(server) {
            Ok(url) if !matches!(url.scheme(), "nats" | "tls" | "ws" | "wss") || url.host_str().is_none() => {
                self.wrong(
                    "bus.servers",
                    format!("{shown:?} is not a NATS address: write it like nats://127.0.0.1:4222"),
                );
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                self.wrong(
                    "bus.servers",
                    "holds a login: use bus.user with bus.password, bus.token or bus.credentials_file",
                );
            }
            Ok(_) => {}
            Err(_) => {
                self.wrong(
                    "bus.servers",
                    format!("{shown:?} is not a URL: write it like nats://127.0.0.1:4222"),
                );
            }
        }
    }

    fn login(&mut self, bus: &file::Bus) -> Login {
        let ways = [bus.user.is_some(), bus.token.is_some(), bus.credentials_file.is_some()];
        if ways.into_iter().filter(|is_set| *is_set).count() > 1 {
            self.wrong("bus", "has more than one login: keep one of user, token and credentials_file");
        }
        if bus.user.is_some() != bus.password.is_some() {
            self.wrong("bus.user", "and bus.password go together: set both or none");
        }
        if let Some(file) = bus.credentials_file.as_ref().filter(|file| !file.is_file()) {
            self.wrong("bus.credentials_file", format!("{} is not a file: correct the path", file.display()));
        }
        let password = bus.password.as_ref().and_then(|source| self.secret("bus.password", source));
        let token = bus.token.as_ref().and_then(|source| self.secret("bus.token", source));
        match (&bus.user, password, token, &bus.credentials_file) {
            (Some(user), Some(password), ..) => Login::Password { user: user.clone(), password },
            (_, _, Some(token), _) => Login::Token(token),
            (.., Some(file)) => Login::CredentialsFile(file.clone()),
            _ => Login::None,
        }
    }

    fn js_stream(&mut self, key: &str, limits: &file::JsStream, defaults: StreamLimits) -> StreamLimits {
        let max_age = match limits.max_age.as_deref().map(|text| (text, text.parse::<SignedDuration>())) {
            None => defaults.max_age,
            Some((_, Ok(age))) if age.unsigned_abs() >= DUPLICATE_WINDOW && age.is_positive() => {
                age.unsigned_abs()
            }
            Some((text, Ok(_))) => {
                self.wrong(
                    format!("{key}.max_age"),
                    format!("{text:?} is shorter than the duplicate window: use 6h or more"),
                );
                defaults.max_age
            }
            Some((text, Err(_))) => {
                self.wrong(
                    format!("{key}.max_age"),
                    format!("{text:?} is not a duration: write hours like 720h"),
                );
                defaults.max_age
            }
        };
        if limits.max_bytes == Some(0) {
            self.wrong(
                format!("{key}.max_bytes"),
                "is 0, so nothing would fit: give a number of bytes or leave it out",
            );
        }
        StreamLimits { max_age, bytes_max: limits.max_bytes }
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

    fn accounts(&mut self, accounts: &BTreeMap<String, file::Account>) -> Vec<Receiver> {
        if accounts.is_empty() {
            self.wrong(
                "accounts",
                "there is none: add a section like [accounts.acme] with platform and callback_tokens",
            );
        }
        let mut owner_of = HashMap::new();
        let receivers: Vec<_> =
            accounts.iter().filter_map(|(name, account)| self.account(name, account)).collect();
        for receiver in &receivers {
            for url_token in &receiver.url_tokens {
                let name = &receiver.settings.name;
                if let Some(other) = owner_of.insert(url_token.clone(), name) {
                    self.wrong(
                        format!("accounts.{name}.callback_tokens"),
                        format!("holds the same secret twice, or one of account {other}: give each its own"),
                    );
                }
            }
        }
        receivers
    }

    fn account(&mut self, name: &str, account: &file::Account) -> Option<Receiver> {
        let section = format!("accounts.{name}");
        let parsed_name =
            AccountName::parse(name).map_err(|error| self.wrong(&section, error.to_string())).ok();
        let Some(platform) = platforms::find(&account.platform) else {
            let known: Vec<_> = platforms::ALL.iter().map(|platform| platform.descriptor().id).collect();
            self.wrong(
                format!("{section}.platform"),
                format!(
                    "{:?} is not a platform that livehook knows: use one of {}",
                    account.platform,
                    known.join(", ")
                ),
            );
            return None;
        };
        let descriptor = platform.descriptor();
        self.platform_keys(&section, account, descriptor);
        let url_tokens = self.url_tokens(name, account, descriptor);
        let charset = account.charset.as_deref().and_then(|label| {
            let charset = encoding_rs::Encoding::for_label(label.as_bytes());
            if charset.is_none() {
                self.wrong(
                    format!("{section}.charset"),
                    format!("{label:?} is not a charset: use a label such as euc-kr or utf-8"),
                );
            }
            charset
        });
        self.progress_fields(&section, account);
        let webhook_secret = account
            .webhook_secret
            .as_ref()
            .and_then(|source| self.secret(&format!("{section}.webhook_secret"), source));
        let settings = AccountSettings {
            name: parsed_name?,
            service_account: account.service_account.clone().unwrap_or_else(|| name.to_owned()),
            webhook_secret,
            progress_fields: account.progress_fields.clone().unwrap_or_default(),
            charset,
        };
        Some(Receiver { platform, settings, url_tokens })
    }

    fn platform_keys(&mut self, section: &str, account: &file::Account, descriptor: &Descriptor) {
        for (key, is_set) in account.platform_keys() {
            let setting = descriptor.settings.iter().find(|setting| setting.name == key);
            match setting {
                None if is_set => self.wrong(
                    format!("{section}.{key}"),
                    format!("means nothing for {}: leave it out", descriptor.id),
                ),
                Some(setting) if setting.required && !is_set => self.wrong(
                    format!("{section}.{key}"),
                    format!("is missing ({}): add {key} = {{ env = \"NAME\" }}", setting.about),
                ),
                _ => {}
            }
        }
        if account.service_account.as_deref() == Some("") {
            self.wrong(
                format!("{section}.service_account"),
                "is empty: give the platform's name of the account or leave it out",
            );
        }
    }

    fn progress_fields(&mut self, section: &str, account: &file::Account) {
        let figures = Attributes::names_of(&Playback::default());
        for (parameter, figure) in account.progress_fields.iter().flatten() {
            if !figures.contains(figure) {
                self.wrong(
                    format!("{section}.progress_fields.{parameter}"),
                    format!("{figure:?} is not a figure of playback: use one of {}", figures.join(", ")),
                );
            }
        }
    }

    fn url_tokens(
        &mut self,
        name: &str,
        account: &file::Account,
        descriptor: &Descriptor,
    ) -> Vec<UrlTokenHash> {
        let key = format!("accounts.{name}.callback_tokens");
        match (descriptor.callbacks.is_empty(), account.callback_tokens.is_empty()) {
            (false, true) => self.wrong(
                &key,
                "is missing: make a secret with `openssl rand -hex 16` and add callback_tokens = [{ env = \"NAME\" }]",
            ),
            (true, false) => {
                self.wrong(&key, format!("{} sends no callbacks: leave it out", descriptor.id));
            }
            _ => {}
        }
        let mut hashes = Vec::new();
        for (index, source) in account.callback_tokens.iter().enumerate() {
            let key = format!("{key}[{index}]");
            let Some(secret) = self.secret(&key, source) else { continue };
            let url_token = secret.expose_secret();
            let fits_urls = url_token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if url_token.len() < URL_TOKEN_CHARS_MIN || !fits_urls {
                self.wrong(
                    key,
                    format!("{source} must hold {URL_TOKEN_CHARS_MIN} or more letters, digits, - and _: make one with `openssl rand -hex 16`"),
                );
                continue;
            }
            hashes.push(UrlTokenHash::of(url_token));
            if let Ok(name) = AccountName::parse(name) {
                self.first_url_tokens.entry(name).or_insert(secret);
            }
        }
        hashes
    }
}
