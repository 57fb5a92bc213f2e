//! Which event types there are today, and which platforms lead to them.

use crate::{
    model::{EventType, Noun, Verb},
    platform::Descriptor,
    platforms,
};

/// An event type that at least one platform can lead to.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The type.
    pub event_type: EventType,
    /// The platforms, in the order of the registry.
    pub platforms: Vec<&'static Descriptor>,
}

/// Every type that can be published, in the order of the vocabulary.
pub fn emitted() -> Vec<Emitted> {
    EventType::all()
        .map(|event_type| Emitted { event_type, platforms: platforms_of(event_type) })
        .filter(|emitted| !emitted.platforms.is_empty())
        .collect()
}

fn platforms_of(event_type: EventType) -> Vec<&'static Descriptor> {
    platforms::ALL
        .iter()
        .map(|platform| platform.descriptor())
        .filter(|descriptor| event_types_of(descriptor).contains(&event_type))
        .collect()
}

/// The types that one platform leads to, in the order of the vocabulary.
///
/// Whatever has a callback can be sent bytes that nobody understands, and whatever is read can fail, so
/// `delivery.quarantined` and the verbs of `source` are among them, and those of `credential` where access is given, without being named.
pub fn event_types_of(descriptor: &Descriptor) -> Vec<EventType> {
    let told = descriptor.callbacks.iter().flat_map(|callback| callback.emits);
    let read = descriptor.watches.iter().flat_map(|watch| watch.emits);
    let mut types: Vec<_> = told.chain(read).copied().collect();
    if !descriptor.callbacks.is_empty() {
        types.push(EventType::of(Noun::Delivery, Verb::Quarantined));
    }
    if !descriptor.watches.is_empty() {
        types.extend([Verb::Degraded, Verb::Recovered].map(|verb| EventType::of(Noun::Source, verb)));
    }
    if descriptor.grant.is_some() {
        types.extend(Noun::Credential.verbs().iter().map(|verb| EventType::of(Noun::Credential, *verb)));
    }
    types.sort();
    types.dedup();
    types
}
