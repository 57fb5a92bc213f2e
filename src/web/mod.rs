//! The two listeners, and the only place that knows HTTP on the server's side.
//!
//! [`listener`] accepts connections and closes those that are slow, silent or ambiguous, whatever is asked
//! on them. [`public`] is what platforms reach, [`admin`] what operators and consoles reach.

pub mod admin;
pub mod events;
pub mod host;
pub mod limits;
pub mod listener;
pub mod problem;
pub mod public;
mod quarantine;

pub use admin::AdminContext;
pub use host::AllowedHosts;
pub use limits::Limits;
pub use listener::serve;
pub use public::PublicContext;
