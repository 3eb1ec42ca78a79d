//! How often somebody may do something: token buckets in a table of bounded size, by network or whatever else tells one
//! from another.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use admit_time::Timestamp;

/// A limit per key: `burst` at once, refilled at `per_hour`.
#[derive(Debug)]
pub(crate) struct RateLimit<K> {
    per_hour: u64,
    burst: u64,
    largest: usize,
    table: Mutex<Table<K>>,
}

/// The buckets, and the order in which they will be full again.
#[derive(Debug)]
struct Table<K> {
    buckets: HashMap<K, Bucket>,
    order: BTreeSet<(u64, K)>,
}

/// What a key has used, in units of which one request takes [`UNITS`] and a second gives `per_hour` back.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    used: u64,
    at: Timestamp,
}

impl<K: Hash + Ord + Copy> RateLimit<K> {
    pub(crate) fn new(per_hour: u32, burst: u32) -> Self {
        Self::with_largest(per_hour, burst, MAX_BUCKETS)
    }

    fn with_largest(per_hour: u32, burst: u32, largest: usize) -> Self {
        let table = Table { buckets: HashMap::new(), order: BTreeSet::new() };
        Self { per_hour: per_hour.into(), burst: burst.into(), largest, table: Mutex::new(table) }
    }

    /// Takes one request of a key, or says in how many seconds the next one may come.
    pub(crate) fn take(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.remove(&key, self.per_hour);
        let used = known.map_or(0, |bucket| self.used(bucket, now));
        let (taken, used) = match self.one_more(used) {
            Ok(used) => (Ok(()), used),
            Err(secs) => (Err(secs), used),
        };
        // Where the clock was ahead and is right again, what was used counts from now on: nobody waits until it is there.
        table.insert(key, Bucket { used, at: now }, self.per_hour, self.largest);
        taken
    }

    /// The same answer, and nothing is taken.
    pub(crate) fn check(&self, key: K, now: Timestamp) -> Result<(), u64> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let used = table.buckets.get(&key).map_or(0, |bucket| self.used(*bucket, now));
        self.one_more(used).map(|_| ())
    }

    /// What is used after one more request, or in how many seconds it may come.
    fn one_more(&self, used: u64) -> Result<u64, u64> {
        let limit = self.burst * UNITS;
        match used + UNITS {
            more if more > limit => Err((more - limit).div_ceil(self.per_hour)),
            more => Ok(more),
        }
    }

    fn used(&self, bucket: Bucket, now: Timestamp) -> u64 {
        let refilled = now.saturating_since(bucket.at).as_secs().saturating_mul(self.per_hour);
        bucket.used.saturating_sub(refilled)
    }
}

impl<K: Hash + Ord + Copy> Table<K> {
    fn remove(&mut self, key: &K, per_hour: u64) -> Option<Bucket> {
        let bucket = self.buckets.remove(key)?;
        self.order.remove(&(bucket.full_at(per_hour), *key));
        Some(bucket)
    }

    /// Puts a bucket in. Where there is no room, the one goes that would be full first: it forgets the least.
    fn insert(&mut self, key: K, bucket: Bucket, per_hour: u64, largest: usize) {
        if self.buckets.len() >= largest
            && let Some((_, first)) = self.order.pop_first()
        {
            self.buckets.remove(&first);
        }
        self.order.insert((bucket.full_at(per_hour), key));
        self.buckets.insert(key, bucket);
    }
}

impl Bucket {
    /// When it will be full again, in units of refilling since 1970.
    fn full_at(self, per_hour: u64) -> u64 {
        self.at.unix_secs().saturating_mul(per_hour).saturating_add(self.used)
    }
}

const UNITS: u64 = 3600;
const MAX_BUCKETS: usize = 100_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: u8 = 1;

    const fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(1_800_000_000 + secs)
    }

    #[test]
    fn a_burst_then_the_steady_rate() {
        let limit = RateLimit::new(60, 3);
        assert_eq!([0, 0, 0].map(|secs| limit.take(KEY, at(secs))), [Ok(()); 3]);
        assert_eq!(limit.take(KEY, at(0)), Err(60));
        assert_eq!(limit.take(KEY, at(59)), Err(1));
        assert_eq!(limit.take(KEY, at(60)), Ok(()));
        assert_eq!(limit.take(KEY, at(60)), Err(60));
        assert_eq!([10_000; 3].map(|secs| limit.take(KEY, at(secs))), [Ok(()); 3]);
        assert_eq!(limit.take(KEY, at(10_000)), Err(60));
    }

    #[test]
    fn a_clock_set_back_refills_nothing() {
        let limit = RateLimit::new(60, 1);
        assert_eq!(limit.take(KEY, at(100)), Ok(()));
        assert_eq!(limit.take(KEY, at(0)), Err(60));
    }

    #[test]
    fn a_full_table_takes_a_newcomer_and_forgets_who_used_least() {
        let limit = RateLimit::with_largest(60, 3, 2);
        for key in [1, 1, 1, 2] {
            assert_eq!(limit.take(key, at(0)), Ok(()));
        }
        assert_eq!(limit.take(3, at(0)), Ok(()), "a newcomer");
        assert_eq!(limit.take(1, at(0)), Err(60), "who used most is remembered");
        assert_eq!([2; 3].map(|key| limit.take(key, at(0))), [Ok(()); 3], "who used least was forgotten");
    }

    #[test]
    fn a_check_says_what_a_take_would_and_takes_nothing() {
        let limit = RateLimit::new(60, 1);
        assert_eq!([0; 3].map(|secs| limit.check(KEY, at(secs))), [Ok(()); 3]);
        assert_eq!(limit.take(KEY, at(0)), Ok(()));
        assert_eq!(limit.check(KEY, at(1)), Err(59));
        assert_eq!(limit.take(KEY, at(60)), Ok(()));
    }

    proptest! {
        /// Beside a record of all that was taken: whoever has something left is not refused, a newcomer neither; who is
        /// forgotten used least; and the table does not grow beyond its size.
        #[test]
        fn a_table_of_bounded_size_refuses_only_who_has_used_up_what_is_theirs(
            takes in prop::collection::vec((0..12_u8, 0..40_u64), 1..300),
            largest in 1..8_usize,
            burst in 1..4_u32,
        ) {
            let limit = RateLimit::with_largest(120, burst, largest);
            let (mut secs, mut taken) = (0, [(0, 0_u64); 12]);
            for (key, later) in takes {
                secs += later;
                let before = limit.table.lock().unwrap().buckets.clone();
                let answer = limit.take(key, at(secs));
                let (since, used) = taken[usize::from(key)];
                let used = used.saturating_sub((secs - since) * 120);
                prop_assert!(answer.is_ok() || used + UNITS > u64::from(burst) * UNITS, "{key} at {secs}: {answer:?}");
                taken[usize::from(key)] = (secs, used + if answer.is_ok() { UNITS } else { 0 });
                let table = limit.table.lock().unwrap();
                prop_assert!(table.buckets.len() <= largest && table.buckets.len() == table.order.len());
                let used = |bucket: &Bucket| limit.used(*bucket, at(secs));
                for (_, gone) in before.iter().filter(|(key, _)| !table.buckets.contains_key(key)) {
                    prop_assert_eq!(Some(used(gone)), before.values().map(used).min());
                }
            }
        }

        #[test]
        fn with_room_for_all_the_table_is_exact(takes in prop::collection::vec((0..8_u8, 0..100_u64), 1..200)) {
            let (bounded, boundless) = (RateLimit::with_largest(60, 2, 8), RateLimit::with_largest(60, 2, usize::MAX));
            for (key, secs) in takes {
                prop_assert_eq!(bounded.take(key, at(secs)), boundless.take(key, at(secs)));
            }
        }
    }
}
