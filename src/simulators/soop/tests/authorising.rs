use super::*;
use crate::simulators::grants::{Outcome, Rotation};

const BACK: &str = "https://client.example/oauth/soop/callback";

fn reader() -> Reader {
    Reader::of(Options { varies: false, redirect_uri: BACK.to_owned(), ..Options::default() })
}

fn flow(page: &Response) -> String {
    let page = String::from_utf8(page.body.clone()).unwrap();
    let rest = page.split_once("name=\"flow\" value=\"").unwrap_or_else(|| panic!("no flow in {page}")).1;
    rest.split_once('"').unwrap().0.to_owned()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    &response.headers.iter().find(|(known, _)| known == name).expect("it is there").1
}

impl Reader {
    fn send_form(&mut self, path: &str, form: &[(&str, &str)], cookie: &str) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(&Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![("cookie".to_owned(), cookie.to_owned())],
            body: body.into_bytes(),
            ..Request::default()
        })
    }

    fn authorize(&mut self, more: &[(&str, &str)], cookie: &str) -> Response {
        let pairs = [&[("client_id", "client-id"), ("state", "s1")], more].concat();
        let query = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let headers = vec![("cookie".to_owned(), cookie.to_owned())];
        let [method, path] = ["GET", "/auth/code"].map(str::to_owned);
        self.send(&Request { method, path, query, headers, ..Request::default() })
    }

    /// Goes through all pages; says where the redirect leads to.
    fn decide(&mut self, more: &[(&str, &str)], answer: &[(&str, &str)]) -> String {
        let page = self.authorize(more, "");
        assert!(String::from_utf8_lossy(&page.body).contains(">로그인</button>"));
        let let_in = self.send_form("/login", &[("flow", &flow(&page)), ("account", "soop1234")], "");
        let cookie = header(&let_in, "set-cookie").split(';').next().unwrap().to_owned();
        let page = self.authorize(more, &cookie);
        let shown = String::from_utf8_lossy(&page.body).into_owned();
        assert!(shown.contains(">동의</button>") && shown.contains(">취소</button>"), "{shown}");
        let back = self.send_form("/auth/consent", &[&[("flow", &*flow(&page))], answer].concat(), &cookie);
        assert_eq!(back.status, 302);
        header(&back, "location").to_owned()
    }

    fn code(&mut self) -> String {
        self.decide(&[], &[]).strip_prefix(&format!("{BACK}?code=")).expect("nothing but a code").to_owned()
    }

    fn token(&mut self, more: &[(&str, &str)]) -> Response {
        let form = [&[("client_id", "client-id"), ("client_secret", "client-secret")], more].concat();
        self.post("/auth/token", &form)
    }

    fn by_code(&mut self, code: &str) -> Response {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)])
    }

    fn by_refresh(&mut self, refresh: &str) -> Response {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
    }

    fn station(&mut self, access: &str) -> (u16, Value) {
        let response = self.post("/user/stationinfo", &[("access_token", access)]);
        (response.status, json_of(&response)["error"].clone())
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

fn error(response: &Response) -> (u16, String) {
    (response.status, text(&json_of(response), "error"))
}

fn grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[test]
fn a_consent_becomes_tokens_for_the_account_that_agreed() {
    let mut reader = reader();
    let code = reader.code();
    let issued = json_of(&reader.by_code(&code));
    assert_eq!((&issued["expires_in"], &issued["token_type"]), (&json!(28_800), &json!("Bearer")));
    assert_eq!((&issued["scope"], issued.as_object().unwrap().len()), (&Value::Null, 5));
    let access = text(&issued, "access_token");
    assert!(access.len() == 40 && text(&issued, "refresh_token").len() == 40);
    assert_eq!(reader.station(&access), (200, Value::Null));
    assert_eq!(reader.station("access-token"), (200, Value::Null));
    assert_eq!(reader.station(""), (401, json!("invalid_token")));
    assert!(reader.world.violations().is_empty());
}

#[test]
fn state_and_denial_come_back_as_the_options_say() {
    let mut reader = reader();
    let refuse = [("answer", "refuse")];
    let description = "error_description=The+user+denied+access+to+your+application";
    assert_eq!(reader.decide(&[], &refuse), format!("{BACK}?error=access_denied&{description}"));
    reader.world.options().denial = Denial::NoCode;
    assert_eq!(reader.decide(&[], &refuse), BACK);
    reader.world.options().echoes_state = true;
    assert_eq!(reader.decide(&[], &refuse), format!("{BACK}?state=s1"));
    assert!(reader.decide(&[("redirect_uri", BACK)], &[]).ends_with("&state=s1"));
}

#[test]
fn an_unknown_application_or_address_is_redirected_nowhere() {
    let mut reader = reader();
    let wrong = reader.authorize(&[("redirect_uri", "https://evil.example/")], "");
    assert_eq!(error(&wrong), (400, "redirect_uri_mismatch".to_owned()));
    reader.world.options().client_id = "another".to_owned();
    assert_eq!(json_of(&reader.authorize(&[], ""))["result"], -1104);
}

#[test]
fn a_code_is_good_once_and_not_for_long() {
    let mut reader = reader();
    let code = reader.code();
    let elsewhere =
        [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "https://x.example/")];
    assert_eq!(error(&reader.token(&elsewhere)), (400, "redirect_uri_mismatch".to_owned()));
    let access = text(&json_of(&reader.by_code(&code)), "access_token");
    assert_eq!(error(&reader.by_code(&code)), grant());
    assert_eq!((reader.station(&access), reader.world.killed_families()), ((401, json!("invalid_token")), 1));
    assert_eq!(error(&reader.by_code("x")), grant());
    let late = reader.code();
    reader.now += SignedDuration::from_mins(10);
    let answer = json_of(&reader.by_code(&late));
    let expected =
        json!({ "error": "invalid_grant", "error_description": "The authorization code has expired" });
    assert_eq!(answer, expected);
}

#[test]
fn a_certification_number_is_a_code_once_and_not_for_long() {
    let mut reader = reader();
    let ask = |reader: &mut Reader, number: &str, kind: &str| {
        let form = [("client_id", "client-id"), ("auth_type", kind), ("certification_number", number)];
        reader.post("/auth/code", &form)
    };
    assert_eq!(reader.world.certification_number("nobody"), None);
    let number = reader.world.certification_number("soop1234").unwrap();
    assert!(number.len() == 6 && number.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(error(&ask(&mut reader, &number, "")), (400, "invalid_request".to_owned()));
    let code = text(&json_of(&ask(&mut reader, &number, "api")), "code");
    assert_eq!(error(&ask(&mut reader, &number, "api")), grant());
    reader.world.options().says_scope = true;
    let issued = json_of(&reader.by_code(&code));
    assert_eq!(issued["scope"], "");
    assert_eq!(reader.station(&text(&issued, "access_token")).0, 200);
    let late = reader.world.certification_number("soop1234").unwrap();
    reader.now += SignedDuration::from_mins(3);
    assert_eq!(error(&ask(&mut reader, &late, "api")), grant());
}

#[test]
fn a_refresh_token_that_was_replaced_kills_the_family() {
    let mut reader = reader();
    let code = reader.code();
    let first = json_of(&reader.by_code(&code));
    let old = text(&first, "refresh_token");
    let second = json_of(&reader.by_refresh(&old));
    assert_eq!(reader.station(&text(&second, "access_token")).0, 200);
    assert_eq!(reader.station(&text(&first, "access_token")).0, 200);
    assert_eq!(error(&reader.by_refresh(&old)), grant());
    assert_eq!(reader.station(&text(&second, "access_token")).0, 401);
    assert_eq!(error(&reader.by_refresh(&text(&second, "refresh_token"))), grant());
    assert_eq!(reader.world.killed_families(), 1);
}

#[test]
fn a_refresh_token_may_stay_and_need_not_be_answered() {
    let mut reader = reader();
    let code = reader.code();
    let refresh = text(&json_of(&reader.by_code(&code)), "refresh_token");
    reader.world.options().rotation = Rotation::Never;
    for _ in 0..2 {
        assert_eq!(json_of(&reader.by_refresh(&refresh))["refresh_token"], Value::Null);
    }
    reader.world.options().rotation = Rotation::Repeats;
    assert_eq!(text(&json_of(&reader.by_refresh(&refresh)), "refresh_token"), refresh);
    reader.now += SignedDuration::from_hours(61 * 24);
    assert_eq!(error(&reader.by_refresh(&refresh)), grant());
}

#[test]
fn an_expired_token_is_refused_in_both_ways_and_counted() {
    let mut reader = reader();
    let code = reader.code();
    let issued = json_of(&reader.by_code(&code));
    let access = text(&issued, "access_token");
    reader.now += SignedDuration::from_secs(28_800);
    assert_eq!(reader.station(&access), (401, json!("expired_token")));
    reader.world.options().refusal = Refusal::Envelope;
    let refused = json_of(&reader.post("/user/stationinfo", &[("access_token", &access)]));
    assert_eq!(refused["result"], -10);
    let renewed = json_of(&reader.by_refresh(&text(&issued, "refresh_token")));
    reader.world.expire_token("soop1234");
    reader.station(&text(&renewed, "access_token"));
    reader.station("access-token");
    assert_eq!(reader.world.requests_with_expired_token(), 4);
}

#[test]
fn every_other_refusal_is_oauths() {
    let mut reader = reader();
    let form = [("grant_type", "refresh_token"), ("client_id", "client-id"), ("client_secret", "wrong")];
    let wrong = reader.post("/auth/token", &form);
    assert_eq!(error(&wrong), (401, "invalid_client".to_owned()));
    assert_eq!(error(&reader.token(&[])), (400, "invalid_request".to_owned()));
    assert_eq!(error(&reader.token(&[("grant_type", "refresh_token")])), (400, "invalid_request".to_owned()));
    let unsupported = (400, "unsupported_grant_type".to_owned());
    assert_eq!(error(&reader.token(&[("grant_type", "password")])), unsupported);
    assert_eq!(error(&reader.by_refresh("x")), grant());
    let calls = reader.world.token_calls();
    assert_eq!(calls.len(), 5);
    assert_eq!(calls[0].outcome, Outcome::Refused("invalid_client"));
    assert_eq!(calls[4].grant_type, "refresh_token");
}
