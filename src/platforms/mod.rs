//! The registry: two lines per platform, its module and its place in the list.

use crate::platform::Platform;

pub mod kollus;
pub mod livedigital;
pub mod loopback;
pub mod openfresh;
pub mod soop;

/// Every platform that livehook speaks with.
pub static ALL: &[&dyn Platform] =
    &[&kollus::Kollus, &soop::Soop, &openfresh::Openfresh, &livedigital::Livedigital, &loopback::Loopback];

/// The platform with this id.
pub fn find(id: &str) -> Option<&'static dyn Platform> {
    ALL.iter().copied().find(|platform| platform.descriptor().id == id)
}
