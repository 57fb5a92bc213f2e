//! The demo with secrets that are known, and the tokens that it obtained: what it prints, and what it leaves.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{ChildStdout, Command},
};

use super::{search::Haystack, story::Secret};
use crate::support::{
    canaries::canary,
    nats,
    program::client,
    remains::{record, tempdir},
};

/// It takes half a minute.
const PATIENCE: Duration = Duration::from_secs(120);

const SECRETS: [(&str, &str); 9] = [
    ("VAULT_KEY", canary("demo-vault-key")),
    ("KOLLUS_TOKEN", canary("demo-kollus-token")),
    ("KOLLUS_SECRET", canary("demo-kollus-secret")),
    ("SOOP_SECRET", canary("demo-soop-secret")),
    ("OPENFRESH_PASSWORD", canary("demo-openfresh-password")),
    ("LIVEDIGITAL_TOKEN", canary("demo-livedigital-token")),
    ("LIVEDIGITAL_SECRET", canary("demo-livedigital-webhook-secret")),
    ("LIVEDIGITAL_CLIENT_SECRET", canary("demo-livedigital-secret")),
    ("LIVEDIGITAL_PASSWORD", canary("demo-livedigital-password")),
];

/// The secrets, and everything that was printed or kept.
pub struct Demo {
    pub secrets: Vec<Secret>,
    pub haystack: Haystack,
}

impl Demo {
    pub async fn played() -> Self {
        let dir = tempdir();
        let mut command = Command::new(env!("CARGO_BIN_EXE_livehook"));
        let command = command
            .args(["demo", "--log", "debug", "--keep"])
            .arg(dir.path())
            .env_clear()
            .env("LIVEHOOK_NATS_SERVER", nats::binary())
            .envs(SECRETS.map(|(name, secret)| (format!("LIVEHOOK_DEMO_{name}"), secret)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let mut haystack = Haystack::default();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let watched = async { tokio::join!(watch(lines, &mut haystack), child.wait_with_output()) };
        let (said, output) = tokio::time::timeout(PATIENCE, watched).await.expect("the demo ends");
        let output = output.unwrap();
        let logged = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{logged}");
        record(&format!("{said}\n{logged}"));

        haystack.add("said", &said);
        haystack.add("log", &logged);
        add_files(&mut haystack, dir.path());
        let secret = |what, value: &str| Secret { what, value: value.to_owned(), is_in_bodies: false };
        let mut secrets: Vec<_> = SECRETS.map(|(what, value)| secret(what, value)).into();
        let obtained = obtained(&dir.path().join("livehook.sqlite"));
        secrets.extend(obtained.iter().map(|token| secret("an obtained token", token)));
        Self { secrets, haystack }
    }
}

/// What it says, until it ends; meanwhile its admin listener is asked, whose address it says.
async fn watch(mut lines: Lines<BufReader<ChildStdout>>, haystack: &mut Haystack) -> String {
    let (mut said, mut admin, mut asked_at) = (String::new(), None, Instant::now());
    while let Some(line) = lines.next_line().await.unwrap() {
        let address = line.split_once("shows ").and_then(|(_, rest)| rest.split_once("/connect"));
        admin = admin.or(address.map(|(admin, _)| admin.to_owned()));
        said.push_str(&line);
        said.push('\n');
        if let Some(admin) = admin.as_ref().filter(|_| asked_at.elapsed() > Duration::from_secs(2)) {
            for target in
                ["metrics", "readyz", "connect", "api/v1/events", "api/v1/watches", "api/v1/credentials"]
            {
                // At its end nobody answers any more.
                if let Ok(answer) = client().get(format!("{admin}/{target}")).send().await {
                    let answer = answer.text().await.unwrap_or_default();
                    record(&answer);
                    haystack.add("admin", &answer);
                }
            }
            asked_at = Instant::now();
        }
    }
    said
}

fn add_files(haystack: &mut Haystack, dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            add_files(haystack, &entry.path());
        } else {
            haystack.add("kept", &String::from_utf8_lossy(&fs::read(entry.path()).unwrap()));
        }
    }
}

/// The tokens in the vault, opened with its key as `grants::vault` seals them: written down once more, so that a change is noticed.
fn obtained(database: &Path) -> Vec<String> {
    let key: [u8; 32] = hex::decode(canary("demo-vault-key")).unwrap().try_into().unwrap();
    let cipher = XChaCha20Poly1305::new(&Key::from(key));
    let database = rusqlite::Connection::open(database).unwrap();
    let mut rows = database
        .prepare(
            "SELECT platform, name, version, sealed FROM credential JOIN account ON account.id = account
             WHERE sealed IS NOT NULL",
        )
        .unwrap();
    let tokens = rows.query_map((), |row| {
        let (platform, account): (String, String) = (row.get(0)?, row.get(1)?);
        let (version, sealed): (i64, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let aad = format!("livehook token\0{platform}\0{account}\0{version}\0false");
        // One byte for the format and eight for the key stand before the nonce.
        let (nonce, sealed) = sealed[9..].split_first_chunk::<24>().unwrap();
        let payload = Payload { msg: sealed, aad: aad.as_bytes() };
        let plain = cipher.decrypt(&XNonce::from(*nonce), payload).unwrap();
        let plain: Value = serde_json::from_slice(&plain).unwrap();
        Ok(["access", "refresh"].map(|name| plain[name].as_str().map(str::to_owned)))
    });
    tokens.unwrap().flat_map(Result::unwrap).flatten().collect()
}
