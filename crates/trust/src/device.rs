//! What certificates say of portable devices and media (row B15), and of the version of an application's certificate
//! (row B13).

use crate::{Certificate, Verified, role};

/// The version of an application's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum CertificateVersion {
    /// Version 1.0: what the application issues is not SDMI-compliant. A certificate that says nothing has this version.
    #[default]
    V1,
    /// Version 2.0.
    V2,
}

impl CertificateVersion {
    /// The number in certificates.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version of this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }
}

/// The two kinds of portable things that licenses are transferred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Plays by itself.
    Device,
    /// Is played on a PC, or in a device.
    Medium,
}

impl DeviceKind {
    /// The number in certificates and messages.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Device => 1,
            Self::Medium => 2,
        }
    }

    /// The kind of this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Device),
            2 => Some(Self::Medium),
            _ => None,
        }
    }

    /// The kind as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Medium => "medium",
        }
    }
}

/// A portable device or medium, as its issuer certified it.
///
/// ```compile_fail,E0451
/// # use admit_trust::{Device, DeviceKind};
/// let forged = Device { kind: DeviceKind::Device, serial: None, security_level: 450 };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    kind: DeviceKind,
    serial: Option<String>,
    security_level: u32,
}

impl Device {
    /// The device of this certificate; none where it is of a client on a PC.
    #[must_use]
    pub fn of(certificate: &Verified<Certificate, role::Client>) -> Option<Self> {
        let properties = certificate.properties();
        let kind = properties.device_kind?;
        let security_level = properties.security_level.unwrap_or(0);
        Some(Self { kind, serial: properties.hardware_serial.clone(), security_level })
    }

    /// Which of the two kinds it is.
    #[must_use]
    pub const fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// The serial number in its hardware; none where it has none.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// The security level that the issuer gave.
    #[must_use]
    pub const fn security_level(&self) -> u32 {
        self.security_level
    }

    /// Whether it keeps to the SDMI specification: the issuer says so by the level.
    #[must_use]
    pub const fn is_sdmi(&self) -> bool {
        self.security_level >= SDMI_LEVEL
    }

    /// Whether it is a medium that keeps to the SDMI specification and has no serial number, which it must have (row B15).
    #[must_use]
    pub fn lacks_serial(&self) -> bool {
        self.kind == DeviceKind::Medium && self.is_sdmi() && self.serial.is_none()
    }
}

/// The security level from which on an application or a device is meant to keep to the SDMI specification (row B13).
pub const SDMI_LEVEL: u32 = 450;

/// The security level of a device that does not.
pub const NON_SDMI_LEVEL: u32 = 150;
