//! The bus and the publisher against a real nats-server and a real store.

mod embedded;
mod losses;
mod rig;
mod rules;
mod streams;
