use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{ContentHash, EntityKey, Member, Noun, Phase, Proof, Rules, Seen, Verb};

mod histories;
pub(super) mod scene;

/// An entity and what is told of it; each sentence is a delivery of its own.
#[derive(Default)]
struct Story {
    known: Option<Known>,
}

impl Story {
    /// Reduces one observation; returns the verb of the event, if there is one.
    fn hears(&mut self, observation: &Observation, seen: Seen) -> Option<Change> {
        let content = ContentHash::of_bytes(format!("{observation:?}").as_bytes());
        let before = self.known.clone().unwrap_or_default();
        let hearing =
            Hearing::Delivery { received_at: Timestamp::UNIX_EPOCH, proof: Proof::Signature, content, seen };
        let Reduced { known, change, .. } = reduce(self.known.as_ref(), observation, &hearing);
        assert_eq!(known.revision, before.revision + u64::from(change.is_some()), "one event, one revision");
        self.known = Some(known);
        change
    }

    fn tells(&mut self, observation: &Observation) -> Option<Verb> {
        self.hears(observation, Seen::First).map(|change| change.event_type.verb())
    }

    fn phase(&self) -> Option<Phase> {
        self.known.as_ref().and_then(|known| known.phase)
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.known.as_ref().and_then(|known| known.attributes.get(name)).map(Value::from)
    }
}

fn said(noun: Noun, told: Option<Verb>, phase: Option<Phase>) -> Observation {
    Observation { told, phase, rules: Rules::ONE_USE, ..Observation::of(EntityKey::new(noun, "1")) }
}

fn broadcast(told: Verb, phase: Phase) -> Observation {
    said(Noun::Broadcast, Some(told), Some(phase))
}

fn start() -> Observation {
    broadcast(Verb::Started, Phase::Live)
}

fn pause() -> Observation {
    broadcast(Verb::Paused, Phase::Paused)
}

fn resume() -> Observation {
    broadcast(Verb::Resumed, Phase::Live)
}

fn stop() -> Observation {
    broadcast(Verb::Ended, Phase::Ended)
}

fn with(observation: Observation, attributes: Value) -> Observation {
    let Value::Object(map) = attributes else { panic!("attributes are an object") };
    Observation { attributes: map.into(), ..observation }
}

fn in_a_room(observation: Observation) -> Observation {
    Observation { rules: Rules::default(), ..observation }
}

fn recording(phase: Phase) -> Observation {
    said(Noun::Recording, None, Some(phase))
}

fn progress(seconds: f64) -> Observation {
    let rules = Rules { grows: Some("play_seconds"), ..Rules::default() };
    let observation = Observation { rules, ..said(Noun::Playback, Some(Verb::Progressed), None) };
    with(Observation { rules, ..observation }, json!({ "play_seconds": seconds }))
}

fn channel(verb: Verb, id: &str, entry: Option<Value>) -> Observation {
    let member = Member { list: "channels", id: id.to_owned(), entry };
    Observation { member: Some(Box::new(member)), ..said(Noun::Content, Some(verb), None) }
}

#[test]
fn an_absent_attribute_means_unchanged() {
    let mut story = Story::default();
    story.tells(&with(start(), json!({ "title": "Hello", "channel_id": "c" })));
    let news = story.hears(&with(start(), json!({ "title": "Hello again" })), Seen::First);
    let news = news.expect("the title is new");
    assert_eq!(news.event_type.to_string(), "broadcast.updated");
    assert_eq!(Value::Object(news.changes), json!({ "title": { "from": "Hello", "to": "Hello again" } }));
    assert_eq!(story.attribute("channel_id"), Some(json!("c")));
}

#[test]
fn where_all_is_said_each_time_an_absent_attribute_means_gone() {
    let mut story = Story::default();
    let rules = Rules { says_all: true, ..Rules::default() };
    let told = |attributes| {
        let observation = said(Noun::Credential, Some(Verb::Authorized), None);
        with(Observation { rules, ..observation }, attributes)
    };
    story.tells(&told(json!({ "identity": "gamja", "needs_person": false })));
    assert_eq!(story.tells(&told(json!({ "needs_person": false }))), Some(Verb::Authorized));
    assert_eq!(story.attribute("identity"), None);
    assert_eq!(story.attribute("needs_person"), Some(json!(false)));
}

#[test]
fn a_change_of_phase_does_not_list_what_changed_with_it() {
    let mut story = Story::default();
    let news = story.hears(&with(start(), json!({ "title": "Hello" })), Seen::First);
    assert!(news.is_some_and(|change| change.changes.is_empty()));
}

#[test]
fn start_and_stop_come_once_however_often_they_are_told() {
    let mut story = Story::default();
    assert_eq!(story.tells(&start()), Some(Verb::Started));
    for seen in [Seen::First, Seen::Immediate, Seen::Possible, Seen::Again, Seen::Retry] {
        assert_eq!(story.hears(&start(), seen), None, "{seen:?}");
    }
    assert_eq!(story.tells(&stop()), Some(Verb::Ended));
    for seen in [Seen::First, Seen::Immediate, Seen::Possible, Seen::Again, Seen::Retry] {
        assert_eq!(story.hears(&stop(), seen), None, "{seen:?}");
        assert_eq!(story.hears(&start(), seen), None, "{seen:?}");
    }
}

#[test]
fn pause_and_resume_may_repeat() {
    let mut story = Story::default();
    story.tells(&start());
    assert_eq!(story.hears(&pause(), Seen::First).map(|it| it.event_type.verb()), Some(Verb::Paused));
    assert_eq!(story.hears(&resume(), Seen::First).map(|it| it.event_type.verb()), Some(Verb::Resumed));
    assert_eq!(story.hears(&pause(), Seen::Immediate).map(|it| it.event_type.verb()), Some(Verb::Paused));
    assert_eq!(story.hears(&resume(), Seen::Again).map(|it| it.event_type.verb()), Some(Verb::Resumed));
    assert_eq!(story.hears(&resume(), Seen::Again), None, "it is live already");
}

#[test]
fn a_retry_says_nothing() {
    let mut story = Story::default();
    story.tells(&start());
    story.tells(&pause());
    story.tells(&resume());
    assert_eq!(story.hears(&pause(), Seen::Retry), None);
    assert_eq!(story.phase(), Some(Phase::Live));
    assert_eq!(story.hears(&with(pause(), json!({ "title": "old" })), Seen::Retry), None);
    assert_eq!(story.attribute("title"), None);
}

#[test]
fn a_copy_that_comes_a_moment_after_a_retry_says_as_little() {
    let mut story = Story::default();
    story.tells(&start());
    story.tells(&pause());
    story.tells(&resume());
    assert_eq!(story.hears(&pause(), Seen::Retry), None);
    assert_eq!(story.hears(&pause(), Seen::Immediate), None);
    assert_eq!(story.phase(), Some(Phase::Live));
    // Not so when something happened after the retry.
    story.tells(&with(resume(), json!({ "title": "new" })));
    assert!(story.hears(&pause(), Seen::Immediate).is_some());
}

#[test]
fn a_pause_at_a_retry_distance_from_one_that_was_answered_is_published_with_a_mark() {
    let mut story = Story::default();
    story.tells(&start());
    story.tells(&pause());
    story.tells(&resume());
    let news = story.hears(&pause(), Seen::Possible).expect("it may be real");
    assert_eq!((news.event_type.verb(), news.possible_duplicate), (Verb::Paused, true));
    assert!(!story.hears(&resume(), Seen::Again).expect("it is real").possible_duplicate);
}

#[test]
fn a_copy_of_a_moment_ago_says_nothing_unless_something_came_in_between() {
    let mut story = Story::default();
    let bookmark = |id: u8| with(said(Noun::Bookmark, Some(Verb::Changed), None), json!({ "label": id }));
    assert_eq!(story.tells(&bookmark(1)), Some(Verb::Changed));
    assert_eq!(story.hears(&bookmark(1), Seen::Immediate), None);
    assert_eq!(story.tells(&bookmark(2)), Some(Verb::Changed));
    assert!(story.hears(&bookmark(1), Seen::Immediate).is_some());
}

#[test]
fn a_start_after_the_stop_fills_in_data_but_never_revives() {
    let mut story = Story::default();
    assert_eq!(story.tells(&stop()), Some(Verb::Ended), "the stop is news although no start was");
    let late = with(start(), json!({ "started_at": "2026-01-14T04:30:11Z" }));
    assert_eq!(story.tells(&late), Some(Verb::Updated));
    assert_eq!(story.tells(&late), None);
    assert_eq!(story.phase(), Some(Phase::Ended));
    for late in [start(), pause(), resume()] {
        assert_eq!(story.tells(&late), None);
        assert_eq!(story.phase(), Some(Phase::Ended));
    }
}

#[test]
fn a_start_after_the_pause_is_published_once_and_does_not_undo_the_pause() {
    let mut story = Story::default();
    assert_eq!(story.tells(&pause()), Some(Verb::Paused));
    assert_eq!(story.tells(&start()), Some(Verb::Started));
    assert_eq!(story.phase(), Some(Phase::Paused));
    assert_eq!(story.hears(&start(), Seen::Again), None);
    assert_eq!(story.tells(&resume()), Some(Verb::Resumed));
    assert_eq!(story.phase(), Some(Phase::Live));
}

#[test]
fn a_start_after_the_resumption_is_published_once() {
    let mut story = Story::default();
    assert_eq!(story.tells(&resume()), Some(Verb::Resumed));
    assert_eq!(story.tells(&start()), Some(Verb::Started));
    assert_eq!(story.tells(&start()), None);
    assert_eq!(story.phase(), Some(Phase::Live));
}

#[test]
fn a_condition_without_a_name_leads_to_the_verb_that_fits() {
    let mut story = Story::default();
    let seen = |phase| said(Noun::Broadcast, None, Some(phase));
    assert_eq!(story.tells(&seen(Phase::Live)), Some(Verb::Started));
    assert_eq!(story.tells(&seen(Phase::Live)), None);
    assert_eq!(story.tells(&seen(Phase::Paused)), Some(Verb::Paused));
    assert_eq!(story.tells(&seen(Phase::Live)), Some(Verb::Resumed));
    assert_eq!(story.tells(&seen(Phase::Ended)), Some(Verb::Ended));
    assert_eq!(story.tells(&seen(Phase::Live)), None);
}

#[test]
fn in_a_room_one_call_follows_another() {
    let mut story = Story::default();
    for _ in 0..3 {
        assert_eq!(story.tells(&in_a_room(start())), Some(Verb::Started));
        assert_eq!(story.tells(&in_a_room(start())), None);
        assert_eq!(story.tells(&in_a_room(stop())), Some(Verb::Ended));
        assert_eq!(story.tells(&in_a_room(stop())), None);
    }
    assert_eq!(story.known.map(|known| known.revision), Some(6));
}

#[test]
fn a_room_that_comes_back_may_do_everything_again() {
    let mut story = Story::default();
    story.tells(&in_a_room(start()));
    story.tells(&in_a_room(stop()));
    assert_eq!(story.tells(&in_a_room(pause())), Some(Verb::Paused));
    assert_eq!(
        story.tells(&in_a_room(start())),
        Some(Verb::Started),
        "the start of the second call comes late"
    );
    assert_eq!(story.phase(), Some(Phase::Paused));
}

#[test]
fn within_a_minute_a_room_starts_ends_and_starts_again() {
    let mut story = Story::default();
    story.tells(&in_a_room(start()));
    assert_eq!(story.hears(&in_a_room(start()), Seen::Immediate), None);
    story.tells(&in_a_room(stop()));
    let again = story.hears(&in_a_room(start()), Seen::Immediate);
    assert_eq!(again.map(|change| change.event_type.verb()), Some(Verb::Started));
}

#[test]
fn a_recording_that_failed_can_become_available() {
    let mut story = Story::default();
    assert_eq!(story.tells(&recording(Phase::Recording)), Some(Verb::Started));
    assert_eq!(story.tells(&recording(Phase::Failed)), Some(Verb::Failed));
    assert_eq!(story.tells(&recording(Phase::Failed)), None);
    assert_eq!(story.tells(&recording(Phase::Available)), Some(Verb::Available));
    assert_eq!(story.tells(&recording(Phase::Available)), None);
    assert_eq!(story.phase(), Some(Phase::Available));
}

#[test]
fn a_failure_that_is_reported_after_the_success_is_published_but_the_file_stays_there() {
    let mut story = Story::default();
    assert_eq!(story.tells(&recording(Phase::Available)), Some(Verb::Available));
    assert_eq!(story.tells(&recording(Phase::Failed)), Some(Verb::Failed));
    assert_eq!(story.phase(), Some(Phase::Available));
}

#[test]
fn the_start_of_a_recording_that_comes_last_only_fills_in_data() {
    for end in [Phase::Available, Phase::Failed, Phase::Aborted] {
        let mut story = Story::default();
        assert!(story.tells(&recording(end)).is_some());
        assert_eq!(story.tells(&recording(Phase::Recording)), None);
        let filled = with(recording(Phase::Recording), json!({ "kind": "segment" }));
        assert_eq!(story.tells(&filled), Some(Verb::Updated));
        assert_eq!(story.phase(), Some(end));
    }
}

#[test]
fn an_upload_that_is_told_after_its_transcoding_is_published_once_and_turns_nothing_back() {
    let mut story = Story::default();
    let uploaded = said(Noun::Content, Some(Verb::Uploaded), Some(Phase::Uploaded));
    let transcoded = said(Noun::Content, Some(Verb::Transcoded), Some(Phase::Transcoded));
    assert_eq!(story.tells(&transcoded), Some(Verb::Transcoded));
    assert_eq!(story.tells(&uploaded), Some(Verb::Uploaded));
    assert_eq!(story.hears(&uploaded, Seen::Again), None);
    assert_eq!(story.phase(), Some(Phase::Transcoded));
}

#[test]
fn content_can_be_transcoded_again() {
    let mut story = Story::default();
    let failed = said(Noun::Content, Some(Verb::TranscodingFailed), Some(Phase::TranscodingFailed));
    let transcoded = said(Noun::Content, Some(Verb::Transcoded), Some(Phase::Transcoded));
    assert_eq!(story.tells(&failed), Some(Verb::TranscodingFailed));
    assert_eq!(story.tells(&transcoded), Some(Verb::Transcoded));
    assert_eq!(story.hears(&transcoded, Seen::Retry), None);
    assert!(story.hears(&transcoded, Seen::Again).is_some());
}

#[test]
fn content_joins_a_channel_leaves_it_and_joins_again() {
    let mut story = Story::default();
    let entry = json!({ "id": "c1", "name": "Main" });
    let join = channel(Verb::ChannelJoined, "c1", Some(entry.clone()));
    let leave = channel(Verb::ChannelLeft, "c1", None);
    assert_eq!(story.tells(&join), Some(Verb::ChannelJoined));
    assert_eq!(story.attribute("channels"), Some(json!([entry])));
    assert_eq!(story.tells(&join), None, "it is in that channel already");
    assert_eq!(story.tells(&leave), Some(Verb::ChannelLeft));
    assert_eq!(story.attribute("channels"), Some(json!([])));
    assert_eq!(story.hears(&join, Seen::Immediate).map(|it| it.event_type.verb()), Some(Verb::ChannelJoined));
    assert_eq!(story.attribute("channels"), Some(json!([entry])));
}

#[test]
fn joining_and_leaving_say_which_channel_it_was() {
    let mut story = Story::default();
    let entry = json!({ "id": "c1", "name": "Main" });
    let joined = story.hears(&channel(Verb::ChannelJoined, "c1", Some(entry.clone())), Seen::First);
    let joined = joined.expect("it is in no channel yet").changes;
    assert_eq!(Value::Object(joined), json!({ "channels": { "from": null, "to": entry } }));
    let left =
        story.hears(&channel(Verb::ChannelLeft, "c1", None), Seen::First).expect("it is in that channel");
    assert_eq!(Value::Object(left.changes), json!({ "channels": { "from": entry, "to": null } }));
}

#[test]
fn channels_do_not_disturb_each_other() {
    let mut story = Story::default();
    for id in ["c1", "c2", "c3"] {
        story.tells(&channel(Verb::ChannelJoined, id, Some(json!({ "id": id }))));
    }
    assert_eq!(story.tells(&channel(Verb::ChannelLeft, "c2", None)), Some(Verb::ChannelLeft));
    assert_eq!(story.attribute("channels"), Some(json!([{ "id": "c1" }, { "id": "c3" }])));
}

#[test]
fn leaving_a_channel_that_was_never_seen_to_be_joined_is_news() {
    assert_eq!(Story::default().tells(&channel(Verb::ChannelLeft, "c1", None)), Some(Verb::ChannelLeft));
}

#[test]
fn a_number_that_only_grows_is_never_set_back() {
    let mut story = Story::default();
    assert_eq!(story.tells(&progress(30.0)), Some(Verb::Progressed));
    assert_eq!(story.tells(&progress(10.0)), None);
    assert_eq!(story.attribute("play_seconds"), Some(json!(30.0)));
    assert_eq!(story.tells(&progress(60.0)), Some(Verb::Progressed));
    assert_eq!(story.tells(&progress(60.0)), Some(Verb::Progressed), "the viewer is still there");
}

#[test]
fn what_only_happens_is_published_each_time() {
    let mut story = Story::default();
    let notice = said(Noun::Notice, Some(Verb::Received), None);
    assert_eq!(story.tells(&notice), Some(Verb::Received));
    assert_eq!(story.hears(&notice, Seen::Again).map(|it| it.event_type.verb()), Some(Verb::Received));
    assert!(story.hears(&notice, Seen::Possible).is_some_and(|it| it.possible_duplicate));
}

#[test]
fn a_sweep_without_a_delivery_is_never_taken_for_a_copy() {
    let observation = said(Noun::Broadcast, None, Some(Phase::Live));
    let Reduced { known, change, .. } =
        reduce(None, &observation, &Hearing::Own { at: Timestamp::UNIX_EPOCH });
    assert!(change.is_some() && !known.was_made_by(None));
}

fn any_seen() -> impl Strategy<Value = Seen> {
    use Seen::*;
    prop::sample::select(vec![First, Immediate, Retry, Possible, Again])
}

fn any_broadcast() -> impl Strategy<Value = Observation> {
    let plain = prop::sample::select(vec![start(), pause(), resume(), stop()]);
    (plain, prop::option::of("[a-c]"))
        .prop_map(|(observation, title)| with(observation, json!({ "title": title })))
}

fn any_recording() -> impl Strategy<Value = Observation> {
    prop::sample::select(vec![Phase::Recording, Phase::Available, Phase::Failed, Phase::Aborted])
        .prop_map(recording)
}

proptest! {
    #[test]
    fn the_same_observation_twice_never_yields_a_second_change_of_phase(
        before in prop::collection::vec(any_broadcast(), 0..8),
        twice in prop_oneof![any_broadcast(), any_recording()],
    ) {
        let mut story = Story::default();
        if twice.entity.noun == Noun::Broadcast {
            for observation in &before {
                story.tells(observation);
            }
        }
        story.tells(&twice);
        prop_assert_eq!(story.tells(&twice), None);
    }

    #[test]
    fn a_broadcast_starts_once_ends_once_and_stays_ended(
        told in prop::collection::vec((any_broadcast(), any_seen()), 0..30),
    ) {
        let mut story = Story::default();
        let mut verbs = Vec::new();
        for (observation, seen) in &told {
            let was_over = story.phase() == Some(Phase::Ended);
            verbs.extend(story.hears(observation, *seen).map(|change| change.event_type.verb()));
            prop_assert!(!was_over || story.phase() == Some(Phase::Ended));
        }
        let count = |verb| verbs.iter().filter(|&&it| it == verb).count();
        prop_assert!(count(Verb::Started) <= 1 && count(Verb::Ended) <= 1, "{:?}", verbs);
        if let Some(end) = verbs.iter().position(|&verb| verb == Verb::Ended) {
            prop_assert!(verbs[end + 1..].iter().all(|&verb| verb == Verb::Updated), "{:?}", verbs);
        }
    }

    #[test]
    fn a_room_starts_and_ends_by_turns(
        told in prop::collection::vec((any_broadcast(), any_seen()), 0..30),
    ) {
        let mut story = Story::default();
        let mut is_live = false;
        for (observation, seen) in told {
            if !matches!(observation.phase, Some(Phase::Live | Phase::Ended)) || observation.told == Some(Verb::Resumed) {
                continue;
            }
            let verb = story.hears(&in_a_room(observation), seen).map(|change| change.event_type.verb());
            match verb {
                Some(Verb::Started) => prop_assert!(!std::mem::replace(&mut is_live, true)),
                Some(Verb::Ended) => is_live = false,
                _ => {}
            }
            prop_assert_eq!(is_live, story.phase() == Some(Phase::Live));
        }
    }

    #[test]
    fn every_verb_of_a_recording_is_published_once_at_most(
        told in prop::collection::vec((any_recording(), any_seen()), 0..20),
    ) {
        let mut story = Story::default();
        let mut verbs = Vec::new();
        for (observation, seen) in &told {
            verbs.extend(story.hears(observation, *seen).map(|change| change.event_type.verb()));
        }
        let count = verbs.len();
        verbs.sort();
        verbs.dedup();
        prop_assert_eq!(verbs.len(), count);
    }
}
