//! livehook receives callbacks of live-video platforms, reads their APIs, and publishes what changes, in one
//! vocabulary, to NATS JetStream.
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
//! # The journey of a sweep
//!
//! What platforms do not push is read. An account's *watch* is due ([`poll`] keeps the schedule), and
//! [`platform::Poll::begin`] makes a [`platform::Walk`] of it: a conversation in which the platform says what to
//! ask and reads what comes back, and does neither itself. For each [`platform::ApiRequest`] the poller takes a
//! place in the budget of the platform's limit, which outlives the process, adds the credential, and sends it
//! through [`ports::Http`], which bounds time and bytes and follows nothing. A [`platform::Failure`] anywhere ends
//! the walk, and nothing of it counts; the third in a row is told as `source.degraded`.
//!
//! A walk to the end yields [`platform::Findings`]: what was seen, and of each list how much of it
//! ([`platform::Coverage`]; [`platform::paging`] proves that a list that moves was seen whole).
//! [`store::Store::commit_sweep`] compares all that with what is known, beside the writer, and hands it only what
//! may differ. There, in one transaction, [`model::reduce()`] weighs each observation as it does a delivery's, but
//! knowing how it was heard ([`model::Hearing`]): an answer may come from a cache, so it never undoes what was
//! learned a moment ago; what was there before the first sweep is `discovered`; what is absent from two whole
//! sweeps in a row has ended, or is gone. Known state, cursor, score of absences and events are on disk together,
//! or not at all.
//!
//! A callback can *wake* a watch: one thing is read soon, which fills in what the callback did not say and turns
//! its `url-token` into `api`. Seen by both, a change is one event. From there on both journeys are the same, and
//! beside the events [`current`] keeps the newest belief of each entity in the bucket `LIVE_STATE`.
//!
//! # The journey of a question
//!
//! Some callbacks are a player that asks whether its viewer may. [`web::public`] reads the body as of any delivery,
//! then [`questions::Desk::answer`] has until the account's deadline. [`platform::Questions::read`] makes
//! [`platform::Question`]s of it; each goes to a decision service through [`ports::bus::Asker`], all at once, over a
//! connection of its own. What comes back, [`platform::Questions::rule`] checks before anything is signed; where
//! nothing comes in time, or nothing that can be signed, the account's policy decides.
//! [`platform::Questions::answer`] makes one answer of all rulings.
//!
//! Nobody on that way waits for the store. Afterwards [`questions::Recording`] commits the exchange as a delivery, and
//! its events take the way of all events; what cannot be committed is dropped and counted.
//!
//! # The journey of a consent
//!
//! What is read needs access. An operator presses a button, and [`grants::flows`] makes a ticket of it; the browser that
//! opens it gets a cookie and is sent to the platform, whose page [`platform::Grants`] knows the address of. When it
//! comes back, [`grants::redirect`] names everything that can be wrong with that; what is right is handed to the account's
//! one keeper. It writes down what it is about to ask, runs the platform's [`platform::Errand`], seals the tokens and
//! commits them before anybody uses them, and renews them in time from then on. The poller sees an
//! [`access::AccessToken`]: something to send, or a reason why not.
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

// Floor 1, beside the others: what tests and the demo play with.
pub mod simulators; // the platforms as worlds that answer, for trying livehook out

// Floor 2
pub mod platform; // what a platform must be; the only maker of `Verified`

// Floor 3
pub mod access; // an account's access token, as whoever uses it sees it
pub mod platforms; // one folder for each platform, without IO
pub mod ports; // the world outside: clock, randomness, HTTP client, the bus
pub mod store; // the one database, and the only SQL

// Floor 4
pub mod current; // the bucket LIVE_STATE, equal to what the store knows
pub mod grants; // access to platforms: obtained once, kept sealed, renewed in time
pub mod ingest; // a delivery: route, verify, decode, commit
pub mod outbox; // an event: publish in order, keep the PubAck, audit
pub mod poll; // a sweep: when it is due, what it may ask, what to do when that fails
pub mod questions; // a delivery that asks: put to a decision service, answered in time, told afterwards

// Floor 5
pub mod config; // the whole configuration, or every reason why it cannot be used
pub mod web; // the two listeners, and the only server-side HTTP

// Floor 6
pub mod app; // wires, supervises, drains
pub mod documents; // schemas, AsyncAPI and the README's tables, from the code

// Floor 7
pub mod cli; // the commands, one file each
