//! Reserving and charging: what an action costs is taken from its licenses durably before the action is
//! permitted, and given back if no sample was ever released.

use admit_crypto::Entropy;
use admit_license::{Charge, Count, Grant, KeyId, LicenseId, Usage};
use admit_time::Timestamp;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::edit::Edit;
use crate::ledger::{decode, encode};
use crate::store::RESERVATIONS;
use crate::write::{Place, Writes};
use crate::{Error, KeyValue, Store};

/// Grants whose costs are taken. Only [`Store::reserve`] makes one.
///
/// ```compile_fail,E0451
/// # use admit_client::Reservation;
/// let forged = Reservation { grants: Vec::new(), ..unimplemented!() };
/// ```
#[derive(Debug)]
#[must_use]
pub struct Reservation<'a> {
    pub(crate) grants: Vec<Grant<'a>>,
    pub(crate) hold: Hold,
}

/// Where a reservation is kept; nowhere where the grants cost nothing.
#[derive(Debug)]
pub(crate) struct Hold {
    id: [u8; 16],
    places: Vec<Place>,
}

impl<K: KeyValue> Store<'_, K> {
    /// Takes what one action's grants cost from their licenses, durably and all in one. A license that several of
    /// them use is charged once. Other licenses for the keys that can never be used again go with the same write.
    pub fn reserve<'a>(&mut self, grants: Vec<Grant<'a>>, entropy: &mut dyn Entropy) -> Result<Reservation<'a>, Error> {
        let mut id = [0; 16];
        entropy.fill(&mut id);
        let starts_countdown = grants.iter().any(|grant| grant.ends_at().is_some());
        let decided_at = grants.iter().filter_map(Grant::decided_at).max();
        let mut taken = Vec::new();
        let mut edit = Edit::of(self);
        for charge in distinct(&grants) {
            let found = edit.usage(charge.key_id, charge.license)?.filter(|(_, usage)| *usage == charge.usage);
            let (place, before) = found.ok_or(Error::GrantOutdated)?;
            if !costs_something(&charge, starts_countdown) {
                continue;
            }
            let after = take(before, &charge, decided_at);
            edit.set_usage(place, (charge.key_id, charge.license), after)?;
            let Charge { key_id, license, count, deletes, .. } = charge;
            taken.push((place, ReservedCharge { license, count, deletes, before, key_id }));
        }
        let mut kept = self.reserved()?;
        kept.extend(taken.iter().map(|(_, charge)| (charge.key_id, charge.license)));
        edit.bury(grants.iter().filter_map(Grant::certain_at).max(), &kept);
        let mut writes = Writes::default();
        edit.write(&mut writes);
        let mut places = Vec::new();
        for place in Place::ALL {
            let charges: Vec<_> = taken.iter().filter(|(of, _)| *of == place).map(|(_, charge)| *charge).collect();
            if !charges.is_empty() {
                let mut pending = self.reservations(place)?;
                pending.push(Reserved { id: id.into(), charges });
                writes.put(place, RESERVATIONS.to_vec(), encode(&pending));
                places.push(place);
            }
        }
        self.commit_all(writes, entropy)?;
        Ok(Reservation { grants, hold: Hold { id, places } })
    }

    /// Makes a reservation final, just before the first sample leaves. One-time licenses are deleted here.
    pub(crate) fn charge(&mut self, hold: &Hold, entropy: &mut dyn Entropy) -> Result<(), Error> {
        self.charge_with(hold, Writes::default(), entropy)
    }

    /// The same, with other writes in the same commit.
    pub(crate) fn charge_with(
        &mut self,
        hold: &Hold,
        mut writes: Writes,
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        let mut edit = Edit::of(self);
        for &place in &hold.places {
            let mut pending = self.reservations(place)?;
            let at = pending.iter().position(|reserved| *reserved.id == hold.id).ok_or(Error::GrantOutdated)?;
            let charged = pending.remove(at);
            for other in &mut pending {
                make_certain(other, &charged, &mut edit)?;
            }
            for charge in charged.charges.iter().filter(|charge| charge.deletes) {
                edit.delete(charge.key_id, charge.license)?;
            }
            if pending.is_empty() {
                writes.delete(place, RESERVATIONS.to_vec());
            } else {
                writes.put(place, RESERVATIONS.to_vec(), encode(&pending));
            }
        }
        edit.write(&mut writes);
        self.commit_all(writes, entropy)
    }

    /// Gives back every reservation that was never charged: for the program that holds the store's lock, when it
    /// starts. Says how many there were.
    pub fn return_reservations(&mut self, entropy: &mut dyn Entropy) -> Result<usize, Error> {
        let reservations = self.reservations(Place::Storage)?;
        let returned = reservations.len();
        let mut edit = Edit::of(self);
        for charge in reservations.into_iter().flat_map(|reserved| reserved.charges) {
            if let Some((place, usage)) = edit.usage(charge.key_id, charge.license)? {
                edit.set_usage(place, (charge.key_id, charge.license), give_back(usage, &charge))?;
            }
        }
        let mut writes = Writes::default();
        edit.write(&mut writes);
        if returned > 0 {
            writes.delete(Place::Storage, RESERVATIONS.to_vec());
        }
        self.commit_all(writes, entropy)?;
        Ok(returned)
    }

    /// The licenses of which something is reserved: it may be given back.
    pub(crate) fn reserved(&self) -> Result<Vec<(KeyId, LicenseId)>, Error> {
        let mut reserved = Vec::new();
        for place in Place::ALL {
            let charges = self.reservations(place)?.into_iter().flat_map(|reserved| reserved.charges);
            reserved.extend(charges.map(|charge| (charge.key_id, charge.license)));
        }
        Ok(reserved)
    }

    fn reservations(&self, place: Place) -> Result<Vec<Reserved>, Error> {
        self.get(place, RESERVATIONS)?.map_or(Ok(Vec::new()), |record| decode(RESERVATIONS, &record))
    }
}

/// A license that was really used stays used, whatever other reservations of it are given back.
fn make_certain<K: KeyValue>(
    other: &mut Reserved,
    charged: &Reserved,
    edit: &mut Edit<'_, '_, K>,
) -> Result<(), Error> {
    for pending in &mut other.charges {
        let used = charged.charges.iter().any(|charge| charge.is_of(pending));
        let usage = if used { edit.usage(pending.key_id, pending.license)? } else { None };
        if let Some((_, usage)) = usage {
            pending.before.touched = usage.touched;
            pending.before.first_used_at = usage.first_used_at;
        }
    }
    Ok(())
}

/// Every charge of the grants, once for each license.
fn distinct(grants: &[Grant<'_>]) -> Vec<Charge> {
    let mut charges: Vec<Charge> = Vec::new();
    for charge in grants.iter().flat_map(Grant::charges) {
        if charges.iter().all(|earlier| (earlier.key_id, earlier.license) != (charge.key_id, charge.license)) {
            charges.push(*charge);
        }
    }
    charges
}

/// Whether a charge changes anything: it counts, it deletes, or it starts a countdown.
const fn costs_something(charge: &Charge, starts_countdown: bool) -> bool {
    let first_use = charge.usage.first_used_at.is_none() && starts_countdown;
    charge.count.is_some() || charge.deletes || first_use
}

fn take(mut usage: Usage, charge: &Charge, now: Option<Timestamp>) -> Usage {
    if let Some(count) = charge.count {
        usage.used[count as usize] = usage.of(count).saturating_add(1);
    }
    usage.touched = true;
    usage.first_used_at = usage.first_used_at.or(now);
    usage
}

/// Reservations come back in any order: a license is unused again when the first of them found it unused.
fn give_back(mut usage: Usage, charge: &ReservedCharge) -> Usage {
    if let Some(count) = charge.count {
        usage.used[count as usize] = usage.of(count).saturating_sub(1);
    }
    usage.touched &= charge.before.touched;
    usage.first_used_at = usage.first_used_at.and(charge.before.first_used_at);
    usage
}

/// One reservation, as it is kept.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Reserved {
    #[n(1)]
    id: ByteArray<16>,
    #[n(2)]
    charges: Vec<ReservedCharge>,
}

#[derive(Debug, Clone, Copy, Encode, Decode)]
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
    #[n(5)]
    key_id: KeyId,
}

impl ReservedCharge {
    fn is_of(&self, other: &Self) -> bool {
        (self.key_id, self.license) == (other.key_id, other.license)
    }
}
