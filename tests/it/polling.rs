//! The real program reads simulated platforms over real HTTP, by the clock on the wall.

mod configured;
mod faults;
mod kills;
mod stage;
mod together;
mod told;
