//! The person who connects the demo's accounts: a browser without a window, that follows redirects and sends forms.

use anyhow::{Context, bail};
use serde_json::Value;
use url::Url;

use super::dimmed;
use crate::ports;

/// Pages that one consent takes, and more.
const PAGES_MAX: usize = 12;

/// Presses Connect on the admin side, logs in at the platform, agrees, and says yes when livehook asks whose account
/// that is.
pub(super) async fn connects(admin: &str, account: &str) -> anyhow::Result<()> {
    let http = ports::http::client();
    let begun = http.post(format!("{admin}/api/v1/credentials/{account}/connect")).send().await?;
    let begun: Value = serde_json::from_str(&begun.error_for_status()?.text().await?)?;
    let begin = begun["url"].as_str().context("livehook says where to begin")?;
    let mut browser = Browser { http, cookies: Vec::new() };
    let mut page = browser.get(begin.parse()?).await?;
    for _ in 0..PAGES_MAX {
        page = match (&page.location, page.text.contains("Connected")) {
            (Some(location), _) => browser.get(page.url.join(location)?).await?,
            (None, true) => return Ok(()),
            (None, false) => browser.sends_first_form(&page).await?,
        };
        dimmed(&format!("  browser  {}{}  {}", page.url.authority(), page.url.path(), page.status));
    }
    bail!("{account} was not connected: the last page was {}", page.url.path())
}

struct Browser {
    http: reqwest::Client,
    /// Names and values; of hosts there is one, loopback.
    cookies: Vec<(String, String)>,
}

struct Page {
    url: Url,
    status: u16,
    location: Option<String>,
    text: String,
}

impl Browser {
    async fn get(&mut self, url: Url) -> anyhow::Result<Page> {
        let request = self.http.get(url.clone());
        self.load(url, request).await
    }

    /// The first form of a page is the one that agrees; its fields are filled in already.
    async fn sends_first_form(&mut self, page: &Page) -> anyhow::Result<Page> {
        let form = page.text.split("<form").nth(1).and_then(|form| form.split("</form>").next());
        let form = form.with_context(|| format!("{} has no form: {}", page.url.path(), page.text))?;
        let url = page.url.join(attribute(form, "action").context("a form leads somewhere")?)?;
        let fields =
            form.split(['<', '>']).filter(|tag| tag.starts_with("input") || tag.starts_with("button"));
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let mut is_pressed = false;
        for tag in fields {
            let (Some(name), value) = (attribute(tag, "name"), attribute(tag, "value").unwrap_or_default())
            else {
                continue;
            };
            // One button is pressed: the first.
            if !tag.starts_with("button") || !std::mem::replace(&mut is_pressed, true) {
                body.append_pair(name, value);
            }
        }
        let request = self.http.post(url.clone()).header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(body.finish());
        self.load(url, request).await
    }

    async fn load(&mut self, url: Url, request: reqwest::RequestBuilder) -> anyhow::Result<Page> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await?;
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = set.split_once('=') {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
        let location = location.map(str::to_owned);
        Ok(Page { url, status: answer.status().as_u16(), location, text: answer.text().await? })
    }
}

/// What stands in an attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}
