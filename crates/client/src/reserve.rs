//! Reserving and charging: what an action costs is taken from its licenses durably before the action is
//! permitted, and given back if no sample was ever released.

use std::collections::BTreeMap;

use admit_crypto::Entropy;
use admit_license::{Charge, Count, Grant, LicenseId, Usage};
use admit_time::{Timestamp, TrustedTime};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::store::{RESERVATION, Write, decode, encode, usage_key};
use crate::{Error, KeyValue, Store};

/// What a grant costs is taken. Only [`Store::reserve`] makes one.
#[derive(Debug)]
pub struct Reservation {
    /// The key of the record; none where the grant costs nothing.
    key: Option<Vec<u8>>,
}

impl<K: KeyValue> Store<'_, K> {
    /// Takes what a grant costs from its licenses, durably.
    pub fn reserve(
        &mut self,
        grant: &Grant<'_>,
        time: Option<&TrustedTime>,
        entropy: &mut dyn Entropy,
    ) -> Result<Reservation, Error> {
        let mut charges = Vec::new();
        let mut writes = Vec::new();
        for charge in grant.charges() {
            let mut usage = self.usage(&charge.license)?.ok_or(Error::GrantOutdated)?;
            if !self.costs_something(charge, &usage, grant)? {
                continue;
            }
            charges.push(ReservedCharge { license: charge.license, count: charge.count, deletes: charge.deletes, before: usage });
            take(&mut usage, charge, time.map(TrustedTime::latest));
            writes.push(Write::Put { key: usage_key(&charge.license), plaintext: encode(&usage) });
        }
        if writes.is_empty() {
            return Ok(Reservation { key: None });
        }
        let mut id = [0; 16];
        entropy.fill(&mut id);
        let key = [RESERVATION, &id].concat();
        let record = ReservationRecord { id: id.into(), charges };
        writes.push(Write::Put { key: key.clone(), plaintext: encode(&record) });
        self.commit(writes, entropy)?;
        Ok(Reservation { key: Some(key) })
    }

    /// Makes a reservation final, just before the first sample leaves. One-time licenses are deleted here.
    pub(crate) fn charge(&mut self, reservation: &Reservation, entropy: &mut dyn Entropy) -> Result<(), Error> {
        let Some(key) = &reservation.key else { return Ok(()) };
        let found = self.scan(key)?.into_iter().next();
        let (_, record) = found.ok_or(Error::GrantOutdated)?;
        let record: ReservationRecord = decode(key, &record)?;
        let mut writes = vec![Write::Delete { key: key.clone() }];
        for charge in record.charges.iter().filter(|charge| charge.deletes) {
            if let Some(license) = self.key_of(&charge.license)? {
                writes.push(Write::Delete { key: license });
                writes.push(Write::Delete { key: usage_key(&charge.license) });
            }
        }
        self.commit(writes, entropy)
    }

    /// Gives back every reservation that was never charged: for the program that holds the store's lock, when it
    /// starts. Says how many there were.
    pub fn return_reservations(&mut self, entropy: &mut dyn Entropy) -> Result<usize, Error> {
        let mut usages = BTreeMap::<LicenseId, Usage>::new();
        let mut writes = Vec::new();
        for (key, record) in self.scan(RESERVATION)? {
            let record: ReservationRecord = decode(&key, &record)?;
            for charge in record.charges {
                if !usages.contains_key(&charge.license) {
                    let Some(usage) = self.usage(&charge.license)? else { continue };
                    usages.insert(charge.license, usage);
                }
                if let Some(usage) = usages.get_mut(&charge.license) {
                    give_back(usage, &charge);
                }
            }
            writes.push(Write::Delete { key });
        }
        let returned = writes.len();
        writes.extend(usages.iter().map(|(id, usage)| Write::Put { key: usage_key(id), plaintext: encode(usage) }));
        if returned > 0 {
            self.commit(writes, entropy)?;
        }
        Ok(returned)
    }

    /// Whether a charge changes anything: it counts, it deletes, or it starts a countdown.
    fn costs_something(&self, charge: &Charge, usage: &Usage, grant: &Grant<'_>) -> Result<bool, Error> {
        let starts_countdown = usage.first_used_at.is_none() && grant.ends_at().is_some();
        Ok(charge.count.is_some() || charge.deletes || starts_countdown)
    }
}

fn take(usage: &mut Usage, charge: &Charge, now: Option<Timestamp>) {
    if let Some(count) = charge.count {
        usage.used[count as usize] = usage.of(count).saturating_add(1);
    }
    usage.touched = true;
    usage.first_used_at = usage.first_used_at.or(now);
}

fn give_back(usage: &mut Usage, charge: &ReservedCharge) {
    if let Some(count) = charge.count {
        usage.used[count as usize] = usage.of(count).saturating_sub(1);
    }
    usage.touched = charge.before.touched;
    usage.first_used_at = charge.before.first_used_at;
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ReservationRecord {
    #[n(1)]
    id: ByteArray<16>,
    #[n(2)]
    charges: Vec<ReservedCharge>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ReservedCharge {
    #[n(1)]
    license: LicenseId,
    #[n(2)]
    count: Option<Count>,
    #[n(3)]
    deletes: bool,
    #[n(4)]
    before: Usage,
}
