//! What several test modules use.

pub mod cases;
pub mod desk;
pub mod nats;
