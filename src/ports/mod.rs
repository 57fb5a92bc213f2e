//! The world outside the process: time, randomness, the bus. Made real here and nowhere else.
pub mod clock;
pub mod entropy;
pub mod bus { pub mod options; pub use options::*; }
pub mod embedded { #[derive(Clone, Debug)] pub struct EmbeddedOptions { pub binary: Option<std::path::PathBuf>, pub dir: std::path::PathBuf, pub port: Option<u16>, pub path: String } }
pub use bus::BusOptions;
pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, SystemEntropy};
