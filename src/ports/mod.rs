//! The world outside the process: time, randomness, HTTP, the bus. Made real here and nowhere else.

pub mod bus;
pub mod clock;
pub mod embedded;
pub mod entropy;
pub mod http;
pub mod jitter;

pub use bus::{Bus, BusOptions};
pub use clock::{Clock, ManualClock, SystemClock};
pub use embedded::EmbeddedServer;
pub use entropy::{Entropy, SystemEntropy};
pub use http::{Http, HttpError, HttpRequest, HttpResponse};
pub use jitter::Jitter;
