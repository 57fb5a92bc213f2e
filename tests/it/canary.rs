//! No secret comes out (contract §2): a story with a distinctive value in each place where a secret can be,
//! then a search through everything that livehook wrote, answered, published or printed.

mod demo;
mod files;
mod leaky;
mod linking;
mod reading;
mod remains;
mod search;
mod story;
mod tap;

use demo::Demo;
use linking::Linking;
use reading::Reading;
use search::Haystack;
use story::{Secret, Story};

#[tokio::test]
async fn no_secret_comes_out_anywhere() {
    let story = Story::told().await;
    let Story { secrets, haystack, database, .. } = &story;
    assert!(secrets.len() >= 20, "{}", secrets.len());

    // All of it was looked at, and in all of it something happened.
    for (part, word) in [
        ("log", "live-state: quarantined"),
        ("log", "DEBUG"),
        ("metrics", "livehook_deliveries_total"),
        ("readiness", "\"ready\":true"),
        ("events", "live.broadcast.started"),
        ("event stream", "live.broadcast.started"),
        ("quarantine", "(masked)"),
        ("bus", "live.kollus.acme.broadcast.started"),
        ("bus", "Nats-Msg-Id"),
        ("answers", "401 "),
        ("answers", "404 "),
        ("answers", "413 "),
        ("commands", "quarantine retry"),
        ("commands", "a secret is never written here"),
        ("log without bus", "bus"),
    ] {
        assert!(haystack.holds(part, word), "{word:?} is not in {part}: {}", haystack.part(part));
    }

    let found: Vec<_> = secrets.iter().flat_map(|secret| haystack.traces_of(secret)).collect();
    assert_eq!(found, [""; 0]);

    // Raw bodies are kept byte for byte, so that what is said in them can be found there and nowhere else.
    let is_kept = |secret: &&Secret| !database.traces_of(secret).is_empty();
    let (in_bodies, elsewhere): (Vec<_>, Vec<_>) = secrets.iter().partition(|secret| secret.is_in_bodies);
    let kept_elsewhere: Vec<_> = elsewhere.into_iter().filter(is_kept).map(|secret| secret.what).collect();
    assert_eq!(kept_elsewhere, [""; 0], "in the database");
    let not_kept: Vec<_> =
        in_bodies.iter().filter(|secret| !is_kept(secret)).map(|secret| secret.what).collect();
    assert_eq!(not_kept, [""; 0], "the story did not deliver them");
}

/// The same for what polls send, and for what platforms put into their answers.
#[tokio::test]
async fn no_secret_that_is_read_comes_out_anywhere() {
    let Reading { secrets, haystack, database } = Reading::told().await;
    assert!(secrets.len() >= 25, "{}", secrets.len());
    for (part, word) in [
        ("log", "debug"),
        ("log", "the sweep failed"),
        ("log with another credential", "does not accept the credential"),
        ("log with an odd credential", "cannot be sent"),
        ("metrics", "livehook_api_requests_total"),
        ("readiness", "sources"),
        ("watches", "last_failure"),
        ("commands", "failed: the platform"),
        ("commands", "a secret is never written here"),
        ("events", "live.stream_key.rotated"),
        ("events", "webhook_fingerprint"),
        ("events", "live.settings.discovered"),
        ("events", "live.recording."),
        ("bus", "live.soop.games.stream_key.rotated"),
        ("bucket", "kollus.acme.channel."),
        ("bucket", "livedigital.talks.space."),
        ("database", "SQLite format"),
        ("database", "last_failure"),
    ] {
        let parts = [&haystack, &database];
        assert!(
            parts.iter().any(|it| it.holds(part, word)),
            "{word:?} is not in {part}: {}",
            haystack.part(part)
        );
    }
    let traces = |secret| [haystack.traces_of(secret), database.traces_of(secret)].concat();
    let found: Vec<_> = secrets.iter().flat_map(traces).collect();
    assert_eq!(found, [""; 0]);
}

/// The same for consents, tokens, passwords and the keys that they are sealed with.
#[tokio::test]
async fn no_secret_of_access_comes_out_anywhere() {
    let Linking { secrets, haystack, database, .. } = &Linking::told().await;
    assert!(secrets.len() >= 40, "{}", secrets.len());
    for (what, at_least) in
        [("code", 2), ("state", 4), ("code_verifier", 2), ("access_token", 5), ("refresh_token", 3)]
    {
        let count = secrets.iter().filter(|secret| secret.what == what).count();
        assert!(count >= at_least, "{what}: only {count}");
    }
    for (part, word) in [
        ("log", "oauth kollus/acme: state-wrong"),
        ("log", "credential.authorized"),
        ("log with another key", "livehook"),
        ("metrics", "livehook_renewals_total"),
        ("metrics", "livehook_consents_total"),
        ("readiness", "credentials"),
        ("events", "live.credential.authorized"),
        ("events", "live.credential.refresh_failed"),
        ("credentials", "unknown error"),
        ("credentials", "vault.old_keys"),
        ("pages", "<form"),
        ("answers", "not connected"),
        ("answers", "414 "),
        ("commands", "64 hexadecimal digits"),
    ] {
        assert!(haystack.holds(part, word), "{word:?} is not in {part}: {}", haystack.part(part));
    }
    let traces = |secret| [haystack.traces_of(secret), database.traces_of(secret)].concat();
    let found: Vec<_> = secrets.iter().flat_map(traces).collect();
    assert_eq!(found, [""; 0]);
}

/// The same for the demo.
#[tokio::test]
async fn no_secret_of_the_demo_comes_out_anywhere() {
    let Demo { secrets, haystack } = Demo::played().await;
    let obtained = secrets.iter().filter(|secret| secret.what == "an obtained token").count();
    assert!(obtained >= 6, "four accounts, and most have a token to renew theirs with: {obtained}");
    for (part, word) in [
        ("said", "Requests that broke a limit of the platforms: 0"),
        ("said", "credential.authorized"),
        ("log", "debug"),
        ("admin", "livehook_renewals_total"),
        ("admin", "\"credentials\""),
        ("kept", "SQLite format"),
        ("kept", "live.broadcast.started"),
        ("kept", "Nats-Msg-Id"),
    ] {
        assert!(haystack.holds(part, word), "{word:?} is not in {part}");
    }
    let found: Vec<_> = secrets.iter().flat_map(|secret| haystack.traces_of(secret)).collect();
    assert_eq!(found, [""; 0]);
}

/// The search itself can fail: a trace that is put there on purpose is found, in each of its forms.
#[test]
fn a_trace_that_was_planted_is_found() {
    let secret =
        Secret { what: "planted", value: "kf83-qpz7Lm2_Vb9Xw4RtY6Nc".to_owned(), is_in_bodies: false };
    let innocent = "{\"level\":\"INFO\",\"message\":\"kollus/acme live-state: accepted\"}\n".repeat(50);
    let mut haystack = Haystack::default();
    haystack.add("log", &innocent);
    assert_eq!(haystack.traces_of(&secret), [""; 0]);

    let forms = search::forms(&secret.value);
    assert!(forms.len() >= 10);
    let (left, right) = secret.value.split_at(secret.value.len() / 2);
    let sentences = forms.into_iter().map(|(_, text)| text).chain([
        format!("GET /callbacks/acme/{}/live-state", secret.value),
        format!("token={left}…"),
        format!("…{right}"),
        secret.value.to_uppercase(),
        base64(format!("user:{}", secret.value).as_bytes()),
        base64(format!("x{left}").as_bytes()),
        hex::encode(format!("Bearer {right}")),
    ]);
    for sentence in sentences {
        let mut haystack = Haystack::default();
        haystack.add("log", &format!("{innocent}{sentence}{innocent}"));
        assert!(!haystack.traces_of(&secret).is_empty(), "not found: {sentence}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}
