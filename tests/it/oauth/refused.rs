//! Everything that a browser may bring back and that is not believed: no request leaves for it, and the person is told.

use jiff::SignedDuration;
use livehook::grants::redirect::Refusal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    browser::Browser,
    rig::{KOLLUS_USER, Rig, SOOP_USER},
};

const COOKIE: &str = "livehook-consent";

/// What happened since the person was sent to the platform.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Since {
    Nothing,
    /// Ten minutes.
    TooLong,
    /// Somebody pressed Connect again.
    AnotherTicket,
    /// The answer came already.
    TheAnswer,
}

/// What the browser shows of its cookie.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Shows {
    Its,
    None,
    Empty,
    Twice,
    Foreign,
    AnotherAccounts,
}

use Shows::{AnotherAccounts, Empty, Foreign, Its, None as NoCookie, Twice};
use Since::{AnotherTicket, Nothing, TheAnswer, TooLong};

/// `(what, account, since, cookie, query, outcome, status)`. In a query, `{code}` and `{state}` are those that the platform
/// sent, `{iss}` is its address, `{old}` a code of before.
type Case = (&'static str, &'static str, Since, Shows, String, Refusal, u16);

const RIGHT: &str = "code={code}&state={state}";

fn cases() -> Vec<Case> {
    use Refusal as R;
    let right = || RIGHT.to_owned();
    let query = |query: &str| query.to_owned();
    let long = |bytes: usize| format!("code={}&state={{state}}", "c".repeat(bytes));
    let many: String = (0..18).map(|number| format!("&p{number}=some-value-{number}")).collect();
    vec![
        ("without a cookie", "acme", Nothing, NoCookie, right(), R::CookieMissing, 403),
        ("an empty cookie", "acme", Nothing, Empty, right(), R::CookieMissing, 403),
        ("two cookies", "acme", Nothing, Twice, right(), R::CookieMissing, 403),
        ("a cookie that nobody set", "acme", Nothing, Foreign, right(), R::CookieUnknown, 403),
        ("another account's cookie", "acme", Nothing, AnotherAccounts, right(), R::OtherAccount, 403),
        ("a consent that was replaced", "acme", AnotherTicket, Its, right(), R::CookieUnknown, 403),
        ("too late", "acme", TooLong, Its, right(), R::Expired, 400),
        ("again", "acme", TheAnswer, Its, right(), R::AlreadyUsed, 400),
        ("nothing at all", "acme", Nothing, Its, query(""), R::StateMissing, 403),
        ("no state", "acme", Nothing, Its, query("code={code}"), R::StateMissing, 403),
        (
            "the state twice",
            "acme",
            Nothing,
            Its,
            query("code={code}&state={state}&state={state}"),
            R::StateTwice,
            403,
        ),
        (
            "two states",
            "acme",
            Nothing,
            Its,
            query("state=state-of-another&code={code}&state={state}"),
            R::StateTwice,
            403,
        ),
        (
            "another state",
            "acme",
            Nothing,
            Its,
            query("code={code}&state=state-of-another"),
            R::StateWrong,
            403,
        ),
        ("an empty state", "acme", Nothing, Its, query("code={code}&state="), R::StateWrong, 403),
        ("a longer state", "acme", Nothing, Its, query("code={code}&state={state}x"), R::StateWrong, 403),
        ("a denial without state", "acme", Nothing, Its, query("error=access_denied"), R::StateMissing, 403),
        ("no code", "acme", Nothing, Its, query("state={state}"), R::CodeMissing, 400),
        ("an empty code", "acme", Nothing, Its, query("code=&state={state}"), R::CodeMissing, 400),
        (
            "the code twice",
            "acme",
            Nothing,
            Its,
            query("code={code}&state={state}&code={code}"),
            R::CodeTwice,
            400,
        ),
        (
            "two codes",
            "acme",
            Nothing,
            Its,
            query("code=code-of-another&state={state}&code={code}"),
            R::CodeTwice,
            400,
        ),
        ("3 KiB of code", "acme", Nothing, Its, long(3 * 1024), R::CodeTooLong, 400),
        ("a byte of code too many", "acme", Nothing, Its, long(2049), R::CodeTooLong, 400),
        (
            "a line break in the code",
            "acme",
            Nothing,
            Its,
            query("code=code%0d%0aof-another&state={state}"),
            R::CodeUnreadable,
            400,
        ),
        (
            "a zero in the code",
            "acme",
            Nothing,
            Its,
            query("code={code}%00&state={state}"),
            R::CodeUnreadable,
            400,
        ),
        (
            "letters that no code has",
            "acme",
            Nothing,
            Its,
            query("code=코드코드코드&state={state}"),
            R::CodeUnreadable,
            400,
        ),
        ("no text", "acme", Nothing, Its, query("code=%ff%fe%ff%fe&state={state}"), R::CodeUnreadable, 400),
        (
            "code and error",
            "acme",
            Nothing,
            Its,
            query("code={code}&state={state}&error=access_denied"),
            R::CodeAndError,
            400,
        ),
        (
            "a code that came before",
            "acme",
            Nothing,
            Its,
            query("code={old}&state={state}"),
            R::CodeSpent,
            400,
        ),
        (
            "another issuer",
            "acme",
            Nothing,
            Its,
            query("code={code}&state={state}&iss=https%3A%2F%2Fevil.example"),
            R::IssuerWrong,
            403,
        ),
        (
            "an issuer that begins right",
            "acme",
            Nothing,
            Its,
            query("code={code}&state={state}&iss={iss}.evil.example"),
            R::IssuerWrong,
            403,
        ),
        (
            "two issuers",
            "acme",
            Nothing,
            Its,
            query("code={code}&state={state}&iss={iss}&iss=https%3A%2F%2Fevil.example"),
            R::IssuerWrong,
            403,
        ),
        ("twenty parameters", "acme", Nothing, Its, format!("{RIGHT}{many}"), R::TooManyParameters, 400),
        (
            "a denial",
            "acme",
            Nothing,
            Its,
            query("error=access_denied&error_description=some-words&state={state}"),
            R::Denied,
            400,
        ),
        (
            "another error",
            "acme",
            Nothing,
            Its,
            query("error=some_error&state={state}"),
            R::PlatformError,
            400,
        ),
        (
            "an error that is a page",
            "acme",
            Nothing,
            Its,
            query("error=%3Cscript%3Ealert(1)%3C/script%3E&state={state}"),
            R::PlatformError,
            400,
        ),
        (
            "another state, where none comes back",
            "games",
            Nothing,
            Its,
            query("code={code}&state=state-of-another"),
            R::StateWrong,
            403,
        ),
        (
            "two codes, where no state comes back",
            "games",
            Nothing,
            Its,
            query("code={code}&code=code-of-another"),
            R::CodeTwice,
            400,
        ),
        (
            "no cookie, where no state comes back",
            "games",
            Nothing,
            NoCookie,
            query("code={code}"),
            R::CookieMissing,
            403,
        ),
        ("too late, where no state comes back", "games", TooLong, Its, query("code={code}"), R::Expired, 400),
        ("nothing, where no state comes back", "games", Nothing, Its, query(""), R::CodeMissing, 400),
    ]
}

#[tokio::test]
async fn what_is_not_right_asks_nothing_of_the_platform_and_tells_the_person_what_to_do() {
    let rig = Rig::start().await;
    let mut first = Browser::new();
    let old = rig.way_back(&mut first, "acme", KOLLUS_USER).await;
    first.get(&old).await;
    let old = parameter(&old, "code").unwrap();

    let cases = cases();
    assert!(cases.len() >= 35, "{}", cases.len());
    for (what, account, since, shows, query, refusal, status) in cases {
        let who = if account == "acme" { KOLLUS_USER } else { SOOP_USER };
        let mut browser = Browser::new();
        let back = rig.way_back(&mut browser, account, who).await;
        let (code, state) =
            (parameter(&back, "code").unwrap(), parameter(&back, "state").unwrap_or_default());
        match since {
            Nothing => {}
            TooLong => rig.clock.advance(SignedDuration::from_secs(601)),
            AnotherTicket => drop(rig.begin_url(account).await),
            TheAnswer => drop(browser.get(&back).await),
        }
        let own = browser.cookies[COOKIE].clone();
        let cookie = match shows {
            Its => Some(own.clone()),
            NoCookie => None,
            Empty => Some(String::new()),
            Twice => Some(format!("{own}; {COOKIE}={own}")),
            Foreign => Some("cookie-that-nobody-ever-set".to_owned()),
            AnotherAccounts => {
                rig.sent(&mut browser, "second").await;
                Some(browser.cookies[COOKIE].clone())
            }
        };
        browser.cookies.clear();
        browser.cookies.extend(cookie.map(|value| (COOKIE.to_owned(), value)));
        let iss = url::form_urlencoded::byte_serialize(rig.kollus.url().as_bytes()).collect::<String>();
        let query = query.replace("{code}", &code).replace("{state}", &state);
        let query = query.replace("{old}", &old).replace("{iss}", &iss);

        let before = rig.token_calls();
        let step = browser.get(&format!("{}/oauth/{account}/callback?{query}", rig.public)).await;
        assert_eq!(step.location(), format!("/oauth/{account}/result?outcome={}", refusal.slug()), "{what}");
        let (_, page) = rig.outcome(&mut browser, &step).await;
        assert_eq!(rig.token_calls(), before, "{what}");
        assert_eq!(page.status, status, "{what}");
        assert!(page.says(refusal.sentence()), "{what}: {page:?}");
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let is_told =
                value.len() >= 8 && format!("{:?}{}{:?}", step.headers, step.text, page).contains(&*value);
            // The page's own word for it may be the platform's.
            assert!(!is_told, "{what}: {name} came out again");
        }
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn an_answer_of_somebody_else_takes_nothing_from_the_person() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    let back = rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
    let callback = format!("{}/oauth/acme/callback", rig.public);
    for wrong in
        ["?code=code-of-another&state=state-of-another", "?error=access_denied", "", "?state=a&state=b"]
    {
        browser.get(&format!("{callback}{wrong}")).await;
    }
    // The right issuer may be named as well.
    let step = browser.get(&format!("{back}&iss={}", rig.kollus.url())).await;
    assert_eq!(step.location(), "/oauth/acme/result?outcome=confirm");
}

#[tokio::test]
async fn accounts_that_are_not_connected_with_a_browser_are_unknown() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
    let sentence = Refusal::UnknownAccount.sentence();
    for account in ["nobody", "fixed", "ACME", "a%00b", "%ff", "acme%2f"] {
        for step in ["begin?ticket=ticket-of-another", "callback?code=code-of-another", "result?outcome=done"]
        {
            let page = browser.get(&format!("{}/oauth/{account}/{step}", rig.public)).await;
            assert!(page.status == 404 && page.says(sentence), "{account} {step}: {page:?}");
            assert!(!page.text.contains("of-another"), "{page:?}");
        }
    }
    assert_eq!(rig.token_calls(), 0);
}

/// 64 KiB fit into no head: whoever serves sees that before anybody looks what it is.
#[tokio::test]
async fn a_code_that_no_head_holds_is_refused_with_a_sentence() {
    let rig = Rig::start().await;
    let mut browser = Browser::new();
    rig.way_back(&mut browser, "acme", KOLLUS_USER).await;
    let cookie = &browser.cookies[COOKIE];
    for (bytes, status) in [(5 * 1024, "414"), (64 * 1024, "431"), (200 * 1024, "431")] {
        let mut socket = TcpStream::connect(rig.public_address).await.unwrap();
        let head = format!(
            "GET /oauth/acme/callback?code={} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIE}={cookie}\r\n\r\n",
            "c".repeat(bytes)
        );
        // It may be closed before all of it was sent.
        let _ = socket.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("press Connect again") && !answer.contains("ccc"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    }
    assert_eq!(rig.token_calls(), 0);
}

#[tokio::test]
async fn every_refusal_has_a_page_with_its_own_sentence() {
    let rig = Rig::start().await;
    let mut slugs = std::collections::BTreeSet::new();
    for refusal in Refusal::ALL {
        assert!(slugs.insert(refusal.slug()), "{refusal:?}");
        let url = format!("{}/oauth/acme/result?outcome={}", rig.public, refusal.slug());
        let page = Browser::new().get(&url).await;
        assert!([400, 403, 404].contains(&page.status), "{refusal:?}: {page:?}");
        assert!(page.says(refusal.sentence()), "{refusal:?}: {page:?}");
    }
    for unknown in ["", "?outcome=", "?outcome=%3Cb%3Eanything", "?outcome=done", "?outcome=confirm"] {
        let page = Browser::new().get(&format!("{}/oauth/acme/result{unknown}", rig.public)).await;
        assert!(page.status == 404 && page.words().contains("Nothing to show"), "{unknown}: {page:?}");
        assert!(!page.text.contains("anything"), "{page:?}");
    }
}
