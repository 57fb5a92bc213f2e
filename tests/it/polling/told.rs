//! What operators are told of the reading.

use livehook::simulators::soop;
use serde_json::Value;

use super::stage::{
    ACCESS, Place, SWEEP_PATIENCE, environment, kollus_account, kollus_with, now, sweeps, until, watch,
};
use crate::support::{canaries, program::Program};

#[tokio::test]
async fn how_each_watch_fares_can_be_seen_while_it_runs() {
    let good = Place::open(kollus_with(3, canaries::kollus())).await;
    let bad = Place::open(kollus_with(3, canaries::kollus())).await;
    bad.with(|world| world.options().access_token = "another".to_owned());
    let games = Place::open(soop::World::new(soop::Options { begins_at: now(), ..Default::default() })).await;
    let sections = format!(
        "{}{}[accounts.games]\nplatform = \"soop\"\nclient_id = \"client-id\"\nbase_url = \"{}\"\n\
         allow_unknown_hosts = true\npoll.categories = {{ every = \"1h\" }}\n",
        kollus_account(
            "acme",
            &good,
            "poll.channels = { every = \"2s\" }\npoll.broadcasts = { every = \"5m\" }"
        ),
        kollus_account("broken", &bad, "poll.channels = { every = \"2s\" }"),
        games.url()
    );
    let program = Program::new(&sections, &environment());
    let running = program.run().await;
    sweeps(&program, "acme", "channels", 2).await;
    until("the others were tried", SWEEP_PATIENCE, async || {
        let broken = watch(&program, "broken", "channels").await?.0;
        let others =
            [watch(&program, "games", "categories").await?.0, watch(&program, "acme", "broadcasts").await?.0];
        let are_read = others.iter().all(|watch| watch["last_success_at"].is_string());
        (broken["failures"].as_u64()? > 0 && are_read).then_some(())
    })
    .await;

    // By the API.
    let (channels, acme) = watch(&program, "acme", "channels").await.unwrap();
    assert_eq!((&acme["platform"], &channels["every_seconds"]), (&"kollus".into(), &2.into()));
    assert!(channels["last_requests"].as_u64().unwrap() >= 1, "{channels}");
    assert_eq!((&channels["failures"], &channels["last_failure"]), (&0.into(), &Value::Null));
    assert!(channels["due_at"].is_string(), "{channels}");
    let budget = &acme["budget"];
    assert_eq!(budget["per_minute"], 60);
    assert!((30..60).contains(&budget["left"].as_u64().unwrap()), "{budget}");
    let (categories, _) = watch(&program, "games", "categories").await.unwrap();
    assert_eq!(categories["last_events"], 4, "{categories}");
    let (broken, _) = watch(&program, "broken", "channels").await.unwrap();
    assert_eq!((&broken["failures"], &broken["last_success_at"]), (&1.into(), &Value::Null));
    let due_at = broken["due_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(due_at.duration_since(now()).as_secs() > 600, "nobody knocks every two seconds: {broken}");
    let why = broken["last_failure"].as_str().unwrap();
    assert!(why.contains("credential"), "{why}");

    // By the command, for programs and for people.
    let printed = program.print(&["watch", "--json"]).await;
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let json: Value = serde_json::from_str(&printed.stdout).unwrap();
    let names: Vec<_> =
        json["accounts"].as_array().unwrap().iter().map(|it| it["account"].as_str().unwrap()).collect();
    assert_eq!(names, ["acme", "broken", "games"]);
    let said = program.print(&["watch"]).await.stdout;
    let line = |account: &str, watch: &str| {
        let mut lines = said.lines().skip_while(|line| !line.contains(account)).skip(1);
        lines.find(|line| line.trim_start().starts_with(watch)).unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    assert!(said.contains("kollus/acme: ") && said.contains("of 60 requests left this minute"), "{said}");
    for words in ["last ", " ago", "requests", "events"] {
        assert!(line("kollus/acme", "channels").contains(words), "{said}");
    }
    assert!(line("kollus/acme", "broadcasts").contains("next in 4m"), "{said}");
    assert!(line("soop/games", "categories").contains("4 events"), "{said}");
    let broken = line("kollus/broken", "channels");
    assert!(broken.contains("not yet read") && broken.contains("; failed: "), "{said}");
    assert!(broken.contains(why), "{said}");
    for place in [&good, &bad] {
        place.assert_no_violation();
    }
    games.assert_no_violation();

    // It is also a reason in the readiness, and callbacks are accepted all the same.
    let ready: Value = serde_json::from_str(&program.ask("/readyz").await).unwrap();
    assert_eq!(ready["ready"], true);
    assert!(ready["reasons"].to_string().contains("kollus/broken channels"), "{ready}");
    let metrics = program.ask("/metrics").await;
    for name in ["livehook_sweeps_total", "livehook_api_requests_total", "livehook_watch_age_seconds"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    for shown in [&said, &ready.to_string(), &metrics, &running.log()] {
        assert!(!shown.contains(ACCESS), "{shown}");
    }

    assert!(running.ended_by("TERM").await.success());
    let printed = program.print(&["watch"]).await;
    assert_eq!(printed.code, Some(1), "{printed:?}");
    assert!(printed.stderr.contains("is it running with this configuration?"), "{printed:?}");
}

#[tokio::test]
async fn who_reads_nothing_is_told_how_to() {
    let account = "[accounts.loop]\nplatform = \"loopback\"\ncallback_tokens = [{ env = \"ACME_TOKEN\" }]\n";
    let program = Program::new(account, &environment());
    let _running = program.run().await;
    let printed = program.print(&["watch"]).await;
    assert!(printed.stdout.contains("poll.channels"), "{printed:?}");
}
