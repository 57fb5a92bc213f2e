//! The running livehook, asked about access.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{cli::send::base, config::Config, grants::CredentialProgress, ports};

/// Longest wait for an answer: livehook asks the platform up to four things meanwhile, ten seconds each.
const PATIENCE: Duration = Duration::from_secs(60);

/// Its admin listener.
pub(super) struct Admin {
    base: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct All {
    credentials: Vec<CredentialProgress>,
}

impl Admin {
    pub(super) fn of(config: &Config) -> Self {
        Self { base: base(config.http.admin_listen), http: ports::http::client() }
    }

    /// How access to every account stands.
    pub(super) async fn all(&self) -> anyhow::Result<Vec<CredentialProgress>> {
        let all: All = self.answer(self.http.get(self.url(""))).await?;
        Ok(all.credentials)
    }

    /// How access to one account stands.
    pub(super) async fn look(&self, account: &str) -> anyhow::Result<CredentialProgress> {
        self.answer(self.http.get(self.url(&format!("/{account}")))).await
    }

    /// Does something about it.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        account: &str,
        what: &str,
        body: Option<Value>,
    ) -> anyhow::Result<T> {
        let request = self.http.post(self.url(&format!("/{account}/{what}")));
        self.answer(match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        })
        .await
    }

    fn url(&self, rest: &str) -> String {
        format!("{}/api/v1/credentials{rest}", self.base)
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> anyhow::Result<T> {
        let response = request.timeout(PATIENCE).send().await.with_context(|| {
            format!("livehook does not answer at {}; is it running with this configuration?", self.base)
        })?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let detail = problem.get("detail").and_then(Value::as_str).map(str::to_owned);
            bail!("{}", detail.unwrap_or_else(|| format!("livehook answered {status}")));
        }
        serde_json::from_str(&text).context("livehook answered in a way this version does not understand")
    }
}
