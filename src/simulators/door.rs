//! Where a person in a browser logs in and agrees: pages with plain forms, which a program can send as well.
//!
//! A request to authorise becomes a flow, whose id stands in a hidden field `flow` of every form. Whoever has no
//! session gets a login page: `POST /login` with `flow` and `account` sets the cookie and leads back to the request to
//! authorise. Then comes the consent page; each of its buttons sends a form with `flow`, and whatever hidden field the
//! platform's own pages have beside it. A flow is good for one answer, and only in the session that it was shown to.

use std::collections::{HashMap, VecDeque};

use super::{Request, Response, dice::Dice, grants::Consent};

/// So many flows are kept; older ones are forgotten.
const FLOWS: usize = 256;

/// Sessions of browsers, and what they were asked.
#[derive(Clone, Debug)]
pub struct Door {
    words: &'static Words,
    dice: Dice,
    /// Who is logged in, by cookie.
    sessions: HashMap<String, String>,
    flows: VecDeque<Flow>,
}

/// What the pages of a platform say.
#[derive(PartialEq, Eq, Debug)]
pub struct Words {
    /// Of the pages.
    pub language: &'static str,
    /// Title of the pages.
    pub title: &'static str,
    /// Name of the session's cookie.
    pub cookie: &'static str,
    /// The button that logs in.
    pub log_in: &'static str,
    /// The button that agrees.
    pub agree: &'static str,
    /// The button that does not.
    pub cancel: &'static str,
    /// Where both are sent to.
    pub action: &'static str,
    /// The hidden field beside `flow` of the one that does not.
    pub cancels: (&'static str, &'static str),
}

/// What a client asks a person for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// To what; nobody agreed yet.
    pub consent: Consent,
    /// As the client sent it.
    pub state: Option<String>,
}

#[derive(Clone, Debug)]
struct Flow {
    id: String,
    /// The request to authorise, where a login leads back to.
    url: String,
    asked: Asked,
    /// The session that the consent page was shown to.
    session: Option<String>,
}

impl Door {
    /// Nobody is logged in.
    pub fn new(words: &'static Words, seed: u64) -> Self {
        let dice = Dice::new(seed ^ 0x64_6f6f_7273);
        Self { words, dice, sessions: HashMap::new(), flows: VecDeque::new() }
    }

    /// The page that a person gets who was sent here: the login, with the first of `accounts` filled in, or the
    /// question.
    pub fn ask(&mut self, request: &Request, asked: Asked, accounts: &[&str]) -> Response {
        let session = self.session(request).filter(|session| self.sessions.contains_key(*session));
        let session = session.map(str::to_owned);
        let id = self.text();
        let url = url_of(request);
        let page = match &session {
            Some(session) => self.question(&id, &asked.consent.scope, &self.sessions[session]),
            None => self.login(&id, accounts.first().copied().unwrap_or_default()),
        };
        self.flows.push_back(Flow { id, url, asked, session });
        if self.flows.len() > FLOWS {
            self.flows.pop_front();
        }
        self.page(200, &page)
    }

    /// `POST /login`: who has an account is let in, and sent back to where they came from.
    pub fn log_in(&mut self, request: &Request, accounts: &[&str]) -> Response {
        let account = field(request, "account");
        let Some(place) = self.place_of(request) else { return self.gone() };
        if !accounts.contains(&account.as_str()) {
            return self.page(422, &self.login(&self.flows[place].id, &account));
        }
        let cookie = self.text();
        self.sessions.insert(cookie.clone(), account);
        let url = self.flows.remove(place).map(|flow| flow.url).unwrap_or_default();
        Response::text(303, "text/html; charset=utf-8", "")
            .header("location", url)
            .header("set-cookie", format!("{}={cookie}; Path=/; HttpOnly; SameSite=Lax", self.words.cookie))
    }

    /// A person's answer: what it is about, with who gave it, and whether they agree.
    ///
    /// # Errors
    /// The page that says why it cannot be taken.
    pub fn decide(&mut self, request: &Request) -> Result<(Asked, bool), Response> {
        let session = self.session(request).map(str::to_owned);
        let place = self.place_of(request).filter(|place| {
            let flow = &self.flows[*place];
            flow.session.is_some() && flow.session == session
        });
        let who = session.and_then(|session| self.sessions.get(&session).cloned());
        let (Some(place), Some(who)) = (place, who) else { return Err(self.gone()) };
        let Some(Flow { mut asked, .. }) = self.flows.remove(place) else { return Err(self.gone()) };
        asked.consent.who = who;
        let (name, value) = self.words.cancels;
        Ok((asked, field(request, name) != value))
    }

    fn session<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let cookies = request.header("cookie")?.split("; ").filter_map(|cookie| cookie.split_once('='));
        cookies.filter(|(name, _)| *name == self.words.cookie).map(|(_, value)| value).next()
    }

    fn place_of(&self, request: &Request) -> Option<usize> {
        let id = field(request, "flow");
        self.flows.iter().position(|flow| flow.id == id)
    }

    fn text(&mut self) -> String {
        format!("{:016x}{:016x}", self.dice.number(), self.dice.number())
    }

    fn login(&self, flow: &str, account: &str) -> String {
        format!(
            "<form method=\"post\" action=\"/login\">{}\
             <input type=\"text\" name=\"account\" value=\"{}\">\
             <button type=\"submit\">{}</button></form>",
            hidden("flow", flow),
            escaped(account),
            self.words.log_in
        )
    }

    fn question(&self, flow: &str, scope: &str, who: &str) -> String {
        let form = |fields: &str, label: &str| {
            let Words { action, .. } = self.words;
            let flow = hidden("flow", flow);
            format!(
                "<form method=\"post\" action=\"{action}\">{fields}{flow}\
                 <button type=\"submit\">{label}</button></form>"
            )
        };
        let (name, value) = self.words.cancels;
        let scopes: String = scope.split(' ').map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
        let agree = form("", self.words.agree);
        let cancel = form(&hidden(name, value), self.words.cancel);
        format!("<p>{}</p><ul>{scopes}</ul>{agree}{cancel}", escaped(who))
    }

    fn gone(&self) -> Response {
        self.page(419, "<p>Page Expired</p>")
    }

    /// With an icon of its own, so that no browser asks for one.
    fn page(&self, status: u16, body: &str) -> Response {
        let page = format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title>\
             <link rel=\"icon\" href=\"data:,\"></head><body>{body}</body></html>",
            self.words.language, self.words.title
        );
        Response::text(status, "text/html; charset=utf-8", page).header("cache-control", "no-store")
    }
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A field of the form in the body; empty if there is none.
fn field(request: &Request, name: &str) -> String {
    request.form().into_iter().find(|(known, _)| known == name).map(|(_, value)| value).unwrap_or_default()
}

fn url_of(request: &Request) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    format!("{}?{query}", request.path)
}

#[cfg(test)]
mod tests;
