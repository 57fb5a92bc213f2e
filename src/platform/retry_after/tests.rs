//! The header in every form that servers send.

use super::*;

/// 2025-01-14T04:30:00Z, a Tuesday.
fn now() -> Timestamp {
    "2025-01-14T04:30:00Z".parse().unwrap()
}

#[test]
fn the_header_is_read_as_the_standard_says_and_never_trusted_beyond_an_hour() {
    let cases: &[(Option<&str>, Option<i64>)] = &[
        (None, None),
        (Some(""), None),
        (Some("  "), None),
        // Seconds.
        (Some("7"), Some(7)),
        (Some(" 120\t"), Some(120)),
        (Some("007"), Some(7)),
        (Some("0"), Some(1)),
        (Some("3600"), Some(3600)),
        (Some("3601"), Some(3600)),
        (Some("86400"), Some(3600)),
        // Twenty digits, and more than any number holds.
        (Some("12345678901234567890"), Some(3600)),
        (Some("999999999999999999999999999999"), Some(3600)),
        // No seconds.
        (Some("-5"), None),
        (Some("+5"), None),
        (Some("1e3"), None),
        (Some("1.5"), None),
        (Some("5 s"), None),
        (Some("soon"), None),
        (Some("５"), None),
        // A date, in each of its forms.
        (Some("Tue, 14 Jan 2025 04:30:42 GMT"), Some(42)),
        (Some("Tuesday, 14-Jan-25 04:31:00 GMT"), Some(60)),
        (Some("Tue Jan 14 04:32:00 2025"), Some(120)),
        // Over, or just now.
        (Some("Tue, 14 Jan 2025 04:30:00 GMT"), None),
        (Some("Tue, 14 Jan 2025 04:29:59 GMT"), None),
        (Some("Thu, 01 Jan 1970 00:00:00 GMT"), None),
        // Far away.
        (Some("Wed, 15 Jan 2025 04:30:00 GMT"), Some(3600)),
        (Some("Thu, 31 Dec 2099 23:59:59 GMT"), Some(3600)),
        // No date.
        (Some("Tue, 14 Jan 2025"), None),
        (Some("Tue, 34 Jan 2025 04:30:42 GMT"), None),
        (Some("2025-01-14T04:30:42Z"), None),
    ];
    for (header, expected) in cases {
        let expected = expected.map(SignedDuration::from_secs);
        assert_eq!(read(*header, now()), expected, "{header:?}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_sent_means_less_than_a_second_or_more_than_an_hour(header in "\\PC{0,40}|[0-9]{0,25}") {
        if let Some(told) = read(Some(&header), now()) {
            assert!((SHORTEST..=LONGEST).contains(&told));
        }
    }
}
