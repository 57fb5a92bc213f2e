//! livehook
pub mod health;
pub mod ingest;
pub mod model;
pub mod platform;
pub mod store;
