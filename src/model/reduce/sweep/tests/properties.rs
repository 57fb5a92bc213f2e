//! Whatever sweeps and callbacks say, in whatever order.

use proptest::prelude::*;

use super::*;
use crate::model::Rules;

/// A sentence about the one entity, and how it is heard.
#[derive(Clone, Debug)]
struct Sentence {
    observation: Observation,
    is_swept: bool,
    passed: i64,
    proof: Proof,
    seen: Seen,
    is_first_sweep: bool,
}

fn any_attributes() -> impl Strategy<Value = Value> {
    let time = || {
        prop::option::of(prop_oneof![
            (-2000i64..2000).prop_map(text),
            Just("9999-12-30T22:00:00Z".to_owned()),
            Just("-009999-01-02T01:59:59Z".to_owned()),
            Just("not a time".to_owned()),
        ])
    };
    let fields = (time(), time(), time(), prop::option::of("[ab]"), prop::option::of("[L-N]"));
    fields.prop_map(|(start, pause, end, title, life)| {
        let times = json!({ "started_at": start, "paused_at": pause, "ended_at": end, "created_at": start });
        let mut all = times;
        all["title"] = title.into();
        all["call_id"] = life.into();
        all
    })
}

fn any_observation(noun: Noun) -> impl Strategy<Value = Observation> {
    let rules = prop::sample::select(vec![
        Rules::ONE_USE,
        Rules::default(),
        Rules { life: Some("call_id"), ..Rules::default() },
    ]);
    let phase = prop::option::weighted(0.9, prop::sample::select(Phase::ALL));
    let verb = prop::option::weighted(0.2, prop::sample::select(Verb::ALL));
    let parts = (any_attributes(), phase, verb, rules, any::<bool>());
    parts.prop_map(move |(attributes, phase, verb, rules, is_absent)| {
        let mut observation = Observation { told: verb, rules, ..shown(noun, phase, attributes) };
        if is_absent {
            observation.extra.set("reason", json!("absent"));
        }
        observation
    })
}

fn any_sentences() -> impl Strategy<Value = Vec<Sentence>> {
    prop::sample::select(Noun::ALL).prop_flat_map(|noun| {
        let is_swept = any::<bool>()
            .prop_map(move |is_swept| is_swept && (noun.verbs().len() > 1 || noun == Noun::Comment));
        let proof = prop::sample::select(vec![Proof::Signature, Proof::UrlToken]);
        let seen = prop::sample::select(vec![
            Seen::First,
            Seen::Immediate,
            Seen::Retry,
            Seen::Possible,
            Seen::Again,
        ]);
        let passed = prop_oneof![9 => -5i64..100, 1 => -2000i64..2000];
        let parts = (any_observation(noun), is_swept, passed, proof, seen, any::<bool>());
        let sentence = parts.prop_map(|(observation, is_swept, passed, proof, seen, is_first_sweep)| {
            Sentence { observation, is_swept, passed, proof, seen, is_first_sweep }
        });
        prop::collection::vec(sentence, 0..30)
    })
}

/// Nouns of which livehook hears, but which no sweep shows.
fn only_happens(noun: Noun) -> bool {
    !things::LISTED.contains(&noun) && !matches!(noun, Noun::Broadcast | Noun::Recording)
}

/// What is true of a broadcast at one moment.
#[derive(Clone, PartialEq, Debug)]
struct Moment {
    from: i64,
    phase: Option<Phase>,
    title: String,
}

/// A broadcast that begins, pauses, goes on and is renamed as it likes, and may end.
fn any_history() -> impl Strategy<Value = Vec<Moment>> {
    let step = (1i64..90, prop::sample::select(vec![Phase::Live, Phase::Paused]), "[a-c]");
    (prop::collection::vec(step, 1..12), any::<bool>()).prop_map(|(steps, ends)| {
        let mut history = vec![Moment { from: i64::MIN, phase: None, title: String::new() }];
        let mut now = 0;
        for (passed, phase, title) in steps {
            now += passed;
            history.push(Moment { from: now, phase: Some(phase), title });
        }
        if ends {
            let title = history.last().map(|last| last.title.clone()).unwrap_or_default();
            history.push(Moment { from: now + 7, phase: Some(Phase::Ended), title });
        }
        history
    })
}

fn truth(history: &[Moment], seconds: i64) -> &Moment {
    history.iter().rev().find(|moment| moment.from <= seconds).expect("the first one is from ever")
}

fn picture(moment: &Moment, rules: Rules) -> Option<Observation> {
    let phase = moment.phase?;
    Some(Observation { rules, ..shown(Noun::Broadcast, Some(phase), json!({ "title": moment.title })) })
}

proptest! {
    #[test]
    fn any_sequence_ends_counts_right_and_says_nothing_twice(sentences in any_sentences()) {
        let mut scene = Scene::stale_for(30);
        let mut now = 0;
        for Sentence { observation, is_swept, passed, proof, seen, is_first_sweep } in sentences {
            now += passed;
            scene.known_since = (!is_first_sweep).then_some(at(0));
            if is_swept && !only_happens(observation.entity.noun) {
                scene.sweeps(now, &observation);
            } else {
                scene.hears_with(now, &observation, proof, seen);
            }
            prop_assert!(!scene.belief().is_catching_up || !is_swept, "no step is left over");
        }
    }

    #[test]
    fn what_is_used_once_starts_once_ends_once_and_stays_ended_in_sweeps(
        heard in prop::collection::vec((any_observation(Noun::Broadcast), any::<bool>(), 0i64..100), 0..30),
    ) {
        let mut scene = Scene::stale_for(30);
        let mut all = Vec::new();
        let mut now = 0;
        for (observation, is_swept, passed) in heard {
            now += passed;
            let observation = Observation { told: None, rules: Rules::ONE_USE, ..observation };
            if is_swept {
                all.extend(verbs(&scene.sweeps(now, &observation)));
            } else {
                all.extend(scene.hears(now, &observation).map(|told| told.verb));
            }
        }
        let count = |verb| all.iter().filter(|&&it| it == verb).count();
        prop_assert!(count(Verb::Started) <= 1 && count(Verb::Ended) <= 1, "{:?}", all);
        if let Some(end) = all.iter().position(|&verb| verb == Verb::Ended) {
            prop_assert!(all[end + 1..].iter().all(|&verb| verb == Verb::Updated), "{:?}", all);
        }
    }

    #[test]
    fn old_answers_make_no_event_and_lose_none(
        history in any_history(),
        is_room in any::<bool>(),
        stale_for in 0i64..60,
        heard in prop::collection::vec((0i64..40, 0i64..60, 0..3), 1..60),
    ) {
        let rules = if is_room { Rules::default() } else { Rules::ONE_USE };
        let mut scene = Scene::stale_for(stale_for);
        let mut now = 0;
        // What the latest revision was made of is from this moment.
        let mut informed = i64::MIN;
        for (passed, age, kind) in heard {
            now += passed;
            let of = match kind {
                // A callback comes at once, an answer may come from the cache.
                0 | 1 => now,
                _ => now - age.min((stale_for - 1).max(0)),
            };
            let Some(picture) = picture(truth(&history, of), rules) else { continue };
            let events = match kind {
                0 => scene.hears(now, &picture).into_iter().collect(),
                _ => scene.sweeps(now, &picture),
            };
            if !events.is_empty() {
                prop_assert!(of >= informed, "asked at {now}, of {of}, known of {informed}: {:?}", verbs(&events));
                informed = of;
            }
        }
        let end = now + 2000;
        let last = truth(&history, end);
        let picture = picture(last, rules).expect("it began by then");
        scene.sweeps(end, &picture);
        prop_assert_eq!(scene.phase(), last.phase);
        prop_assert_eq!(scene.attribute("title"), Some(json!(last.title)));
        prop_assert_eq!(scene.doubtful_until, None);
    }
}
