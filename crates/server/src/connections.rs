//! Places for connections: so many in all, and so many of one network address, so that one host does not take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::home::Config;
use crate::rate_limit::network_of;

/// The places of a listener.
#[derive(Debug)]
pub(crate) struct Connections {
    all: Arc<Semaphore>,
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most_of_address: usize,
}

/// A place among all. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// A connection that is counted for its address until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    network: IpAddr,
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Connections {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            all: Arc::new(Semaphore::new(config.maximum_connections)),
            of_address: Arc::default(),
            most_of_address: config.connections_per_address.unwrap_or(usize::MAX),
        }
    }

    /// Waits until there is a place for one more.
    pub(crate) async fn place(&self) -> Place {
        let permit = Arc::clone(&self.all).acquire_owned().await;
        Place { _permit: permit.expect("the semaphore is never closed") }
    }

    /// Counts a connection for its address, unless there are as many of it as there may be.
    pub(crate) fn count(&self, address: IpAddr) -> Option<Counted> {
        let network = network_of(address);
        let mut counts = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= self.most_of_address {
            return None;
        }
        *count += 1;
        Some(Counted { network, of_address: Arc::clone(&self.of_address) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_and_others_are_counted_apart_ipv6_by_network() {
        let config = Config { connections_per_address: Some(2), ..Config::default() };
        let connections = Connections::new(&config);
        let count = |address: &str| connections.count(address.parse().unwrap());
        let first = count("192.0.2.1").unwrap();
        let _second = count("::ffff:192.0.2.1").unwrap();
        assert!(count("192.0.2.1").is_none());
        let _other = count("192.0.2.2").unwrap();
        let _v6 = [count("2001:db8::1").unwrap(), count("2001:db8::2").unwrap()];
        assert!(count("2001:db8::3").is_none());
        let _next = count("2001:db8:0:1::1").unwrap();
        drop(first);
        let _again = count("192.0.2.1").unwrap();
        assert!(count("192.0.2.1").is_none());
    }

    #[test]
    fn nothing_is_kept_of_addresses_without_a_connection() {
        let connections = Connections::new(&Config::default());
        for address in 0..1000_u32 {
            drop(connections.count(IpAddr::V4(address.into())));
        }
        assert!(connections.of_address.lock().unwrap().is_empty());
    }
}
