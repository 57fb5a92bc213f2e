//! Consents as browsers and operators see them: the real service, simulated platforms, and everything that a browser may
//! bring back.

mod admin;
pub mod browser;
mod done;
mod endpoint;
mod forms;
mod refused;
mod rig;
mod tickets;
