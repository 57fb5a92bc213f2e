//! Where events are published, checked.

use jiff::SignedDuration;
use url::Url;

use super::{Bus, check::Checker, file};
use crate::{
    model::subject,
    ports::{
        BusOptions,
        bus::{DUPLICATE_WINDOW, Login, StreamLimits},
        embedded::EmbeddedOptions,
    },
};

impl Checker<'_> {
    pub(super) fn bus(&mut self, bus: Option<&file::Bus>, store: &file::Store) -> Bus {
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
}
