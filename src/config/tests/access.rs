//! Where accounts get their access from.

use super::*;
use crate::{grants::Source, platform::Way};

const VAULT_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const VAULT: &str =
    "[http]\npublic_url = \"https://hooks.example.com\"\n[vault]\nkey = { env = \"VAULT\" }\n";
const KOLLUS: &str = "[accounts.acme]\nplatform = \"kollus\"\nclient_id = \"55\"\nclient_secret = { env = \"HMAC\" }\npoll.channels = {}\n";
const SOOP: &str =
    "[accounts.acme]\nplatform = \"soop\"\nclient_id = \"55\"\nclient_secret = { env = \"HMAC\" }\n";
const LIVEDIGITAL: &str = "[accounts.acme]\nplatform = \"livedigital\"\nclient_id = \"55\"\nclient_secret = { env = \"HMAC\" }\npoll.spaces = {}\n";
const OPENFRESH: &str = "[accounts.acme]\nplatform = \"openfresh\"\nusername = \"me\"\npassword = { env = \"HMAC\" }\npoll.comments = { programs = [\"1\"] }\n";

fn parsed(text: &str) -> Result<Config, Problems> {
    parse(text, &environment_with(&[("VAULT", VAULT_KEY)]))
}

/// Where the only account's tokens come from; `None` if nothing is kept.
fn source(text: &str) -> Option<Source> {
    let config = parsed(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    config.kept.into_iter().next().map(|account| account.source)
}

#[test]
fn each_platform_has_its_ways() {
    let user = "username = \"me\"\npassword = { env = \"HMAC\" }\n";
    let token = "token = { env = \"HMAC\" }\n";
    let elsewhere = "base_url = \"https://fresh.example\"\nallow_unknown_hosts = true\n";
    for (text, way) in [
        (format!("{VAULT}{KOLLUS}"), Way::Browser),
        (format!("{VAULT}{SOOP}poll.station = {{}}\n"), Way::Browser),
        (format!("{VAULT}{SOOP}poll.filters = {{}}\n"), Way::Browser),
        (format!("{VAULT}{LIVEDIGITAL}"), Way::Client),
        (format!("{VAULT}{LIVEDIGITAL}{user}"), Way::Password),
        (format!("{VAULT}{OPENFRESH}{elsewhere}"), Way::Password),
    ] {
        assert!(matches!(source(&text), Some(Source::Obtained(found)) if found == way), "{text}");
    }
    // A token that stands there goes first, and needs no vault.
    for text in [
        format!("{KOLLUS}{token}"),
        format!("{VAULT}{KOLLUS}{token}"),
        format!("{SOOP}{token}poll.station = {{}}\n"),
    ] {
        assert!(matches!(source(&text), Some(Source::Personal(_))), "{text}");
    }
    // Secrets of an application are good for filters, too.
    assert!(source(&format!("{SOOP}poll.filters = {{}}\n")).is_none());
    assert!(source(ACME).is_none());
}

#[test]
fn access_is_given_where_the_api_is_if_that_is_one_place() {
    let auth_url = |text: &str| parsed(text).unwrap_or_else(|it| panic!("{it}")).kept[0].auth_url.to_string();
    let moved = "base_url = \"https://api.example/x\"\nallow_unknown_hosts = true\n";
    assert_eq!(auth_url(&format!("{VAULT}{KOLLUS}")), "https://live-kr.kollus.com/");
    assert_eq!(auth_url(&format!("{VAULT}{KOLLUS}{moved}")), "https://live-kr.kollus.com/");
    assert_eq!(auth_url(&format!("{VAULT}{LIVEDIGITAL}{moved}")), "https://api.example/x");
    let named = "auth_url = \"https://login.example\"\nallow_unknown_hosts = true\n";
    assert_eq!(auth_url(&format!("{VAULT}{LIVEDIGITAL}{named}")), "https://login.example/");
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    let no_url = "[vault]\nkey = { env = \"VAULT\" }\n";
    for (text, key, remedy) in [
        (KOLLUS.to_owned(), "vault.key", "openssl rand -hex 32"),
        (LIVEDIGITAL.to_owned(), "vault.key", "openssl rand -hex 32"),
        (format!("{no_url}{KOLLUS}"), "http.public_url", "accounts.acme"),
        (format!("{VAULT}{OPENFRESH}"), "accounts.acme.password", "allow_unknown_hosts"),
        (VAULT.replace("VAULT", "HMAC") + KOLLUS, "vault.key", "64 hexadecimal digits"),
        (VAULT.replace("VAULT", "UNSET") + KOLLUS, "vault.key", "set it"),
        (format!("{VAULT}old_keys = [{{ env = \"HMAC\" }}]\n{KOLLUS}"), "vault.old_keys", "64 hexadecimal"),
        (format!("[vault]\n{KOLLUS}"), "vault", "key"),
        (
            format!("{VAULT}{KOLLUS}").replace("client_secret", "# "),
            "accounts.acme.poll.channels",
            "client_id and client_secret",
        ),
        (
            format!("{VAULT}{KOLLUS}auth_url = \"https://login.example\"\n"),
            "accounts.acme.auth_url",
            "allow_unknown_hosts",
        ),
        (
            format!("{VAULT}{KOLLUS}auth_url = \"http://live-kr.kollus.com\"\n"),
            "accounts.acme.auth_url",
            "allow_unknown_hosts",
        ),
        (format!("{VAULT}{KOLLUS}auth_url = \"login\"\n"), "accounts.acme.auth_url", "is not a URL"),
        (format!("{VAULT}{KOLLUS}username = \"me\"\n"), "accounts.acme.username", "leave it out"),
        (
            format!("{ACME}client_secret = \"literal-secret\"\n"),
            "accounts.acme.client_secret",
            "{ env = \"NAME\" }",
        ),
        (
            format!("{VAULT}{OPENFRESH}").replace("password = { env = \"HMAC\" }\n", ""),
            "accounts.acme.password",
            "is missing",
        ),
        (format!("{VAULT}{LIVEDIGITAL}username = \" \"\n"), "accounts.acme.username", "is empty"),
        (format!("{VAULT}{OPENFRESH}scopes = [\"a\"]\n"), "accounts.acme.scopes", "leave it out"),
    ] {
        let Err(problems) = parsed(&text) else { panic!("accepted:\n{text}") };
        let named = problems.0.iter().any(|problem| problem.key == key && problem.message.contains(remedy));
        assert!(named, "for\n{text}\nthis names neither {key:?} with {remedy:?}:\n{problems}");
        assert!(!problems.to_string().contains("literal-secret"));
    }
}
