//! What browsers bring back. The same over HTTP, with pages, is in `tests/it/oauth`.

use super::*;

fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn read_as(text: &str, is_echoed: bool) -> Result<bool, Refusal> {
    let oauth_state = "right".into();
    let expected = Expected { oauth_state: &oauth_state, is_echoed, issuer: "https://login.example.com" };
    read(&pairs(text), &expected).map(|code| {
        assert_eq!(code.code.expose_secret(), "abc");
        code.is_state_proven
    })
}

#[test]
fn a_code_with_its_state_is_taken() {
    assert_eq!(read_as("code=abc&state=right", true), Ok(true));
    assert_eq!(read_as("code=abc&state=right&iss=https://login.example.com", true), Ok(true));
    assert_eq!(read_as("iss=https://login.example.com/&state=right&extra=1&code=abc", true), Ok(true));
    assert_eq!(read_as("code=abc&state=right", false), Ok(true));
    assert_eq!(read_as("code=abc", false), Ok(false), "not every platform sends it back");
}

#[test]
fn everything_else_is_refused_by_its_name() {
    let long = format!("code={}&state=right", "a".repeat(CODE_BYTES_MAX + 1));
    let many = format!("code=abc&state=right{}", "&x=1".repeat(PARAMETERS_MAX));
    for (text, refusal) in [
        ("", Refusal::StateMissing),
        ("code=abc", Refusal::StateMissing),
        ("code=abc&state=", Refusal::StateWrong),
        ("code=abc&state=wrong", Refusal::StateWrong),
        ("code=abc&state=RIGHT", Refusal::StateWrong),
        ("code=abc&state=right&state=right", Refusal::StateTwice),
        ("state=right", Refusal::CodeMissing),
        ("code=&state=right", Refusal::CodeMissing),
        ("code=abc&code=abc&state=right", Refusal::CodeTwice),
        ("code=a%0d%0ab&state=right", Refusal::CodeUnreadable),
        ("code=%C3%A4&state=right", Refusal::CodeUnreadable),
        (&long, Refusal::CodeTooLong),
        (&many, Refusal::TooManyParameters),
        ("code=abc&error=access_denied&state=right", Refusal::CodeAndError),
        ("error=access_denied&state=right", Refusal::Denied),
        ("error=access_denied&state=wrong", Refusal::StateWrong),
        ("error=server_error&state=right", Refusal::PlatformError),
        ("error=&state=right", Refusal::PlatformError),
        ("code=abc&state=right&iss=https://evil.example", Refusal::IssuerWrong),
        ("code=abc&state=right&iss=", Refusal::IssuerWrong),
        ("code=abc&state=right&iss=https://login.example.com&iss=https://evil.example", Refusal::IssuerWrong),
        ("code=abc&state=right&iss=http://login.example.com", Refusal::IssuerWrong),
    ] {
        assert_eq!(read_as(text, true), Err(refusal), "{text}");
    }
    assert_eq!(read_as("", false), Err(Refusal::CodeMissing));
    assert_eq!(read_as("code=abc&state=wrong", false), Err(Refusal::StateWrong), "what comes back must fit");
}

#[test]
fn each_refusal_has_a_word_and_a_sentence_that_says_what_to_do() {
    for refusal in Refusal::ALL {
        assert_eq!(Refusal::of_slug(refusal.slug()), Some(*refusal));
        let sentence = refusal.sentence();
        let says_what_to_do = ["Press Connect", "press Connect", "Check", "Wait", "Finish"];
        assert!(says_what_to_do.iter().any(|word| sentence.contains(word)), "{refusal:?}: {sentence}");
    }
    let words: std::collections::BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.slug()).collect();
    assert_eq!(words.len(), Refusal::ALL.len());
}
