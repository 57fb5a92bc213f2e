//! The two listeners, and the only place that knows HTTP on the server's side.
//!
//! [`listener`] accepts connections and closes those that are slow, silent or ambiguous, whatever is asked
//! on them. [`public`] is what platforms and browsers reach, [`admin`] what operators and consoles reach.

pub mod admin;
mod body;
mod connect;
mod credentials;
pub mod events;
pub mod host;
pub mod limits;
pub mod listener;
mod oauth;
mod own_pages;
mod pages;
pub mod problem;
pub mod public;
mod quarantine;

pub use admin::AdminContext;
pub use host::AllowedHosts;
pub use limits::Limits;
pub use listener::serve;
pub use public::PublicContext;
