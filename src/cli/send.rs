//! `livehook send`: deliver a documented sample, as the platform would.

mod asked;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, bail};
use clap::Args;
use secrecy::ExposeSecret;

use super::{ConfigArgs, block_on, samples, say};
use crate::{
    config::Config,
    ingest::Receiver,
    platform::{AccountSettings, CallbackKind, Platform},
    ports,
};

/// Deliver a documented sample to a running livehook, as the platform would.
///
/// Without CASE the first sample in alphabetical order is sent; with an unknown one the error names those there are.
#[derive(Args)]
#[command(after_help = "\
Examples:
  livehook send acme live-state start      a Kollus broadcast starts
  livehook send acme live-state list       no such sample, so the error names those there are
  livehook send acme vod-play begin        shows the question, who decided what, and the decoded answer
  livehook send acme vod-upload --body -   sends your own body, read from standard input")]
pub(super) struct Send {
    /// The account, as it is named in the configuration.
    account: String,
    /// The callback, such as `live-state`.
    callback: String,
    /// The sample's name.
    case: Option<String>,
    /// Sends this file's bytes instead of a sample; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "case")]
    body: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl Send {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(self.send())
    }

    async fn send(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let receiver = config
            .receivers
            .iter()
            .find(|receiver| receiver.settings.name.as_str() == self.account)
            .with_context(|| format!("the configuration has no account {:?}", self.account))?;
        let (content_type, body) = match &self.body {
            Some(file) => (None, read(file)?),
            None => sample(receiver.platform, &receiver.settings, &self.callback, self.case.as_deref())?,
        };
        let url = url(&config, &self.account, &self.callback, &base(config.http.public_listen))?;
        let descriptor = receiver.platform.descriptor();
        let shown = format!("{}/{} {}", descriptor.id, self.account, self.callback);
        if let Some(callback) = descriptor.callback(&self.callback).filter(|callback| callback.asks.is_some())
        {
            let admin = base(config.http.admin_listen);
            return ask(receiver, callback, &admin, &url, content_type.as_deref(), body).await;
        }
        let status = deliver(&url, content_type.as_deref(), body).await?;
        match status {
            200 => say(format!("200: livehook took the {shown}. `livehook tail` shows the events")),
            401 => bail!("401: livehook does not believe the signature of the {shown}"),
            404 => bail!(NOT_FOUND),
            503 => bail!("503: livehook cannot commit the {shown} now; see its log and /readyz"),
            other => bail!("{other}: livehook refused the {shown}"),
        }
        Ok(())
    }
}

const NOT_FOUND: &str =
    "404: livehook has no such account, callback or URL token; is it running with this configuration?";

/// Puts a question as a player would, and prints how it was answered.
async fn ask(
    receiver: &Receiver,
    callback: &'static CallbackKind,
    admin: &str,
    url: &str,
    content_type: Option<&str>,
    body: Vec<u8>,
) -> anyhow::Result<()> {
    if receiver.settings.questions.is_none() {
        bail!(
            "account {} answers no questions: add security_key, user_key and on_no_answer",
            receiver.settings.name
        );
    }
    let questions = asked::show_questions(receiver, callback, content_type, &body);
    let subject = format!("*.{}.{}.>", receiver.platform.descriptor().id, receiver.settings.name);
    let tale = asked::Tale::listen(admin, &subject).await?;
    let response = post(url, content_type, body).await?;
    let status = response.status().as_u16();
    match status {
        200 => {
            let answer = response.bytes().await?;
            tale.show(questions).await;
            asked::show_answer(&answer);
            Ok(())
        }
        404 => bail!(NOT_FOUND),
        503 => {
            bail!("503: no decision service decided, and on_no_answer is \"refuse\"; see the log of livehook")
        }
        other => bail!("{other}: livehook refused it"),
    }
}

/// Where this machine reaches the listener.
pub(super) fn base(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listen.port()))
}

/// The callback URL of an account below `base`.
pub(super) fn url(config: &Config, account: &str, callback: &str, base: &str) -> anyhow::Result<String> {
    let url_token = config.url_tokens.iter().find(|(name, _)| name.as_str() == account);
    let (_, url_token) = url_token.with_context(|| format!("account {account:?} has no callback_tokens"))?;
    Ok(format!("{base}/callbacks/{account}/{}/{callback}", url_token.expose_secret()))
}

/// A sample as the platform would send it for this account.
pub(super) fn sample(
    platform: &'static dyn Platform,
    settings: &AccountSettings,
    callback: &str,
    case: Option<&str>,
) -> anyhow::Result<(Option<String>, Vec<u8>)> {
    let descriptor = platform.descriptor();
    if descriptor.callback(callback).is_none() {
        let known: Vec<_> = descriptor.callbacks.iter().map(|callback| callback.name).collect();
        bail!("{} has no callback {callback:?}; it has {}", descriptor.id, known.join(", "));
    }
    let samples = samples::of(descriptor.id, callback);
    let names: Vec<_> = samples.iter().map(|sample| sample.name.clone()).collect();
    let chosen = match case {
        Some(case) => samples.into_iter().find(|sample| sample.name == case),
        None => samples.into_iter().next(),
    };
    let Some(sample) = chosen else {
        bail!(
            "there is no sample {:?} for {callback}; there are {}",
            case.unwrap_or_default(),
            names.join(", ")
        );
    };
    let body = match platform.callbacks() {
        Some(callbacks) => callbacks.stage(sample.body, settings),
        None => sample.body,
    };
    Ok((sample.content_type, body))
}

/// Posts a body; returns the status.
pub(super) async fn deliver(url: &str, content_type: Option<&str>, body: Vec<u8>) -> anyhow::Result<u16> {
    Ok(post(url, content_type, body).await?.status().as_u16())
}

async fn post(url: &str, content_type: Option<&str>, body: Vec<u8>) -> anyhow::Result<reqwest::Response> {
    let mut request = ports::http::client().post(url).body(body);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    // The URL holds a secret, so it is taken out of the error.
    request.send().await.map_err(|error| {
        anyhow::Error::from(error.without_url())
            .context("livehook does not answer; is it running with this configuration?")
    })
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file).with_context(|| format!("{file} cannot be read"));
    }
    let mut body = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut body)?;
    Ok(body)
}
