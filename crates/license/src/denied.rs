//! Why an action is denied, and what would help.

use core::fmt;

use admit_time::Timestamp;
use admit_trust::ComponentVersion;

use crate::{Action, KeyId, LicenseId};

/// One reason against an action. Not `non_exhaustive`: every reason has a code, and the table of them is checked
/// to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no license for the content key.
    NoLicense {
        /// The content key.
        key_id: KeyId,
    },
    /// The right was not given.
    NoRight {
        /// The action that needs it.
        action: Action,
    },
    /// The application is of the older SDK and does not know this right (row B08).
    RightUnknownToApplication {
        /// The action that needs it.
        action: Action,
    },
    /// The license is for one transfer to a device and not for this action.
    OneTimeForTransfer,
    /// The count is used up.
    CountUsedUp {
        /// How often the license allowed it.
        allowed: u32,
    },
    /// The license begins later.
    NotYetValid {
        /// When it begins.
        begin: Timestamp,
    },
    /// The license is over.
    Expired {
        /// When it ended.
        expiry: Timestamp,
    },
    /// The application's security level is too low (row B13).
    ApplicationLevel {
        /// What the license needs.
        needed: u32,
        /// What the application, or its kind of output, has.
        found: u32,
    },
    /// The client's security level is too low.
    ClientLevel {
        /// What the license needs.
        needed: u32,
        /// What the client's certificate says.
        found: u32,
    },
    /// The component must be individualized, or newer (row A03).
    NeedsIndividualization {
        /// The least version.
        needed: ComponentVersion,
        /// The component's version.
        found: ComponentVersion,
    },
    /// The license has limits in time and this client has no trusted clock (row E01).
    NoClock,
    /// The license has limits in time and the clock is not set.
    ClockNotSet,
    /// The license has limits in time and the last signed time is too old for it.
    ClockStale,
    /// The license has limits in time and the wall clock was set back.
    ClockRolledBack,
    /// The store is an older copy of itself, so what it says of the license's use may be too little.
    StoreRolledBack,
    /// The license has limits in time and was stored when the client had no time (row E09).
    StoredBeforeClock,
    /// The license needs newer revocation information (row C02).
    RevocationInformation {
        /// The least version.
        needed: u64,
        /// The version in the store.
        found: u64,
    },
    /// The license asks for output protection that the output does not have (row D04).
    OutputUnprotected,
    /// Only SDMI-validated content plays on an SDMI-compliant device (row B17).
    NotSdmiValidated,
    /// An application whose certificate has version 1.0 issued the license, or would issue the device's (row B13).
    NotSdmiCompliant,
    /// The license goes to no device: it counts plays, ends with the session, or was made for one device.
    StaysHere,
    /// The license requires metering and this client cannot meter (row F02).
    MeteringUnsupported,
    /// A leaf license has no root license beside it (row D02).
    NoUplinkLicense {
        /// The root's key id.
        key_id: KeyId,
    },
}

/// What would help against a reason: what the documents call status events and content enablers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// Acquire a license.
    Acquire,
    /// Acquire the license again.
    Renew,
    /// Individualize the component.
    Individualize,
    /// Set the clock from a signed time.
    SetClock,
    /// Get newer revocation information.
    RefreshRevocation,
    /// Install a newer or better application.
    InstallUpdate,
    /// Ask the user.
    AskUser,
    /// Nothing would.
    None,
}

impl Remedy {
    /// The remedy's name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Renew => "renew",
            Self::Individualize => "individualize",
            Self::SetClock => "set_clock",
            Self::RefreshRevocation => "refresh_revocation",
            Self::InstallUpdate => "install_update",
            Self::AskUser => "ask_user",
            Self::None => "none",
        }
    }
}

impl Reason {
    /// The one thing that would help.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::NoLicense { .. } | Self::NoRight { .. } | Self::OneTimeForTransfer => Remedy::Acquire,
            Self::NoUplinkLicense { .. } | Self::NotSdmiValidated | Self::StaysHere => Remedy::Acquire,
            Self::CountUsedUp { .. } | Self::Expired { .. } | Self::StoredBeforeClock => Remedy::Renew,
            Self::ApplicationLevel { .. } | Self::RightUnknownToApplication { .. } | Self::NotSdmiCompliant => {
                Remedy::InstallUpdate
            }
            Self::ClientLevel { .. } | Self::NeedsIndividualization { .. } | Self::MeteringUnsupported => {
                Remedy::Individualize
            }
            Self::ClockNotSet | Self::ClockStale | Self::ClockRolledBack => Remedy::SetClock,
            Self::StoreRolledBack => Remedy::AskUser,
            Self::RevocationInformation { .. } => Remedy::RefreshRevocation,
            Self::NotYetValid { .. } | Self::NoClock | Self::OutputUnprotected => Remedy::None,
        }
    }
}

impl Reason {
    /// When the license becomes usable without another one, in words that follow "usable"; none where it does not by
    /// itself or by a signed time.
    #[must_use]
    pub fn usable_when(self) -> Option<String> {
        match self {
            Self::NotYetValid { begin } => Some(format!("from {begin} on")),
            Self::ClockNotSet | Self::ClockStale | Self::ClockRolledBack => {
                Some("as soon as the clock has a signed time".to_owned())
            }
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLicense { key_id } => write!(f, "there is no license for key {key_id}"),
            Self::NoRight { action } => write!(f, "the license does not give the right to {action}"),
            Self::RightUnknownToApplication { action } => {
                write!(f, "the application is too old to know the right to {action}")
            }
            Self::OneTimeForTransfer => f.write_str("the license is for one transfer to a device only"),
            Self::CountUsedUp { allowed } => write!(f, "the license allowed this {allowed} times, and all are used"),
            Self::NotYetValid { begin } => write!(f, "the license begins at {begin}"),
            Self::Expired { expiry } => write!(f, "the license ended at {expiry}"),
            Self::ApplicationLevel { needed, found } => {
                write!(f, "the license needs application security level {needed}, and here it is {found}")
            }
            Self::ClientLevel { needed, found } => {
                write!(f, "the license needs client security level {needed}, and this client has {found}")
            }
            Self::NeedsIndividualization { needed, found } => {
                write!(f, "the content needs an individualized component of version {needed}, and this one is {found}")
            }
            Self::NoClock => f.write_str("the license has limits in time and this client has no trusted clock"),
            Self::ClockNotSet => f.write_str("the license has limits in time and the clock is not set"),
            Self::ClockStale => f.write_str("the license has limits in time and the last signed time is too old"),
            Self::ClockRolledBack => f.write_str("the license has limits in time and the clock was set back"),
            Self::StoreRolledBack => f.write_str("the store is an older copy of itself"),
            Self::StoredBeforeClock => f.write_str("the license has limits in time and was stored without a time"),
            Self::RevocationInformation { needed, found } => {
                write!(f, "the license needs revocation information {needed}, and the store has {found}")
            }
            Self::OutputUnprotected => f.write_str("the license asks for protected output, and this output is not"),
            Self::NotSdmiValidated => f.write_str("an SDMI-compliant device plays SDMI-validated content only"),
            Self::NotSdmiCompliant => f.write_str(
                "what an application with a certificate of version 1.0 issues goes to no SDMI-compliant device",
            ),
            Self::StaysHere => f.write_str(
                "the license counts plays, ends with the session or is a device's, and goes to no other device",
            ),
            Self::MeteringUnsupported => f.write_str("the license requires metering, which this client cannot do"),
            Self::NoUplinkLicense { key_id } => write!(f, "the root license {key_id} is not in the store"),
        }
    }
}

/// A reason, and the license it speaks of; none where there is no license at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The license.
    pub license: Option<LicenseId>,
    /// The reason.
    pub reason: Reason,
}

/// An action is denied: every reason of every license that was looked at, best license first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    refusals: Vec<Refusal>,
}

impl Denied {
    pub(crate) fn new(first: Refusal, others: Vec<Refusal>) -> Self {
        Self { refusals: [vec![first], others].concat() }
    }

    /// All refusals.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// The reason to tell first: the first one against the license that came nearest to allowing the action.
    #[must_use]
    pub fn nearest(&self) -> Reason {
        let against = |license| self.refusals.iter().filter(|refusal| refusal.license == license).count();
        let nearest = self.refusals.iter().min_by_key(|refusal| against(refusal.license));
        nearest.expect("a denial has at least one reason").reason
    }
}
