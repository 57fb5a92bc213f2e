//! Players that ask, decision services that reply, or do not, on a real bus: what the player is answered, when, and
//! what log and metrics say of it.

mod afterwards;
mod answers;
mod bus;
mod defects;
mod limits;
mod permissions;
mod player;
mod rig;
mod service;
mod storeless;
