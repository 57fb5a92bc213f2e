//! Platforms that answer badly, over real sockets; and an end in the middle of a sweep.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use livehook::{
    access::AccessToken,
    health::Health,
    model::AccountName,
    platform::{AccountSettings, WatchSettings},
    platforms::kollus::Kollus,
    poll::{Account, Poller, WatchProgress},
    ports::{Clock as _, ManualClock, SystemEntropy, http::HttpClient},
    simulators::{Fault, Simulator as _, kollus},
};
use serde_json::Value;

use super::stage::{
    ACCESS, Place, SWEEP_PATIENCE, environment, events, kollus_account, kollus_with, now, sweeps, types,
    until, watch,
};
use crate::support::{
    canaries,
    program::Program,
    remains::TempDir,
    world::{Books, tempdir},
};

/// One test for each fault, so that one that keeps a processor busy does not hold up another: what its platform does,
/// how often, and a word of what is told of it.
macro_rules! bad_answers {
    ($($name:ident: $fault:expr, $times:literal, $why:literal;)+) => {
        mod bad_answers_change_nothing_and_three_in_a_row_are_told_once {
            use livehook::simulators::Fault;

            $(
                #[tokio::test]
                async fn $name() {
                    super::bad_answers(stringify!($name), $fault, $times, $why).await;
                }
            )+
        }
    };
}

bad_answers! {
    slow: Fault::Silence, 3, "within 10 seconds";
    huge: Fault::Huge, 3, "too large";
    bomb: Fault::GzipBomb, 3, "too large";
    login: Fault::LoginPage, 3, "JSON";
    redirect: Fault::Redirect, 3, "302";
    cut: Fault::Cut, 3, "broke off";
    busy: Fault::Status(503, None), 3, "503";
    // Two are not yet worth a word.
    hiccup: Fault::Half, 2, "";
}

/// Who reads a platform over real sockets, and skips the waits between the requests.
struct Reader {
    place: Place<kollus::World>,
    clock: Arc<ManualClock>,
    poller: Poller,
    books: Books,
    _dir: TempDir,
}

impl Reader {
    async fn new(name: &str) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let time = Arc::clone(&clock);
        let place = Place::open_at(kollus_with(3, canaries::kollus()), move || time.now()).await;
        let mut settings = AccountSettings::new(AccountName::parse(name).unwrap(), "acme");
        let every = WatchSettings { every: Duration::from_secs(2), ..WatchSettings::default() };
        settings.watches.insert("channels", every);
        let base_url = format!("{}/api/v1/live/service-accounts", place.url()).parse().unwrap();
        let account = Account {
            platform: &Kollus,
            settings,
            base_url,
            access: AccessToken::fixed(Some(ACCESS.into()), ""),
        };
        let dir = tempdir();
        let books = Books::open(dir.path());
        let http = Arc::new(HttpClient::new());
        let (time, entropy) = (Arc::clone(&clock), Arc::new(SystemEntropy));
        let poller = Poller::new(vec![account], books.store.clone(), http, time, entropy, Health::default());
        Self { place, clock, poller, books, _dir: dir }
    }

    fn watch(&self) -> Option<WatchProgress> {
        self.poller.board().snapshot().into_iter().flat_map(|account| account.watches).next()
    }

    fn last_success(&self) -> Option<Timestamp> {
        self.watch()?.last_success_at
    }

    /// Reads until something is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let patience = self.clock.now() + SignedDuration::from_mins(10);
        while !is_so(self) {
            let next = self.poller.step().await;
            let wait = next.duration_since(self.clock.now());
            if next != Timestamp::MIN {
                self.clock.advance(wait.max(SignedDuration::from_millis(1)));
            }
            assert!(self.clock.now() < patience, "{what}: not so within ten minutes");
        }
    }

    async fn events(&self) -> Vec<Value> {
        let events = self.books.store.events_after(0, 1000).await.unwrap();
        events.iter().map(|event| serde_json::from_slice(&event.envelope).unwrap()).collect()
    }
}

async fn bad_answers(name: &str, fault: Fault, times: usize, why: &str) {
    let mut reader = Reader::new(name).await;
    reader.until("everything is known", |reader| reader.last_success().is_some()).await;
    let before = reader.events().await.len();
    assert_eq!(before, 3);

    let ordered_at = reader.clock.now();
    reader.place.with(|world| world.faults().extend(std::iter::repeat_n(fault, times)));
    let is_over = |reader: &Reader| reader.place.with(|world| world.faults().is_empty());
    reader.until("it is over", |reader| is_over(reader) && reader.last_success() > Some(ordered_at)).await;
    assert_eq!(reader.watch().unwrap().failures, 0);

    let told = reader.events().await.split_off(before);
    let expected: &[&str] = if times < 3 { &[] } else { &["source.degraded", "source.recovered"] };
    assert_eq!(types(&told), expected, "{name}: {told:#?}");
    if let Some(degraded) = told.first() {
        assert_eq!(degraded["subject"], "source/channels");
        assert_eq!((&degraded["via"], &degraded["proof"]), (&"internal".into(), &"internal".into()));
        let data = &degraded["data"]["source"];
        assert_eq!(data["failures"], 3, "{degraded:#}");
        assert!(data["reason"].as_str().unwrap().contains(why), "{name}: {degraded:#}");
        assert!(data["last_success_at"].is_string(), "{degraded:#}");
    }

    // All is as it was: what changes now is told, and only that. An answer may be half a minute old, so there has to be
    // as much between the discovery and the change.
    reader.clock.advance(SignedDuration::from_mins(1));
    let channel = reader.place.with(|world| world.channel_keys())[0].clone();
    assert!(reader.place.with(|world| world.rename_channel(&channel, "Renamed")));
    for _ in 0..2 {
        let last = reader.last_success();
        reader.until("it is read", |reader| reader.last_success() > last).await;
    }
    let news = reader.events().await.split_off(before + expected.len());
    assert_eq!(types(&news), ["channel.updated"], "{name}: {news:#?}");
    reader.place.assert_no_violation();
}

#[tokio::test]
async fn a_platform_that_is_down_is_a_reason_until_it_answers_again() {
    let place = Place::open(kollus_with(3, canaries::kollus())).await;
    let program =
        Program::new(&kollus_account("acme", &place, "poll.channels = { every = \"2s\" }"), &environment());
    let running = program.run().await;
    sweeps(&program, "acme", "channels", 1).await;
    let is_told = async || {
        let ready: Value = serde_json::from_str(&program.ask("/readyz").await).unwrap();
        ready["reasons"].to_string().contains("sources")
    };
    assert!(!is_told().await);

    let later = Fault::Status(503, Some("1".to_owned()));
    place.with(|world| world.faults().extend(std::iter::repeat_n(later, 4)));
    until("it is down", SWEEP_PATIENCE, async || is_told().await.then_some(())).await;
    until("it is up again", SWEEP_PATIENCE, async || (!is_told().await).then_some(())).await;
    sweeps(&program, "acme", "channels", 1).await;
    let news = events(&program).await.split_off(3);
    assert_eq!(types(&news), ["source.degraded", "source.recovered"], "{news:#?}");
    place.assert_no_violation();
    drop(running);
}

#[tokio::test]
async fn a_signal_in_the_middle_of_a_sweep_ends_it_at_once_and_the_next_start_reads_again() {
    let place = Place::open(kollus_with(3, canaries::kollus())).await;
    let program =
        Program::new(&kollus_account("acme", &place, "poll.channels = { every = \"2s\" }"), &environment());
    for signal in ["TERM", "INT"] {
        place.with(|world| world.faults().push_back(Fault::Silence));
        let running = program.run().await;
        until("the sweep is under way", SWEEP_PATIENCE, async || {
            let is_asked = place.with(|world| world.faults().is_empty());
            let (watch, _) = watch(&program, "acme", "channels").await?;
            (is_asked && watch["under_way"].is_object()).then_some(())
        })
        .await;
        let began = Instant::now();
        assert!(running.ended_by(signal).await.success());
        // The answer would have been waited for for ten seconds.
        assert!(began.elapsed() < Duration::from_secs(5), "SIG{signal}: {:?}", began.elapsed());
    }
    let _running = program.run().await;
    sweeps(&program, "acme", "channels", 1).await;
    let events = events(&program).await;
    assert_eq!(events.len(), 3, "{events:#?}");
    let (watch, _) = watch(&program, "acme", "channels").await.unwrap();
    assert_eq!(watch["failures"], 0, "an end is no failure: {watch}");
    place.assert_no_violation();
}
