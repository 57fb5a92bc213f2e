//! The documented samples that the story delivers, and the URLs they go to.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::{
    cli::send,
    config::Config,
    platform::{AccountSettings, Platform},
};

/// The accounts that take callbacks, and where each takes them.
pub(super) struct Samples {
    accounts: Vec<(AccountSettings, &'static dyn Platform)>,
    urls: BTreeMap<String, String>,
}

impl Samples {
    pub(super) fn of(config: &Config) -> Self {
        let accounts = config.receivers.iter().map(|r| (r.settings.clone(), r.platform)).collect();
        let urls = config
            .url_tokens
            .keys()
            .filter_map(|name| Some((name.to_string(), send::url(config, name.as_str(), "", "").ok()?)))
            .collect();
        Self { accounts, urls }
    }

    /// Path of a callback of an account.
    pub(super) fn path(&self, account: &str, callback: &str) -> String {
        format!("{}{callback}", self.urls.get(account).map_or("", String::as_str))
    }

    /// Content type and body of a sample as it goes to this account. Each round has ids of its own.
    pub(super) fn body(
        &self,
        account: &str,
        callback: &str,
        case: &str,
        round: u32,
    ) -> anyhow::Result<(Option<String>, Vec<u8>)> {
        let find = |settings: &AccountSettings| settings.name.as_str() == account;
        let known = self.accounts.iter().find(|(settings, _)| find(settings));
        let (settings, platform) = known.with_context(|| format!("the demo has no account {account}"))?;
        let (content_type, body) = send::sample(*platform, settings, callback, Some(case))?;
        let body = match round {
            0 => body,
            _ => platform.callbacks().map_or(body.clone(), |c| c.stage(renew(&body, round), settings)),
        };
        Ok((content_type, body))
    }
}

/// The sample with the ids of another broadcast, upload and recording: the same ones would be repeats.
fn renew(body: &[u8], round: u32) -> Vec<u8> {
    let day = format!("2026{:04}", 200 + round % 9000);
    String::from_utf8_lossy(body).replace("20260114", &day).into_bytes()
}
