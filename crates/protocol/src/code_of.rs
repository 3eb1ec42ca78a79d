//! Which code stands for which reason and error. No arm is a wildcard: a new cause does not compile until it has
//! its code.

use admit_license::{LocalRefusal, Reason};

use crate::{Code, Error};

impl From<&Reason> for Code {
    fn from(reason: &Reason) -> Self {
        match reason {
            Reason::NoLicense { .. } => Self::NS_E_LICENSE_REQUIRED,
            Reason::NoRight { .. } => Self::NS_E_DRM_NO_RIGHTS,
            Reason::RightUnknownToApplication { .. } => Self::NS_E_DRM_LICENSE_APP_NOTALLOWED,
            Reason::OneTimeForTransfer => Self::NS_E_LICENSE_INCORRECT_RIGHTS,
            Reason::CountUsedUp { .. } => Self::ADMIT_E_COUNT_USED_UP,
            Reason::NotYetValid { .. } => Self::NS_E_DRM_LICENSE_NOTENABLED,
            Reason::Expired { .. } => Self::NS_E_DRM_LICENSE_EXPIRED,
            Reason::ApplicationLevel { .. } => Self::NS_E_DRM_LICENSE_APPSECLOW,
            Reason::ClientLevel { .. } => Self::NS_E_DRM_LICENSE_SECLOW,
            Reason::NeedsIndividualization { .. } => Self::NS_E_DRM_NEEDS_INDIVIDUALIZATION,
            Reason::NoClock => Self::DRM_E_NO_CLK_SUPPORTED,
            Reason::ClockNotSet | Reason::ClockStale => Self::DRM_E_SECURETIME_CLOCK_NOT_SET,
            Reason::ClockRolledBack => Self::ADMIT_E_CLOCK_ROLLED_BACK,
            Reason::StoreRolledBack => Self::ADMIT_E_STORE_ROLLED_BACK,
            Reason::StoredBeforeClock => Self::DRM_E_LICENSESERVERTIME_MUST_REACQUIRE_LICENSE,
            Reason::RevocationInformation { .. } => Self::NS_E_DRM_RIV_TOO_SMALL,
            Reason::OutputUnprotected => Self::ADMIT_E_OUTPUT_UNPROTECTED,
            Reason::NotSdmiValidated => Self::ADMIT_E_NOT_SDMI_VALIDATED,
            Reason::NotSdmiCompliant => Self::ADMIT_E_NOT_SDMI_COMPLIANT,
            Reason::StaysHere => Self::ADMIT_E_LICENSE_STAYS,
            Reason::MeteringUnsupported => Self::NS_E_DRM_NEEDS_INDIVIDUALIZATION,
            Reason::NoUplinkLicense { .. } => Self::NS_E_DRM_NO_UPLINK_LICENSE,
        }
    }
}

impl From<&LocalRefusal> for Code {
    fn from(refusal: &LocalRefusal) -> Self {
        match refusal {
            LocalRefusal::SdmiLevel { .. } => Self::ADMIT_E_SDMI_LEVEL,
            LocalRefusal::UnknownRights { .. } => Self::NS_E_DRM_LICENSE_APP_NOTALLOWED,
        }
    }
}

impl From<&admit_license::Error> for Code {
    fn from(error: &admit_license::Error) -> Self {
        use admit_license::Error as License;
        match error {
            License::Header(_) => Self::ADMIT_E_HEADER_MALFORMED,
            License::OtherRealm { .. } => Self::ADMIT_E_REALM_MISMATCH,
            License::OtherClient => Self::NS_E_DRM_INVALID_MACHINE,
            License::UnknownField { .. } => Self::ADMIT_E_LICENSE_NOT_UNDERSTOOD,
            License::OtherDevice => Self::ADMIT_E_NOT_THIS_DEVICE,
            License::NotSdmiValidated => Self::ADMIT_E_NOT_SDMI_VALIDATED,
            License::Trust(error) if error.is_malformed() => Self::ADMIT_E_MALFORMED_MESSAGE,
            License::Payload { .. } | License::Terms { .. } => Self::ADMIT_E_MALFORMED_MESSAGE,
            License::Trust(_) => Self::ADMIT_E_BAD_SIGNATURE,
            License::Rule(_)
            | License::UnsupportedBinding
            | License::KeyMaterial
            | License::OtherOrigin
            | License::OtherRoot => Self::NS_E_DRM_INVALID_LICENSE,
        }
    }
}

impl From<&Error> for Code {
    fn from(error: &Error) -> Self {
        match error {
            Error::Malformed { .. } | Error::TooLong { .. } | Error::ChallengeCiphertext => {
                Self::ADMIT_E_MALFORMED_MESSAGE
            }
            Error::Trust { .. } | Error::OtherKeys => Self::ADMIT_E_BAD_SIGNATURE,
            Error::UnknownChallengeKey { .. } => Self::ADMIT_E_UNKNOWN_CHALLENGE_KEY,
            Error::OtherRealm { .. } => Self::ADMIT_E_REALM_MISMATCH,
            Error::OtherChallenge | Error::OtherClient => Self::ADMIT_E_RESPONSE_MISMATCH,
            Error::License(error) => error.into(),
            Error::NoService { .. } => Self::ADMIT_E_CONFIGURATION,
        }
    }
}

impl From<&admit_time::Error> for Code {
    fn from(error: &admit_time::Error) -> Self {
        use admit_time::Error as Time;
        match error {
            Time::TooLate { .. } | Time::OtherBoot | Time::MonotonicClockWentBack { .. } => {
                Self::NS_E_DRM_UNABLE_TO_GET_SECURE_CLOCK_FROM_SERVER
            }
            Time::BelowHardFloor { .. } | Time::TimeKeysDisagree { .. } | Time::SameTimeKey => {
                Self::DRM_E_CLK_INVALID_DATE
            }
            Time::BeforeDelegation { .. } | Time::AfterDelegation { .. } | Time::MidpointOutOfRange { .. } => {
                Self::DRM_E_CLK_INVALID_DATE
            }
            Time::MalformedResponse(_)
            | Time::OversizedResponse { .. }
            | Time::NotAResponse { .. }
            | Time::WrongNonce
            | Time::UnknownVersion { .. }
            | Time::MalformedVersionList
            | Time::VersionNotListed
            | Time::PathTooLong { .. }
            | Time::IndexOutsideTree { .. }
            | Time::RequestNotInTree
            | Time::BadDelegationSignature
            | Time::BadResponseSignature
            | Time::ZeroRadius
            | Time::RadiusTooLarge { .. }
            | Time::EpochTooLow { .. }
            | Time::MalformedRequest(_)
            | Time::VersionNotOffered => Self::DRM_E_CLK_INVALID_RESPONSE,
        }
    }
}

#[cfg(test)]
mod tests;
