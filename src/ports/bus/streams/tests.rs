use super::*;

fn options() -> BusOptions {
    BusOptions::new(vec!["nats://127.0.0.1:4222".to_owned()])
}

#[test]
fn each_noun_has_exactly_one_stream() {
    let mut all: Vec<String> =
        JsStream::ALL.iter().flat_map(|js_stream| js_stream.subjects("live")).collect();
    all.sort();
    let mut wanted: Vec<String> = Noun::ALL.iter().map(|noun| format!("live.*.*.{noun}.*")).collect();
    wanted.sort();
    assert_eq!(all, wanted);
    assert_eq!(
        JsStream::LivePlayback.subjects("a.b"),
        ["a.b.*.*.playback.*", "a.b.*.*.download.*", "a.b.*.*.bookmark.*"]
    );
}

#[test]
fn what_is_wanted_does_not_differ_from_itself() {
    for js_stream in JsStream::ALL {
        let mut found = js_stream.wanted(&options());
        found.subjects.reverse();
        assert_eq!(differences(js_stream, &js_stream.wanted(&options()), &found), []);
    }
}

#[test]
fn the_duplicate_window_is_never_longer_than_the_age() {
    let mut options = options();
    options.live.max_age = Duration::from_secs(60);
    assert_eq!(JsStream::Live.wanted(&options).duplicate_window, Duration::from_secs(60));
}

#[test]
fn every_field_that_differs_is_named_with_what_is_wanted_and_what_is_found() {
    type Change = fn(&mut Config);
    let changes: &[(&str, Change)] = &[
        ("subjects", |c| drop(c.subjects.pop())),
        ("storage", |c| c.storage = StorageType::Memory),
        ("retention", |c| c.retention = RetentionPolicy::WorkQueue),
        ("discard", |c| c.discard = DiscardPolicy::Old),
        ("discard_new_per_subject", |c| c.discard_new_per_subject = true),
        ("max_age", |c| c.max_age = Duration::from_secs(1)),
        ("duplicate_window", |c| c.duplicate_window = Duration::from_secs(120)),
        ("max_bytes", |c| c.max_bytes = 7),
        ("max_msgs", |c| c.max_messages = 7),
        ("max_msgs_per_subject", |c| c.max_messages_per_subject = 7),
        ("max_msg_size", |c| c.max_message_size = 7),
        ("num_replicas", |c| c.num_replicas = 3),
        ("allow_direct", |c| c.allow_direct = false),
        ("deny_delete", |c| c.deny_delete = false),
        ("deny_purge", |c| c.deny_purge = false),
        ("allow_rollup_hdrs", |c| c.allow_rollup = true),
        ("no_ack", |c| c.no_ack = true),
        ("sealed", |c| c.sealed = true),
        ("mirror", |c| c.mirror = Some(jetstream::stream::Source { name: "X".into(), ..Default::default() })),
        ("sources", |c| {
            c.sources = Some(vec![jetstream::stream::Source { name: "X".into(), ..Default::default() }])
        }),
        ("subject_transform", |c| {
            c.subject_transform =
                Some(jetstream::stream::SubjectTransform { source: "a".into(), destination: "b".into() });
        }),
    ];
    let mut options = options();
    options.live.bytes_max = Some(1 << 30);
    let wanted = JsStream::Live.wanted(&options);
    for (field, change) in changes {
        let mut found = wanted.clone();
        change(&mut found);
        let drifts = differences(JsStream::Live, &wanted, &found);
        assert_eq!(drifts.iter().map(|drift| drift.field).collect::<Vec<_>>(), [*field]);
        assert_ne!(drifts[0].wanted, drifts[0].found, "{field}");
    }
}

#[test]
fn a_limit_in_bytes_is_the_operators_when_none_is_configured() {
    let wanted = JsStream::Live.wanted(&options());
    let found = Config { max_bytes: 1 << 20, ..wanted.clone() };
    assert_eq!(differences(JsStream::Live, &wanted, &found), []);
}
