use super::*;

fn bent(drift: Drift) -> Value {
    let mut answer = json!({ "list": [{ "no": "1", "title": "one" }], "total": 1 });
    drift.bend(&mut answer);
    answer
}

#[test]
fn each_drift_bends_the_answer_where_the_field_stands() {
    assert_eq!(bent(Drift::Missing("list")), json!({ "total": 1 }));
    assert_eq!(bent(Drift::Missing("no")), json!({ "list": [{ "title": "one" }], "total": 1 }));
    assert_eq!(bent(Drift::Null("title"))["list"][0]["title"], Value::Null);
    assert_eq!(bent(Drift::Renamed("no", "number"))["list"][0], json!({ "title": "one", "number": "1" }));
    assert_eq!(bent(Drift::Retyped("no"))["list"][0]["no"], json!({ "value": "1" }));
    assert_eq!(bent(Drift::Retyped("list"))["list"], json!("(moved)"));
    let unknown = bent(Drift::Unknown);
    assert!(unknown["brand_new"].is_object() && unknown["list"][0]["brand_new"].is_object());
}

#[test]
fn counting_up_brings_every_form_of_retry_after() {
    let now: Timestamp = "2026-01-06T03:25:42Z".parse().unwrap();
    let forms: Vec<_> = (0..10).map(|which| retry_after(which, now)).collect();
    assert_eq!(forms[0], None);
    assert_eq!(forms[2].as_deref(), Some("Tue, 06 Jan 2026 03:26:02 GMT"));
    assert_eq!(forms.iter().collect::<std::collections::HashSet<_>>().len(), forms.len());
}
