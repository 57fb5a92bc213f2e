//! A browser: cookies, forms, and no redirect that is followed unseen.

use std::collections::BTreeMap;

use reqwest::{Method, redirect::Policy};

use crate::support::{program::PATIENCE, remains::record};

/// What a browser has: cookies. They know hosts, not ports, so there is one jar.
pub struct Browser {
    http: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Browser {
    pub fn new() -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().redirect(Policy::none());
        Self { http: http.build().unwrap(), cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, None).await
    }

    pub async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Method::POST, url, Some(form)).await
    }

    pub async fn send(&mut self, method: Method, url: &str, form: Option<String>) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, url);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(form) = form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let page = Page {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            text: answer.text().await.unwrap(),
        };
        record(&format!("{page:?}"));
        page
    }

    /// A person's part at a platform: logs in as `who` if asked to, then agrees or does not. Where they are sent back to.
    pub async fn decide(&mut self, url: &str, who: &str, agrees: bool) -> String {
        let base = url::Url::parse(url).unwrap();
        let at = |path: &str| base.join(path).unwrap().to_string();
        let mut page = self.get(url).await;
        if page.text.contains("action=\"/login\"") {
            let form = [("flow", page.field("flow")), ("account", who.to_owned())];
            let form = form.each_ref().map(|(name, value)| (*name, &**value));
            let let_in = self.post(&at("/login"), &form).await;
            page = self.get(&at(let_in.location())).await;
        }
        let action = page.text.split_once("action=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let flow = page.field("flow");
        let refusal = [("_method", "DELETE"), ("answer", "refuse"), ("flow", &*flow)];
        let form = if agrees { &refusal[2..] } else { &refusal[..] };
        self.post(&at(&action), form).await.location().to_owned()
    }
}

impl Page {
    /// Where it leads to.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert!([302, 303].contains(&self.status), "{self:?}");
        &self.headers["location"]
    }

    /// A hidden field of a form.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&before).unwrap_or_else(|| panic!("no {name} in {self:?}")).1;
        rest.split('"').next().unwrap().to_owned()
    }

    /// Whether it holds a text, in which backticks stand around what looks different on the page.
    pub fn says(&self, text: &str) -> bool {
        self.words().contains(&text.replace('`', ""))
    }

    /// Its words, without tags and escapes.
    pub fn words(&self) -> String {
        let body = self.text.split_once("<main>").map_or("", |(_, body)| body);
        let mut words = String::new();
        let mut is_tag = false;
        for letter in body.chars() {
            match letter {
                '<' => is_tag = true,
                '>' => is_tag = false,
                _ if is_tag => {}
                letter => words.push(letter),
            }
        }
        words.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }
}
