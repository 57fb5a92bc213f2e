//! Access kept over simulated days: real keeper, poller and store, simulated platforms that rotate tokens, lose answers
//! and notice stolen ones.

mod days;
mod kills;
mod person;
mod refreshing;
mod rig;
mod sealed;
mod storms;
