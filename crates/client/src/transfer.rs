//! Transfer to a portable device or medium (rows B11, B13, B17), as the PC sees it: what it costs is reserved, portable
//! licenses are made and signed, and the use is charged in the same commit that puts them into the outbox. They stay there
//! until the device has them: whatever dies in between, the use is charged once and the device can still get what it was
//! charged for.

use admit_crypto::{Entropy, PublicKey};
use admit_license::{KeyId, LicenseSigner, issue_portable};
use admit_trust::{Certificate, Device, Verified, role};
use minicbor::bytes::ByteVec;

use crate::ledger::{decode, encode};
use crate::reserve::Hold;
use crate::write::{Place, Writes};
use crate::{Error, Identity, KeyValue, Reservation, Store};

/// A device or medium as the PC meets it: what its certificate says, and the key that licenses for it are wrapped to.
#[derive(Debug, Clone)]
pub struct Target {
    device: Device,
    encryption_key: PublicKey,
}

impl Target {
    /// The device of a verified certificate. A PC is none, and an SDMI-compliant medium needs a serial number (row B15).
    pub fn new(certificate: &Verified<Certificate, role::Client>) -> Result<Self, Error> {
        let device = Device::of(certificate).ok_or(Error::NotADevice)?;
        if device.lacks_serial() {
            return Err(Error::NoHardwareSerial);
        }
        let encryption_key = certificate.properties().encryption_key.ok_or(Error::NotADevice)?;
        Ok(Self { device, encryption_key })
    }

    /// What the certificate says.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }
}

/// A transfer whose costs are reserved, with the portable licenses made. Nothing is charged yet.
#[derive(Debug)]
#[must_use]
pub struct Transfer {
    recipient: PublicKey,
    licenses: Vec<(KeyId, Vec<u8>)>,
    hold: Hold,
}

impl Transfer {
    /// Makes the portable licenses of grants that are reserved.
    pub fn new<K: KeyValue>(
        store: &Store<'_, K>,
        identity: &Identity,
        reservation: Reservation<'_>,
        target: &Target,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let Reservation { grants, hold } = reservation;
        if Device::of(identity.certificate()).is_some() {
            return Err(Error::IsADevice);
        }
        let signer = LicenseSigner { key: identity.signing_key(), chain: identity.chain() };
        let to = (&target.device, &target.encryption_key);
        let mut licenses = Vec::new();
        for grant in &grants {
            let key = identity.decryption_key();
            let license = issue_portable(store.provider, signer, grant, key, to, entropy)?;
            licenses.push((grant.key_id(), license.into_bytes()));
        }
        Ok(Self { recipient: target.encryption_key, licenses, hold })
    }

    /// The portable licenses, for the device to look at.
    pub fn licenses(&self) -> impl Iterator<Item = &[u8]> {
        self.licenses.iter().map(|(_, license)| license.as_slice())
    }

    /// Charges the use and keeps the licenses in the outbox, in one commit. The media must be on the device by now.
    pub fn charge<K: KeyValue>(self, store: &mut Store<'_, K>, entropy: &mut dyn Entropy) -> Result<(), Error> {
        let mut writes = Writes::default();
        for (key_id, license) in self.licenses {
            let key = outbox_key(store, &self.recipient, &key_id);
            writes.put(Place::Storage, key, encode(&ByteVec::from(license)));
        }
        store.charge_with(&self.hold, writes, entropy)
    }
}

impl<K: KeyValue> Store<'_, K> {
    /// The licenses that were charged for this device and that it may not have yet, for these keys.
    pub fn outbox(&self, target: &Target, key_ids: &[KeyId]) -> Result<Vec<Vec<u8>>, Error> {
        let mut waiting = Vec::new();
        for key_id in key_ids {
            let key = outbox_key(self, &target.encryption_key, key_id);
            if let Some(record) = self.get(Place::Storage, &key)? {
                waiting.push(decode::<ByteVec>(&key, &record)?.to_vec());
            }
        }
        Ok(waiting)
    }

    /// The device has the licenses for these keys.
    pub fn clear_outbox(&mut self, target: &Target, key_ids: &[KeyId], entropy: &mut dyn Entropy) -> Result<(), Error> {
        let mut writes = Writes::default();
        for key_id in key_ids {
            let key = outbox_key(self, &target.encryption_key, key_id);
            if self.get(Place::Storage, &key)?.is_some() {
                writes.delete(Place::Storage, key);
            }
        }
        self.commit_all(writes, entropy)
    }
}

fn outbox_key<K>(store: &Store<'_, K>, recipient: &PublicKey, key_id: &KeyId) -> Vec<u8> {
    [OUTBOX, recipient.thumbprint(store.provider).as_bytes(), key_id.as_bytes()].concat()
}

const OUTBOX: &[u8] = b"o";
