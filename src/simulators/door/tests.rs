use super::*;

const WORDS: Words = Words {
    language: "en",
    title: "A platform",
    cookie: "session",
    log_in: "Log in",
    agree: "Yes",
    cancel: "No",
    action: "/agree",
    cancels: ("answer", "no"),
};

fn request(cookie: Option<&str>, form: &[(&str, &str)]) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Request {
        path: "/ask".to_owned(),
        query: vec![("state".to_owned(), "a b".to_owned())],
        headers: cookie.map(|cookie| ("cookie".to_owned(), cookie.to_owned())).into_iter().collect(),
        body: body.into_bytes(),
        ..Request::default()
    }
}

fn asked() -> Asked {
    let consent = Consent { scope: "a <b>".to_owned(), ..Consent::default() };
    Asked { consent, state: Some("s".to_owned()) }
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// The flow that stands in a page.
fn flow(page: &Response) -> String {
    let page = text(page);
    let rest = page.split_once("name=\"flow\" value=\"").expect("there is a flow").1;
    rest.split_once('"').unwrap().0.to_owned()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    &response.headers.iter().find(|(known, _)| known == name).expect("it is there").1
}

/// Logs in; says the cookie.
fn logged_in(door: &mut Door, account: &str) -> String {
    let page = door.ask(&request(None, &[]), asked(), &[account]);
    let answer = door.log_in(&request(None, &[("flow", &flow(&page)), ("account", account)]), &[account]);
    assert_eq!((answer.status, header(&answer, "location")), (303, "/ask?state=a+b"));
    let cookie = header(&answer, "set-cookie");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn whoever_is_not_logged_in_gets_a_login_with_an_account_filled_in() {
    let mut door = Door::new(&WORDS, 1);
    let page = door.ask(&request(Some("session=forged"), &[]), asked(), &["\"><i>", "b"]);
    let shown = text(&page);
    assert!(shown.contains("<form method=\"post\" action=\"/login\">"), "{shown}");
    assert!(shown.contains("name=\"account\" value=\"&quot;&gt;&lt;i&gt;\""), "{shown}");
    assert!(shown.contains(">Log in</button>") && !shown.contains("Yes"), "{shown}");
    let id = flow(&page);
    let wrong = door.log_in(&request(None, &[("flow", &id), ("account", "c")]), &["b"]);
    assert_eq!((wrong.status, flow(&wrong)), (422, id));
    assert_eq!(door.log_in(&request(None, &[("flow", "x"), ("account", "b")]), &["b"]).status, 419);
}

#[test]
fn whoever_is_logged_in_is_asked_and_answers_once() {
    let mut door = Door::new(&WORDS, 1);
    let cookie = logged_in(&mut door, "b");
    let cookies = format!("other=1; {cookie}");
    let page = door.ask(&request(Some(&cookies), &[]), asked(), &["b"]);
    let shown = text(&page);
    assert_eq!(shown.matches("<form method=\"post\" action=\"/agree\">").count(), 2);
    assert_eq!(shown.matches("name=\"answer\" value=\"no\"").count(), 1);
    assert!(shown.contains("<li>a</li><li>&lt;b&gt;</li>"), "{shown}");
    let id = flow(&page);
    let answer = request(Some(&cookies), &[("flow", &id)]);
    let (asked, agrees) = door.decide(&answer).unwrap();
    assert!(agrees && asked.consent.who == "b" && asked.state.as_deref() == Some("s"));
    assert_eq!(door.decide(&answer).map(|_| ()).unwrap_err().status, 419);
}

#[test]
fn nobody_answers_for_somebody_else() {
    let mut door = Door::new(&WORDS, 1);
    let [mine, other] = ["b", "c"].map(|account| logged_in(&mut door, account));
    let id = flow(&door.ask(&request(Some(&mine), &[]), asked(), &["b"]));
    for cookie in [Some(&*other), Some("session=x"), None] {
        assert_eq!(door.decide(&request(cookie, &[("flow", &id)])).map(|_| ()).unwrap_err().status, 419);
    }
    // The flow of a login page is nothing to agree to.
    let login = flow(&door.ask(&request(None, &[]), asked(), &["b"]));
    assert!(door.decide(&request(Some(&mine), &[("flow", &login)])).is_err());
    let (_, agrees) = door.decide(&request(Some(&mine), &[("flow", &id), ("answer", "no")])).unwrap();
    assert!(!agrees);
}
