//! What every platform must do, whatever it says.

use std::collections::HashSet;

use bytes::Bytes;
use jiff::SignedDuration;
use livehook::{
    model::Proof,
    platform::{Callbacks, Decision, Delivery, signature},
};
use proptest::{prelude::*, sample::Index};
use secrecy::ExposeSecret;

use crate::support::{
    cases::{self, Case, Request},
    desk::{Desk, Outcome},
};

#[test]
fn no_signed_request_is_believed_with_any_bit_of_it_turned() {
    let mut tried = 0;
    for (case, request) in requests() {
        let callbacks = callbacks(case);
        let is_proven = |delivery: &Delivery| {
            callbacks.verify(delivery, &case.account).is_ok_and(|it| it.proof() == Proof::Signature)
        };
        if !is_proven(&request.delivery) {
            continue;
        }
        tried += 1;
        for at in 0..request.delivery.body.len() {
            for bit in 0..8 {
                let mut body = request.delivery.body.to_vec();
                body[at] ^= 1 << bit;
                let forged = with_body(request, body);
                assert!(!is_proven(&forged), "{}: byte {at}, bit {bit}", case.path.display());
            }
        }
    }
    assert!(tried > 0, "there is no signed case");
}

#[test]
fn the_same_delivery_twice_in_a_row_yields_no_second_event() {
    for case in cases::all() {
        let mut desk = Desk::default();
        for request in &case.requests {
            desk.treat(case, request);
            if request.delivery.callback.asks.is_some() {
                // Whoever asks twice is answered twice, and each answer is told.
                continue;
            }
            for seconds in [0, 10] {
                let again = Delivery {
                    received_at: request.delivery.received_at + SignedDuration::from_secs(seconds),
                    ..request.delivery.clone()
                };
                let again = Request {
                    delivery: again,
                    is_answered_in_time: true,
                    after_seconds: seconds,
                    replies: Vec::new(),
                    policy: Decision::Deny,
                };
                let events = desk.treat(case, &again).events;
                assert!(events.is_empty(), "{}: {events:#?}", case.path.display());
            }
        }
    }
}

#[test]
fn no_prefix_of_a_request_makes_a_platform_panic() {
    for (case, request) in requests() {
        // Of a long one some: all of them would take minutes.
        let length = request.delivery.body.len();
        for end in (0..length).step_by(1 + length / 512) {
            verify_and_decode(case, &with_body(request, request.delivery.body[..end].to_vec()));
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_platform_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for (case, request) in one_of_each_callback() {
            verify_and_decode(case, &with_body(request, body.clone()));
        }
    }

    #[test]
    fn no_damage_to_a_request_makes_a_platform_panic(
        place: Index, damages in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let requests: Vec<_> = requests().collect();
        let (case, request) = place.get(&requests);
        let mut body = request.delivery.body.to_vec();
        if !body.is_empty() {
            for (at, byte) in damages {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        verify_and_decode(case, &with_body(request, body));
    }
}

#[test]
fn decoding_twice_gives_equal_values() {
    for (case, request) in requests() {
        let first = decode(case, &request.delivery);
        assert_eq!(first, decode(case, &request.delivery), "{}", case.path.display());
    }
}

#[test]
fn every_event_is_announced_in_the_descriptor() {
    for case in cases::all() {
        let mut desk = Desk::default();
        for request in &case.requests {
            let callback = request.delivery.callback;
            let mut announced: Vec<_> =
                callback.emits.iter().map(|emitted| format!("live.{emitted}")).collect();
            announced.push("live.delivery.quarantined".to_owned());
            for event in desk.treat(case, request).events {
                assert!(
                    announced.contains(&event.event_type),
                    "{}: the callback {} does not announce {}",
                    case.path.display(),
                    callback.name,
                    event.event_type
                );
            }
        }
    }
}

#[test]
fn no_secret_comes_out_again() {
    let mut looked_for = HashSet::new();
    for case in cases::all() {
        let mut desk = Desk::default();
        for request in &case.requests {
            let delivery = &request.delivery;
            let mut secrets =
                [cases::WEBHOOK_SECRET, cases::SECURITY_KEY, cases::USER_KEY].map(str::to_owned).to_vec();
            for field in delivery.callback.secret_fields {
                let values = values_of(field, &delivery.body);
                looked_for.extend(values.iter().map(|_| *field));
                secrets.extend(values);
            }
            let treated = desk.treat(case, request);
            let mut told = serde_json::to_string(&treated.events).unwrap();
            if let Some(answer) = &treated.answer {
                let (_, user_key) = answer.header.as_ref().unwrap();
                assert_eq!(user_key.expose_secret(), cases::USER_KEY);
                told += &format!("{answer:?}");
            }
            if let Outcome::Quarantined(why) | Outcome::Refused(why) = &treated.outcome {
                told.push_str(why);
            }
            for secret in secrets {
                assert!(!told.contains(&secret), "{}: a secret is in {told}", case.path.display());
            }
        }
    }
    for (case, request) in requests() {
        for field in request.delivery.callback.secret_fields {
            let callback = request.delivery.callback.name;
            assert!(looked_for.contains(field), "{}: no case of {callback} has {field}", case.path.display());
        }
    }
}

/// What stands behind `field=` in a form, or behind `"field":"` in JSON in one.
fn values_of(field: &str, body: &[u8]) -> Vec<String> {
    let body = percent_encoding::percent_decode(body).decode_utf8_lossy().into_owned();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let flat = pairs.filter(|(name, _)| *name == field).map(|(_, value)| value);
    let mark = format!("\"{field}\":\"");
    let inside = body.split(&mark).skip(1).filter_map(|rest| rest.split('"').next());
    flat.chain(inside).filter(|value| value.len() > 3).map(str::to_owned).collect()
}

fn requests() -> impl Iterator<Item = (&'static Case, &'static Request)> {
    cases::all().iter().flat_map(|case| case.requests.iter().map(move |request| (case, request)))
}

fn one_of_each_callback() -> impl Iterator<Item = (&'static Case, &'static Request)> {
    let mut met = HashSet::new();
    requests().filter(move |(case, request)| {
        met.insert((case.platform.descriptor().id, request.delivery.callback.name))
    })
}

fn callbacks(case: &Case) -> &'static dyn Callbacks {
    case.platform.callbacks().expect("a platform with cases has callbacks")
}

fn with_body(request: &Request, body: Vec<u8>) -> Delivery {
    Delivery { body: Bytes::from(body), ..request.delivery.clone() }
}

/// Decodes whatever the signature says, so that decoders see what no sender could sign.
fn decode(
    case: &Case,
    delivery: &Delivery,
) -> Result<livehook::platform::Decoded, livehook::platform::Malformed> {
    callbacks(case).decode(&signature::unsigned(delivery, "this is a test of the decoder"), &case.account)
}

fn verify_and_decode(case: &Case, delivery: &Delivery) {
    let _ = callbacks(case).verify(delivery, &case.account);
    let _ = decode(case, delivery);
    if delivery.callback.asks.is_some() {
        let questions = case.platform.questions().expect("its callbacks ask");
        let _ = questions.read(&signature::unsigned(delivery, "this is a test of the reader"), &case.account);
    }
}

/// A delivery counts as answered when our 200 left, so that must be early enough for its platform.
#[test]
fn our_deadline_is_shorter_than_every_platforms() {
    let deadline = livehook::web::Limits::default().delivery;
    let with_callbacks = livehook::platforms::ALL.iter().filter(|platform| platform.callbacks().is_some());
    for platform in with_callbacks {
        let descriptor = platform.descriptor();
        assert!(deadline.as_secs() < u64::from(descriptor.retries.answer_seconds), "{}", descriptor.id);
    }
}
