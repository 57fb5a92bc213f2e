//! Worlds to test in: the real poller and the real store, a simulated platform, a clock that tests move, and a
//! judge who compares what was published with what happened.

mod events;
mod judge;
mod looks;
mod seeds;
mod stage;
mod truth;

pub use super::remains::tempdir_in_memory as tempdir;
pub use events::{Told, of_account};
pub use judge::{Case, judge};
pub use looks::Look;
pub(crate) use seeds::in_parts;
pub use seeds::{Part, Seeds, number};
pub use stage::{Books, Stage};
pub use truth::{Truth, Truths};
