//! Everything that needs more than one module: one binary, so one link step.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bus;
mod cases;
mod completeness;
mod conformance;
mod http;
mod schemas;
mod support;
