//! Callbacks and polls tell of one broadcast.

use livehook::simulators::kollus::Options;
use serde_json::Value;

use super::stage::{
    Place, SWEEP_PATIENCE, deliver, environment, events_of, kollus_account, kollus_with, sweeps, types, until,
};
use crate::support::program::Program;

#[tokio::test]
async fn what_callbacks_and_polls_tell_is_one_event_that_is_proven_afterwards() {
    let place = Place::open(kollus_with(2, Options::default())).await;
    let channels = place.with(|world| world.channel_keys());
    let watches = "callback_tokens = [{ env = \"ACME_TOKEN\" }]\npoll.channels = { every = \"2s\" }";
    let program = Program::new(&kollus_account("acme", &place, watches), &environment());
    let running = program.run().await;
    sweeps(&program, "acme", "channels", 1).await;

    // The callback is first; the API proves it.
    let first = place.with(|world| world.start(&channels[0], "Morning show").unwrap());
    push(&place, &program).await;
    let subject = format!("broadcast/{first}");
    let proven = until("the start is proven", SWEEP_PATIENCE, async || {
        let events = events_of(&program, &subject).await;
        events.iter().any(|event| event["proof"] == "api").then_some(events)
    })
    .await;
    assert_eq!(types(&proven), ["broadcast.started", "broadcast.updated"], "{proven:#?}");
    let told = |event: &Value| (event["via"].clone(), event["proof"].clone());
    assert_eq!(told(&proven[0]), ("callback".into(), "url-token".into()));
    assert_eq!(told(&proven[1]), ("poll".into(), "api".into()));
    assert_eq!(proven[0]["data"]["broadcast"]["started_at"], Value::Null);
    assert!(proven[1]["data"]["broadcast"]["started_at"].is_string(), "{proven:#?}");

    // The API is first; the callback says nothing new.
    let second = place.with(|world| world.start(&channels[1], "Evening show").unwrap());
    let late = place.pushes();
    let other = format!("broadcast/{second}");
    until("the API tells", SWEEP_PATIENCE, async || {
        (!events_of(&program, &other).await.is_empty()).then_some(())
    })
    .await;
    for push in late {
        assert_eq!(deliver(&program, push).await, Some(200));
    }

    // Each ends, once by the callback and once by the API first.
    place.with(|world| world.stop(&channels[0]));
    push(&place, &program).await;
    place.with(|world| world.stop(&channels[1]));
    let late = place.pushes();
    until("the API tells of the end", SWEEP_PATIENCE, async || {
        types(&events_of(&program, &other).await).contains(&"broadcast.ended").then_some(())
    })
    .await;
    for push in late {
        assert_eq!(deliver(&program, push).await, Some(200));
    }
    sweeps(&program, "acme", "channels", 3).await;

    let of_first = events_of(&program, &subject).await;
    let verbs = types(&of_first);
    let count = |verbs: &[&str], verb: &str| verbs.iter().filter(|it| **it == verb).count();
    assert_eq!(count(&verbs, "broadcast.started"), 1, "{of_first:#?}");
    assert_eq!(count(&verbs, "broadcast.ended"), 1, "{of_first:#?}");
    let last = of_first.last().unwrap();
    assert_eq!((&last["proof"], &last["data"]["broadcast"]["state"]), (&"api".into(), &"ended".into()));
    assert!(last["data"]["broadcast"]["ended_at"].is_string(), "{last:#?}");
    let of_second = events_of(&program, &other).await;
    assert_eq!(types(&of_second), ["broadcast.started", "broadcast.ended"], "{of_second:#?}");
    assert!(of_second.iter().all(|event| event["proof"] == "api"), "{of_second:#?}");
    place.assert_no_violation();
    drop(running);
}

async fn push(place: &Place<livehook::simulators::kollus::World>, program: &Program) {
    for push in place.pushes() {
        assert_eq!(deliver(program, push).await, Some(200));
    }
}
