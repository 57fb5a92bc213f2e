//! Which nats-server is new enough.

use std::fmt;

/// Version of a nats-server: `2.10.27`. What follows a third number (`-beta.1`) is not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ServerVersion(u32, u32, u32);

impl ServerVersion {
    /// The oldest that works. Older ones ignore options of a JetStream stream and filters of consumers
    /// without a word.
    pub const OLDEST: Self = Self(2, 10, 27);

    /// How to get a newer one, for the end of a message.
    pub const REMEDY: &'static str = "install a newer one: `deploy/get-nats-server.sh` prints the path of one, \
                                      or see https://docs.nats.io/running-a-nats-service/introduction/installation";

    /// Reads `2.10.27`, `v2.10.27`, `2.11.0-beta.1`, and the answer of `--version`: `nats-server: v2.10.27`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("nats-server:").unwrap_or(text).trim();
        let numbers = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next()?;
        let mut parts = numbers.split('.').map(str::parse);
        let version = Self(parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        parts.next().is_none().then_some(version)
    }

    /// Whether livehook can work with it.
    pub fn is_new_enough(self) -> bool {
        self >= Self::OLDEST
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::ServerVersion;

    fn parse(text: &str) -> ServerVersion {
        ServerVersion::parse(text).expect("it is a version")
    }

    #[test]
    fn a_version_is_read_from_what_servers_say() {
        for text in ["2.10.27", "v2.10.27", " nats-server: v2.10.27\n", "2.10.27-beta.1", "2.10.27+build"] {
            assert_eq!(parse(text), ServerVersion(2, 10, 27), "{text}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "2.10", "2.10.x", "2.10.27.1", "nats-server", "-1.2.3", "2.10.99999999999"] {
            assert_eq!(ServerVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_server_of_an_old_distribution_is_refused() {
        assert!(!parse("2.9.10").is_new_enough());
        assert!(!parse("2.10.26").is_new_enough());
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(parse("2.10.27").is_new_enough());
        assert!(parse("2.15.1").is_new_enough());
        assert!(parse("10.0.0").is_new_enough());
    }
}
