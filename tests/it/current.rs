//! The bucket of current state: what it holds, and that it holds it again after every loss.

mod content;
mod losses;
mod rig;
mod rules;
