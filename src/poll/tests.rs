//! The engine with a platform that lists pages, a scripted network, a real store, and no waiting.

mod confirming;
mod failing;
mod restarting;
mod running;
mod sharing;
mod sweeping;

pub mod support;
