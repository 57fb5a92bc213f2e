//! What an account says of its watches, and what is refused with key and remedy.

use livehook::config::{self, Environment};

use super::stage::{ACCESS, ACME_TOKEN, environment};
use crate::support::program::Program;

/// What is written into an account of this platform, the key that must be named, and words of the remedy.
#[rustfmt::skip]
const BAD: &[(&str, &str, &str, &[&str])] = &[
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"https://api.example.com/v1\"\npoll.channels = {}", "accounts.a.base_url", &["api-live-kr.kollus.com", "accounts.a.allow_unknown_hosts = true"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"http://api-live-kr.kollus.com\"\npoll.channels = {}", "accounts.a.base_url", &["https", "allow_unknown_hosts"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"https://api-live-kr.kollus.com.evil.example\"\npoll.channels = {}", "accounts.a.base_url", &["allow_unknown_hosts"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"http://api.example.com\"\nallow_unknown_hosts = true\npoll.channels = {}", "accounts.a.base_url", &["use https"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"api.example.com\"\npoll.channels = {}", "accounts.a.base_url", &["is not a URL"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"ftp://api.example.com\"\nallow_unknown_hosts = true\npoll.channels = {}", "accounts.a.base_url", &["scheme, host and path only"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"https://me:secret-in-url@api.example.com\"\nallow_unknown_hosts = true\npoll.channels = {}", "accounts.a.base_url", &["scheme, host and path only"]),
    ("kollus", "token = { env = \"ACCESS\" }\nbase_url = \"https://api.example.com?key=secret-in-url\"\nallow_unknown_hosts = true\npoll.channels = {}", "accounts.a.base_url", &["scheme, host and path only"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.rooms = {}", "accounts.a.poll.rooms", &["channels", "broadcasts"]),
    ("soop", "client_id = \"id\"\npoll.Broadcasts = {}", "accounts.a.poll.Broadcasts", &["broadcasts", "live_status"]),
    ("loopback", "callback_tokens = [{ env = \"ACME_TOKEN\" }]\npoll.channels = {}", "accounts.a.poll.channels", &["leave it out"]),
    ("kollus", "poll.channels = {}", "accounts.a.poll.channels", &["accounts.a.token", "token = { env = \"NAME\" }"]),
    ("livedigital", "poll.rooms = {}", "accounts.a.poll.rooms", &["accounts.a.token", "{ env = \"NAME\" }"]),
    ("soop", "poll.station = {}", "accounts.a.poll.station", &["accounts.a.token"]),
    ("soop", "poll.broadcasts = {}", "accounts.a.poll.broadcasts", &["accounts.a.client_id", "client_id = \"...\""]),
    ("soop", "client_id = \"id\"\npoll.filters = {}", "accounts.a.poll.filters", &["accounts.a.client_secret"]),
    ("soop", "client_id = \"\"\npoll.broadcasts = {}", "accounts.a.client_id", &["empty"]),
    ("kollus", "token = { env = \"GONE\" }\npoll.channels = {}", "accounts.a.token", &["GONE is not set"]),
    ("kollus", "token = { env = \"EMPTY\" }\npoll.channels = {}", "accounts.a.token", &["is empty"]),
    ("kollus", "token = \"secret-in-file\"\npoll.channels = {}", "accounts.a.token", &["{ env = \"NAME\" }"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { every = \"often\" }", "accounts.a.poll.channels.every", &["60s"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { every = \"\" }", "accounts.a.poll.channels.every", &["60s"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { every = \"0s\" }", "accounts.a.poll.channels.every", &["1s to 7d"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { every = \"500ms\" }", "accounts.a.poll.channels.every", &["1s to 7d"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { every = \"-5s\" }", "accounts.a.poll.channels.every", &["1s to 7d"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { every = \"1000h\" }", "accounts.a.poll.channels.every", &["1s to 7d"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { evry = \"5s\" }", "accounts.a.poll.channels.evry", &["every"]),
    ("kollus", "token = { env = \"ACCESS\" }\npoll.channels = { categories = [\"00130000\"] }", "accounts.a.poll.channels.categories", &["means nothing for channels", "leave it out"]),
    ("soop", "client_id = \"id\"\npoll.broadcasts = { categories = [] }", "accounts.a.poll.broadcasts.categories", &["is empty", "leave it out"]),
    ("soop", "client_id = \"id\"\npoll.broadcasts = { categories = [\"00130000\", \" \"] }", "accounts.a.poll.broadcasts.categories", &["leave that out"]),
    ("soop", "poll.vods = {}", "accounts.a.poll.vods.ids", &["is missing"]),
    ("soop", "poll.vods = { ids = [] }", "accounts.a.poll.vods.ids", &["is empty"]),
    ("soop", "client_id = \"id\"\npoll.broadcasts = { categories = [\"00130000\", \"LOL\"] }", "accounts.a.poll.broadcasts.categories", &["\"LOL\"", "the number of a category", "00130000"]),
    ("soop", "client_id = \"id\"\npoll.categories = { locale = \"ru_RU\" }", "accounts.a.poll.categories.locale", &["\"ru_RU\"", "one of ko_KR"]),
    ("soop", "client_id = \"id\"\npoll.categories = { locale = \" \" }", "accounts.a.poll.categories.locale", &["is empty", "leave it out"]),
    ("soop", "token = { env = \"ACCESS\" }\npoll.settings = { partner = \"\" }", "accounts.a.poll.settings.partner", &["is empty"]),
    ("soop", "poll.vods = { ids = [\"https://vod.sooplive.com/player/71021072\"] }", "accounts.a.poll.vods.ids", &["write a number"]),
    ("openfresh", "poll.comments = { programs = [\"https://openfresh.example/92823\"] }", "accounts.a.poll.comments.programs", &["write a number"]),
    ("openfresh", "poll.comments = {}", "accounts.a.poll.comments.programs", &["is missing", "92823"]),
    ("openfresh", "poll.comments = { programs = [] }", "accounts.a.poll.comments.programs", &["is empty"]),
    ("openfresh", "token = { env = \"ACCESS\" }\npoll.comments = { programs = [\"1\"] }", "accounts.a.token", &["means nothing for openfresh", "leave it out"]),
    ("openfresh", "callback_tokens = [{ env = \"ACME_TOKEN\" }]\npoll.comments = { programs = [\"1\"] }", "accounts.a.callback_tokens", &["sends no callbacks"]),
];

fn account(platform: &str, lines: &str) -> String {
    format!("[accounts.a]\nplatform = \"{platform}\"\n{lines}\n")
}

#[test]
fn every_bad_watch_is_refused_by_key_with_the_remedy() {
    let mut variables: Environment =
        environment().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    variables.insert("EMPTY".to_owned(), " ".to_owned());
    let mut wrong = Vec::new();
    for (platform, lines, key, remedy) in BAD {
        let Err(problems) = config::parse(&account(platform, lines), &variables) else {
            wrong.push(format!("accepted:\n{lines}"));
            continue;
        };
        let is_named = problems
            .0
            .iter()
            .any(|problem| problem.key == *key && remedy.iter().all(|words| problem.message.contains(words)));
        if !is_named {
            wrong.push(format!("{lines}\nnames not {key} with {remedy:?}:\n{problems}"));
        }
        if problems.0.len() > 1 {
            wrong.push(format!("{lines}\nis told twice:\n{problems}"));
        }
        let shown = problems.to_string();
        for secret in [ACCESS, ACME_TOKEN, "secret-in-url", "secret-in-file"] {
            if shown.contains(secret) {
                wrong.push(format!("{lines}\nshows a secret:\n{problems}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn check_and_run_refuse_it_and_nothing_is_asked_or_made() {
    for (platform, lines, key, remedy) in [&BAD[0], &BAD[8], &BAD[11], &BAD[22], &BAD[29]] {
        let program = Program::new(&account(platform, lines), &environment());
        for command in [&["check", "--offline"][..], &["run"]] {
            let printed = program.print(command).await;
            assert_eq!(printed.code, Some(3), "{printed:?}");
            assert!(printed.stderr.contains(key), "{printed:?}");
            assert!(remedy.iter().all(|words| printed.stderr.contains(words)), "{printed:?}");
        }
        assert!(!program.home.path().join("data").exists(), "nothing was made");
    }
}

#[test]
fn the_space_around_a_word_is_not_a_part_of_it() {
    let variables: Environment =
        environment().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let lines = "client_id = \"id\"\npoll.broadcasts = { categories = [\" 40019\"] }\npoll.categories = { locale = \"en_US \" }";
    let config = config::parse(&account("soop", lines), &variables).unwrap();
    let watches = &config.polled[0].settings.watches;
    assert_eq!(watches["broadcasts"].list("categories"), ["40019"]);
    assert_eq!(watches["categories"].word("locale"), Some("en_US"));
}

#[tokio::test]
async fn who_only_reads_needs_no_callbacks_and_is_named_by_check() {
    let lines = "token = { env = \"ACCESS\" }\npoll.channels = {}";
    let program = Program::new(&account("kollus", lines), &environment());
    let printed = program.print(&["check", "--offline"]).await;
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.stdout.contains("a (Kollus)"), "{printed:?}");
}
