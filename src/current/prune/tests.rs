//! Which marks go.

use super::*;

#[test]
fn only_marks_of_the_day_before_go() {
    let newest: Timestamp = "2026-01-14T12:00:00Z".parse().unwrap();
    let mark = |hours| BucketKey {
        key: format!("kollus.acme.broadcast.b{hours}"),
        is_deleted: true,
        put_at: newest - SignedDuration::from_hours(hours),
        js_sequence: 1,
    };
    let marks = vec![mark(0), mark(23), mark(25), mark(24)];
    assert_eq!(old_marks(marks.clone(), Some(newest)), [mark(25)]);
    assert_eq!(old_marks(marks, None), []);
}
