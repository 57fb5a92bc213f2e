//! Requests as they go out.

use super::*;

fn sent(base_url: &str, asked: ApiRequest, token: Option<&str>) -> Result<HttpRequest, Unsendable> {
    let token = token.map(SecretString::from);
    HttpRequest::of(&base_url.parse().unwrap(), &asked, token.as_ref())
}

#[test]
fn paths_are_appended_to_the_beginning_that_the_base_url_gives() {
    for base_url in
        ["https://api.example.com/v1", "https://api.example.com/v1/", "https://api.example.com/v1?x#y"]
    {
        let sent = sent(base_url, ApiRequest::get(["rooms", "a b/ö%"]).query("q", "1&2 ä"), None).unwrap();
        assert_eq!(sent.url.as_str(), "https://api.example.com/v1/rooms/a%20b%2F%C3%B6%25?q=1%262+%C3%A4");
        assert_eq!((sent.method, sent.headers.len(), sent.body.is_none()), ("GET", 0, true));
    }
    let plain = sent("https://example.com", ApiRequest::get(["x"]), None).unwrap();
    assert_eq!(plain.url.as_str(), "https://example.com/x");
}

#[test]
fn no_id_leads_out_of_the_platforms_api() {
    for id in
        ["..", ".", "../admin", "%2e%2e", "a/../../b", "?x=1", "#x", "//evil.example", "\\evil", "a\r\nb"]
    {
        let sent = sent("https://example.com/api", ApiRequest::get(["rooms", id, "calls"]), None).unwrap();
        let path: Vec<_> = sent.url.path_segments().unwrap().collect();
        assert_eq!((path.len(), path[0], path[1], path[3]), (4, "api", "rooms", "calls"), "{id}");
        assert_eq!((sent.url.host_str(), sent.url.query()), (Some("example.com"), None), "{id}");
    }
}

#[test]
fn secrets_are_put_in_and_never_shown() {
    let asked = ApiRequest::post(["token"])
        .secret_query("client_id", SecretString::from("hidden-id"))
        .form("name", "a=b")
        .access_token_form("access_token")
        .bearer();
    let sent = sent("https://example.com", asked, Some("hidden-token")).unwrap();
    assert_eq!(sent.url.query(), Some("client_id=hidden-id"));
    let (content_type, body) = sent.body.as_ref().unwrap();
    assert_eq!(*content_type, "application/x-www-form-urlencoded");
    assert_eq!(body.expose_secret(), "name=a%3Db&access_token=hidden-token");
    assert_eq!(sent.headers[0].0, "authorization");
    assert_eq!(sent.headers[0].1.expose_secret(), "Bearer hidden-token");
    assert_eq!(format!("{sent:?}"), "POST https://example.com/token");
}

#[test]
fn without_the_access_token_that_it_needs_a_request_is_not_made() {
    for asked in [ApiRequest::get(["x"]).bearer(), ApiRequest::post(["x"]).access_token_form("t")] {
        assert_eq!(sent("https://example.com", asked, None).unwrap_err(), Unsendable::NoToken);
    }
    for token in ["", "a b", "a\r\nx-evil: 1", "ä"] {
        let result = sent("https://example.com", ApiRequest::get(["x"]).bearer(), Some(token));
        assert_eq!(result.unwrap_err(), Unsendable::BadCharacters, "{token:?}");
    }
}

#[test]
fn a_token_that_is_welcome_and_not_there_is_left_out() {
    let asked = || ApiRequest::get(["x"]).bearer_if_any();
    assert!(sent("https://example.com", asked(), None).unwrap().headers.is_empty());
    let with = sent("https://example.com", asked(), Some("hidden")).unwrap();
    assert_eq!(with.headers[0].1.expose_secret(), "Bearer hidden");
}

#[test]
fn parameters_can_be_an_object_instead_of_a_form() {
    let asked = ApiRequest::post(["token"])
        .form("grant_type", "pass\"word")
        .secret_form("password", &SecretString::from("hidden & ä"))
        .bearer_of("another".into())
        .json();
    assert_eq!(asked.to_string(), "POST /token grant_type=pass\"word&password=***");
    let sent = sent("https://example.com", asked, Some("the account's")).unwrap();
    let (content_type, body) = sent.body.as_ref().unwrap();
    assert_eq!(*content_type, "application/json");
    assert_eq!(body.expose_secret(), r#"{"grant_type":"pass\"word","password":"hidden & ä"}"#);
    assert_eq!(sent.headers[0].1.expose_secret(), "Bearer another");
}
