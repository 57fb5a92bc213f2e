//! livehook
pub mod config;
pub mod health;
pub mod ingest;
pub mod model;
pub mod platform;
pub mod platforms;
pub mod ports;
pub mod store;
pub mod telemetry;
