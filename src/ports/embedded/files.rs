//! The files of the embedded server. Only our own user can read them.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    net::TcpListener,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use super::{EmbeddedError, Entropy};

pub(super) struct Passwords {
    pub(super) livehook: SecretString,
    pub(super) consumer: SecretString,
}

pub(super) fn configuration(dir: &Path) -> PathBuf {
    dir.join("nats-server.conf")
}

pub(super) fn log(dir: &Path) -> PathBuf {
    dir.join("nats-server.log")
}

pub(super) fn pid(dir: &Path) -> PathBuf {
    dir.join("nats-server.pid")
}

pub(super) fn consumer_password(dir: &Path) -> PathBuf {
    dir.join("consumer.password")
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |error| EmbeddedError::Directory { path, why: error.to_string() }
}

/// Makes the directory and returns its absolute path, by which a leftover child is recognised.
pub(super) fn make_dir(dir: &Path) -> Result<PathBuf, EmbeddedError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unusable(dir))?;
    dir.canonicalize().map_err(unusable(dir))
}

/// A port that nobody listens on. Somebody could take it before the server does; then that says so.
pub(super) fn free_port(dir: &Path) -> Result<u16, EmbeddedError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    Ok(listener.map_err(unusable(dir))?.port())
}

/// The passwords: made once, then the same for ever, so that consumers need not be told again.
pub(super) fn passwords(dir: &Path, entropy: &dyn Entropy) -> Result<Passwords, EmbeddedError> {
    Ok(Passwords {
        livehook: password(&dir.join("livehook.password"), entropy)?,
        consumer: password(&consumer_password(dir), entropy)?,
    })
}

fn password(path: &Path, entropy: &dyn Entropy) -> Result<SecretString, EmbeddedError> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().into()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(path)(error)),
    }
    let mut bytes = [0; 24];
    entropy.fill(&mut bytes);
    let password = hex::encode(bytes);
    write_private(path, &password).map_err(unusable(path))?;
    Ok(password.into())
}

/// URL and consumers' password, as the last start wrote them.
pub(super) fn consumer_access(dir: &Path) -> Option<(String, SecretString)> {
    let configuration = fs::read_to_string(configuration(dir)).ok()?;
    let address =
        configuration.lines().find_map(|line| line.strip_prefix("listen: "))?.trim_matches('"').to_owned();
    let password = fs::read_to_string(consumer_password(dir)).ok()?;
    Some((format!("nats://{address}"), password.trim().into()))
}

/// Writes the configuration anew.
pub(super) fn write_configuration(
    dir: &Path,
    port: u16,
    server_name: &str,
    passwords: &Passwords,
) -> Result<(), EmbeddedError> {
    let path = configuration(dir);
    let text = format!(
        r#"# Written by livehook at every start: changes are lost.
listen: "127.0.0.1:{port}"
server_name: "{server_name}"
pid_file: {pid}
log_file: {log}
logfile_size_limit: 10MB
logfile_max_num: 3
max_payload: 1MB

# fsync before every PubAck: an acknowledged event survives a power cut.
jetstream {{ store_dir: {data}, sync_interval: always }}

accounts {{
  LIVE {{
    jetstream: enabled
    users: [
      {{ user: livehook, password: "{livehook}" }}
      {{
        user: consumer, password: "{consumer}"
        # Reads everything, and publishes nothing but requests to JetStream and replies to questions.
        permissions {{
          publish: {{ allow: [
            "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.*",
            "$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.>", "$JS.API.CONSUMER.>", "$JS.ACK.>", "$JS.FC.>"
          ] }}
          allow_responses: {{ max: 1, expires: "5s" }}
        }}
      }}
    ]
  }}
}}
"#,
        pid = quoted(&pid(dir)),
        log = quoted(&log(dir)),
        data = quoted(&dir.join("jetstream")),
        livehook = passwords.livehook.expose_secret(),
        consumer = passwords.consumer.expose_secret(),
    );
    write_private(&path, &text).map_err(unusable(&path))
}

/// Replaces a file in one step by one that only our own user can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_added_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// A path as the configuration's syntax wants it.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}
