//! Counts the connections of each peer address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::web::limits::Limits;

/// Open connections by address; holds no more addresses than there are connections.
#[derive(Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Peers {
    /// A place for one more connection of `ip`; `None` when it has as many as it may.
    pub(super) fn place(&self, ip: IpAddr, limits: &Limits) -> Option<Place> {
        let ip = ip.to_canonical();
        if limits.uncounted_peers.contains(&ip) {
            return Some(Place(None));
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&ip).copied().unwrap_or(0);
        if count >= limits.connections_per_ip_max {
            return None;
        }
        counts.insert(ip, count + 1);
        Some(Place(Some((self.clone(), ip))))
    }
}

/// One connection's place among those of its address; free again when dropped.
pub(super) struct Place(Option<(Peers, IpAddr)>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some((Peers(counts), ip)) = self.0.take() else { return };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&ip) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&ip);
            }
        }
    }
}
