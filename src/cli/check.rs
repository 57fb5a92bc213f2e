//! `livehook check`: what is wrong with the configuration, the store or the bus.

mod access;
mod reading;

use std::{collections::BTreeMap, fs, path::Path};

use clap::Args;
use serde_json::json;

use super::{ConfigArgs, block_on, say};
use crate::{
    app::AppError,
    config::{self, Config},
    ports::{Bus, BusOptions, bus::BusError, bus::JsStream},
};

/// Say what is wrong with the configuration, the store, the bus, or the way to the platforms.
///
/// Changes nothing, and asks the platforms nothing: it only tries whether their servers can be reached.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook check --config /etc/livehook.toml
  livehook check --offline        only what can be told without the network")]
pub(super) struct Check {
    /// Do not speak with the bus, and do not try to reach the platforms.
    #[arg(long)]
    offline: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What was looked at, and what was found.
struct Finding {
    what: &'static str,
    is_good: bool,
    says: String,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.check())
    }

    async fn check(self) -> anyhow::Result<()> {
        let config = match self.config.load() {
            Ok(config) => config,
            Err(problems) => {
                if self.json {
                    let problems: Vec<_> = problems
                        .0
                        .iter()
                        .map(|problem| json!({ "what": "configuration", "key": problem.key, "ok": false, "says": problem.message }))
                        .collect();
                    say(serde_json::to_string_pretty(&problems)?);
                }
                return Err(problems.into());
            }
        };
        let mut findings = vec![accounts(&config), store(&config.store.dir)];
        for account in &config.polled {
            findings.push(reading::finding(account, self.offline).await);
        }
        findings.extend(config.kept.iter().filter_map(access::finding));
        let bus_error = match &config.bus {
            _ if self.offline => None,
            config::Bus::Servers(options) => bus(options.clone(), asks(&config), &mut findings).await.err(),
            config::Bus::Embedded(embedded, _) => {
                let found = embedded.find_binary().await;
                let (is_good, says) = match &found {
                    Ok(found) => (true, format!("{} will be started with `run`", found.display())),
                    Err(error) => (false, error.to_string()),
                };
                findings.push(Finding { what: "bus", is_good, says });
                found.err()
            }
            config::Bus::None => {
                let says = "none is configured: events stay in the store".to_owned();
                findings.push(Finding { what: "bus", is_good: true, says });
                None
            }
        };
        self.print(&findings)?;
        match bus_error {
            Some(error) => Err(AppError::Bus(error).into()),
            None if findings.iter().all(|finding| finding.is_good) => Ok(()),
            None => anyhow::bail!("not everything can be used as it is configured: see WRONG above"),
        }
    }

    fn print(&self, findings: &[Finding]) -> anyhow::Result<()> {
        if self.json {
            let findings: Vec<_> = findings
                .iter()
                .map(|finding| json!({ "what": finding.what, "ok": finding.is_good, "says": finding.says }))
                .collect();
            say(serde_json::to_string_pretty(&findings)?);
        } else {
            for finding in findings {
                let mark = if finding.is_good { "ok   " } else { "WRONG" };
                say(format!("{mark}  {}: {}", finding.what, finding.says));
            }
        }
        Ok(())
    }
}

fn accounts(config: &Config) -> Finding {
    let receiving = config.receivers.iter().map(|receiver| (&receiver.settings.name, receiver.platform));
    let polled = config.polled.iter().map(|account| (&account.settings.name, account.platform));
    // Most do both.
    let accounts: BTreeMap<_, _> = receiving.chain(polled).collect();
    let accounts: Vec<_> = accounts
        .into_iter()
        .map(|(name, platform)| format!("{name} ({})", platform.descriptor().name))
        .collect();
    Finding { what: "configuration", is_good: true, says: format!("accounts {}", accounts.join(", ")) }
}

/// Whether the directory can be made and written; a running livehook may hold it.
fn store(dir: &Path) -> Finding {
    let existing = dir.ancestors().find(|ancestor| ancestor.exists() || ancestor.as_os_str().is_empty());
    let existing = existing.filter(|ancestor| !ancestor.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_writable = rustix::fs::access(existing, rustix::fs::Access::WRITE_OK).is_ok();
    let says = match (fs::metadata(dir).is_ok(), is_writable) {
        (true, true) => format!("{} can be written", dir.display()),
        (false, true) => format!("{} will be created", dir.display()),
        (_, false) => format!("{} cannot be written: change its owner, or store.dir", existing.display()),
    };
    Finding { what: "store", is_good: is_writable, says }
}

/// Whether players of some account ask.
fn asks(config: &Config) -> bool {
    config.receivers.iter().any(|receiver| receiver.settings.questions.is_some())
}

async fn bus(options: BusOptions, asks: bool, findings: &mut Vec<Finding>) -> Result<(), BusError> {
    let result = bus_findings(options, asks, findings).await;
    if let Err(error) = &result {
        findings.push(Finding { what: "bus", is_good: false, says: error.to_string() });
    }
    result
}

async fn bus_findings(options: BusOptions, asks: bool, findings: &mut Vec<Finding>) -> Result<(), BusError> {
    let bus = Bus::connect(options).await?;
    let version = bus.check_server_version().await?;
    findings.push(Finding {
        what: "bus",
        is_good: true,
        says: format!("nats-server {version} at {}", bus.servers()),
    });
    if asks {
        bus.check_asking().await?;
        let says = "questions may be asked on `ask.>`, and replies are heard".to_owned();
        findings.push(Finding { what: "questions", is_good: true, says });
    }
    let mut first_drift = None;
    for js_stream in JsStream::ALL {
        let (is_good, says) = match bus.stream_info(js_stream).await? {
            None => (true, format!("{js_stream} will be created")),
            Some(_) => match bus.drifts(js_stream).await?.into_iter().next() {
                None => (true, format!("{js_stream} is as it must be")),
                Some(drift) => {
                    let says = drift.to_string();
                    first_drift.get_or_insert(drift);
                    (false, says)
                }
            },
        };
        findings.push(Finding { what: "stream", is_good, says });
    }
    first_drift.map_or(Ok(()), |drift| Err(BusError::Drift(drift)))
}
