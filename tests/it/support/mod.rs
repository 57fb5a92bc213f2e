//! What several test modules use.

pub mod canaries;
pub mod cases;
pub mod desk;
pub mod disk;
pub mod load;
pub mod nats;
pub mod observer;
pub mod poll_cases;
pub mod program;
pub mod remains;
pub mod rig;
pub mod service;
pub mod simulated;
pub mod world;
