//! What can go wrong on the client, grouped by who is at fault.

use admit_protocol::Code;

use crate::StorageError;

/// A step failed. Denials are not errors: see `admit_license::Denied`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store's storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A record in the store does not authenticate: it was altered, or written with another key.
    #[error("record {record} of the license store was altered")]
    StoreTampered {
        /// The record's key in hexadecimal.
        record: String,
    },
    /// A record was written by another version of the program.
    #[error("record {record} of the license store has version {version}, which this program does not know")]
    StoreVersion {
        /// The record's key in hexadecimal.
        record: String,
        /// The version.
        version: u8,
    },
    /// A record authenticates and does not read: written by a faulty version.
    #[error("record {record} of the license store does not read, at byte {position}")]
    StoreRecord {
        /// The record's key in hexadecimal.
        record: String,
        /// The byte offset.
        position: usize,
    },
    /// The store has records and no beginning: a part of it was deleted.
    #[error("the license store has lost its position record")]
    StoreIncomplete,
    /// The license service has seen a later state of this store.
    #[error("the license store is an older copy of itself")]
    StoreRolledBack,
    /// A message from the server was refused.
    #[error(transparent)]
    Protocol(#[from] admit_protocol::Error),
    /// A license or a content header was refused.
    #[error(transparent)]
    License(#[from] admit_license::Error),
    /// The application may not issue such licenses for its own content (row B10).
    #[error(transparent)]
    Local(#[from] admit_license::LocalRefusal),
    /// The response holds a license with limits in time, and this client has no trusted clock (row E01).
    #[error("the license has limits in time and this client has no trusted clock")]
    NoClock,
    /// The response holds a license with limits in time, and nobody has given the time (row E11).
    #[error("the license has limits in time, and neither the license server nor a clock service gave the time")]
    NoTime,
    /// A portable device or medium is wanted here, and this is none.
    #[error("this is no portable device or medium")]
    NotADevice,
    /// A device does what only a PC does.
    #[error("this is a portable device or medium, which makes no licenses for others")]
    IsADevice,
    /// The hardware's serial number is not the one that was certified, or an SDMI-compliant medium has none (row B15).
    #[error("the serial number in the hardware is not the one that was certified")]
    NoHardwareSerial,
    /// The license has limits in time, and the device has no time to judge them by.
    #[error("the license has limits in time, and the device's clock is not set")]
    DeviceClockNotSet,
    /// A time was not accepted.
    #[error(transparent)]
    Time(#[from] admit_time::Error),
    /// Grants for several actions, or none at all, do not make a permit.
    #[error("a permit takes the grants of one action")]
    NotOneAction,
    /// A permit is for one action: samples are opened for playing and burning only.
    #[error("the permit to {action} does not allow this")]
    WrongAction {
        /// The action of the permit.
        action: admit_license::Action,
    },
    /// The grant was made from licenses that have changed since.
    #[error("the licenses were used by another process in between")]
    GrantOutdated,
}

/// Playing failed: in the store, or in the media.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaybackError {
    /// The use could not be charged.
    #[error(transparent)]
    Store(#[from] Error),
    /// The license or the clock says that it must end now.
    #[error("{0}")]
    Ended(admit_license::Reason),
    /// The media is wrong, or the clear file could not be written.
    #[error(transparent)]
    Media(#[from] admit_media::Error),
}

impl From<&Error> for Code {
    fn from(error: &Error) -> Self {
        match error {
            Error::Storage(StorageError::Conflict) | Error::GrantOutdated => Self::ADMIT_E_STORE_BUSY,
            Error::Storage(StorageError::Failed { .. }) => Self::NS_E_DRM_LICENSE_STORE_ERROR,
            Error::StoreTampered { .. } | Error::StoreIncomplete => Self::ADMIT_E_STORE_TAMPERED,
            Error::StoreVersion { .. } => Self::ADMIT_E_STORE_VERSION,
            Error::StoreRecord { .. } => Self::NS_E_DRM_LICENSE_STORE_ERROR,
            Error::StoreRolledBack => Self::ADMIT_E_STORE_ROLLED_BACK,
            Error::Protocol(error) => error.into(),
            Error::License(error) => error.into(),
            Error::NotADevice => Self::ADMIT_E_NO_DEVICE,
            Error::IsADevice => Self::ADMIT_E_NOT_THIS_DEVICE,
            Error::NoHardwareSerial => Self::ADMIT_E_NO_HARDWARE_SERIAL,
            Error::DeviceClockNotSet => Self::NS_E_DRM_LIC_NEEDS_DEVICE_CLOCK_SET,
            Error::Local(refusal) => refusal.into(),
            Error::NoClock => Self::DRM_E_NO_CLK_SUPPORTED,
            Error::NoTime => Self::DRM_E_CLK_NOT_SET,
            Error::Time(error) => error.into(),
            Error::NotOneAction | Error::WrongAction { .. } => Self::NS_E_DRM_NO_RIGHTS,
        }
    }
}
