//! `livehook watch`: how the reading of platforms' APIs goes, in a running livehook.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use super::{ConfigArgs, block_on, print::span, say};
use crate::{
    poll::{self, AccountProgress, WatchProgress},
    ports::{self, Clock, SystemClock},
};

/// Show how the reading of platforms' APIs goes: last sweep, requests, next due, budget left.
///
/// It speaks with the running livehook, through http.admin_listen. Of a watch that fails it says why, and which keys
/// to look at. The first sweep comes within a minute of the start; what fails is tried again after a while that grows.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook watch
  livehook watch --follow        again every two seconds, until Ctrl-C
  livehook watch --json | jq '.accounts[].watches[] | select(.failures > 0)'")]
pub(super) struct Watch {
    /// Show it again every two seconds.
    #[arg(long)]
    follow: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Deserialize)]
struct Answer {
    accounts: Vec<AccountProgress>,
}

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(2);

impl Watch {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.show())
    }

    async fn show(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let listen = config.http.admin_listen;
        loop {
            let text = fetch(&format!("http://{listen}/api/v1/watches")).await.with_context(|| {
                format!("livehook does not answer at {listen}; is it running with this configuration?")
            })?;
            if self.json {
                say(text);
            } else {
                let answer: Answer = serde_json::from_str(&text)
                    .context("livehook answered in a way this version does not understand")?;
                let now = SystemClock.now();
                if answer.accounts.is_empty() {
                    say("nothing is read: name a watch, such as poll.channels = {}, in an account");
                }
                answer.accounts.iter().for_each(|account| print(account, &config.polled, now));
            }
            if !self.follow {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
            say("");
        }
    }
}

async fn fetch(url: &str) -> anyhow::Result<String> {
    let response = ports::http::client().get(url).send().await?;
    let (status, text) = (response.status(), response.text().await?);
    if !status.is_success() {
        bail!("{status}");
    }
    Ok(text)
}

fn print(account: &AccountProgress, polled: &[poll::Account], now: Timestamp) {
    let AccountProgress { budget, .. } = account;
    let mut notes = vec![format!("{} of {} requests left this minute", budget.left, budget.per_minute)];
    for until in [account.rests_until, budget.rests_until].into_iter().flatten().filter(|until| *until > now)
    {
        notes.push(format!("rests for {}", span(until.duration_since(now))));
    }
    if account.confirmations_waiting > 0 {
        notes.push(format!("{} confirmations wait", account.confirmations_waiting));
    }
    say(format!("{}/{}: {}", account.platform, account.account, notes.join(", ")));
    let configured = polled.iter().find(|known| known.settings.name.as_str() == account.account);
    for watch in &account.watches {
        say(line(watch, now));
        configured.and_then(|account| remedy(account, watch)).into_iter().for_each(say);
    }
}

fn line(watch: &WatchProgress, now: Timestamp) -> String {
    let last = match watch.last_success_at {
        Some(at) => format!(
            "last {} ago, {} requests, {} events",
            span(now.duration_since(at)),
            watch.last_requests,
            watch.last_events
        ),
        None => "not yet read".to_owned(),
    };
    let next = match (watch.under_way, watch.due_at) {
        (Some(under_way), _) => format!("reading, {} requests so far", under_way.requests),
        (None, Some(at)) if at <= now => "waits for its turn".to_owned(),
        (None, Some(at)) => format!("next in {}", span(at.duration_since(now))),
        (None, None) => "not due".to_owned(),
    };
    let trouble = match (&watch.last_failure, watch.failures) {
        (Some(why), 1) => format!("; failed: {why}"),
        (Some(why), failures @ 2..) => format!("; failed {failures} times in a row: {why}"),
        _ => String::new(),
    };
    let partial = match &*watch.partial_lists {
        [] => String::new(),
        lists => format!("; only ever seen in part, so that no end is told: {}", lists.join(", ")),
    };
    format!("  {:<12}  {last}; {next}{trouble}{partial}", watch.watch)
}

/// Which keys to look at when a watch fails.
fn remedy(account: &poll::Account, watch: &WatchProgress) -> Option<String> {
    let kind = account.platform.descriptor().watch(&watch.watch).filter(|_| watch.failures > 0)?;
    let poll::Account { settings, base_url, .. } = account;
    let keys = ["service_account"].iter().chain(kind.needs).copied().collect::<Vec<_>>().join(", ");
    Some(format!(
        "                if it goes on failing at {base_url}: correct base_url, {keys} or poll.{} of [accounts.{}], and restart",
        kind.name, settings.name
    ))
}
