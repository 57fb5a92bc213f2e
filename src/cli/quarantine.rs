//! `livehook quarantine`: deliveries that could not be understood, in a running livehook.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{ConfigArgs, block_on, say};
use crate::ports;

/// Look at deliveries that could not be understood, and try them again.
///
/// Their bytes are kept for 30 days. It speaks with the running livehook, through `http.admin_listen`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook quarantine list
  livehook quarantine show 412
  livehook quarantine retry 412      after a fix: decodes it again and publishes what follows")]
pub(super) struct Quarantine {
    #[command(subcommand)]
    action: Action,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Subcommand)]
enum Action {
    /// Those there are, oldest first.
    List,
    /// One of them, with its bytes; fields that hold secrets are masked.
    Show {
        /// Its number.
        id: u64,
    },
    /// Decode it again and publish what follows.
    Retry {
        /// Its number.
        id: u64,
    },
}

impl Quarantine {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.act())
    }

    async fn act(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let base = format!("http://{}/api/v1/quarantine", config.http.admin_listen);
        let http = ports::http::client();
        let request = match &self.action {
            Action::List => http.get(base),
            Action::Show { id } => http.get(format!("{base}/{id}")),
            Action::Retry { id } => http.post(format!("{base}/{id}/retry")),
        };
        let response = request.send().await.with_context(|| {
            format!(
                "livehook does not answer at {}; is it running with this configuration?",
                config.http.admin_listen
            )
        })?;
        let is_success = response.status().is_success();
        let text = response.text().await?;
        let answer: Value =
            serde_json::from_str(&text).context("livehook answered with something that is not JSON")?;
        if !is_success {
            bail!("{}", answer.get("detail").and_then(Value::as_str).unwrap_or("livehook refused"));
        }
        if self.json {
            say(serde_json::to_string_pretty(&answer)?);
            return Ok(());
        }
        if let (Action::List, Some(_)) = (&self.action, answer["next"].as_u64()) {
            say("these are the oldest; more wait behind them");
        }
        match self.action {
            Action::List => list(&answer),
            Action::Show { .. } => show(&answer),
            Action::Retry { id } => {
                let events = answer["events"].as_array().cloned().unwrap_or_default();
                let events: Vec<_> = events.iter().filter_map(Value::as_str).collect();
                say(format!(
                    "delivery {id} is understood now; events: {}",
                    if events.is_empty() { "none".to_owned() } else { events.join(", ") }
                ));
            }
        }
        Ok(())
    }
}

fn list(answer: &Value) {
    let deliveries = answer["deliveries"].as_array().cloned().unwrap_or_default();
    if deliveries.is_empty() {
        say("nothing is in quarantine");
    }
    for delivery in deliveries {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
        say(format!(
            "{:>8}  {}  {}/{}  {} bytes  {}",
            delivery["id"],
            text("received_at"),
            text("account"),
            text("callback"),
            delivery["body_bytes"],
            text("reason"),
        ));
    }
}

fn show(delivery: &Value) {
    for name in ["id", "received_at", "account", "callback", "reason", "content_type"] {
        match &delivery[name] {
            Value::Null => {}
            Value::String(text) => say(format!("{name}: {text}")),
            other => say(format!("{name}: {other}")),
        }
    }
    match (delivery["body"].as_str(), delivery["body_base64"].as_str()) {
        (Some(text), _) => say(format!("\n{text}")),
        (None, Some(base64)) => say(format!("body, base64 because it is not UTF-8:\n{base64}")),
        (None, None) => {}
    }
}
