//! A person who logs in and agrees, on a simulated platform.

use jiff::Timestamp;
use livehook::simulators::{Request, Response, Simulator};
use url::Url;

/// Goes where livehook sends a browser, agrees, and returns what the platform sends back.
pub fn consents<S: Simulator>(world: &mut S, url: &Url, now: Timestamp) -> Vec<(String, String)> {
    let login = world.answer(&get(url, None), now);
    let form = vec![("flow", hidden(&login, "flow")), ("account", preset(&login))];
    let entered = world.answer(&post("/login", &form, None), now);
    let cookie = header(&entered, "set-cookie").split(';').next().unwrap().to_owned();
    let question = world.answer(&get(url, Some(&cookie)), now);
    let form = vec![("flow", hidden(&question, "flow"))];
    let action = text(&question).split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = world.answer(&post(&action, &form, Some(&cookie)), now);
    let back: Url = header(&answer, "location").parse().unwrap();
    back.query_pairs().into_owned().collect()
}

fn get(url: &Url, cookie: Option<&str>) -> Request {
    Request {
        method: "GET".to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: cookie.into_iter().map(|cookie| ("cookie".to_owned(), cookie.to_owned())).collect(),
        body: Vec::new(),
    }
}

fn post(path: &str, form: &[(&str, String)], cookie: Option<&str>) -> Request {
    let mut headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    headers.extend(cookie.map(|cookie| ("cookie".to_owned(), cookie.to_owned())));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
    Request { method: "POST".to_owned(), path: path.to_owned(), query: Vec::new(), headers, body }
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

fn header(response: &Response, name: &str) -> String {
    let found = response.headers.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name} in {}: {}", response.status, text(response))).1.clone()
}

fn hidden(page: &Response, name: &str) -> String {
    let page = text(page);
    let begin = format!("name=\"{name}\" value=\"");
    let value = page.split(&begin).nth(1).unwrap_or_else(|| panic!("no field {name} in {page}"));
    value.split('"').next().unwrap().to_owned()
}

/// The account that the login page has filled in.
fn preset(page: &Response) -> String {
    let page = text(page);
    let input = page.split("<input").find(|input| input.contains("name=\"account\"")).unwrap().to_owned();
    input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}
