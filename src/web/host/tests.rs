#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;

fn hosts(names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().map(|&name| name.to_owned())
}

#[test]
fn a_listed_name_is_ours_with_any_port_and_any_case() {
    let allowed = AllowedHosts::public(hosts(&["hooks.example.com"]));
    for ours in ["hooks.example.com", "hooks.example.com:443", "Hooks.Example.COM:8080"] {
        assert!(allowed.permits(ours), "{ours}");
    }
    for foreign in [
        "example.com",
        "hooks.example.com.evil.test",
        "127.0.0.1",
        "localhost",
        "",
        "a@hooks.example.com",
        "hooks.example.com/",
    ] {
        assert!(!allowed.permits(foreign), "{foreign}");
    }
}

#[test]
fn a_name_listed_with_a_port_is_ours_on_that_port_only() {
    let allowed = AllowedHosts::public(hosts(&["Hooks.example.com:8080"]));
    assert!(allowed.permits("hooks.example.com:8080"));
    assert!(!allowed.permits("hooks.example.com"));
    assert!(!allowed.permits("hooks.example.com:8081"));
}

#[test]
fn the_public_listener_answers_to_any_name_when_none_is_listed() {
    assert!(AllowedHosts::public([]).permits("whatever.test:1"));
}

#[test]
fn the_admin_listener_answers_to_addresses_and_localhost_but_to_no_unlisted_name() {
    let allowed = AllowedHosts::admin(hosts(&["admin.example.com"]));
    for ours in
        ["127.0.0.1:8081", "[::1]:8081", "localhost", "LOCALHOST:8081", "10.0.0.7", "admin.example.com"]
    {
        assert!(allowed.permits(ours), "{ours}");
    }
    for foreign in ["rebound.evil.test", "localhost.evil.test:8081", "127.0.0.1.evil.test"] {
        assert!(!allowed.permits(foreign), "{foreign}");
    }
}

#[test]
fn a_target_of_another_host_is_foreign_even_under_our_host_header() {
    let allowed = AllowedHosts::public(hosts(&["hooks.example.com"]));
    let ours = Some("hooks.example.com");
    assert!(allowed.permits_request(&"/callbacks".parse().unwrap(), ours));
    assert!(allowed.permits_request(&"http://hooks.example.com/".parse().unwrap(), ours));
    assert!(!allowed.permits_request(&"http://evil.test/".parse().unwrap(), ours));
    assert!(!allowed.permits_request(&"/".parse().unwrap(), None));
}
