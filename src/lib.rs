//! livehook receives callbacks of live-video platforms and publishes them, in one vocabulary, to NATS JetStream.
//!
//! # The journey of a delivery
//!
//! A platform posts a form or a document to a secret URL. [`web::listener`] has accepted the connection, within
//! limits on time, bytes and number, and has refused what two programs could read differently. [`web::public`]
//! asks [`ingest::Ingest::route`] whose URL that is, reads the body to its end, and hands over the bytes as they
//! came.
//!
//! [`ingest::Ingest::accept`] asks the account's platform two questions. [`platform::Callbacks::verify`]: did the
//! platform send this? Only [`platform::signature`] can make the answer, a [`platform::Verified`], and nothing
//! reads what a body says without one. [`platform::Callbacks::decode`]: what does it say? The answer is a list of
//! [`model::Observation`]s, or a reason why it cannot be told; then the bytes go into quarantine.
//!
//! [`store::Store::commit`] takes both, bytes and observations, to the one thread that writes. There
//! [`model::judge()`] tells a retry from a repetition, [`model::reduce()`] compares each observation with what was
//! known of the entity, and a difference becomes a [`model::Event`]. Raw bytes, known state and events are one
//! transaction, shared with whatever else is waiting and fsynced. Only then is there a [`store::Durable`]; it
//! makes an [`ingest::Outcome`], and that makes the 200.
//!
//! The event now waits in the store. [`outbox::Publisher`] sends it to the bus, one at a time for each entity,
//! with its id as the message id, and keeps the [`ports::bus::PubAck`] in a ledger. It does not trust it: after
//! each reconnect, and every 15 seconds, it looks whether the bus still holds what it acknowledged, and publishes
//! again what is gone.
//!
//! # What a sweep will share
//!
//! Polling is not there yet. A sweep of a platform's API will make observations as a callback does, and its commit
//! will go the same way from [`model::reduce()`] on, so that a change seen by both is one event. That is why
//! nothing from there on asks where an observation came from.
//!
//! # The house
//!
//! Each module stands above those that it uses; `tests/it/tidy.rs` holds the table. Read from the ground up, or
//! begin with [`platforms::loopback`], the shortest whole platform. `ARCHITECTURE.md` tells more, `README.md` how
//! to use it.

#![warn(missing_docs)]

// Floor 1: values, and what everybody may mention.
pub mod health; // what is wrong right now, by component
pub mod model; // what platforms say, what we knew, what we publish: pure functions
pub mod telemetry; // set-up of logs and metrics; every metric's name

// Floor 2
pub mod platform; // what a platform must be; the only maker of `Verified`

// Floor 3
pub mod platforms; // one folder for each platform, without IO
pub mod ports; // the world outside: clock, randomness, HTTP client, the bus
pub mod store; // the one database, and the only SQL

// Floor 4
pub mod ingest; // a delivery: route, verify, decode, commit
pub mod outbox; // an event: publish in order, keep the PubAck, audit

// Floor 5
pub mod config; // the whole configuration, or every reason why it cannot be used
pub mod web; // the two listeners, and the only server-side HTTP

// Floor 6
pub mod app; // wires, supervises, drains
pub mod documents; // schemas, AsyncAPI and the README's tables, from the code

// Floor 7
pub mod cli; // the commands, one file each
