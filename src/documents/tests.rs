#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_type_that_can_be_published_is_explained() {
    for emitted in emitted() {
        assert_ne!(
            about::about(emitted.event_type),
            "",
            "{} has no sentence in about.rs",
            emitted.event_type
        );
    }
}

#[test]
fn each_path_is_written_once() {
    let documents = all();
    let paths: BTreeSet<_> = documents.iter().map(|document| &document.path).collect();
    assert_eq!(paths.len(), documents.len());
}

#[test]
fn what_was_written_is_fresh_and_what_was_touched_is_stale() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(stale(root.path()).len(), all().len());

    let written = write_all(root.path()).unwrap();
    assert_eq!(written.len(), all().len());
    assert_eq!(stale(root.path()), Vec::<String>::new());
    assert_eq!(write_all(root.path()).unwrap(), Vec::<String>::new());

    fs::write(root.path().join("schemas/asyncapi.json"), "{}").unwrap();
    fs::write(root.path().join("schemas/events/broadcast.vanished.schema.json"), "{}").unwrap();
    assert_eq!(
        stale(root.path()),
        [
            "schemas/events/broadcast.vanished.schema.json is generated from nothing any more",
            "schemas/asyncapi.json differs from what the code says",
        ]
    );
    write_all(root.path()).unwrap();
    assert_eq!(stale(root.path()), Vec::<String>::new());
}

#[test]
fn the_tables_of_a_readme_are_replaced_and_the_rest_stays() {
    let text = "# livehook\n<!-- generated: platforms -->\nold\n<!-- end -->\nbetween\n\
                <!-- generated: events -->\n<!-- end -->\nlast\n";
    let fresh = readme::updated(text).unwrap();
    assert!(fresh.starts_with("# livehook\n<!-- generated: platforms -->\n\n| platform |"), "{fresh}");
    assert!(fresh.contains("<!-- end -->\nbetween\n<!-- generated: events -->\n\n| event |"), "{fresh}");
    assert!(fresh.ends_with("<!-- end -->\nlast\n") && !fresh.contains("\nold\n"), "{fresh}");
    assert_eq!(readme::updated(&fresh).unwrap(), fresh, "a second time changes nothing");
}

#[test]
fn a_readme_without_markers_is_told_which_lines_it_needs() {
    let error = readme::updated("# livehook\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "README.md needs the lines `<!-- generated: platforms -->` and, below it, `<!-- end -->`"
    );
}
