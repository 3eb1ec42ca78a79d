//! A portable device or medium, as it sees itself: it verifies the licenses that it is given, keeps them in its own store,
//! and plays by them at its own level, without the PC that made them.

use admit_crypto::Entropy;
use admit_license::{Application, Output, VerifiedLicense};
use admit_time::clock::{Clock, Now};
use admit_trust::{CertificateVersion, Device, SdkGeneration, TrustRoot};

use crate::{Error, Identity, KeyValue, Store};

/// The licenses that a device was given, verified (rows B11 and B17) and not kept yet.
#[derive(Debug)]
#[must_use]
pub struct Received {
    licenses: Vec<VerifiedLicense>,
}

/// The device of an identity, with the serial number that its hardware says: it must be the one that was certified (row
/// B15), so that a copy of the folder on other hardware is of no use.
pub fn open(identity: &Identity, hardware_serial: Option<&str>) -> Result<Device, Error> {
    let device = Device::of(identity.certificate()).ok_or(Error::NotADevice)?;
    if device.serial() != hardware_serial || device.lacks_serial() {
        return Err(Error::NoHardwareSerial);
    }
    Ok(device)
}

/// The device as an application that plays inside it: its level is what its issuer gave, and it knows all rights.
#[must_use]
pub const fn application(device: &Device) -> Application {
    Application {
        security_level: device.security_level(),
        sdk_generation: SdkGeneration::Newer,
        certificate_version: CertificateVersion::V2,
    }
}

/// Where a device plays.
#[must_use]
pub const fn output(device: &Device) -> Output {
    Output::Device { sdmi: device.is_sdmi() }
}

impl Received {
    /// Verifies what a PC gives this device.
    pub fn verify<'l, K: KeyValue>(
        licenses: impl Iterator<Item = &'l [u8]>,
        (identity, device): (&Identity, &Device),
        root: &TrustRoot,
        store: &Store<'_, K>,
        now: &Now,
    ) -> Result<Self, Error> {
        let (provider, dates) = (store.provider, crate::clock::dates(now));
        let own = (device, identity.decryption_key());
        let verify = |license| VerifiedLicense::verify_portable(provider, root, license, dates, own);
        Ok(Self { licenses: licenses.map(verify).collect::<Result<_, _>>()? })
    }

    /// The licenses.
    #[must_use]
    pub fn licenses(&self) -> &[VerifiedLicense] {
        &self.licenses
    }

    /// Whether they have limits in time, which need the device's clock to be set.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.licenses.iter().any(|license| license.terms().time_limits().any())
    }

    /// Keeps them, all or none. One that is there already is left as it is.
    pub fn store<K: KeyValue>(
        &self,
        store: &mut Store<'_, K>,
        (clock, now): (&mut Clock, &Now),
        entropy: &mut dyn Entropy,
    ) -> Result<(), Error> {
        if self.is_limited() && now.time().is_none() {
            return Err(Error::DeviceClockNotSet);
        }
        store.add(&self.licenses, clock, now, entropy)
    }
}
