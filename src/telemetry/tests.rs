use std::collections::HashSet;

use super::*;

fn names_in(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_ascii_lowercase() && c != '_')
        .filter(|word| word.starts_with("livehook_"))
        .collect()
}

#[test]
fn the_alerts_speak_of_metrics_that_exist() {
    let known: HashSet<_> = ALL.iter().map(|metric| metric.name).collect();
    let used = names_in(include_str!("../../deploy/alerts.yml"));
    assert!(!used.is_empty());
    assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn names_end_in_their_unit() {
    for metric in ALL {
        let units: &[&str] = match metric.kind {
            Kind::Counter => &["_total"],
            Kind::Gauge | Kind::Histogram => &[
                "_bytes",
                "_seconds",
                "_jobs",
                "_events",
                "_deliveries",
                "_connections",
                "_lists",
                "_in_flight",
            ],
        };
        assert!(metric.name.starts_with("livehook_"), "{}", metric.name);
        assert!(units.iter().any(|unit| metric.name.ends_with(unit)), "{} has no unit", metric.name);
    }
}
