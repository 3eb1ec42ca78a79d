//! Licenses for tests: issued and verified, or, where only what they say matters, straight from terms.

use admit_crypto::{ContentKey, Digest, Provider, RecordKey, SecretScalar, record};
use admit_license::{
    Action, Application, Binding, BindingKind, Environment, Grant, HeldLicense, KeyId, KeyMaterial, Kind,
    LICENSE_CONTENT_TYPE, LicenseId, LicenseSigner, Output, Reason, Rights, Terms, Uplink, Usage, VerifiedLicense,
    evaluate, issue,
};
use admit_testkit::{FixtureClient, FixtureRealm, SeededEntropy, now_at};
use admit_time::Timestamp;
use admit_time::clock::Now;
use admit_trust::{CertificateVersion, DateCheck, SdkGeneration, sign};
use minicbor::Encoder;
use std::sync::LazyLock;
use std::time::Duration;

pub(crate) const KEY_ID: KeyId = KeyId::from_bytes([0x11; 16]);
pub(crate) const ROOT_KEY_ID: KeyId = KeyId::from_bytes([0x22; 16]);
pub(crate) const CONTENT_KEY: [u8; 16] = [0x5a; 16];

pub(crate) static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));
pub(crate) static CLIENT: LazyLock<FixtureClient> = LazyLock::new(|| REALM.client(2, 150));

pub(crate) fn provider() -> &'static Provider {
    REALM.provider
}

pub(crate) fn seconds_later(seconds: u64) -> Timestamp {
    REALM.now.saturating_add(Duration::from_secs(seconds))
}

pub(crate) fn time(seconds: u64) -> Now {
    now_at(seconds_later(seconds))
}

/// Stored, by a trusted clock, and not used yet.
pub(crate) fn stored() -> Usage {
    Usage { stored_at: Some(seconds_later(0)), ..Usage::default() }
}

pub(crate) fn id(number: u8) -> LicenseId {
    LicenseId::from_bytes([number; 16])
}

pub(crate) fn simple(number: u8, rights: Rights) -> Terms {
    let recipient = CLIENT.encryption.public_key().thumbprint(provider());
    Terms::simple(id(number), KEY_ID, REALM.realm(), REALM.now, rights, recipient)
}

pub(crate) fn root(number: u8, rights: Rights) -> Terms {
    Terms { kind: Kind::Root, key_id: ROOT_KEY_ID, revision: Some(1), ..simple(number, rights) }
}

pub(crate) fn leaf(number: u8, rights: Rights) -> Terms {
    let terms = simple(number, rights);
    let binding = Binding { kind: BindingKind::Root, ..terms.binding };
    let uplink = Some(Uplink { key_id: ROOT_KEY_ID, revision: 1 });
    Terms { kind: Kind::Leaf, uplink, binding, ..terms }
}

pub(crate) fn signer() -> LicenseSigner<'static> {
    LicenseSigner { key: &REALM.license.signing, chain: std::slice::from_ref(&REALM.license.certificate) }
}

/// A license as the server makes it: roots for the fixture client, leaves for the root of `root_scalar`.
pub(crate) fn issued(terms: Terms) -> Vec<u8> {
    let entropy = &mut SeededEntropy::new(u64::from(terms.id.as_bytes()[0]));
    let content = ContentKey::from_bytes(CONTENT_KEY);
    let scalar = root_scalar();
    let (key, recipient) = match terms.kind {
        Kind::Simple => (KeyMaterial::Content(&content), *CLIENT.encryption.public_key()),
        Kind::Root => (KeyMaterial::Root(&scalar), *CLIENT.encryption.public_key()),
        Kind::Leaf => (KeyMaterial::Content(&content), scalar.public_key()),
    };
    issue(provider(), signer(), terms, &key, &recipient, entropy).unwrap().into_bytes()
}

pub(crate) fn root_scalar() -> SecretScalar {
    SecretScalar::from_slice(&[3; 32]).unwrap()
}

pub(crate) fn verified(license: &[u8]) -> Result<VerifiedLicense, admit_license::Error> {
    let client = CLIENT.encryption.public_key().thumbprint(provider());
    VerifiedLicense::verify(provider(), &REALM.root, license, DateCheck::At(REALM.now), &client)
}

pub(crate) fn unused(license: VerifiedLicense) -> HeldLicense {
    HeldLicense { license, usage: stored() }
}

/// A payload around any terms, with a key that does not open.
pub(crate) fn payload(terms: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    let sealed =
        admit_crypto::hpke::Sealed { encapsulated_key: *CLIENT.encryption.public_key(), ciphertext: vec![0; 32] };
    encoder.array(2).unwrap().bytes(terms).unwrap().encode(&sealed).unwrap();
    encoder.into_writer()
}

/// A signed license with this payload, whatever it is.
pub(crate) fn signed(payload: &[u8]) -> Vec<u8> {
    sign(signer().key, signer().chain, LICENSE_CONTENT_TYPE, payload)
}

/// A held license that says this, through the store's door.
pub(crate) fn held(terms: &Terms, usage: Usage) -> HeldLicense {
    let mut encoder = Encoder::new(Vec::new());
    let payload = payload(&minicbor::to_vec(terms).unwrap());
    encoder.array(1).unwrap().array(2).unwrap().bytes(&payload).unwrap().encode(usage).unwrap();
    restored(terms.realm, &encoder.into_writer()).unwrap().remove(0)
}

/// What is taken back from a sealed record that holds this.
pub(crate) fn restored(realm: Digest, record: &[u8]) -> Result<Vec<HeldLicense>, admit_license::Error> {
    let key = RecordKey::from_bytes([1; 32]);
    let sealed = record::seal(provider(), &key, &[], record, &mut SeededEntropy::new(0));
    HeldLicense::restore_all(realm, &record::open(provider(), &key, &[], &sealed).unwrap())
}

pub(crate) fn all_held(terms: &[Terms]) -> Vec<HeldLicense> {
    terms.iter().map(|terms| held(terms, stored())).collect()
}

/// An application and a client that satisfy everything but individualization, without a clock reading.
pub(crate) fn environment() -> Environment<'static> {
    Environment {
        application: Application {
            security_level: 1000,
            sdk_generation: SdkGeneration::Newer,
            certificate_version: CertificateVersion::V2,
        },
        output: Output::InProcess { protected: true },
        client: CLIENT.properties,
        clock: &Now::UNSET,
        revocation_version: 0,
        content_minimum_version: None,
    }
}

pub(crate) fn grant<'a>(action: Action, held: &'a [HeldLicense], environment: &Environment<'_>) -> Grant<'a> {
    evaluate(action, KEY_ID, held, environment).unwrap()
}

/// Why the action is denied, over all licenses.
pub(crate) fn reasons(action: Action, held: &[HeldLicense], environment: &Environment<'_>) -> Vec<Reason> {
    let denied = evaluate(action, KEY_ID, held, environment).unwrap_err();
    denied.refusals().iter().map(|refusal| refusal.reason).collect()
}
