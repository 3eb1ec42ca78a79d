//! Every reason and every error under its code: what users and other programs tell causes apart by, which is why it is
//! written down a second time here.

use admit_crypto::Digest;
use admit_license::header::{HeaderError, ObjectFault};
use admit_license::{Action, KeyId, Remedy, Rule};
use admit_time::Timestamp;
use admit_trust::{ComponentVersion, Role};

use super::*;
use crate::code::ErrorClass;

const KEY_ID: KeyId = KeyId::from_bytes([1; 16]);
const TIME: Timestamp = Timestamp::from_unix_secs(0);
const HASH: Digest = Digest::from_bytes([2; 32]);

fn reasons() -> Vec<(Reason, Code)> {
    let (needed, found) = (ComponentVersion::new([2, 4, 0, 1]), ComponentVersion::DEFAULT);
    vec![
        (Reason::NoLicense { key_id: KEY_ID }, Code::NS_E_LICENSE_REQUIRED),
        (Reason::NoRight { action: Action::Play }, Code::NS_E_DRM_NO_RIGHTS),
        (Reason::RightUnknownToApplication { action: Action::Burn }, Code::NS_E_DRM_LICENSE_APP_NOTALLOWED),
        (Reason::OneTimeForTransfer, Code::NS_E_LICENSE_INCORRECT_RIGHTS),
        (Reason::CountUsedUp { allowed: 1 }, Code::ADMIT_E_COUNT_USED_UP),
        (Reason::NotYetValid { begin: TIME }, Code::NS_E_DRM_LICENSE_NOTENABLED),
        (Reason::Expired { expiry: TIME }, Code::NS_E_DRM_LICENSE_EXPIRED),
        (Reason::ApplicationLevel { needed: 2, found: 1 }, Code::NS_E_DRM_LICENSE_APPSECLOW),
        (Reason::ClientLevel { needed: 2, found: 1 }, Code::NS_E_DRM_LICENSE_SECLOW),
        (Reason::NeedsIndividualization { needed, found }, Code::NS_E_DRM_NEEDS_INDIVIDUALIZATION),
        (Reason::NoClock, Code::DRM_E_NO_CLK_SUPPORTED),
        (Reason::ClockNotSet, Code::DRM_E_SECURETIME_CLOCK_NOT_SET),
        (Reason::ClockStale, Code::DRM_E_SECURETIME_CLOCK_NOT_SET),
        (Reason::ClockRolledBack, Code::ADMIT_E_CLOCK_ROLLED_BACK),
        (Reason::StoreRolledBack, Code::ADMIT_E_STORE_ROLLED_BACK),
        (Reason::StoredBeforeClock, Code::DRM_E_LICENSESERVERTIME_MUST_REACQUIRE_LICENSE),
        (Reason::RevocationInformation { needed: 2, found: 1 }, Code::NS_E_DRM_RIV_TOO_SMALL),
        (Reason::OutputUnprotected, Code::ADMIT_E_OUTPUT_UNPROTECTED),
        (Reason::NotSdmiValidated, Code::ADMIT_E_NOT_SDMI_VALIDATED),
        (Reason::NotSdmiCompliant, Code::ADMIT_E_NOT_SDMI_COMPLIANT),
        (Reason::StaysHere, Code::ADMIT_E_LICENSE_STAYS),
        (Reason::MeteringUnsupported, Code::NS_E_DRM_NEEDS_INDIVIDUALIZATION),
        (Reason::NoUplinkLicense { key_id: KEY_ID }, Code::NS_E_DRM_NO_UPLINK_LICENSE),
    ]
}

/// Where a reason stands in [`reasons`]. A new one does not compile until it stands there too.
const fn number(reason: &Reason) -> usize {
    match reason {
        Reason::NoLicense { .. } => 0,
        Reason::NoRight { .. } => 1,
        Reason::RightUnknownToApplication { .. } => 2,
        Reason::OneTimeForTransfer => 3,
        Reason::CountUsedUp { .. } => 4,
        Reason::NotYetValid { .. } => 5,
        Reason::Expired { .. } => 6,
        Reason::ApplicationLevel { .. } => 7,
        Reason::ClientLevel { .. } => 8,
        Reason::NeedsIndividualization { .. } => 9,
        Reason::NoClock => 10,
        Reason::ClockNotSet => 11,
        Reason::ClockStale => 12,
        Reason::ClockRolledBack => 13,
        Reason::StoreRolledBack => 14,
        Reason::StoredBeforeClock => 15,
        Reason::RevocationInformation { .. } => 16,
        Reason::OutputUnprotected => 17,
        Reason::NotSdmiValidated => 18,
        Reason::NotSdmiCompliant => 19,
        Reason::StaysHere => 20,
        Reason::MeteringUnsupported => 21,
        Reason::NoUplinkLicense { .. } => 22,
    }
}

#[test]
fn every_reason_has_its_code() {
    let numbers: Vec<usize> = reasons().iter().map(|(reason, _)| number(reason)).collect();
    assert_eq!(numbers, (0..=22).collect::<Vec<_>>());
    for (reason, code) in reasons() {
        assert_eq!(Code::from(&reason), code, "{reason}");
    }
}

#[test]
fn a_denial_is_a_failure_and_never_one_that_the_same_attempt_would_mend() {
    for (reason, _) in reasons() {
        let class = Code::from(&reason).class();
        assert!(matches!(class, ErrorClass::AskUser | ErrorClass::Fatal), "{reason}: {class:?}");
        // What nothing helps against is not called an individualization.
        let asks = Code::from(&reason) == Code::NS_E_DRM_NEEDS_INDIVIDUALIZATION;
        assert!(!asks || reason.remedy() == Remedy::Individualize, "{reason}");
    }
}

#[test]
fn every_error_of_a_license_has_its_code() {
    use admit_license::Error as License;
    let cut_off = admit_trust::Error::Encoding { field: admit_trust::Field::CoseArray, position: 9 };
    let header = HeaderError::Object { offset: 4, fault: ObjectFault::NoHeader };
    let cases = [
        (License::Header(header), Code::ADMIT_E_HEADER_MALFORMED),
        (License::OtherRealm { found: HASH }, Code::ADMIT_E_REALM_MISMATCH),
        (License::OtherClient, Code::NS_E_DRM_INVALID_MACHINE),
        (License::UnknownField { position: 1 }, Code::ADMIT_E_LICENSE_NOT_UNDERSTOOD),
        // Edited, signed by somebody else, and cut off.
        (License::Trust(admit_trust::Error::Signature), Code::ADMIT_E_BAD_SIGNATURE),
        (License::Trust(admit_trust::Error::CertificateSignature { depth: 0 }), Code::ADMIT_E_BAD_SIGNATURE),
        (License::Trust(cut_off), Code::ADMIT_E_MALFORMED_MESSAGE),
        (License::Payload { position: 1 }, Code::ADMIT_E_MALFORMED_MESSAGE),
        (License::Terms { position: 1 }, Code::ADMIT_E_MALFORMED_MESSAGE),
        (License::Rule(Rule::BeginBeforeExpiry), Code::NS_E_DRM_INVALID_LICENSE),
        (License::UnsupportedBinding, Code::NS_E_DRM_INVALID_LICENSE),
        (License::KeyMaterial, Code::NS_E_DRM_INVALID_LICENSE),
        (License::OtherRoot, Code::NS_E_DRM_INVALID_LICENSE),
    ];
    for (error, code) in cases {
        assert_eq!(Code::from(&error), code, "{error}");
        assert_eq!(Code::from(&Error::License(error.clone())), code, "{error}, in a message");
    }
}

#[test]
fn every_error_of_a_message_has_its_code() {
    let message = "message";
    let source = admit_trust::Error::EmptyChain;
    let cases = [
        (Error::Malformed { message, position: 1 }, Code::ADMIT_E_MALFORMED_MESSAGE),
        (Error::TooLong { message, length: 2, limit: 1 }, Code::ADMIT_E_MALFORMED_MESSAGE),
        (Error::ChallengeCiphertext, Code::ADMIT_E_MALFORMED_MESSAGE),
        (Error::Trust { message, source }, Code::ADMIT_E_BAD_SIGNATURE),
        (Error::OtherKeys, Code::ADMIT_E_BAD_SIGNATURE),
        (Error::UnknownChallengeKey { recipient: HASH }, Code::ADMIT_E_UNKNOWN_CHALLENGE_KEY),
        (Error::OtherRealm { message, found: HASH }, Code::ADMIT_E_REALM_MISMATCH),
        (Error::OtherChallenge, Code::ADMIT_E_RESPONSE_MISMATCH),
        (Error::OtherClient, Code::ADMIT_E_RESPONSE_MISMATCH),
        (Error::NoService { role: Role::License }, Code::ADMIT_E_CONFIGURATION),
    ];
    for (error, code) in cases {
        assert_eq!(Code::from(&error), code, "{error}");
    }
}

#[test]
fn a14_only_a_key_that_was_renewed_is_worth_the_same_attempt_again() {
    let retried = Code::from(&Error::UnknownChallengeKey { recipient: HASH });
    assert_eq!(retried.class(), ErrorClass::Retry);
    for error in [Error::ChallengeCiphertext, Error::OtherClient, Error::OtherKeys] {
        assert_eq!(Code::from(&error).class(), ErrorClass::Fatal, "{error}");
    }
}

#[test]
fn every_refused_time_has_its_code() {
    use admit_time::Error as Time;
    let cases = [
        (Time::WrongNonce, Code::DRM_E_CLK_INVALID_RESPONSE),
        (Time::BadDelegationSignature, Code::DRM_E_CLK_INVALID_RESPONSE),
        (Time::EpochTooLow { found: 1, lowest: 2 }, Code::DRM_E_CLK_INVALID_RESPONSE),
        (Time::BelowHardFloor { latest: TIME, floor: TIME }, Code::DRM_E_CLK_INVALID_DATE),
        (Time::TimeKeysDisagree { apart_millis: 1 }, Code::DRM_E_CLK_INVALID_DATE),
        (Time::TooLate { round_trip_millis: 1 }, Code::NS_E_DRM_UNABLE_TO_GET_SECURE_CLOCK_FROM_SERVER),
        (Time::OtherBoot, Code::NS_E_DRM_UNABLE_TO_GET_SECURE_CLOCK_FROM_SERVER),
    ];
    for (error, code) in cases {
        assert_eq!(Code::from(&error), code, "{error}");
    }
}
