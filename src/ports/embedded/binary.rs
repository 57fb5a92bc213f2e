//! Finding a nats-server that is new enough.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use super::{EmbeddedError, ServerVersion};

/// The program to use, after it said its version.
pub(super) async fn find(named: Option<PathBuf>, path: &str) -> Result<PathBuf, EmbeddedError> {
    let binary = match named {
        Some(binary) if binary.is_file() => binary,
        Some(binary) => return Err(EmbeddedError::Missing { place: format!("at {}", binary.display()) }),
        None => std::env::split_paths(path)
            .map(|dir| dir.join("nats-server"))
            .find(|binary| binary.is_file())
            .ok_or_else(|| EmbeddedError::Missing { place: "on PATH".to_owned() })?,
    };
    let said = version_text(&binary).await;
    match ServerVersion::parse(&said) {
        Some(version) if version.is_new_enough() => Ok(binary),
        Some(version) => Err(EmbeddedError::Unusable { path: binary, found: format!("version {version}") }),
        None => {
            Err(EmbeddedError::Unusable { path: binary, found: "no nats-server that can be run".to_owned() })
        }
    }
}

/// What it answers to `--version`; nothing when it cannot be run.
async fn version_text(binary: &Path) -> String {
    let asked = tokio::process::Command::new(binary)
        .arg("--version")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(Duration::from_secs(5), asked).await {
        Ok(Ok(output)) => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => String::new(),
    }
}
