//! One valid message of each kind, from seeded randomness, and its reader.

use std::sync::LazyLock;

use admit_crypto::{ContentKey, Digest, Provider};
use admit_license::{Action, KeyId, KeyMaterial, LicenseId, LicenseSigner, Rights, SignedLicense, Terms, issue};
use admit_protocol::Error;
use admit_protocol::acquire::{
    ClockState, HeldElement, LicenseChallenge, LicenseResponse, OpenedChallenge, ResponseContext, RevocationNumbers,
    SealedChallenge, StorePosition, VerifiedResponse,
};
use admit_protocol::enrol::{EnrolmentRequest, EnrolmentResponse, SignedRequest};
use admit_protocol::evidence::HardwareEvidence;
use admit_protocol::realm::{Realm, RealmDocument, Service, sign};
use admit_testkit::{FixtureClient, FixtureRealm, SeededEntropy};
use admit_trust::{Certificate, ClockKind, ComponentVersion, DateCheck, Features, Role, SdkGeneration};

pub(crate) const KEY_ID: KeyId = KeyId::from_bytes([0x11; 16]);

pub(crate) static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));
pub(crate) static CLIENT: LazyLock<FixtureClient> = LazyLock::new(|| REALM.client(2, 150));
pub(crate) static SEALED: LazyLock<SealedChallenge> = LazyLock::new(|| seal(&challenge()));

pub(crate) fn provider() -> &'static Provider {
    REALM.provider
}

pub(crate) fn dates() -> DateCheck {
    DateCheck::At(REALM.now)
}

/// A challenge with every field that may be absent present, and every collection filled.
pub(crate) fn challenge() -> LicenseChallenge {
    LicenseChallenge {
        nonce: [7; 32].into(),
        realm: REALM.realm(),
        header: Some(b"a header object".to_vec().into()),
        key_ids: vec![KEY_ID, KeyId::from_bytes([0x12; 16])],
        requested_rights: (Rights::PLAY | Rights::NO_RECOVERY).bits(),
        actions: vec![Action::Play, Action::Burn],
        token_hash: Some(Digest::from_bytes([0xab; 32])),
        security_version: ComponentVersion::DEFAULT,
        sdk_generation: SdkGeneration::Newer,
        features: Features::CHAINS.bits(),
        clock: ClockKind::AntiRollback,
        clock_state: ClockState::Unset,
        time_requested: true,
        license_requested: true,
        store: StorePosition { epoch: [3; 16].into(), sequence: 4, head: Digest::from_bytes([5; 32]) },
        held: vec![HeldElement { key_id: KEY_ID, license: LicenseId::from_bytes([6; 16]) }],
        revocation: RevocationNumbers { information: 9, lists: [(1, 5), (2, 6)].into() },
        application: Some(REALM.application.certificate.der().to_vec().into()),
        recovery: true,
    }
}

pub(crate) fn seal(challenge: &LicenseChallenge) -> SealedChallenge {
    let service = REALM.license.encryption.public_key();
    challenge.seal(provider(), &CLIENT.signing, &CLIENT.chain, service, &mut SeededEntropy::new(3))
}

pub(crate) fn open(bytes: &[u8]) -> Result<OpenedChallenge, Error> {
    OpenedChallenge::open(provider(), &REALM.root, &REALM.license.encryption, dates(), bytes)
}

pub(crate) fn license() -> SignedLicense {
    let recipient = CLIENT.encryption.public_key();
    let id = LicenseId::from_bytes([1; 16]);
    let thumbprint = recipient.thumbprint(provider());
    let terms = Terms::simple(id, KEY_ID, REALM.realm(), REALM.now, Rights::PLAY, thumbprint);
    let key = ContentKey::from_bytes([0x5a; 16]);
    let signer = LicenseSigner { key: &REALM.license.signing, chain: service_chain() };
    issue(provider(), signer, terms, &KeyMaterial::Content(&key), recipient, &mut SeededEntropy::new(4)).unwrap()
}

pub(crate) fn service_chain() -> &'static [Certificate] {
    std::slice::from_ref(&REALM.license.certificate)
}

pub(crate) fn response() -> LicenseResponse {
    LicenseResponse::new(SEALED.hash(), CLIENT.certificate.fingerprint(provider()), vec![license()])
}

pub(crate) fn signed_response(response: &LicenseResponse) -> Vec<u8> {
    response.sign(&REALM.license.signing, service_chain())
}

pub(crate) fn verify_response(bytes: &[u8]) -> Result<VerifiedResponse, Error> {
    let context = ResponseContext {
        root: &REALM.root,
        challenge_hash: SEALED.hash(),
        client: &CLIENT.certificate,
        encryption_key: CLIENT.encryption.public_key().thumbprint(provider()),
        dates: dates(),
    };
    VerifiedResponse::verify(provider(), &context, bytes)
}

pub(crate) fn enrolment_request() -> EnrolmentRequest {
    let keys = (*CLIENT.signing.public_key(), *CLIENT.encryption.public_key());
    let entropy = &mut SeededEntropy::new(5);
    EnrolmentRequest::new(REALM.realm(), keys.0, keys.1, ClockKind::AntiRollback, Features::CHAINS, entropy)
}

pub(crate) fn signed_request() -> Vec<u8> {
    enrolment_request().sign(&CLIENT.signing)
}

/// A request on a device whose hardware protects its clock.
pub(crate) fn request_on_hardware() -> EnrolmentRequest {
    let mut request = EnrolmentRequest { clock: ClockKind::Secure, ..enrolment_request() };
    let hardware = REALM.hardware(7, ClockKind::Secure);
    request.hardware = Some(HardwareEvidence::of(&request).sign(&hardware.signing, &hardware.certificate).into());
    request
}

pub(crate) fn verify_request(bytes: &[u8]) -> Result<SignedRequest, Error> {
    SignedRequest::verify(provider(), REALM.realm(), bytes)
}

pub(crate) fn enrolment_response() -> Vec<u8> {
    EnrolmentResponse::new(&CLIENT.chain[0], &CLIENT.chain[1]).to_bytes()
}

pub(crate) fn verify_enrolment(bytes: &[u8]) -> Result<(), Error> {
    EnrolmentResponse::verify(provider(), &REALM.root, &enrolment_request(), bytes, dates()).map(|_| ())
}

pub(crate) fn realm_document() -> RealmDocument {
    let service = |role: Role, certificate: &Certificate, address: &str| Service {
        role: role.number(),
        certificate: certificate.der().to_vec().into(),
        address: address.into(),
    };
    RealmDocument {
        name: "Fixture realm".into(),
        root: REALM.root.certificate().der().to_vec().into(),
        number: 1,
        issued_at: REALM.now,
        services: vec![
            service(Role::License, &REALM.license.certificate, "/license"),
            service(Role::Enrolment, &REALM.enrolment.certificate, "/enrol"),
        ],
        enrol_level: 150,
        privacy_address: Some("/privacy".into()),
        applications: vec![REALM.application.certificate.der().to_vec().into()],
    }
}

pub(crate) fn signed_realm() -> Vec<u8> {
    sign(&realm_document(), &REALM.root_key)
}

pub(crate) fn verify_realm(bytes: &[u8]) -> Result<Realm, Error> {
    Realm::verify(provider(), bytes, REALM.realm())
}

/// Every cut and every byte with a bit flipped is refused; the readers do not panic.
pub(crate) fn refuses_every_alteration<T>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<T, Error>) {
    assert!(read(bytes).is_ok());
    for at in 0..bytes.len() {
        assert!(read(&bytes[..at]).is_err(), "cut at {at}");
        for bit in [0x01, 0x20, 0x80] {
            let mut altered = bytes.to_vec();
            altered[at] ^= bit;
            assert!(read(&altered).is_err(), "byte {at} with {bit:#x} flipped");
        }
    }
    let trailing = [bytes, &[0]].concat();
    assert!(read(&trailing).is_err(), "a byte more");
}
