//! Who is counted as one: an IPv4 address, an IPv6 network of 64 bits, which one subscriber has at least, and above it
//! the site of 48 bits, which one subscriber has at most (RFC 6177), with a larger bound because many may share it.

use std::net::{IpAddr, Ipv6Addr};

use admit_time::Timestamp;

use crate::rate_limit::RateLimit;

/// Addresses that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Network {
    first: IpAddr,
    prefix_bits: u32,
}

/// How often the addresses of a network may do something, and those of a site together.
#[derive(Debug)]
pub(crate) struct AddressLimit {
    networks: RateLimit<Network>,
    sites: RateLimit<Network>,
}

impl Network {
    /// The IPv4 address alone, or the /64.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::of_bits(v6, NETWORK_BITS),
            v4 @ IpAddr::V4(_) => Self { first: v4, prefix_bits: 32 },
        }
    }

    /// The /48 that an IPv6 address is in.
    pub(crate) fn site_of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V6(v6) => Some(Self::of_bits(v6, SITE_BITS)),
            IpAddr::V4(_) => None,
        }
    }

    fn of_bits(address: Ipv6Addr, prefix_bits: u32) -> Self {
        let first = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - prefix_bits)));
        Self { first: first.into(), prefix_bits }
    }
}

impl AddressLimit {
    pub(crate) fn new(per_hour: u32, burst: u32) -> Self {
        let of_site = |limit: u32| limit.saturating_mul(NETWORKS_OF_SITE);
        Self { networks: RateLimit::new(per_hour, burst), sites: RateLimit::new(of_site(per_hour), of_site(burst)) }
    }

    /// Takes one request of an address, or says in how many seconds the next one may come. A network that is refused
    /// uses up nothing of its site, nor the other way round.
    pub(crate) fn take(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let site = Network::site_of(address);
        site.map_or(Ok(()), |site| self.sites.check(site, now))?;
        self.networks.take(Network::of(address), now)?;
        site.map_or(Ok(()), |site| self.sites.take(site, now))
    }
}

/// So many times what one network may, a site may.
pub(crate) const NETWORKS_OF_SITE: u32 = 8;
const NETWORK_BITS: u32 = 64;
const SITE_BITS: u32 = 48;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

    fn v6(site: u16, network: u16, host: u16) -> IpAddr {
        Ipv6Addr::new(0x2001, 0xdb8, site, network, 0, 0, 0, host).into()
    }

    #[test]
    fn addresses_are_counted_apart_and_ipv6_by_network() {
        let limit = AddressLimit::new(60, 1);
        let take = |address: &str| limit.take(address.parse().unwrap(), NOW);
        assert_eq!(take("192.0.2.1"), Ok(()));
        assert_eq!(take("192.0.2.2"), Ok(()));
        assert_eq!(take("::ffff:192.0.2.1"), Err(60));
        assert_eq!(take("2001:db8::1"), Ok(()));
        assert_eq!(take("2001:db8::2"), Err(60));
        assert_eq!(take("2001:db8:0:1::1"), Ok(()));
    }

    #[test]
    fn a_site_with_thousands_of_networks_may_what_eight_of_them_may() {
        let limit = AddressLimit::new(60, 1);
        let taken = (0..1000).filter(|network| limit.take(v6(1, *network, 1), NOW).is_ok()).count();
        assert_eq!(taken, 8);
        assert_eq!(limit.take(v6(1, 1000, 1), NOW), Err(8), "a site is refilled eight times as fast");
        assert_eq!(limit.take(v6(2, 0, 1), NOW), Ok(()), "another site");
    }

    #[test]
    fn who_is_refused_for_the_network_or_for_the_site_uses_up_nothing_of_the_other() {
        let limit = AddressLimit::new(60, 1);
        assert_eq!(limit.take(v6(1, 0, 1), NOW), Ok(()));
        for _ in 0..100 {
            assert_eq!(limit.take(v6(1, 0, 1), NOW), Err(60));
        }
        for network in 1..8 {
            assert_eq!(limit.take(v6(1, network, 1), NOW), Ok(()), "network {network}");
        }
        assert_eq!(limit.take(v6(1, 8, 1), NOW), Err(8));
        let later = Timestamp::from_unix_secs(NOW.unix_secs() + 8);
        assert_eq!(limit.take(v6(1, 8, 1), later), Ok(()));
    }

    #[test]
    fn a_network_is_another_than_the_site_that_begins_with_it() {
        assert_ne!(Some(Network::of(v6(1, 0, 1))), Network::site_of(v6(1, 0, 1)));
        assert_eq!(Network::site_of(IpAddr::from([192, 0, 2, 1])), None);
    }
}
