//! `livehook connect`: lets an account be read, in a running livehook.

mod admin;
mod number;

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use self::admin::Admin;
use super::{ConfigArgs, block_on, print::span, say};
use crate::{
    config::Config,
    grants::CredentialProgress,
    platforms,
    ports::{Clock, SystemClock},
};

/// Let an account be read: print the address where somebody with that account agrees, and wait until they have.
///
/// It speaks with the running livehook, through http.admin_listen. Open the address in the browser you log in to the
/// platform with; it works once, for ten minutes. Without ACCOUNT: how access to all accounts stands.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook connect                     how access to each account stands
  livehook connect acme                prints an address, and waits
  livehook connect games --number      with the six digits that the platform's app shows")]
pub(super) struct Connect {
    /// The account, as it is named in the configuration.
    account: Option<String>,
    /// Ask for the number that the platform's own application shows, instead of using a browser.
    #[arg(long, requires = "account")]
    number: bool,
    /// Print JSON: the address and until when it is good, then how access stands.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// An address where a consent begins.
#[derive(Deserialize)]
struct Begun {
    url: String,
    expires_at: Timestamp,
}

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

impl Connect {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.connect())
    }

    async fn connect(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let admin = Admin::of(&config);
        let Some(account) = &self.account else { return self.list(&admin).await };
        if let Some(why) = nothing_to_connect(&config, account) {
            bail!("{why}");
        }
        let before = admin.look(account).await?;
        if self.number || (!before.is_connectable && before.number.is_some()) {
            number::connect(&admin, &before).await?;
        } else {
            self.by_browser(&admin, &before).await?;
        }
        let after = admin.look(account).await?;
        self.show(&after)
    }

    async fn list(&self, admin: &Admin) -> anyhow::Result<()> {
        let credentials = admin.all().await?;
        if self.json {
            say(serde_json::to_string_pretty(&json!({ "credentials": credentials }))?);
            return Ok(());
        }
        if credentials.is_empty() {
            say(
                "no account needs access: give one client_id and client_secret, or username and password, and add [vault]",
            );
        }
        credentials.iter().for_each(line);
        Ok(())
    }

    /// Prints the address, and waits until access was given.
    async fn by_browser(&self, admin: &Admin, before: &CredentialProgress) -> anyhow::Result<()> {
        let account = &before.account;
        let begun: Begun = admin.post(account, "connect", None).await?;
        if self.json {
            say(json!({ "url": begun.url, "expires_at": begun.expires_at }));
        } else {
            say(format!(
                "Open this in the browser you log in to {} with:\n\n  {}\n",
                platform(before),
                begun.url
            ));
        }
        let mut told = String::new();
        loop {
            let now = SystemClock.now();
            let progress = admin.look(account).await?;
            if progress.authorized > before.authorized {
                return Ok(());
            }
            if now > begun.expires_at {
                bail!(
                    "ten minutes went by, and nobody connected {account}: run `livehook connect {account}` again"
                );
            }
            let stage = match &progress.waiting {
                Some((_, Some(identity))) => {
                    format!("the page in the browser asks whether {identity} is right")
                }
                Some((_, None)) => "the page in the browser asks whether that account is right".to_owned(),
                None => "waiting for the browser".to_owned(),
            };
            // Each stage once, and not on the output that a program reads.
            if stage != told {
                eprintln!("{stage}; {} left", span(begun.expires_at.duration_since(now)));
                told = stage;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn show(&self, progress: &CredentialProgress) -> anyhow::Result<()> {
        if self.json {
            say(serde_json::to_string(progress)?);
        } else {
            line(progress);
        }
        Ok(())
    }
}

fn line(progress: &CredentialProgress) {
    let CredentialProgress { account, platform, .. } = progress;
    say(format!("{platform}/{account}: {}", progress.says()));
    if let Some(needs) = &progress.needs_person {
        say(format!("  needs you: {needs}"));
    }
    if let Some((_, identity)) = &progress.waiting {
        let identity = identity.as_deref().unwrap_or("somebody whom the platform does not name");
        say(format!(
            "  waits for a yes, in the browser or on /connect of the admin listener: access of {identity}"
        ));
    }
}

/// The platform's name for people.
fn platform(progress: &CredentialProgress) -> &str {
    platforms::find(&progress.platform).map_or(&*progress.platform, |platform| platform.descriptor().name)
}

/// What is wrong with the configuration of an account for this; the running livehook knows the rest.
fn nothing_to_connect(config: &Config, account: &str) -> Option<String> {
    if config.kept.iter().any(|kept| kept.settings.name.as_str() == account) {
        return None;
    }
    let called = config.receivers.iter().map(|receiver| &receiver.settings);
    let read = config.polled.iter().map(|account| &account.settings);
    let is_known = called.chain(read).any(|settings| settings.name.as_str() == account);
    Some(match is_known {
        true => format!(
            "account {account} needs no access, or lacks what it is obtained with: its platform's README names the keys, such as client_id and client_secret, and [vault] keeps the tokens"
        ),
        false => format!("the configuration has no account {account:?}"),
    })
}
