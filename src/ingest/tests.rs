//! The way of a delivery up to its outcome, with a real store and a clock that stands still.

use jiff::SignedDuration;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::{
    model::{AccountName, EventType, Noun, RetrySchedule, Verb},
    platform::{
        AccountSettings, CallbackKind, Callbacks, Descriptor, Platform, Priority, Status, Verified,
        signature, signature::UrlTokenHash,
    },
    platforms,
    ports::ManualClock,
    store::{QuarantinedRow, StoreOptions, WriterThread},
};

const URL_TOKEN: &str = "url-token-0123456789abcdef";
const NEXT_URL_TOKEN: &str = "next-url-token-0123456789abcdef";
const WEBHOOK_SECRET: &str = "the webhook's secret";
const START: &str = "broadcast_key=b1&broadcast_state=start&channel_key=c1&content_provider_key=acme";

/// A platform whose decoder has a defect.
struct Broken;

static BROKEN: Descriptor = Descriptor {
    id: "loopback",
    name: "broken",
    docs: "",
    status: Status::Working,
    callbacks: &[CallbackKind {
        name: "event",
        about: "",
        priority: Priority::High,
        from_browsers: false,
        emits: &[EventType::of(Noun::Broadcast, Verb::Started)],
        secret_fields: &[],
        asks: None,
    }],
    retries: RetrySchedule { answer_seconds: 3, windows: &[] },
    api: None,
    grant: None,
    watches: &[],
    settings: &[],
};

impl Platform for Broken {
    fn descriptor(&self) -> &'static Descriptor {
        &BROKEN
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }
}

impl Callbacks for Broken {
    fn verify<'d>(&self, delivery: &'d Delivery, _: &AccountSettings) -> Result<Verified<'d>, Unverified> {
        Ok(signature::unsigned(delivery, "nobody sends it"))
    }

    fn decode(&self, delivery: &Verified<'_>, _: &AccountSettings) -> Result<Decoded, Malformed> {
        panic!("a defect, with a piece of the body in its message: {:?}", delivery.body)
    }
}

fn receiver(name: &str, platform: &'static dyn Platform) -> Receiver {
    Receiver {
        platform,
        settings: AccountSettings {
            webhook_secret: Some(WEBHOOK_SECRET.into()),
            ..AccountSettings::new(AccountName::parse(name).unwrap(), name)
        },
        url_tokens: vec![UrlTokenHash::of(URL_TOKEN)],
    }
}

fn receivers() -> Vec<Receiver> {
    let platform = |id| platforms::find(id).unwrap();
    vec![
        receiver("acme", platform("kollus")),
        receiver("talks", platform("livedigital")),
        receiver("broken", &Broken),
    ]
}

struct Rig {
    ingest: Ingest,
    store: Store,
    clock: Arc<ManualClock>,
    dir: TempDir,
    writer: WriterThread,
}

impl Rig {
    fn new() -> Self {
        Self::with(receivers(), tempfile::tempdir().unwrap())
    }

    fn with(receivers: Vec<Receiver>, dir: TempDir) -> Self {
        let options = StoreOptions {
            dir: dir.path().join("data"),
            bytes_max: 1 << 40,
            has_bus: true,
            unsafe_no_fsync: false,
        };
        let (store, writer) = Store::open(options, [7; 32]).unwrap();
        let clock = Arc::new(ManualClock::at("2026-01-14T12:00:00.123456Z".parse().unwrap()));
        let ingest = Ingest::new(Receivers::new(receivers), store.clone(), clock.clone());
        Self { ingest, store, clock, dir, writer }
    }

    /// livehook is started again with another configuration.
    fn configured_anew(self, receivers: Vec<Receiver>) -> Self {
        let Self { ingest, store, clock: _, dir, writer } = self;
        drop((ingest, store));
        writer.join();
        Self::with(receivers, dir)
    }

    async fn deliver(&self, account: &str, callback: &str, body: impl Into<Bytes>) -> Outcome {
        let route = self.ingest.route(account, URL_TOKEN, callback).unwrap();
        self.ingest.accept(route, None, body.into(), self.clock.now()).await
    }

    async fn events(&self) -> Vec<Value> {
        let events = self.store.events_after(0, 100).await.unwrap();
        events.iter().map(|event| serde_json::from_slice(&event.envelope).unwrap()).collect()
    }

    async fn only_quarantined(&self) -> QuarantinedRow {
        let mut rows = self.store.quarantined(0, 9).await.unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    }
}

fn signed_call_started(secret: &str) -> Vec<u8> {
    let body = r#"{"eventName":"call_started","roomId":"room-1","spaceId":"talks"}"#;
    let signature = signature::sign_hmac_sha256(&secret.into(), body.as_bytes());
    format!(r#"{{"signature":"{signature}","body":{body}}}"#).into_bytes()
}

#[tokio::test]
async fn what_is_understood_is_accepted() {
    let rig = Rig::new();
    let outcome = rig.deliver("acme", "live-state", START).await;
    assert!(matches!(&outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!((outcome.as_str(), outcome.delivery()), ("accepted", Some(1)));
    let events = rig.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "live.broadcast.started");
    assert_eq!(events[0]["proof"], "url-token");
    assert_eq!(events[0]["recordedtime"], "2026-01-14T12:00:00.123Z", "milliseconds are kept");
}

#[tokio::test]
async fn what_was_said_a_moment_ago_is_a_duplicate() {
    let rig = Rig::new();
    let _ = rig.deliver("acme", "live-state", START).await;
    rig.clock.advance(SignedDuration::from_secs(2));
    let outcome = rig.deliver("acme", "live-state", START).await;
    assert!(matches!(&outcome, Outcome::Duplicate(_)), "{outcome:?}");
    assert_eq!((outcome.as_str(), outcome.delivery()), ("duplicate", Some(2)));
    assert_eq!(rig.events().await.len(), 1);
}

/// pause, resume, and the pause again at a retry distance; returns the mark of the second pause, if it was
/// published.
async fn pause_resume_pause(is_answered: bool) -> Option<Value> {
    let rig = Rig::new();
    let body = |state| format!("broadcast_key=b1&broadcast_state={state}&channel_key=c1");
    for (state, minutes) in [("pause", 2), ("resume", 3), ("pause", 0)] {
        let outcome = rig.deliver("acme", "live-state", body(state)).await;
        match outcome {
            Outcome::Accepted(durable) if is_answered => durable.answered(),
            unanswered => drop(unanswered),
        }
        rig.clock.advance(SignedDuration::from_mins(minutes));
    }
    rig.events().await.get(2).map(|event| event["data"]["possible_duplicate"].clone())
}

#[tokio::test]
async fn a_copy_at_a_retry_distance_is_published_with_a_mark_if_the_first_was_answered() {
    assert_eq!(pause_resume_pause(true).await, Some(Value::Bool(true)));
}

#[tokio::test]
async fn an_outcome_that_is_dropped_counts_as_not_answered() {
    assert_eq!(pause_resume_pause(false).await, None);
}

#[tokio::test]
async fn an_empty_form_is_a_probe_and_leaves_nothing_behind() {
    let rig = Rig::new();
    let outcome = rig.deliver("acme", "live-state", "").await;
    assert!(matches!(&outcome, Outcome::Probe), "{outcome:?}");
    assert_eq!((outcome.as_str(), outcome.delivery()), ("probe", None));
    assert_eq!(rig.events().await.len(), 0);
    let next = rig.deliver("acme", "live-state", START).await;
    assert_eq!(next.delivery(), Some(1), "the probe was not stored");
}

#[tokio::test]
async fn what_cannot_be_understood_is_quarantined() {
    let rig = Rig::new();
    let body = "broadcast_state=start&channel_key=c1";
    let outcome = rig.deliver("acme", "live-state", body).await;
    assert!(matches!(&outcome, Outcome::Quarantined(_)), "{outcome:?}");
    assert_eq!((outcome.as_str(), outcome.delivery()), ("quarantined", Some(1)));
    let row = rig.only_quarantined().await;
    assert_eq!(row.body, body);
    assert!(row.reason.contains("broadcast_key"), "{}", row.reason);
    let events = rig.events().await;
    assert_eq!(events[0]["type"], "live.delivery.quarantined");
    assert_eq!(events[0]["data"]["delivery"]["reason"], row.reason);
}

#[tokio::test]
async fn a_decoder_that_panics_costs_nothing_but_a_look_by_a_person() {
    let rig = Rig::new();
    let outcome = rig.deliver("broken", "event", "precious bytes").await;
    assert!(matches!(&outcome, Outcome::Quarantined(_)), "{outcome:?}");
    let row = rig.only_quarantined().await;
    assert_eq!(row.body, "precious bytes");
    assert_eq!(row.reason, "livehook panicked while decoding it");
    let events = rig.events().await;
    assert_eq!(events[0]["type"], "live.delivery.quarantined");
    assert!(!events[0].to_string().contains("precious"), "the panic's message is not published");
    // It still can be tried again, and goes on to panic without harm.
    let again = rig.ingest.retry_quarantined(row.id).await;
    assert!(matches!(again, Err(RetryError::Malformed(_))), "{again:?}");
    let outcome = rig.deliver("acme", "live-state", START).await;
    assert!(matches!(outcome, Outcome::Accepted(_)));
}

#[tokio::test]
async fn a_signed_delivery_is_accepted_as_proven() {
    let rig = Rig::new();
    let outcome = rig.deliver("talks", "webhook", signed_call_started(WEBHOOK_SECRET)).await;
    assert!(matches!(&outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!(rig.events().await[0]["proof"], "signature");
}

#[tokio::test]
async fn a_forged_delivery_is_refused_and_not_stored() {
    let rig = Rig::new();
    for forged in [signed_call_started("another secret"), b"{}".to_vec(), Vec::new()] {
        let outcome = rig.deliver("talks", "webhook", forged).await;
        assert!(matches!(&outcome, Outcome::Refused), "{outcome:?}");
        assert_eq!((outcome.as_str(), outcome.delivery()), ("refused", None));
    }
    assert_eq!(rig.events().await.len(), 0);
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 0);
    let next = rig.deliver("acme", "live-state", START).await;
    assert_eq!(next.delivery(), Some(1), "none of the forged ones was stored");
}

#[tokio::test]
async fn what_ended_before_it_was_read_is_unavailable() {
    let rig = Rig::new();
    let route = rig.ingest.route("acme", URL_TOKEN, "live-state").unwrap();
    let outcome = rig.ingest.unavailable(route, rig.clock.now(), "too many deliveries are in hand");
    assert_eq!((outcome.as_str(), outcome.delivery()), ("unavailable", None));
}

#[tokio::test]
async fn what_a_full_store_refuses_is_unavailable() {
    let rig = Rig::new();
    // A store of no bytes at all is full as soon as it is measured.
    let options = StoreOptions {
        dir: rig.dir.path().join("tiny"),
        bytes_max: 1,
        has_bus: true,
        unsafe_no_fsync: false,
    };
    let (store, _writer) = Store::open(options, [7; 32]).unwrap();
    let _ = store.tidy(rig.clock.now()).await.unwrap();
    let ingest = Ingest::new(Receivers::new(receivers()), store.clone(), rig.clock.clone());
    let route = ingest.route("acme", URL_TOKEN, "live-state").unwrap();
    let outcome = ingest.accept(route, None, START.into(), rig.clock.now()).await;
    assert!(matches!(&outcome, Outcome::Unavailable), "{outcome:?}");
    assert_eq!(store.events_after(0, 9).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_wrong_account_token_or_callback_leads_nowhere() {
    let rig = Rig::new();
    let is_route = |account, url_token, callback| rig.ingest.route(account, url_token, callback).is_some();
    assert!(is_route("acme", URL_TOKEN, "live-state"));
    let long = "a".repeat(10_000);
    for account in ["", "nobody", "ACME", "acme ", "acme/", "../acme", &long] {
        assert!(!is_route(account, URL_TOKEN, "live-state"), "{account:?}");
    }
    let upper_case = URL_TOKEN.to_uppercase();
    for url_token in ["", "wrong", &URL_TOKEN[1..], &upper_case, &long] {
        assert!(!is_route("acme", url_token, "live-state"), "{url_token:?}");
    }
    for callback in ["", "event", "webhook", "Live-State", "live-state/", &long] {
        assert!(!is_route("acme", URL_TOKEN, callback), "{callback:?}");
    }
    // What stands in for the token of an account that is not there must not open anything.
    assert!(!is_route("nobody", "", "live-state"));
}

#[tokio::test]
async fn two_url_tokens_are_valid_while_one_replaces_the_other() {
    let tokens = |url_tokens: &[&str]| {
        let mut receivers = receivers();
        receivers[0].url_tokens = url_tokens.iter().map(|url_token| UrlTokenHash::of(url_token)).collect();
        receivers
    };
    let rig = Rig::with(tokens(&[NEXT_URL_TOKEN, URL_TOKEN]), tempfile::tempdir().unwrap());
    for url_token in [URL_TOKEN, NEXT_URL_TOKEN] {
        assert!(rig.ingest.route("acme", url_token, "live-state").is_some());
    }
    // One account's token opens no other account.
    assert!(rig.ingest.route("talks", NEXT_URL_TOKEN, "webhook").is_none());
    let rig = rig.configured_anew(tokens(&[NEXT_URL_TOKEN]));
    assert!(rig.ingest.route("acme", URL_TOKEN, "live-state").is_none());
    assert!(rig.ingest.route("acme", NEXT_URL_TOKEN, "live-state").is_some());
}

#[tokio::test]
async fn after_a_correction_of_the_configuration_a_retry_publishes_what_was_said() {
    let mut wrong = receivers();
    wrong[0].settings.service_account = "wrong".to_owned();
    let rig = Rig::with(wrong, tempfile::tempdir().unwrap());
    let outcome = rig.deliver("acme", "live-state", START).await;
    assert!(matches!(&outcome, Outcome::Quarantined(_)), "{outcome:?}");
    let id = outcome.delivery().unwrap();
    let too_early = rig.ingest.retry_quarantined(id).await;
    assert!(matches!(too_early, Err(RetryError::Malformed(_))), "{too_early:?}");
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 1);
    let received_at = rig.only_quarantined().await.received_at;

    let rig = rig.configured_anew(receivers());
    rig.clock.advance(SignedDuration::from_hours(5));
    assert_eq!(rig.ingest.retry_quarantined(id).await.unwrap(), ["broadcast.started"]);
    let events = rig.events().await;
    assert_eq!(events[1]["data"]["broadcast"]["id"], "b1");
    let recorded_at: Timestamp = events[1]["recordedtime"].as_str().unwrap().parse().unwrap();
    assert_eq!(recorded_at, received_at, "it was learned when it came");

    let again = rig.ingest.retry_quarantined(id).await;
    assert!(matches!(again, Err(RetryError::Unknown(_))), "{again:?}");
    assert!(again.unwrap_err().to_string().contains("livehook quarantine list"));
}

#[tokio::test]
async fn a_delivery_whose_account_is_gone_stays_in_quarantine() {
    let rig = Rig::new();
    let id = rig.deliver("acme", "live-state", "x=1").await.delivery().unwrap();
    let mut others = receivers();
    others.remove(0);
    let rig = rig.configured_anew(others);
    let gone = rig.ingest.retry_quarantined(id).await;
    assert!(matches!(gone, Err(RetryError::NoRoute { .. })), "{gone:?}");
    assert_eq!(rig.store.quarantined_count().await.unwrap(), 1);
}

#[tokio::test]
async fn what_stands_behind_the_name_of_a_secret_is_masked_however_it_is_written() {
    let rig = Rig::new();
    let cases = [
        ("stream_key=SECRET", "stream_key=(masked)"),
        ("a=1&stream_key=SECRET&b=%2", "a=1&stream_key=(masked)&b=%2"),
        ("stream_key=SECRET&stream_key=SECRET", "stream_key=(masked)&stream_key=(masked)"),
        ("stream%5Fkey=SECRET", "stream%5Fkey=(masked)"),
        ("STREAM_KEY=SECRET", "STREAM_KEY=(masked)"),
        ("stream_key[]=SECRET", "stream_key(masked)"),
        (r#"{"a":1,"stream_key":"SECRET"}"#, r#"{"a":1,"stream_key(masked)"#),
        ("key=not a secret&title=stream", "key=not a secret&title=stream"),
        ("", ""),
    ];
    for (body, shown) in cases {
        let row = QuarantinedRow {
            id: 1,
            account: "acme".to_owned(),
            callback: "live-state".to_owned(),
            received_at: rig.clock.now(),
            reason: String::new(),
            proof: Proof::UrlToken,
            content_type: None,
            body: Bytes::from_static(body.as_bytes()),
        };
        assert_eq!(String::from_utf8(rig.ingest.masked_body(&row)).unwrap(), shown);
        // Nobody knows what is secret in a callback that is no longer configured: all that is anywhere.
        let orphan = QuarantinedRow { account: "gone".to_owned(), ..row };
        assert!(!String::from_utf8(rig.ingest.masked_body(&orphan)).unwrap().contains("SECRET"), "{body}");
    }
}
