//! livehook
pub mod app;
pub mod cli;
pub mod config;
pub mod documents;
pub mod health;
pub mod ingest;
pub mod model;
pub mod outbox;
pub mod platform;
pub mod platforms;
pub mod ports;
pub mod store;
pub mod telemetry;
pub mod web;
