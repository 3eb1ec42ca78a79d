//! Enrolment.

use admit_crypto::{Entropy as _, SecretScalar, SigningKey};
use admit_protocol::Code;
use admit_protocol::enrol::{EnrolmentRequest, EnrolmentResponse};
use admit_protocol::evidence::HardwareEvidence;
use admit_server::Error;
use admit_trust::{Certificate, ClockKind, ComponentVersion, DateCheck, Role};
use hyper::StatusCode;

use crate::harness::{ClientKeys, DAY, PROVIDER, Running, START, Seeded};

#[tokio::test]
async fn a01_a_client_with_its_own_keys_gets_a_certificate_for_the_default_component() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    assert_eq!(client.properties.component_version, ComponentVersion::DEFAULT);
    assert_eq!(client.properties.security_level, 150);
    assert_eq!(client.properties.clock, ClockKind::AntiRollback);
    assert_eq!(client.certificate.not_before(), START);
    assert!(client.certificate.subject().starts_with("CN=client "));
    assert_eq!(client.certificate.subject().len(), "CN=client ".len() + 12);
}

#[tokio::test]
async fn the_same_keys_get_the_same_certificate_and_other_keys_another() {
    let running = Running::start().await;
    let (first, again, other) = (running.enrol(1).await, running.enrol(1).await, running.enrol(2).await);
    assert_eq!(first.certificate, again.certificate);
    assert_ne!(first.certificate, other.certificate);
    assert_ne!(first.certificate.subject(), other.certificate.subject());
    assert_eq!(running.count("client-enrolled").await, 2);
}

#[tokio::test]
async fn two_enrolments_at_once_get_the_same_certificate() {
    let running = Running::start().await;
    let (first, second, third) = tokio::join!(running.enrol(1), running.enrol(1), running.enrol(1));
    assert_eq!(first.certificate, second.certificate);
    assert_eq!(first.certificate, third.certificate);
    assert_eq!(running.count("client-enrolled").await, 1);
}

#[tokio::test]
async fn a_certificate_that_ended_is_replaced() {
    let running = Running::start().await;
    let first = running.enrol(1).await;
    running.clock.advance(DAY * (5 * 365 + 2));
    let keys = ClientKeys::new(1);
    let request = keys.request(running.realm.root().realm(), 9);
    let answer = running.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
    let response: EnrolmentResponse = minicbor::decode(&answer.body).unwrap();
    let second = Certificate::from_der(&response.certificate).unwrap();
    assert!(second.not_before() > first.certificate.not_after());
    assert_eq!(second.public_key(), Some(first.certificate.public_key()));
}

#[tokio::test]
async fn a_hardware_clock_is_not_believed_without_evidence() {
    let running = Running::start().await;
    let keys = ClientKeys::new(1);
    let mut request = keys.request(running.realm.root().realm(), 1);
    request.clock = ClockKind::Secure;
    let answer = running.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
    let dates = DateCheck::At(START);
    let verified = EnrolmentResponse::verify(PROVIDER, running.realm.root(), &request, &answer.body, dates);
    assert_eq!(verified.unwrap().properties.clock, ClockKind::AntiRollback);
}

#[tokio::test]
async fn refused_requests_enrol_nobody() {
    let running = Running::start().await;
    let keys = ClientKeys::new(1);
    let realm = running.realm.root().realm();
    let good = keys.request(realm, 1);
    let other_realm = keys.request(admit_crypto::Digest::from_bytes([9; 32]), 1);
    let mut individualized = good.clone();
    individualized.component_version = ComponentVersion::new([2, 4, 0, 1]);
    let stolen = good.sign(&ClientKeys::new(2).signing);
    let cases = [
        (Vec::new(), 400, Code::ADMIT_E_BAD_SIGNATURE),
        (vec![0; 5000], 413, Code::ADMIT_E_BODY_TOO_LONG),
        (stolen, 400, Code::ADMIT_E_BAD_SIGNATURE),
        (other_realm.sign(&keys.signing), 400, Code::ADMIT_E_REALM_MISMATCH),
        (individualized.sign(&keys.signing), 403, Code::NS_E_DRM_NEEDS_INDIVIDUALIZATION),
    ];
    for (body, status, code) in cases {
        assert_eq!(running.post(Role::Enrolment, &[], &body).await.refusal(), (status, code));
    }
    assert_eq!(running.count("client-enrolled").await, 0);
}

#[tokio::test]
async fn every_changed_byte_of_a_request_is_refused() {
    let running = Running::start().await;
    let keys = ClientKeys::new(1);
    let body = keys.request(running.realm.root().realm(), 1).sign(&keys.signing);
    let mut noise = Seeded::new(3);
    for at in (0..body.len()).step_by(3) {
        let mut flip = [0];
        noise.fill(&mut flip);
        let mut changed = body.clone();
        changed[at] ^= flip[0].max(1);
        let answer = running.post(Role::Enrolment, &[], &changed).await;
        assert_eq!(answer.refusal().0, 400, "byte {at}");
    }
    assert_eq!(running.count("client-enrolled").await, 0);
}

#[tokio::test]
async fn enrolment_is_limited_per_address() {
    let config = "[enrolment]\nburst = 2\nper_address_per_hour = 60\n";
    let running = Running::start_with(config, |server| server).await;
    running.enrol(1).await;
    running.enrol(1).await;
    let junk = running.post(Role::Enrolment, &[], b"junk").await;
    assert_eq!(junk.status, StatusCode::BAD_REQUEST, "neither repeated requests nor junk count");
    running.enrol(3).await;
    let keys = ClientKeys::new(2);
    let request = keys.request(running.realm.root().realm(), 2).sign(&keys.signing);
    let answer = running.post(Role::Enrolment, &[], &request).await;
    assert_eq!(answer.refusal(), (429, Code::ADMIT_E_RATE_LIMITED));
    assert_eq!(answer.headers["retry-after"], "60");
    running.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(running.post(Role::Enrolment, &[], &request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_client_does_not_come_back_with_another_encryption_key() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    running.home.revoke_client(&client.fingerprint(), None, START).await.unwrap();
    let (keys, other) = (ClientKeys::new(1), ClientKeys::new(2));
    let mut request = keys.request(running.realm.root().realm(), 3);
    request.encryption_key = *other.decryption.public_key();
    let answer = running.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
    assert_eq!(answer.refusal().1, Code::DRM_E_DEVCERT_REVOKED);
}

#[tokio::test]
async fn a_revoked_client_keeps_no_certificate_in_reserve() {
    let running = Running::start().await;
    let key_id = running.register(1, "song", true).await;
    let (mut client, other) = (running.enrol(1).await, ClientKeys::new(2));
    let mut request = client.keys.request(running.realm.root().realm(), 3);
    request.encryption_key = *other.decryption.public_key();
    let answer = running.post(Role::Enrolment, &[], &request.sign(&client.keys.signing)).await;
    let dates = DateCheck::At(START);
    let reserve = EnrolmentResponse::verify(PROVIDER, running.realm.root(), &request, &answer.body, dates).unwrap();
    running.home.revoke_client(&client.fingerprint(), None, START).await.unwrap();
    (client.certificate, client.chain) = (reserve.certificate, reserve.chain);
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal().1, Code::DRM_E_DEVCERT_REVOKED);
}

/// A simulated device: its hardware has a key, and the operator has vouched for it.
async fn hardware(running: &Running, name: &str) -> (SigningKey, Certificate) {
    let key = (PROVIDER.load_signing_key)(&SecretScalar::generate(&mut Seeded::new(77)));
    let root_key = running.home.demonstration_root_key().await.unwrap().unwrap();
    let vouched = running.home.vouch_for_hardware(&root_key, name, key.public_key(), START, &mut Seeded::new(78)).await;
    (key, vouched.unwrap())
}

#[tokio::test]
async fn e03_a_client_on_hardware_that_the_operator_vouched_for_gets_a_certificate_for_its_clock() {
    let running = Running::start().await;
    let (key, certificate) = hardware(&running, "player 7").await;
    let earlier = running.enrol(1).await;
    let keys = ClientKeys::new(1);
    let mut request = keys.request(running.realm.root().realm(), 2);
    request.clock = ClockKind::Secure;
    request.hardware = Some(HardwareEvidence::of(&request).sign(&key, &certificate).into());
    let answer = running.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
    let enrolled =
        EnrolmentResponse::verify(PROVIDER, running.realm.root(), &request, &answer.body, DateCheck::At(START));
    let enrolled = enrolled.unwrap();
    assert_eq!(enrolled.properties.clock, ClockKind::Secure);
    assert_ne!(enrolled.certificate, earlier.certificate, "the one before said another clock");
    let again = running.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
    assert_eq!(answer.body, again.body);
    let entries = running.home.audit(0, 100).await.unwrap();
    let hardware = certificate.fingerprint(PROVIDER).to_string();
    let vouched = entries.iter().find(|entry| entry.event == "hardware-vouched").unwrap();
    assert_eq!((&vouched.subject, &*vouched.detail_json), (&hardware, r#"{"name":"player 7"}"#));
    let last = entries.iter().rfind(|entry| entry.event == "client-enrolled").unwrap();
    assert!(last.detail_json.contains(&format!("\"hardware\":\"{hardware}\"")), "{}", last.detail_json);
}

/// What one client shows does not serve another, nor what the realm has not vouched for: the enrolment is refused, and not
/// silently granted less.
#[tokio::test]
async fn e03_evidence_that_does_not_hold_enrols_nobody() {
    let running = Running::start().await;
    let (key, certificate) = hardware(&running, "player 7").await;
    let (keys, other) = (ClientKeys::new(1), ClientKeys::new(2));
    let good = keys.request(running.realm.root().realm(), 1);
    let theirs = other.request(running.realm.root().realm(), 1);
    let sign = |key, of: &EnrolmentRequest| Some(HardwareEvidence::of(of).sign(key, &certificate).into());
    let mut cut = HardwareEvidence::of(&good).sign(&key, &certificate);
    cut.pop();
    for hardware in [sign(&key, &theirs), sign(&keys.signing, &good), Some(cut.into())] {
        let request = EnrolmentRequest { hardware, clock: ClockKind::Secure, ..good.clone() };
        let answer = running.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
        assert_eq!(answer.refusal(), (400, Code::ADMIT_E_BAD_SIGNATURE));
    }
    assert_eq!(running.count("client-enrolled").await, 0);
}

#[tokio::test]
async fn hardware_has_a_name_and_is_vouched_for_by_the_root_alone() {
    let running = Running::start().await;
    let key = (PROVIDER.load_signing_key)(&SecretScalar::generate(&mut Seeded::new(77)));
    let root_key = running.home.demonstration_root_key().await.unwrap().unwrap();
    let other = SecretScalar::generate(&mut Seeded::new(79));
    let (home, key) = (&running.home, key.public_key());
    let vouch =
        |root_key, name| async move { home.vouch_for_hardware(root_key, name, key, START, &mut Seeded::new(78)).await };
    let long = "x".repeat(65);
    for name in ["", "a\nb", long.as_str()] {
        assert!(matches!(vouch(&root_key, name).await, Err(Error::Unrecordable { .. })), "{name:?}");
    }
    assert!(matches!(vouch(&other, "player").await, Err(Error::OtherRootKey)));
}
