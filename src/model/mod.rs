//! Values and pure functions: what a platform says, what we believed, and what we therefore publish.
//! Knows nobody, does no IO, reads no clock.

pub mod attributes;
pub mod entities;
pub mod event;
pub mod hearing;
pub mod ids;
pub mod known;
pub mod observation;
pub mod reduce;
pub mod repeat;
pub mod said;
pub mod subject;
pub mod vocabulary;

pub use attributes::Attributes;
pub use event::{Event, Proof, Via};
pub use hearing::Hearing;
pub use ids::{AccountName, ContentHash, EntityKey, EventId, EventMark, PlatformId};
pub use known::Known;
pub use observation::{Member, Observation, Rules};
pub use reduce::{Change, Reduced, reduce};
pub use repeat::{Previous, RetrySchedule, Seen, judge};
pub use said::Said;
pub use vocabulary::{EventType, Noun, Phase, Verb};
