use super::*;
use crate::platform::OnNoAnswer;

mod access;
mod documents;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn environment_with(extra: &[(&str, &str)]) -> Environment {
    [
        ("ACME", SECRET),
        ("OTHER", "fedcba9876543210fedcba9876543210"),
        ("HMAC", "example"),
        ("SPACED", "a key"),
        ("PATH", "/bin"),
    ]
    .iter()
    .chain(extra)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect()
}

const ACME: &str = "[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\n";

#[test]
fn the_smallest_configuration_is_one_account() {
    let config = parse(ACME, &environment_with(&[])).expect("one account is enough");
    assert_eq!(config.http.public_listen.port(), 8080);
    assert_eq!(config.receivers[0].settings.service_account, "acme");
    assert!(matches!(config.bus, Bus::None));
}

#[test]
fn the_sample_in_deploy_is_accepted() {
    let environment = environment_with(&[
        ("LIVEHOOK_NATS_PASSWORD", "secret"),
        ("ACME_CALLBACK_TOKEN", SECRET),
        ("MEETINGS_CALLBACK_TOKEN", "00112233445566778899aabbccddeeff"),
        ("MEETINGS_WEBHOOK_SECRET", "example"),
    ]);
    let config =
        parse(include_str!("../../deploy/livehook.toml"), &environment).expect("the sample is right");
    assert_eq!(config.receivers.len(), 2);
    assert!(matches!(config.bus, Bus::Servers(_)));
}

#[test]
fn the_environment_overrides_every_section() {
    let overrides = [
        ("LIVEHOOK_HTTP__PUBLIC_LISTEN", "127.0.0.1:9000"),
        ("LIVEHOOK_BUS__SERVERS", "nats://127.0.0.1:4222,nats://127.0.0.1:4223"),
        ("LIVEHOOK_BUS__PREFIX", "events"),
        ("LIVEHOOK_STORE__MAX_MIB", "100"),
        ("LIVEHOOK_ACCOUNTS__ACME__SERVICE_ACCOUNT", "0042"),
        ("LIVEHOOK_ACCOUNTS__ACME_PLAYERS__PLATFORM", "kollus"),
        ("LIVEHOOK_ACCOUNTS__ACME_PLAYERS__CALLBACK_TOKENS", "[{ env = \"OTHER\" }]"),
        ("LIVEHOOK_ACCOUNTS__GAMES__PLATFORM", "soop"),
        ("LIVEHOOK_ACCOUNTS__GAMES__CLIENT_ID", "12345"),
        ("LIVEHOOK_ACCOUNTS__GAMES__POLL__BROADCASTS__CATEGORIES", "00130000,00040000"),
        ("LIVEHOOK_ACCOUNTS__GAMES__POLL__BROADCASTS__EVERY", "2m"),
        ("LIVEHOOK_NATS_SERVER", "not a configuration key"),
    ];
    let config = parse(ACME, &environment_with(&overrides)).expect("all of them exist");
    assert_eq!(config.http.public_listen.port(), 9000);
    assert_eq!(config.store.bytes_max, 100 << 20);
    assert_eq!(config.receivers[0].settings.service_account, "0042");
    assert_eq!(config.receivers[1].settings.name.as_str(), "acme-players");
    let [games] = &config.polled[..] else { panic!("one account is read") };
    let broadcasts = &games.settings.watches["broadcasts"];
    assert_eq!(games.settings.client_id.as_deref(), Some("12345"));
    assert_eq!(broadcasts.every, Duration::from_secs(120));
    assert_eq!(broadcasts.lists["categories"], ["00130000", "00040000"]);
    let Bus::Servers(options) = config.bus else { panic!("servers are configured") };
    assert_eq!((options.servers.len(), options.prefix.as_str()), (2, "events"));
}

#[test]
fn a_problem_names_the_variable_it_comes_from() {
    let bad = |name: &str, value: &str| {
        parse(ACME, &environment_with(&[(name, value)])).err().expect("it is wrong").to_string()
    };
    let said = bad("LIVEHOOK_STORE__MAX_MIB", "1");
    assert!(said.contains("store.max_mib: is 1: use 16 or more (LIVEHOOK_STORE__MAX_MIB sets it)"), "{said}");
    let said = bad("LIVEHOOK_ACCOUNTS__ACME__POLL__CHANNELS__EVERY", "soon");
    assert!(
        said.contains("write it like 60s or 5m (LIVEHOOK_ACCOUNTS__ACME__POLL__CHANNELS__EVERY"),
        "{said}"
    );
    let said = bad("LIVEHOOK_HTTP__PUBLIC_LISTEN", "8080");
    assert!(
        said.contains("http.public_listen: ") && said.contains("(LIVEHOOK_HTTP__PUBLIC_LISTEN sets it)"),
        "{said}"
    );
}

#[test]
fn names_of_progress_fields_keep_their_case() {
    let text = format!("{ACME}progress_fields = {{ PT = \"play_seconds\" }}\n");
    let config = parse(&text, &environment_with(&[])).expect("a figure of playback");
    assert!(config.receivers[0].settings.progress_fields.contains_key("PT"));
}

#[test]
fn questions_are_answered_as_the_account_wants() {
    let keys = "security_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\n";
    let settings = |rest: &str| {
        let config = parse(&format!("{ACME}{keys}{rest}"), &environment_with(&[])).expect("it is right");
        config.receivers[0].settings.questions.clone().expect("it has a security key")
    };
    let usual = settings("on_no_answer = \"refuse\"");
    assert_eq!((usual.deadline.as_millis(), usual.remember.as_millis()), (800, 0));
    assert_eq!(usual.on_no_answer.len(), 4);
    assert!(usual.on_no_answer.values().all(|policy| *policy == OnNoAnswer::Refuse));

    let own = settings(
        "on_no_answer = { play = \"allow\", live-play = \"deny\", download = \"deny\", next-episode = \"refuse\" }\n\
         [accounts.acme.questions]\ndeadline = \"50ms\"\nremember = \"1m\"\nplay_section = \"list\"\n\
         next_episode_fields = { CID = \"media_content_key\", Course = \"user_values.course\" }\n",
    );
    assert_eq!((own.deadline.as_millis(), own.remember.as_secs()), (50, 60));
    assert_eq!(
        (own.on_no_answer["play"], own.on_no_answer["next-episode"]),
        (OnNoAnswer::Allow, OnNoAnswer::Refuse)
    );
    assert!(own.play_section_is_list && !own.live_play_is_list);
    assert!(own.next_episode_fields.contains_key("CID"), "names keep their case");
    let overrides = [
        ("LIVEHOOK_ACCOUNTS__ACME__ON_NO_ANSWER", "allow"),
        ("LIVEHOOK_ACCOUNTS__ACME__QUESTIONS__DEADLINE", "1s"),
    ];
    let overridden = parse(&format!("{ACME}{keys}"), &environment_with(&overrides)).expect("both exist");
    let overridden = overridden.receivers[0].settings.questions.clone().expect("it has a security key");
    assert_eq!((overridden.on_no_answer["play"], overridden.deadline.as_secs()), (OnNoAnswer::Allow, 1));
    assert!(
        parse(ACME, &environment_with(&[])).expect("without keys").receivers[0].settings.questions.is_none()
    );
}

#[test]
fn secrets_are_read_from_files_without_their_line_break() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), format!("{SECRET}\n")).expect("it can be written");
    let text = ACME.replace("env = \"ACME\"", &format!("file = {:?}", file.path()));
    let config = parse(&text, &environment_with(&[])).expect("the file holds a secret");
    assert_eq!(config.url_tokens.len(), 1);
}

/// What is written, the key that must be named, and a word of the remedy.
#[rustfmt::skip]
const BAD: &[(&str, &str, &str)] = &[
    ("this is not toml", "", "TOML"),
    ("[bus]\ntoken = literal-secret", "", "line 2"),
    ("[bus]\ntoken = \"literal-secret", "", "line 2"),
    ("[bus]\nliteral-secret\nuser = 1", "", "line 2"),
    ("[accounts.acme]\nplatform = \"soop\"\npoll.vods = { ids = [71021072] }", "accounts.acme.poll.vods.ids[0]", "in quotes"),
    ("[http]\npublic_listen = \"8080\"", "http.public_listen", "socket address"),
    ("[http]\npublic_listen = 8080", "http.public_listen", "socket address"),
    ("[http]\nadmin_listen = \"127.0.0.1:8080\"", "http.admin_listen", "another port"),
    ("[http]\nadmin_listen = \"0.0.0.0:8081\"", "http.admin_listen", "allow_remote_admin"),
    ("[http]\npublic_url = \"hooks.example.com\"", "http.public_url", "https://hooks.example.com"),
    ("[http]\npublic_url = \"ftp://hooks.example.com\"", "http.public_url", "https://hooks.example.com"),
    ("[http]\npublic_url = \"https://hooks.example.com/path\"", "http.public_url", "https://hooks.example.com"),
    ("[http]\npublic_url = \"https://me:secret@hooks.example.com\"", "http.public_url", "https://hooks.example.com"),
    ("[http]\npublic_url = \"https://a\"\nallowed_hosts = [\"http://a/\"]", "http.allowed_hosts", "without scheme"),
    ("[http]\nallowed_hosts = [\"a\"]", "http.allowed_hosts", "http.public_url"),
    ("[http]\nconnections_max = 0", "http.connections_max", "1 or more"),
    ("[http]\nconnections_per_ip_max = 0", "http.connections_per_ip_max", "1 or more"),
    ("[http]\nconnections_max = -1", "http.connections_max", "invalid value"),
    ("[http]\npublic_listne = \"127.0.0.1:1\"", "http.public_listne", "public_listen"),
    ("[htpp]\n", "htpp", "http"),
    ("[bus]\n", "bus", "bus.servers"),
    ("[bus]\nservers = [\"127.0.0.1:4222\"]", "bus.servers", "nats://"),
    ("[bus]\nservers = [\"http://127.0.0.1:4222\"]", "bus.servers", "nats://"),
    ("[bus]\nservers = [\"nats://me:secret@127.0.0.1:4222\"]", "bus.servers", "bus.password"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nembedded = true", "bus.embedded", "leave one of them out"),
    ("[bus]\nembedded = true\nuser = \"a\"\npassword = { env = \"ACME\" }", "bus.embedded", "leave user"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nnats_server = \"/nowhere\"", "bus.nats_server", "embedded = true"),
    ("[bus]\nembedded = true\nnats_server = \"/nowhere\"", "bus.nats_server", "correct the path"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nprefix = \"Live Events\"", "bus.prefix", "lower-case"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nprefix = \"live.*\"", "bus.prefix", "lower-case"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nreplicas = 2", "bus.replicas", "1, 3 or 5"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nuser = \"a\"", "bus.user", "bus.password"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\nuser = \"a\"\npassword = { env = \"ACME\" }\ntoken = { env = \"ACME\" }", "bus", "keep one"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\ntoken = \"literal-secret\"", "bus.token", "{ env = \"NAME\" }"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\ntoken = { env = \"UNSET\" }", "bus.token", "set it"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\ncredentials_file = \"/nowhere\"", "bus.credentials_file", "correct the path"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\n[bus.live]\nmax_age = \"1h\"", "bus.live.max_age", "6h or more"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\n[bus.live]\nmax_age = \"soon\"", "bus.live.max_age", "720h"),
    ("[bus]\nservers = [\"nats://127.0.0.1\"]\n[bus.live_playback]\nmax_bytes = 0", "bus.live_playback.max_bytes", "leave it out"),
    ("[store]\ndir = \"\"", "store.dir", "directory"),
    ("[store]\ndir = \"Cargo.toml\"", "store.dir", "another path"),
    ("[store]\nmax_mib = 1", "store.max_mib", "16 or more"),
    ("[log]\nfilter = \"=====\"", "log.filter", "info"),
    ("[accounts.acme]\nplatform = \"kollus\"", "accounts.acme.callback_tokens", "openssl rand"),
    ("[accounts.acme]\ncallback_tokens = [{ env = \"ACME\" }]", "accounts.acme", "platform"),
    ("[accounts.acme]\nplatform = \"twitch\"\ncallback_tokens = [{ env = \"ACME\" }]", "accounts.acme.platform", "kollus"),
    ("[accounts.ACME]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]", "accounts.ACME", "lower-case"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [\"literal-secret\"]", "accounts.acme.callback_tokens[0]", "{ env = \"NAME\" }"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"HMAC\" }]", "accounts.acme.callback_tokens[0]", "openssl rand"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"UNSET\" }]", "accounts.acme.callback_tokens[0]", "set it"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ file = \"/nowhere\" }]", "accounts.acme.callback_tokens[0]", "create it"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\", file = \"x\" }]", "accounts.acme.callback_tokens[0]", "not one place"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{}]", "accounts.acme.callback_tokens[0]", "not one place"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ vault = \"x\" }]", "accounts.acme.callback_tokens[0].vault", "`env` or `file`"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\n[accounts.b]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]", "accounts.b.callback_tokens", "its own"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nwebhook_secret = { env = \"HMAC\" }", "accounts.acme.webhook_secret", "leave it out"),
    ("[accounts.acme]\nplatform = \"livedigital\"\ncallback_tokens = [{ env = \"ACME\" }]", "accounts.acme.webhook_secret", "env"),
    ("[accounts.acme]\nplatform = \"livedigital\"\ncallback_tokens = [{ env = \"ACME\" }]\nwebhook_secret = { env = \"HMAC\" }\nprogress_fields = {}", "accounts.acme.progress_fields", "leave it out"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\ncharset = \"klingon\"", "accounts.acme.charset", "euc-kr"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nservice_account = \"\"", "accounts.acme.service_account", "leave it out"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nprogress_fields = { PT = \"luck\" }", "accounts.acme.progress_fields.PT", "play_seconds"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecret = 1", "accounts.acme.secret", "callback_tokens"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nuser_key = { env = \"HMAC\" }", "accounts.acme.user_key", "add security_key"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\non_no_answer = \"deny\"", "accounts.acme.on_no_answer", "add security_key"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nquestions = { deadline = \"1s\" }", "accounts.acme.questions", "add security_key"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\non_no_answer = \"deny\"", "accounts.acme.user_key", "env"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }", "accounts.acme.on_no_answer", "\"allow\", \"deny\" or \"refuse\""),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = \"literal-secret\"", "accounts.acme.security_key", "{ env = \"NAME\" }"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"SPACED\" }\non_no_answer = \"deny\"\n", "accounts.acme.user_key", "copy it again"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"maybe\"\n", "accounts.acme.on_no_answer", "\"allow\", \"deny\" or \"refuse\""),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = { play = \"deny\", live-play = \"deny\", download = \"deny\" }\n", "accounts.acme.on_no_answer.next-episode", "is missing"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = { play = \"deny\", live-play = \"deny\", download = \"deny\", next-episode = \"deny\", stop = \"deny\" }\n", "accounts.acme.on_no_answer.stop", "is not a question"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { deadline = \"10ms\" }", "accounts.acme.questions.deadline", "50ms to 5s"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { deadline = \"6s\" }", "accounts.acme.questions.deadline", "50ms to 5s"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { deadline = \"soon\" }", "accounts.acme.questions.deadline", "50ms to 5s"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { remember = \"61s\" }", "accounts.acme.questions.remember", "60s"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { remember = \"-1s\" }", "accounts.acme.questions.remember", "60s"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { play_section = \"array\" }", "accounts.acme.questions.play_section", "`object` or `list`"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { pseudonym_key = \"literal-secret\" }", "accounts.acme.questions.pseudonym_key", "{ env = \"NAME\" }"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { next_episode_fields = { CID = \"luck\" } }", "accounts.acme.questions.next_episode_fields.CID", "media_content_key"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { next_episode_answer = { key = \"mck\" } }", "accounts.acme.questions.next_episode_answer.key", "content_key"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { next_episode_answer = { url = \"result\" } }", "accounts.acme.questions.next_episode_answer.url", "other than result"),
    ("[accounts.acme]\nplatform = \"kollus\"\ncallback_tokens = [{ env = \"ACME\" }]\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\nquestions = { dedline = \"1s\" }", "accounts.acme.questions.dedline", "deadline"),
    ("[accounts.acme]\nplatform = \"kollus\"\nsecurity_key = { env = \"HMAC\" }\nuser_key = { env = \"HMAC\" }\non_no_answer = \"deny\"\ntoken = { env = \"HMAC\" }\npoll.channels = {}", "accounts.acme.security_key", "callback_tokens"),
    ("[accounts.acme]\nplatform = \"livedigital\"\ncallback_tokens = [{ env = \"ACME\" }]\nwebhook_secret = { env = \"HMAC\" }\nsecurity_key = { env = \"HMAC\" }", "accounts.acme.security_key", "leave it out"),
    ("[accounts.acme]\nplatform = \"livedigital\"\ncallback_tokens = [{ env = \"ACME\" }]\nwebhook_secret = { env = \"HMAC\" }\nquestions = {}", "accounts.acme.questions", "leave it out"),
];

#[test]
fn every_bad_configuration_is_refused_with_key_and_remedy() {
    assert!(BAD.len() >= 30);
    for (text, key, remedy) in BAD {
        // Cases about other sections get an account, so that only one thing is wrong.
        let text = if text.contains("[accounts") { (*text).to_owned() } else { format!("{text}\n{ACME}") };
        let Err(problems) = parse(&text, &environment_with(&[])) else { panic!("accepted:\n{text}") };
        let named = problems.0.iter().any(|problem| problem.key == *key && problem.message.contains(remedy));
        assert!(named, "for\n{text}\nthis names neither {key:?} with {remedy:?}:\n{problems}");
        let shown = problems.to_string();
        assert!(!shown.contains("literal-secret") && !shown.contains(SECRET), "a secret is shown: {shown}");
    }
}

#[test]
fn an_empty_file_asks_for_an_account() {
    let problems = parse("", &environment_with(&[])).err().expect("nobody could call");
    assert!(problems.to_string().contains("[accounts.acme]"), "{problems}");
}

#[test]
fn all_problems_are_told_at_once() {
    let text = format!("[store]\nmax_mib = 1\n[log]\nfilter = \"====\"\n{ACME}");
    assert_eq!(parse(&text, &environment_with(&[])).err().expect("two things are wrong").0.len(), 2);
}

#[test]
fn a_missing_file_is_named() {
    let problems =
        load(Path::new("/nowhere/livehook.toml"), &environment_with(&[])).err().expect("it is not there");
    assert!(problems.to_string().contains("--config"), "{problems}");
}
