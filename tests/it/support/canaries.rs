//! The secrets of the tests, each with a name that says where it is used.
//!
//! What all tests leave behind together can be searched for them: see [`super::remains`].

use livehook::simulators::{kollus, livedigital, openfresh, soop};

/// A name and a secret in each line. The tests in Python and JavaScript read it too.
const TABLE: &str = include_str!("../../canaries.txt");

/// The secret of this name; the build fails if there is none.
pub const fn canary(name: &str) -> &'static str {
    let mut rest = TABLE;
    loop {
        let (line, after) = rest.split_at(find(rest, b'\n'));
        let (found, secret) = line.split_at(find(line, b' '));
        if is_same(found, name) {
            return secret.split_at(1).1;
        }
        rest = after.split_at(1).1;
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().map(|line| line.split_once(' ').expect("a name and a secret"))
}

const fn find(text: &str, byte: u8) -> usize {
    let mut at = 0;
    while text.as_bytes()[at] != byte {
        at += 1;
    }
    at
}

const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// A simulated Kollus whose secrets are canaries, as those that follow.
pub fn kollus() -> kollus::Options {
    kollus::Options {
        access_token: canary("kollus-access").to_owned(),
        client_secret: canary("kollus-secret").to_owned(),
        ..kollus::Options::default()
    }
}

pub fn soop() -> soop::Options {
    soop::Options {
        client_secret: canary("soop-secret").to_owned(),
        accounts: vec![soop::Account::new("soop1234", canary("soop-access"))],
        ..soop::Options::default()
    }
}

pub fn livedigital() -> livedigital::Options {
    livedigital::Options {
        access_token: canary("livedigital-access").to_owned(),
        webhook_secret: canary("livedigital-webhook-secret").to_owned(),
        client_secret: canary("livedigital-secret").to_owned(),
        password: canary("livedigital-password").to_owned(),
        ..livedigital::Options::default()
    }
}

pub fn openfresh() -> openfresh::Options {
    openfresh::Options { password: canary("openfresh-password").to_owned(), ..openfresh::Options::default() }
}
