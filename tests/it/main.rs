//! Everything that needs more than one module: one binary, so one link step.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bus;
mod canary;
mod cases;
mod commands;
mod completeness;
mod conformance;
mod durability;
mod http;
mod schemas;
mod support;
mod tidy;
