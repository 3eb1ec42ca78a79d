//! Evidence of hardware in an enrolment request (row E03).

use admit_crypto::Digest;
use admit_protocol::Error;
use admit_protocol::enrol::{EnrolmentRequest, MAX_ENROLMENT_REQUEST};
use admit_protocol::evidence::{HardwareEvidence, VouchedHardware};
use admit_testkit::FixtureRealm;
use admit_trust::{ClockKind, DateCheck, Role};

use crate::fixture::*;

const EVIDENCE: &str = "hardware evidence";

fn verify(request: &EnrolmentRequest) -> Result<Option<ClockKind>, Error> {
    verify_at(request, dates())
}

fn verify_at(request: &EnrolmentRequest, dates: DateCheck) -> Result<Option<ClockKind>, Error> {
    let vouched = VouchedHardware::verify(provider(), &REALM.root, dates, request)?;
    Ok(vouched.map(|vouched| vouched.clock()))
}

fn with_evidence(bytes: Vec<u8>) -> EnrolmentRequest {
    EnrolmentRequest { hardware: Some(bytes.into()), ..request_on_hardware() }
}

fn trust(source: admit_trust::Error) -> Error {
    Error::Trust { message: EVIDENCE, source }
}

#[test]
fn e03_hardware_vouches_for_the_request_that_it_signed() {
    assert_eq!(verify(&request_on_hardware()), Ok(Some(ClockKind::Secure)));
    assert_eq!(verify(&enrolment_request()), Ok(None));
    let signed = request_on_hardware().sign(&CLIENT.signing);
    assert!(signed.len() <= MAX_ENROLMENT_REQUEST, "{}", signed.len());
    assert_eq!(verify(verify_request(&signed).unwrap().request()), Ok(Some(ClockKind::Secure)));
}

#[test]
fn e03_evidence_of_another_request_is_refused() {
    let good = request_on_hardware();
    let other = REALM.client(3, 150);
    for request in [
        EnrolmentRequest { nonce: [1; 32].into(), ..good.clone() },
        EnrolmentRequest { realm: Digest::from_bytes([1; 32]), ..good.clone() },
        EnrolmentRequest { signing_key: *other.signing.public_key(), ..good.clone() },
        EnrolmentRequest { encryption_key: *other.encryption.public_key(), ..good.clone() },
    ] {
        assert_eq!(verify(&request), Err(Error::OtherKeys));
    }
}

#[test]
fn e03_only_hardware_that_the_realm_vouches_for_counts() {
    let sign = |key, certificate| with_evidence(HardwareEvidence::of(&request_on_hardware()).sign(key, certificate));
    let stranger = FixtureRealm::new(9).hardware(6, ClockKind::Secure);
    let refused = verify(&sign(&stranger.signing, &stranger.certificate));
    assert_eq!(refused, Err(trust(admit_trust::Error::CertificateSignature { depth: 0 })));
    let hardware = REALM.hardware(7, ClockKind::Secure);
    let refused = verify(&sign(&stranger.signing, &hardware.certificate));
    assert_eq!(refused, Err(trust(admit_trust::Error::Signature)), "another key signed");
    let service = &REALM.license;
    let refused = verify(&sign(&service.signing, &service.certificate));
    let wrong = admit_trust::Error::WrongRole { expected: Role::Hardware, found: Some(Role::License) };
    assert_eq!(refused, Err(trust(wrong)));
    let ended = DateCheck::At(hardware.certificate.not_after().saturating_add(core::time::Duration::from_secs(1)));
    assert!(matches!(verify_at(&request_on_hardware(), ended), Err(Error::Trust { message: EVIDENCE, .. })));
}

#[test]
fn e03_hardware_says_what_clock_it_has() {
    for clock in [ClockKind::None, ClockKind::AntiRollback, ClockKind::Secure] {
        let hardware = REALM.hardware(8, clock);
        let evidence = HardwareEvidence::of(&request_on_hardware()).sign(&hardware.signing, &hardware.certificate);
        assert_eq!(verify(&with_evidence(evidence)), Ok(Some(clock)));
    }
}

#[test]
fn every_alteration_of_evidence_is_refused() {
    let evidence = request_on_hardware().hardware.unwrap().to_vec();
    refuses_every_alteration(&evidence, |bytes| verify(&with_evidence(bytes.to_vec())));
}
