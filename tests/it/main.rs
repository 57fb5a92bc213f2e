//! Everything that needs more than one module: one binary, so one link step.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bus;
mod canary;
mod cases;
mod commands;
mod completeness;
mod conformance;
mod current;
mod durability;
mod http;
mod keeping;
mod oauth;
mod poll_cases;
mod polling;
mod questions;
mod schemas;
mod support;
mod tidy;
mod worlds;
