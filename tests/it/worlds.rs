//! The whole of polling against simulated platforms: random worlds, faults, crashes, days that pass.

mod callbacks;
mod controls;
mod crash;
mod crowd;
mod days;
mod faults;
mod kollus;
mod livedigital;
mod openfresh;
mod random;
mod scene;
mod soop;
mod webhooks;
