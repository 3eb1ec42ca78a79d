//! Admit's own certificate extensions: what a client's or an application's certificate says of it.
//!
//! Each property is one non-critical extension `arc.2.n` whose value is one DER type, so that
//! `openssl x509 -text` and `openssl asn1parse` show it.

use admit_crypto::PublicKey;
use der::asn1::{OctetString, Utf8StringRef};
use der::{Decode, Encode};

use crate::{CertificateVersion, ComponentVersion, DeviceKind, Error, Field};

/// What kind of trusted clock a client has (rows E01 and E03).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum ClockKind {
    /// None: it may hold no license with rules about time.
    #[default]
    #[n(0)]
    None,
    /// Any source of time, checked to only move forward.
    #[n(1)]
    AntiRollback,
    /// A hardware clock protected from change.
    #[n(2)]
    Secure,
}

impl ClockKind {
    /// The number in certificates and messages.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::AntiRollback => 1,
            Self::Secure => 2,
        }
    }

    /// The kind of this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::AntiRollback),
            2 => Some(Self::Secure),
            _ => None,
        }
    }
}

/// Which generation of rights an application knows (row B08).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum SdkGeneration {
    /// Only play, transfer to non-SDMI devices, and recovery (bits 1, 2 and 4).
    #[n(1)]
    Older,
    /// All seven rights.
    #[default]
    #[n(2)]
    Newer,
}

impl SdkGeneration {
    /// The number in certificates and messages.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Older => 1,
            Self::Newer => 2,
        }
    }

    /// The generation of this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Older),
            2 => Some(Self::Newer),
            _ => None,
        }
    }
}

/// What a client can do, as a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Features(u32);

impl Features {
    /// Root and leaf licenses.
    pub const CHAINS: Self = Self(1);
    /// Licenses that require metering.
    pub const METERING: Self = Self(2);
    /// Time from the license server.
    pub const TIME: Self = Self(4);

    /// Takes the bits as they are; unknown ones are kept.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether every feature of `other` is here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a certificate says beside its name, key and role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties {
    /// The key that HPKE encrypts to: of a client, for licenses; of a license service, for challenges.
    pub encryption_key: Option<PublicKey>,
    /// The client's DRM component.
    pub component_version: Option<ComponentVersion>,
    /// The client's or the application's security level.
    pub security_level: Option<u32>,
    /// The client's clock.
    pub clock: Option<ClockKind>,
    /// What the client can do.
    pub features: Option<Features>,
    /// The application's version, as its maker writes it.
    pub application_version: Option<String>,
    /// Which rights the application knows.
    pub sdk_generation: Option<SdkGeneration>,
    /// The epoch of a time certificate's key.
    pub time_epoch: Option<u64>,
    /// The version of an application's certificate.
    pub certificate_version: Option<CertificateVersion>,
    /// That the client is a portable device or medium.
    pub device_kind: Option<DeviceKind>,
    /// The serial number that is in the hardware of a device or medium.
    pub hardware_serial: Option<String>,
}

/// The properties that every client certificate must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientProperties {
    /// The key that licenses are wrapped to.
    pub encryption_key: PublicKey,
    /// The DRM component's security version.
    pub component_version: ComponentVersion,
    /// The security level the issuer gave.
    pub security_level: u32,
    /// The client's clock.
    pub clock: ClockKind,
    /// What the client can do.
    pub features: Features,
}

impl Properties {
    /// The properties of a client certificate, all of which must be there.
    pub fn client(&self) -> Result<ClientProperties, Error> {
        let missing = |number| Error::Field(Field::Property(number));
        Ok(ClientProperties {
            encryption_key: self.encryption_key.ok_or(missing(ENCRYPTION_KEY))?,
            component_version: self.component_version.ok_or(missing(COMPONENT_VERSION))?,
            security_level: self.security_level.ok_or(missing(SECURITY_LEVEL))?,
            clock: self.clock.ok_or(missing(CLOCK_KIND))?,
            features: self.features.ok_or(missing(FEATURES))?,
        })
    }

    /// The epoch, which every time certificate must carry.
    pub(crate) fn epoch_of_time(&self) -> Result<u64, Error> {
        self.time_epoch.ok_or(Error::Field(Field::Property(TIME_EPOCH)))
    }

    /// Reads one extension into its place, and says whether it is a known one.
    pub(crate) fn read(&mut self, number: u8, value: &[u8]) -> Result<bool, Error> {
        let invalid = Error::Field(Field::Property(number));
        match number {
            ENCRYPTION_KEY => {
                let bytes = OctetString::from_der(value)?;
                self.encryption_key = Some(PublicKey::from_sec1(bytes.as_bytes()).map_err(|_| invalid)?);
            }
            COMPONENT_VERSION => {
                self.component_version = Some(utf8(value)?.parse().map_err(|_| invalid)?);
            }
            SECURITY_LEVEL => self.security_level = Some(u32::from_der(value)?),
            CLOCK_KIND => self.clock = Some(ClockKind::from_number(u8::from_der(value)?).ok_or(invalid)?),
            FEATURES => self.features = Some(Features::from_bits(u32::from_der(value)?)),
            APPLICATION_VERSION => self.application_version = Some(utf8(value)?),
            SDK_GENERATION => {
                self.sdk_generation = Some(SdkGeneration::from_number(u8::from_der(value)?).ok_or(invalid)?);
            }
            TIME_EPOCH => self.time_epoch = Some(u64::from_der(value)?),
            CERTIFICATE_VERSION => {
                self.certificate_version = Some(CertificateVersion::from_number(u8::from_der(value)?).ok_or(invalid)?);
            }
            DEVICE_KIND => self.device_kind = Some(DeviceKind::from_number(u8::from_der(value)?).ok_or(invalid)?),
            HARDWARE_SERIAL => self.hardware_serial = Some(utf8(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Every property that is there, as its number and DER value.
    pub(crate) fn write(&self) -> der::Result<Vec<(u8, Vec<u8>)>> {
        let mut out = Vec::new();
        if let Some(key) = &self.encryption_key {
            out.push((ENCRYPTION_KEY, OctetString::new(key.as_bytes().as_slice())?.to_der()?));
        }
        if let Some(version) = self.component_version {
            out.push((COMPONENT_VERSION, Utf8StringRef::new(&version.to_string())?.to_der()?));
        }
        if let Some(level) = self.security_level {
            out.push((SECURITY_LEVEL, level.to_der()?));
        }
        if let Some(clock) = self.clock {
            out.push((CLOCK_KIND, clock.number().to_der()?));
        }
        if let Some(features) = self.features {
            out.push((FEATURES, features.bits().to_der()?));
        }
        if let Some(version) = &self.application_version {
            out.push((APPLICATION_VERSION, Utf8StringRef::new(version)?.to_der()?));
        }
        if let Some(generation) = self.sdk_generation {
            out.push((SDK_GENERATION, generation.number().to_der()?));
        }
        if let Some(epoch) = self.time_epoch {
            out.push((TIME_EPOCH, epoch.to_der()?));
        }
        if let Some(version) = self.certificate_version {
            out.push((CERTIFICATE_VERSION, version.number().to_der()?));
        }
        if let Some(kind) = self.device_kind {
            out.push((DEVICE_KIND, kind.number().to_der()?));
        }
        if let Some(serial) = &self.hardware_serial {
            out.push((HARDWARE_SERIAL, Utf8StringRef::new(serial)?.to_der()?));
        }
        Ok(out)
    }
}

fn utf8(value: &[u8]) -> Result<String, Error> {
    Ok(String::from_der(value)?)
}

const ENCRYPTION_KEY: u8 = 1;
const COMPONENT_VERSION: u8 = 2;
const SECURITY_LEVEL: u8 = 3;
const CLOCK_KIND: u8 = 4;
const FEATURES: u8 = 5;
// 6 is kept for the machine binding that individualization adds.
const APPLICATION_VERSION: u8 = 7;
const SDK_GENERATION: u8 = 8;
const TIME_EPOCH: u8 = 9;
const CERTIFICATE_VERSION: u8 = 10;
const DEVICE_KIND: u8 = 11;
const HARDWARE_SERIAL: u8 = 12;

#[cfg(test)]
mod tests {
    use admit_crypto::SecretScalar;
    use proptest::prelude::*;

    use super::*;

    fn any_properties() -> impl Strategy<Value = Properties> {
        let key = prop::option::of(1..=0xfe_u8);
        let version = prop::option::of(any::<[u16; 4]>());
        let numbers = prop::array::uniform2(prop::option::of(any::<u32>()));
        let kinds = (prop::option::of(0..3_u8), prop::option::of(1..3_u8));
        let device = (prop::option::of(1..3_u8), prop::option::of(1..3_u8), prop::option::of("[0-9A-Z-]{1,20}"));
        (key, version, numbers, kinds, prop::option::of(".{0,20}"), any::<Option<u64>>(), device).prop_map(
            |(key, version, [level, features], (clock, generation), application_version, time_epoch, device)| {
                Properties {
                    encryption_key: key.map(|byte| SecretScalar::from_slice(&[byte; 32]).unwrap().public_key()),
                    component_version: version.map(ComponentVersion::new),
                    security_level: level,
                    clock: clock.map(|number| ClockKind::from_number(number).unwrap()),
                    features: features.map(Features::from_bits),
                    application_version,
                    sdk_generation: generation.map(|number| SdkGeneration::from_number(number).unwrap()),
                    time_epoch,
                    certificate_version: device.0.map(|number| CertificateVersion::from_number(number).unwrap()),
                    device_kind: device.1.map(|number| DeviceKind::from_number(number).unwrap()),
                    hardware_serial: device.2,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(properties in any_properties()) {
            let mut read = Properties::default();
            let written = properties.write().unwrap();
            prop_assert!(written.is_sorted_by_key(|(number, _)| *number));
            for (number, value) in &written {
                prop_assert!(read.read(*number, value).unwrap());
                for at in 0..value.len() {
                    prop_assert!(Properties::default().read(*number, &value[..at]).is_err(), "{number} cut at {at}");
                }
            }
            prop_assert_eq!(read, properties);
        }
    }

    #[test]
    fn numbers_without_a_property_are_not_read() {
        for number in [0, 6, 13, 127] {
            let mut properties = Properties::default();
            assert!(!properties.read(number, &[0x05, 0x00]).unwrap(), "{number}");
            assert_eq!(properties, Properties::default());
        }
    }

    #[test]
    fn kinds_and_generations_have_their_numbers() {
        for number in 0..=u8::MAX {
            assert_eq!(ClockKind::from_number(number).map(ClockKind::number), (number < 3).then_some(number));
            let generation = SdkGeneration::from_number(number).map(SdkGeneration::number);
            assert_eq!(generation, (1..3).contains(&number).then_some(number));
        }
        assert_eq!((ClockKind::default(), SdkGeneration::default()), (ClockKind::None, SdkGeneration::Newer));
        assert!(ClockKind::None < ClockKind::AntiRollback && ClockKind::AntiRollback < ClockKind::Secure);
    }

    #[test]
    fn kinds_and_generations_have_the_same_numbers_in_messages() {
        for kind in [ClockKind::None, ClockKind::AntiRollback, ClockKind::Secure] {
            assert_eq!(minicbor::to_vec(kind).unwrap(), [kind.number()]);
        }
        for generation in [SdkGeneration::Older, SdkGeneration::Newer] {
            assert_eq!(minicbor::to_vec(generation).unwrap(), [generation.number()]);
        }
        assert!(minicbor::decode::<ClockKind>(&[3]).is_err());
        assert!(minicbor::decode::<SdkGeneration>(&[0]).is_err());
    }

    #[test]
    fn features_are_a_set() {
        let both = Features::from_bits(Features::CHAINS.bits() | Features::METERING.bits());
        assert!(both.contains(Features::CHAINS) && both.contains(Features::METERING) && both.contains(both));
        assert!(!both.contains(Features::TIME) && !Features::CHAINS.contains(both));
        assert!(both.contains(Features::default()), "nothing is in everything");
        assert_eq!(Features::from_bits(0x8000_0001).bits(), 0x8000_0001, "unknown bits are kept");
    }
}
