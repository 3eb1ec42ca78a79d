//! Places for connections: so many in all, and so many of one network, so that one host does
//! not take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::home::Config;
use crate::network::{NETWORKS_OF_SITE, Network};

/// The places of a listener.
#[derive(Debug)]
pub(crate) struct Connections {
    all: Arc<Semaphore>,
    counts: Arc<Mutex<Counts>>,
    most_of_network: usize,
    most_of_site: usize,
}

/// A place among all. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// A connection that is counted for its network and site until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    address: IpAddr,
    counts: Arc<Mutex<Counts>>,
}

/// The open connections of those networks and sites that have any.
#[derive(Debug, Default)]
struct Counts(HashMap<Network, usize>);

impl Connections {
    pub(crate) fn new(config: &Config) -> Self {
        let most_of_network = config.connections_per_address.unwrap_or(usize::MAX);
        Self {
            all: Arc::new(Semaphore::new(config.maximum_connections)),
            counts: Arc::default(),
            most_of_network,
            most_of_site: most_of_network.saturating_mul(NETWORKS_OF_SITE as usize),
        }
    }

    /// Waits until there is a place for one more.
    pub(crate) async fn place(&self) -> Place {
        let permit = Arc::clone(&self.all).acquire_owned().await;
        Place { _permit: permit.expect("the semaphore is never closed") }
    }

    /// Counts a connection for its network and site, unless either has as many as it may have.
    pub(crate) fn count(&self, address: IpAddr) -> Option<Counted> {
        let (network, site) = (Network::of(address), Network::site_of(address));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.of(network) >= self.most_of_network || site.is_some_and(|site| counts.of(site) >= self.most_of_site) {
            return None;
        }
        counts.add(network);
        site.into_iter().for_each(|site| counts.add(site));
        Some(Counted { address, counts: Arc::clone(&self.counts) })
    }
}

impl Counts {
    fn of(&self, network: Network) -> usize {
        self.0.get(&network).copied().unwrap_or(0)
    }

    fn add(&mut self, network: Network) {
        *self.0.entry(network).or_default() += 1;
    }

    fn remove(&mut self, network: Network) {
        if let Some(count) = self.0.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&network);
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(Network::of(self.address));
        Network::site_of(self.address).into_iter().for_each(|site| counts.remove(site));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

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
    fn an_ipv6_site_has_eight_times_as_many_however_many_networks_it_has() {
        let config = Config { connections_per_address: Some(2), ..Config::default() };
        let connections = Connections::new(&config);
        let count =
            |site: u16, network: u16| connections.count(Ipv6Addr::new(0x2001, 0xdb8, site, network, 0, 0, 0, 1).into());
        let mut counted: Vec<Counted> = (0..1000).filter_map(|network| count(1, network)).collect();
        assert_eq!(counted.len(), 16);
        let _other_site = count(2, 0).unwrap();
        counted.pop();
        counted.push(count(1, 1000).unwrap());
        assert!(count(1, 1001).is_none());
    }

    #[test]
    fn no_limit_for_an_address_is_none_for_a_site() {
        let connections = Connections::new(&Config { connections_per_address: None, ..Config::default() });
        let counted: Vec<_> = (0..1000).filter_map(|_| connections.count(Ipv6Addr::LOCALHOST.into())).collect();
        assert_eq!(counted.len(), 1000);
    }

    #[test]
    fn nothing_is_kept_of_addresses_without_a_connection() {
        let connections = Connections::new(&Config::default());
        for address in 0..1000_u32 {
            drop(connections.count(IpAddr::V4(address.into())));
            drop(connections.count(Ipv6Addr::from_bits(u128::from(address) << 64).into()));
        }
        assert!(connections.counts.lock().unwrap().0.is_empty());
    }
}
