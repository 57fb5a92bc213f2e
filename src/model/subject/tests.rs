use proptest::prelude::*;

use super::*;

fn account(name: &str) -> AccountName {
    AccountName::parse(name).expect("a name made for this test is well formed")
}

fn any_account() -> impl Strategy<Value = String> {
    "[a-z0-9][a-z0-9-]{0,62}"
}

/// Names that are often equal, or the beginning of each other.
fn any_short_account() -> impl Strategy<Value = String> {
    "[ab][a-]{0,2}"
}

fn any_event_type() -> impl Strategy<Value = EventType> {
    prop::sample::select(EventType::all().collect::<Vec<_>>())
}

fn any_platform() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["kollus", "livedigital", "loopback"])
}

/// Parts of subjects and filters, few enough to meet often.
fn any_parts() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "*", ">", "ab"]), 1..6)
        .prop_map(|parts| parts.join("."))
}

/// NATS's rule, written down as recursion over the parts.
fn matches_by_the_book(filter: &[&str], subject: &[&str]) -> bool {
    match (filter, subject) {
        ([], []) => true,
        ([">"], [_, ..]) => true,
        (["*", filter @ ..], [_, subject @ ..]) => matches_by_the_book(filter, subject),
        ([want, filter @ ..], [part, subject @ ..]) => {
            *want != ">" && want == part && matches_by_the_book(filter, subject)
        }
        _ => false,
    }
}

#[test]
fn a_subject_reads_prefix_platform_account_noun_verb() {
    let event_type = EventType::all().find(|it| it.to_string() == "broadcast.started").expect("it is a word");
    let subject = of("live", &route("kollus", &account("acme"), event_type));
    assert_eq!(subject, "live.kollus.acme.broadcast.started");
}

#[test]
fn a_prefix_is_words_between_dots() {
    for good in ["live", "a", "eu.live", "x-1_y.z", &"p".repeat(64)] {
        assert!(is_prefix(good), "{good}");
    }
    for bad in
        ["", ".", "live.", ".live", "a..b", "Live", "li ve", "live.*", ">", "é", "$SYS", &"p".repeat(65)]
    {
        assert!(!is_prefix(bad), "{bad}");
    }
}

#[test]
fn wildcards_stand_for_one_part_and_for_the_rest() {
    let subject = "live.kollus.acme.broadcast.started";
    for filter in
        [subject, ">", "live.>", "live.*.*.broadcast.>", "*.*.*.*.*", "live.kollus.acme.broadcast.*"]
    {
        assert!(matches(filter, subject), "{filter}");
    }
    for filter in
        ["", "live", "live.*", "live.kollus.acme.broadcast.started.>", "live.>.started", "*.*.*.*", "LIVE.>"]
    {
        assert!(!matches(filter, subject), "{filter}");
    }
}

proptest! {
    #[test]
    fn a_subject_has_five_parts_of_a_closed_alphabet(
        platform in any_platform(), name in any_account(), event_type in any_event_type(),
    ) {
        let subject = of("live", &route(platform, &account(&name), event_type));
        let is_part = |part: &str| {
            let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
            !part.is_empty() && part.bytes().all(allowed)
        };
        prop_assert_eq!(subject.split('.').filter(|part| is_part(part)).count(), 5);
        prop_assert_eq!(subject.split('.').count(), 5);
    }

    #[test]
    fn different_events_have_different_subjects(
        one in (any_platform(), any_short_account(), any_event_type()),
        other in (any_platform(), any_short_account(), any_event_type()),
    ) {
        let subject = |(platform, name, event_type): &(&str, String, EventType)| {
            of("live", &route(platform, &account(name), *event_type))
        };
        prop_assert_eq!(subject(&one) == subject(&other), one == other);
    }

    #[test]
    fn filters_match_as_the_book_says(filter in any_parts(), subject in any_parts()) {
        let by_the_book = matches_by_the_book(
            &filter.split('.').collect::<Vec<_>>(),
            &subject.split('.').collect::<Vec<_>>(),
        );
        prop_assert_eq!(matches(&filter, &subject), by_the_book, "{} on {}", filter, subject);
    }

    #[test]
    fn a_filter_of_any_text_never_panics(filter in ".{0,40}", subject in ".{0,40}") {
        let _ = matches(&filter, &subject);
        let _ = is_prefix(&filter);
    }
}
