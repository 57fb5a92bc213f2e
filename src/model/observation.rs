//! What a platform says, in our words, not yet compared with what we knew.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    attributes::Attributes,
    ids::EntityKey,
    vocabulary::{Noun, Phase, Verb},
};

/// One statement about one entity. Callbacks and sweeps both become observations.
#[derive(Clone, PartialEq, Debug)]
pub struct Observation {
    /// What it is about.
    pub entity: EntityKey,
    /// Where the entity stands now; `None` when nothing is said of it.
    pub phase: Option<Phase>,
    /// The change by its name, when the platform reports a change rather than a condition.
    pub told: Option<Verb>,
    /// What is said of it.
    pub attributes: Attributes,
    /// An entry that comes into, or goes out of, a list among the attributes.
    pub member: Option<Box<Member>>,
    /// The platform's own fields, secrets removed; published with this change and not remembered.
    pub extra: Attributes,
    /// The platform's own time of the change, where it gives one.
    pub at: Option<Timestamp>,
    /// How this kind of entity behaves at this platform.
    pub rules: Rules,
}

impl Observation {
    /// An observation that says nothing yet; fill in the fields that are known.
    pub fn of(entity: EntityKey) -> Self {
        Self {
            entity,
            phase: None,
            told: None,
            attributes: Attributes::default(),
            member: None,
            extra: Attributes::default(),
            at: None,
            rules: Rules::default(),
        }
    }

    /// It is not there any more. For whoever looks that is its end, though it may only have been hidden: `extra` says
    /// so.
    pub fn absent(entity: EntityKey, rules: Rules) -> Self {
        let mut absent = Self { rules, ..Self::of(entity) };
        absent.extra.set("reason", "absent".into());
        match absent.entity.noun {
            Noun::Broadcast => absent.phase = Some(Phase::Ended),
            _ => absent.told = Some(Verb::Removed),
        }
        absent
    }
}

/// An entry of a list attribute, recognised by its `id`: a channel that content is in.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// The list attribute: `channels`.
    pub list: &'static str,
    /// The entry's identity, equal to the `id` inside it.
    pub id: String,
    /// The entry as it is now; `None` when it is no longer in the list.
    pub entry: Option<Value>,
}

/// How entities of one kind behave at one platform.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Rules {
    /// The id is used once: what has ended stays ended, and each change of phase happens once.
    /// Without it the entity may come back (a room in which one call follows another).
    pub one_use: bool,
    /// A number attribute that only grows; an observation in which it falls is old news.
    pub grows: Option<&'static str>,
    /// The attribute that tells one life of an entity that comes back from the next: `call_id` of a room.
    pub life: Option<&'static str>,
    /// All that is known is said each time: what is not said any more does not hold any more.
    pub says_all: bool,
}

impl Rules {
    /// Ids that are used once.
    pub const ONE_USE: Self = Self { one_use: true, grows: None, life: None, says_all: false };
}
