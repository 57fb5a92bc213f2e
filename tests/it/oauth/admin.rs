//! The operator's side: page and API, and who may not use them.

use serde_json::{Value, json};

use super::{
    browser::Browser,
    rig::{KOLLUS_USER, Rig, SOOP_USER},
};
use crate::support::program::client;

impl Rig {
    /// Posts to the admin listener with more headers; status and JSON.
    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut request = client().post(format!("{}{path}", self.admin)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn an_operator_connects_on_the_page() {
    let rig = Rig::start().await;
    let mut operator = Browser::new();
    let connect = format!("{}/connect", rig.admin);
    let page = operator.get(&connect).await;
    assert_eq!(page.status, 200);
    for header in ["content-security-policy", "x-frame-options", "x-content-type-options"] {
        assert!(page.headers.contains_key(header), "{page:?}");
    }
    assert_eq!(page.headers["cache-control"], "no-store");
    let words = page.words();
    for said in ["acme", "Kollus", "games", "SOOP", "not connected", "Needs you: ", "certification number"] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(!page.text.contains("src=") && !page.text.contains("href="), "{page:?}");
    assert!(!page.text.contains("action=\"/connect/fixed\""), "there is nothing to connect");

    let key = page.field("page_key");
    let step = operator.post(&format!("{connect}/acme"), &[("page_key", &key)]).await;
    assert!(step.location().starts_with(&format!("{}/oauth/acme/begin?ticket=", rig.public)));
    let asked = operator.get(step.location()).await.location().to_owned();
    let back = operator.decide(&asked, KOLLUS_USER, true).await;
    operator.get(&back).await;
    // Their browser may have been closed meanwhile: the operator can answer as well.
    let page = operator.get(&connect).await;
    assert!(page.words().contains(&format!("Waits for your yes: access of {KOLLUS_USER}")), "{page:?}");
    let form = [("page_key", &*key), ("link", &page.field("link")), ("answer", "yes")];
    assert_eq!(operator.post(&format!("{connect}/acme/confirm"), &form).await.location(), "/connect");
    let page = operator.get(&connect).await;
    assert!(page.words().contains(&format!("connected as {KOLLUS_USER}")), "{page:?}");

    let number = rig.soop.world().certification_number(SOOP_USER).unwrap();
    let form = [("page_key", &*key), ("number", "12345")];
    let page = operator.post(&format!("{connect}/games/number"), &form).await;
    assert!(page.status == 400 && page.words().contains("exactly six digits"), "{page:?}");
    let form = [("page_key", &*key), ("number", &number)];
    assert_eq!(operator.post(&format!("{connect}/games/number"), &form).await.location(), "/connect");
    let page = operator.get(&connect).await;
    assert!(page.words().contains(&format!("Waits for your yes: access of {SOOP_USER}")), "{page:?}");
    let form = [("page_key", &*key), ("link", &page.field("link")), ("answer", "no")];
    assert_eq!(operator.post(&format!("{connect}/games/confirm"), &form).await.location(), "/connect");
    assert_eq!(rig.credential("games").await["waiting"], json!(null));
    let page = operator.post(&format!("{connect}/fixed"), &[("page_key", &key)]).await;
    assert!(page.status == 409 && page.words().contains("has a token in its configuration"), "{page:?}");
}

#[tokio::test]
async fn pages_of_others_may_do_nothing() {
    let rig = Rig::start().await;
    let host = rig.admin.trim_start_matches("http://").to_owned();
    let own = format!("http://{host}");
    let posts = [
        "/connect/acme",
        "/connect/games/number",
        "/connect/acme/confirm",
        "/api/v1/credentials/acme/connect",
        "/api/v1/credentials/games/number",
        "/api/v1/credentials/acme/confirm",
        "/api/v1/quarantine/1/retry",
    ];
    for path in posts {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1"),
            ("origin", ""),
        ] {
            let (status, problem) = rig.post(path, &[(name, value), JSON], "{}").await;
            assert_eq!((status, &problem["status"]), (403, &json!(403)), "{path} {name}: {value}");
        }
    }
    let asked = ("/api/v1/credentials/acme/connect", [("sec-fetch-site", "same-origin"), ("origin", &*own)]);
    assert_eq!(rig.post(asked.0, &asked.1, "").await.0, 201);
    assert_eq!(rig.post(asked.0, &[("sec-fetch-site", "none")], "").await.0, 201);

    for form in [&[][..], &[("page_key", "")], &[("page_key", "key-of-another")]] {
        for path in ["/connect/acme", "/connect/games/number", "/connect/acme/confirm"] {
            let page = Browser::new().post(&format!("{}{path}", rig.admin), form).await;
            assert!(
                page.status == 403 && page.words().contains("this form is not of the page below"),
                "{page:?}"
            );
        }
    }
    // What a form of another page can send is not JSON.
    for content_type in ["application/x-www-form-urlencoded", "text/plain"] {
        let headers = [("content-type", content_type)];
        for (path, body) in [
            ("/api/v1/credentials/games/number", r#"{"number":"123456"}"#),
            ("/api/v1/credentials/games/confirm", r#"{"link":"x","accept":true}"#),
        ] {
            assert_eq!(rig.post(path, &headers, body).await.0, 415, "{path} {content_type}");
        }
    }
    assert_eq!(rig.token_calls(), 0);
}

#[tokio::test]
async fn the_api_connects_with_a_number() {
    let rig = Rig::start().await;
    let path = "/api/v1/credentials/games/number";
    for wrong in [
        r#"{"number":"12345"}"#,
        r#"{"number":"12345a"}"#,
        r#"{"number":"１２３４５６"}"#,
        r#"{"number":""}"#,
    ] {
        let (status, problem) = rig.post(path, &[JSON], wrong).await;
        assert_eq!(
            (status, &problem["detail"]),
            (400, &json!("the number has exactly six digits")),
            "{wrong}"
        );
    }
    for wrong in [r#"{"number":987654}"#, r#"{"digits":"987654"}"#, "987654", ""] {
        let (status, problem) = rig.post(path, &[JSON], wrong).await;
        assert!(
            [400, 422].contains(&status) && !problem.to_string().contains("987654"),
            "{wrong}: {problem}"
        );
    }
    assert_eq!(rig.token_calls(), 0);
    let (status, problem) = rig.post(path, &[JSON], r#"{"number":"123456"}"#).await;
    assert!(
        status == 422 && problem["detail"].as_str().unwrap().starts_with("the platform refused"),
        "{problem}"
    );

    let number = rig.soop.world().certification_number(SOOP_USER).unwrap();
    let (status, linked) = rig.post(path, &[JSON], &json!({ "number": number }).to_string()).await;
    assert_eq!((status, &linked["state"], &linked["identity"]), (200, &json!("waiting"), &json!(SOOP_USER)));
    let confirm = "/api/v1/credentials/games/confirm";
    let body = json!({ "link": "another", "accept": true }).to_string();
    assert_eq!(rig.post(confirm, &[JSON], &body).await.0, 409);
    let body = json!({ "link": linked["link"], "accept": true }).to_string();
    let (status, linked) = rig.post(confirm, &[JSON], &body).await;
    assert_eq!((status, linked), (200, json!({ "state": "active", "identity": SOOP_USER })));
    assert_eq!(rig.post(confirm, &[JSON], &body).await.0, 409);
}

#[tokio::test]
async fn the_api_says_why_an_account_cannot_be_connected() {
    let rig = Rig::start().await;
    let api = "/api/v1/credentials";
    for (path, status, said) in [
        (format!("{api}/fixed/connect"), 409, "has a token in its configuration"),
        (format!("{api}/acme/number"), 400, "send JSON like"),
        (format!("{api}/nobody/connect"), 404, "it does for: acme, fixed, games, second"),
        (format!("{api}/%ff/connect"), 404, "acme, fixed, games, second"),
    ] {
        let (told, problem) = rig.post(&path, &[JSON], "").await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(told == status && detail.contains(said), "{path}: {told} {problem}");
    }
    let (status, problem) = rig.post(&format!("{api}/acme/number"), &[JSON], r#"{"number":"123456"}"#).await;
    assert!(
        status == 409 && problem["detail"].as_str().unwrap().contains("not connected with a number"),
        "{problem}"
    );
    let one = client().get(format!("{}{api}/acme", rig.admin)).send().await.unwrap().text().await.unwrap();
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!((&one["kind"], &one["is_connectable"]), (&json!("oauth"), &json!(true)));
}
