use super::*;
use crate::config::schema;

/// What the variables say, laid over `file`.
fn laid_over(mut file: Value, variables: &[(&str, &str)]) -> Result<Value, Problems> {
    let environment = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Overrides::lay_over(&mut file, &schema(), &environment).map(|_| file)
}

/// Every key of the file below a place, as path, with what can stand there.
fn leaves(keys: &[&str], place: Place<'_>, found: &mut Vec<(Vec<String>, Value)>) {
    let place = place.resolved();
    let properties = place.schema["properties"].as_object().into_iter().flatten();
    let below: Vec<_> = properties.map(|(key, schema)| (key.as_str(), schema)).collect();
    let any_name = place.schema.get("additionalProperties").filter(|schema| schema.is_object());
    let any_name =
        any_name.map(|schema| (if keys == ["accounts"] { "acme-players" } else { "name" }, schema));
    let is_leaf = below.is_empty() && any_name.is_none();
    for (key, schema) in below.into_iter().chain(any_name) {
        leaves(&[keys, &[key]].concat(), Place { schema, ..place }, found);
    }
    if is_leaf {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        found.push((keys, place.schema.clone()));
    }
}

#[test]
fn every_key_of_the_file_can_be_set() {
    let schema = schema();
    let mut keys = Vec::new();
    leaves(&[], Place { schema: &schema, root: &schema }, &mut keys);
    assert!(keys.len() > 40, "{}", keys.len());
    for (keys, schema) in keys {
        let (text, value) = match schema["type"]
            .as_array()
            .map_or(&schema["type"], |kinds| &kinds[0])
            .as_str()
        {
            Some("string") => ("0123", json!("0123")),
            Some("integer") => ("17", json!(17)),
            Some("boolean") => ("true", json!(true)),
            Some("array") if schema["items"]["type"] == "string" => ("00130000, b", json!(["00130000", "b"])),
            Some("array") => (r#"[{ env = "A" }, { file = "b" }]"#, json!([{ "env": "A" }, { "file": "b" }])),
            // One of a few words.
            _ if schema["oneOf"][0]["const"].is_string() => ("a-word", json!("a-word")),
            _ => (r#"{ env = "A" }"#, json!({ "env": "A" })),
        };
        let variable = keys.iter().map(|key| key.to_uppercase().replace('-', "_")).collect::<Vec<_>>();
        // The one name whose case is the platform's.
        let variable = format!("LIVEHOOK_{}", variable.join("__").replace("FIELDS__NAME", "FIELDS__name"));
        let file = laid_over(json!({}), &[(&variable, text)]).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(file.pointer(&format!("/{}", keys.join("/"))), Some(&value), "{variable}: {file}");
    }
}

#[test]
fn what_the_file_says_beside_it_stays() {
    let file = json!({ "accounts": { "a": { "platform": "soop", "poll": { "vods": { "ids": ["1"] } } } } });
    let variables =
        [("LIVEHOOK_ACCOUNTS__A__POLL__VODS__EVERY", "5m"), ("LIVEHOOK_ACCOUNTS__A__POLL__FILTERS", "{}")];
    let poll = json!({ "vods": { "ids": ["1"], "every": "5m" }, "filters": {} });
    assert_eq!(
        laid_over(file, &variables),
        Ok(json!({ "accounts": { "a": { "platform": "soop", "poll": poll } } }))
    );
}

#[test]
fn a_secret_is_in_one_place_only() {
    let file = || json!({ "bus": { "password": { "env": "OLD" } } });
    let by_name = laid_over(file(), &[("LIVEHOOK_BUS__PASSWORD__FILE", "/run/secrets/nats")]);
    assert_eq!(by_name, Ok(json!({ "bus": { "password": { "file": "/run/secrets/nats" } } })));
    let whole = laid_over(file(), &[("LIVEHOOK_BUS__PASSWORD", r#"{ file = "/run/secrets/nats" }"#)]);
    assert_eq!(whole, by_name);
}

#[test]
fn lists_are_words_or_toml() {
    for (text, servers) in [
        ("nats://a:4222,nats://b:4222", json!(["nats://a:4222", "nats://b:4222"])),
        (r#"["nats://a:4222", "nats://b:4222"]"#, json!(["nats://a:4222", "nats://b:4222"])),
        ("nats://a:4222", json!(["nats://a:4222"])),
        ("", json!([])),
    ] {
        assert_eq!(
            laid_over(json!({}), &[("LIVEHOOK_BUS__SERVERS", text)]),
            Ok(json!({ "bus": { "servers": servers } }))
        );
    }
}

#[test]
fn variables_that_are_not_meant_as_keys_are_left_alone() {
    let variables = [
        ("LIVEHOOK_CONFIG", "x"),
        ("LIVEHOOK_NATS_SERVER", "x"),
        ("OTHER__KEY", "x"),
        ("livehook_store__dir", "x"),
    ];
    assert_eq!(laid_over(json!({}), &variables), Ok(json!({})));
}

#[test]
fn what_cannot_be_read_is_named_with_the_remedy_and_not_shown() {
    let cases = [
        ("LIVEHOOK_STORE__DRI", "store has no key \"dri\", only dir, max_mib"),
        ("LIVEHOOK_STOER__DIR", "the file has no key \"stoer\", only http, bus"),
        ("LIVEHOOK_STORE__DIR__X", "take away the part after __"),
        ("LIVEHOOK__STORE__DIR", "the file has no key \"_store\", only http"),
        ("LIVEHOOK_BUS__TOKEN__VAULT", "bus.token has no key \"vault\", only env, file"),
        ("LIVEHOOK_STORE__MAX_MIB", "sets store.max_mib, which is a number: write digits"),
        ("LIVEHOOK_BUS__EMBEDDED", "write true or false"),
        ("LIVEHOOK_BUS__TOKEN", "write { env = \"NAME\" }"),
        ("LIVEHOOK_BUS__LIVE", "is a section"),
        (
            "LIVEHOOK_ACCOUNTS__A_B__CALLBACK_TOKENS",
            "accounts.a-b.callback_tokens, which is a list of secrets",
        ),
        ("LIVEHOOK_ACCOUNTS__A__POLL__VODS__HISTORY", "accounts.a.poll.vods.history, which is a switch"),
    ];
    for (variable, remedy) in cases {
        let problems = laid_over(json!({}), &[(variable, "literal-secret")]).expect_err(variable);
        let [problem] = &problems.0[..] else { panic!("{problems}") };
        assert!(problem.key == variable && problem.message.contains(remedy), "{problem}");
        assert!(!problem.message.contains("literal-secret"), "{problem}");
    }
    let broken = laid_over(json!({}), &[("LIVEHOOK_BUS__SERVERS", "[literal-secret")]).expect_err("no list");
    assert!(
        broken.to_string().contains("is a list: write a,b") && !broken.to_string().contains("literal-secret")
    );
}
