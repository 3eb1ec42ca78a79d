//! One valid message of each kind, with every field that may be absent present.

use admit_crypto::{ContentKey, Digest};
use admit_license::{Action, KeyId, KeyMaterial, LicenseId, LicenseSigner, Rights, SignedLicense, Terms, issue};
use admit_protocol::acquire::{
    ClockState, HeldElement, LicenseChallenge, LicenseResponse, RevocationNumbers, StorePosition,
};
use admit_protocol::enrol::EnrolmentRequest;
use admit_testkit::SeededEntropy;
use admit_trust::{ClockKind, ComponentVersion, Features, SdkGeneration};

use crate::{CLIENT, REALM, provider};

/// The content key of every license here.
pub const KEY_ID: KeyId = KeyId::from_bytes([0x11; 16]);

/// A challenge.
pub fn challenge() -> LicenseChallenge {
    LicenseChallenge {
        nonce: [7; 32].into(),
        realm: REALM.realm(),
        header: Some(b"a header object".to_vec().into()),
        key_ids: vec![KEY_ID],
        requested_rights: Rights::PLAY.bits(),
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

/// A license for the fixture client.
///
/// # Panics
///
/// Never: its terms are valid.
pub fn license() -> SignedLicense {
    let recipient = CLIENT.encryption.public_key();
    let thumbprint = recipient.thumbprint(provider());
    let id = LicenseId::from_bytes([1; 16]);
    let terms = Terms::simple(id, KEY_ID, REALM.realm(), REALM.now, Rights::PLAY, thumbprint);
    let key = ContentKey::from_bytes([0x5a; 16]);
    let chain = std::slice::from_ref(&REALM.license.certificate);
    let signer = LicenseSigner { key: &REALM.license.signing, chain };
    issue(provider(), signer, terms, &KeyMaterial::Content(&key), recipient, &mut SeededEntropy::new(4))
        .expect("the terms are valid")
}

/// A response with that license.
pub fn response() -> LicenseResponse {
    let client = CLIENT.certificate.fingerprint(provider());
    LicenseResponse::new(Digest::from_bytes([9; 32]), client, vec![license()])
}

/// A request of the fixture client.
pub fn enrolment_request() -> EnrolmentRequest {
    let keys = (*CLIENT.signing.public_key(), *CLIENT.encryption.public_key());
    let entropy = &mut SeededEntropy::new(5);
    EnrolmentRequest::new(REALM.realm(), keys.0, keys.1, ClockKind::AntiRollback, Features::CHAINS, entropy)
}

/// Writes a value.
///
/// # Panics
///
/// Never: writing to memory succeeds.
pub fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory succeeds")
}
