//! One broadcast as it may reach us: callbacks that are lost, late or doubled, answers out of caches, restarts.

use proptest::test_runner::{TestError, TestRunner};

use super::{
    scene::{Scene, Told, at, shown, text, told},
    *,
};
use crate::model::{Previous, RetrySchedule, judge};

/// What a platform does that comes again after five minutes, three times.
const RETRIES: RetrySchedule =
    RetrySchedule { answer_seconds: 3, windows: &[(300, 310), (600, 620), (900, 930)] };
/// How old answers can be.
const STALE: i64 = 30;
/// Long after everything.
const FINALLY: i64 = 1_000_000;

/// A delivery of a callback.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    late: i64,
    proof: Proof,
    /// A copy follows; one that comes soon was answered, one that comes late was not.
    copy_after: Option<i64>,
}

#[derive(Clone, Debug)]
struct History {
    /// When it came to stand where, and how we were told.
    steps: Vec<(i64, Phase, Option<Delivery>)>,
    /// When we asked, and how old the answer was.
    sweeps: Vec<(i64, i64)>,
    is_first_sweep: bool,
}

/// What reaches us.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// A callback of that step.
    Callback { step: usize, proof: Proof, is_answered: bool },
    /// An answer as it was true then.
    Answer { of: i64 },
}

fn any_history() -> impl Strategy<Value = History> {
    let late = || prop_oneof![3 => 0i64..5, 1 => 300i64..310];
    let proof = prop::sample::select(vec![Proof::Signature, Proof::UrlToken]);
    let delivery = (late(), proof, prop::option::weighted(0.4, late()));
    let delivery = delivery.prop_map(|(late, proof, copy_after)| Delivery { late, proof, copy_after });
    let step = (1i64..400, prop::option::weighted(0.7, delivery));
    let sweeps = prop::collection::vec((0i64..2500, 0..STALE), 0..25);
    let parts = (prop::collection::vec(step, 1..8), any::<bool>(), sweeps, any::<bool>());
    parts.prop_map(|(steps, ends, sweeps, is_first_sweep)| {
        let (mut now, last) = (0, steps.len() - 1);
        let phase = |n: usize| match n {
            _ if n > 0 && n == last && ends => Phase::Ended,
            _ if n.is_multiple_of(2) => Phase::Live,
            _ => Phase::Paused,
        };
        let steps = steps.into_iter().enumerate().map(|(n, (passed, delivery))| {
            now += passed;
            (now, phase(n), delivery)
        });
        History { steps: steps.collect(), sweeps, is_first_sweep }
    })
}

impl History {
    /// Everything that reaches us, in the order in which it does.
    fn heard(&self) -> Vec<(i64, Heard)> {
        let mut all: Vec<_> = self
            .sweeps
            .iter()
            .map(|&(asked_at, age)| (asked_at, Heard::Answer { of: asked_at - age }))
            .collect();
        for (step, (at, _, delivery)) in self.steps.iter().enumerate() {
            let Some(Delivery { late, proof, copy_after }) = *delivery else { continue };
            let is_answered = copy_after.is_none_or(|after| after < 300);
            all.push((at + late, Heard::Callback { step, proof, is_answered }));
            all.extend(
                copy_after
                    .map(|after| (at + late + after, Heard::Callback { step, proof, is_answered: true })),
            );
        }
        all.sort_by_key(|(at, _)| *at);
        all.push((FINALLY, Heard::Answer { of: FINALLY }));
        all
    }

    fn callback(&self, step: usize) -> Observation {
        let phase = self.steps[step].1;
        let verb = match phase {
            Phase::Live if step == 0 => Verb::Started,
            Phase::Live => Verb::Resumed,
            Phase::Paused => Verb::Paused,
            _ => Verb::Ended,
        };
        told(verb, shown(Noun::Broadcast, Some(phase), json!({})))
    }

    /// What the API says of a moment.
    fn answer(&self, of: i64) -> Option<Observation> {
        let (step, (began, phase, _)) =
            self.steps.iter().enumerate().rev().find(|(_, (at, ..))| *at <= of)?;
        let ended_at = (*phase == Phase::Ended).then(|| text(*began));
        let times =
            json!({ "started_at": text(self.steps[0].0), "ended_at": ended_at, "title": step.to_string() });
        Some(shown(Noun::Broadcast, Some(*phase), times))
    }

    /// Hears all of it; `restart` is what becomes of the belief between two things that are heard.
    fn live(&self, rules: Rules, restart: fn(Known) -> Known) -> Result<(Vec<Told>, Scene), TestCaseError> {
        let mut scene = if self.is_first_sweep { Scene::first_sweep() } else { Scene::new() };
        scene.stale_for = jiff::SignedDuration::from_secs(STALE);
        let (mut events, mut earlier) = (Vec::new(), Vec::new());
        for (now, heard) in self.heard() {
            scene.known = scene.known.take().map(restart);
            match heard {
                Heard::Callback { step, proof, is_answered } => {
                    let callback = Observation { rules, ..self.callback(step) };
                    let copies = earlier.iter().filter(|(verb, _)| *verb == callback.told);
                    let copies: Vec<Previous> = copies.map(|(_, copy)| *copy).collect();
                    let seen = judge(&copies, at(now), RETRIES);
                    earlier.push((callback.told, Previous { received_at: at(now), is_answered }));
                    events.extend(scene.hears_with(now, &callback, proof, seen));
                }
                Heard::Answer { of } => {
                    let Some(answer) = self.answer(of) else { continue };
                    events.extend(scene.sweeps(now, &Observation { rules, ..answer }));
                    scene.known_since = scene.known_since.or(Some(at(now)));
                    let belief = scene.belief();
                    let may_be_older = belief.moved_at.is_some_and(|moved| at(now - STALE) < moved);
                    prop_assert!(
                        !belief.is_unconfirmed || !may_be_older || scene.doubtful_until.is_some(),
                        "what nobody has confirmed is asked again: {heard:?} at {now}"
                    );
                }
            }
        }
        Ok((events, scene))
    }
}

/// It starts once, ends once, and stays ended.
fn tells_once(events: &[Told]) -> Result<(), TestCaseError> {
    let verbs = scene::verbs(events);
    let count = |these: &[Verb]| verbs.iter().filter(|verb| these.contains(verb)).count();
    prop_assert!(count(&[Verb::Discovered, Verb::Started]) <= 1 && count(&[Verb::Ended]) <= 1, "{verbs:?}");
    let over = events.iter().position(|told| told.entity()["state"] == json!("ended"));
    for told in &events[over.unwrap_or(events.len())..] {
        prop_assert_eq!(&told.entity()["state"], &json!("ended"), "{:?}", verbs);
    }
    for told in &events[over.map_or(events.len(), |over| over + 1)..] {
        prop_assert_eq!(told.verb, Verb::Updated, "{:?}", verbs);
    }
    Ok(())
}

/// As the store keeps it.
fn kept(known: Known) -> Known {
    let belief = serde_json::to_string(&known).expect("a belief serialises");
    Known { revision: known.revision, ..serde_json::from_str(&belief).expect("it was written so") }
}

proptest! {
    #[test]
    fn whatever_reaches_us_is_told_once_and_right_in_the_end(history in any_history()) {
        let (events, scene) = history.live(Rules::ONE_USE, |known| known)?;
        tells_once(&events)?;
        let &(_, phase, _) = history.steps.last().expect("it begins");
        prop_assert_eq!(scene.phase(), Some(phase));
        prop_assert_eq!(scene.attribute("title"), Some(json!((history.steps.len() - 1).to_string())));
        prop_assert!(!scene.belief().is_unconfirmed && scene.doubtful_until.is_none());
        let told_over = events.iter().any(|told| told.entity()["state"] == json!("ended"));
        prop_assert_eq!(told_over, phase == Phase::Ended);
    }

    #[test]
    fn a_restart_at_any_point_changes_no_event(history in any_history()) {
        let (events, scene) = history.live(Rules::ONE_USE, |known| known)?;
        let (after_restarts, restarted) = history.live(Rules::ONE_USE, kept)?;
        prop_assert_eq!(after_restarts, events);
        prop_assert_eq!(restarted.known, scene.known);
    }
}

/// Whether there is a history for which `holds` fails.
fn is_refuted(holds: impl Fn(&History) -> Result<(), TestCaseError>) -> bool {
    let refuted = TestRunner::deterministic().run(&any_history(), |history| holds(&history));
    matches!(refuted, Err(TestError::Fail(..)))
}

#[test]
fn that_it_is_told_once_is_noticed_to_fail_where_broadcasts_come_back() {
    assert!(is_refuted(|history| tells_once(&history.live(Rules::default(), |known| known)?.0)));
}

#[test]
fn that_restarts_change_nothing_is_noticed_to_fail_when_something_is_forgotten() {
    for forget in [
        (|known| Known { happened: Vec::new(), ..known }) as fn(Known) -> Known,
        |known| Known { moved_at: None, ..known },
        |known| Known { is_unconfirmed: false, ..known },
    ] {
        assert!(is_refuted(|history| {
            let (events, _) = history.live(Rules::ONE_USE, |known| known)?;
            prop_assert_eq!(history.live(Rules::ONE_USE, forget)?.0, events);
            Ok(())
        }));
    }
}
