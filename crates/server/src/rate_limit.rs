//! How often somebody may do something: token buckets in a table of bounded size, by network address or whatever else
//! tells one from another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use admit_time::Timestamp;

/// A limit per key: `burst` at once, refilled at `per_hour`.
#[derive(Debug)]
pub(crate) struct RateLimit<K> {
    per_hour: u64,
    burst: u64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

/// What a key has used, in units of which one request takes [`UNITS`] and a second gives `per_hour` back.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    used: u64,
    at: Timestamp,
}

impl<K: Hash + Eq + Copy> RateLimit<K> {
    pub(crate) fn new(per_hour: u32, burst: u32) -> Self {
        Self { per_hour: per_hour.into(), burst: burst.into(), buckets: Mutex::default() }
    }

    /// Takes one request of a key, or says in how many seconds the next one may come.
    pub(crate) fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.used(*bucket, now) > 0);
            if buckets.len() >= MAX_BUCKETS {
                return Err(UNITS.div_ceil(self.per_hour));
            }
        }
        let used = buckets.get_mut(&key).map_or(0, |bucket| {
            // A clock that was ahead and is right again must not keep anybody waiting until it is there again.
            bucket.at = bucket.at.min(now);
            self.used(*bucket, now)
        });
        let limit = self.burst * UNITS;
        if used + UNITS > limit {
            return Err((used + UNITS - limit).div_ceil(self.per_hour));
        }
        buckets.insert(key, Bucket { used: used + UNITS, at: now });
        Ok(())
    }

    fn used(&self, bucket: Bucket, now: Timestamp) -> u64 {
        let refilled = now.saturating_since(bucket.at).as_secs().saturating_mul(self.per_hour);
        bucket.used.saturating_sub(refilled)
    }
}

impl RateLimit<IpAddr> {
    /// Takes one request of a network address.
    pub(crate) fn take_address(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.take(network_of(address), now)
    }
}

/// IPv4 addresses alone, IPv6 addresses by their /64, which one subscriber has to themselves.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

const UNITS: u64 = 3600;
const MAX_BUCKETS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(1_800_000_000 + secs)
    }

    #[test]
    fn a_burst_then_the_steady_rate() {
        let limit = RateLimit::new(60, 3);
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!([0, 0, 0].map(|secs| limit.take(address, at(secs))), [Ok(()); 3]);
        assert_eq!(limit.take(address, at(0)), Err(60));
        assert_eq!(limit.take(address, at(59)), Err(1));
        assert_eq!(limit.take(address, at(60)), Ok(()));
        assert_eq!(limit.take(address, at(60)), Err(60));
        assert_eq!([10_000; 3].map(|secs| limit.take(address, at(secs))), [Ok(()); 3]);
        assert_eq!(limit.take(address, at(10_000)), Err(60));
    }

    #[test]
    fn addresses_are_counted_apart_and_ipv6_by_network() {
        let limit = RateLimit::new(60, 1);
        let take = |address: &str| limit.take_address(address.parse().unwrap(), at(0));
        assert_eq!(take("192.0.2.1"), Ok(()));
        assert_eq!(take("192.0.2.2"), Ok(()));
        assert_eq!(take("::ffff:192.0.2.1"), Err(60));
        assert_eq!(take("2001:db8::1"), Ok(()));
        assert_eq!(take("2001:db8::2"), Err(60));
        assert_eq!(take("2001:db8:0:1::1"), Ok(()));
    }

    #[test]
    fn a_clock_set_back_refills_nothing() {
        let limit = RateLimit::new(60, 1);
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(limit.take(address, at(100)), Ok(()));
        assert_eq!(limit.take(address, at(0)), Err(60));
    }
}
