//! Licenses that clients make, for themselves (row B10) and for devices (rows B11, B13, B15, B17), and one-change attacks on
//! them.

use admit_crypto::ContentKey;
use admit_license::{
    Action, Application, Environment, Error, HeldLicense, KeyId, KeyMaterial, LicenseSigner, Origin, Output, Reason,
    Remedy, Rights, Rule, Terms, Usage, VerifiedLicense, evaluate, issue, issue_local, issue_portable, local_key_id,
    portable_rights, transfer_action,
};
use admit_testkit::{FixtureClient, SeededEntropy};
use admit_trust::{CertificateVersion, DateCheck, Device, DeviceKind, Error as TrustError, Role, SdkGeneration};

use crate::fixture::*;

fn content_key() -> ContentKey {
    ContentKey::from_bytes(CONTENT_KEY)
}

fn own_signer(client: &FixtureClient) -> LicenseSigner<'_> {
    LicenseSigner { key: &client.signing, chain: &client.chain }
}

/// The terms of a local license for the client.
fn local(client: &FixtureClient, rights: Rights) -> Terms {
    let key_id = local_key_id(provider(), client.encryption.public_key(), &content_key());
    Terms { key_id, origin: Some(Origin::Local), ..simple(1, rights) }
}

fn issued_local(client: &FixtureClient, terms: Terms) -> Vec<u8> {
    let (recipient, entropy) = (client.encryption.public_key(), &mut SeededEntropy::new(1));
    issue_local(provider(), own_signer(client), terms, &content_key(), recipient, entropy).unwrap().into_bytes()
}

fn verified_local(client: &FixtureClient, license: &[u8]) -> Result<VerifiedLicense, Error> {
    let own = (&client.certificate, &client.encryption);
    VerifiedLicense::verify_local(provider(), &REALM.root, license, DateCheck::At(REALM.now), own)
}

fn device(seed: u64, level: u32) -> FixtureClient {
    REALM.device(seed, DeviceKind::Device, level, Some("S-1"))
}

fn of(device: &FixtureClient) -> Device {
    Device::of(&device.certificate).unwrap()
}

/// The portable license that the fixture client makes of this one for a device.
fn transferred(terms: &Terms, device: &FixtureClient, environment: &Environment<'_>) -> Result<Vec<u8>, Vec<Reason>> {
    let held = [of_key(terms)];
    let target = of(device);
    let granted = evaluate(transfer_action(&target), KEY_ID, &held, environment);
    let grant = granted.map_err(|denied| denied.refusals().iter().map(|refusal| refusal.reason).collect::<Vec<_>>())?;
    let (client, entropy) = (&CLIENT.encryption, &mut SeededEntropy::new(9));
    let to = (&target, device.encryption.public_key());
    Ok(issue_portable(provider(), own_signer(&CLIENT), &grant, client, to, entropy).unwrap().into_bytes())
}

/// A license of a service that is held, with a key that opens.
fn of_key(terms: &Terms) -> HeldLicense {
    let usage = Usage { first_used_at: None, ..stored() };
    HeldLicense { license: verified(&issued(terms.clone())).unwrap(), usage }
}

fn verified_on(device: &FixtureClient, license: &[u8]) -> Result<VerifiedLicense, Error> {
    let own = (&of(device), &device.encryption);
    VerifiedLicense::verify_portable(provider(), &REALM.root, license, DateCheck::At(REALM.now), own)
}

fn plays_on(device: &FixtureClient, license: VerifiedLicense) -> Result<(), Vec<Reason>> {
    let key_id = license.terms().key_id;
    let (sdk_generation, certificate_version) = (SdkGeneration::Newer, CertificateVersion::V2);
    let security_level = of(device).security_level();
    let environment = Environment {
        application: Application { security_level, sdk_generation, certificate_version },
        output: Output::Device { sdmi: of(device).is_sdmi() },
        client: device.properties,
        ..environment()
    };
    let held = [unused(license)];
    evaluate(Action::Play, key_id, &held, &environment)
        .map(drop)
        .map_err(|denied| denied.refusals().iter().map(|refusal| refusal.reason).collect())
}

#[test]
fn b10_a_local_license_is_good_on_the_client_that_signed_it_and_on_no_other() {
    let license = issued_local(&CLIENT, local(&CLIENT, Rights::PLAY));
    let read = verified_local(&CLIENT, &license).unwrap();
    assert_eq!((read.terms().origin, read.terms().rights), (Some(Origin::Local), Rights::PLAY));
    let other = REALM.client(3, 150);
    assert_eq!(verified_local(&other, &license).unwrap_err(), Error::OtherClient);
    // Signed by itself for somebody else: the recipient has no license of its own making.
    let for_other = issued_local(&CLIENT, local(&CLIENT, Rights::PLAY));
    let mixed = (&CLIENT.certificate, &other.encryption);
    let refused = VerifiedLicense::verify_local(provider(), &REALM.root, &for_other, DateCheck::At(REALM.now), mixed);
    assert_eq!(refused.unwrap_err(), Error::OtherClient);
}

#[test]
fn b10_a_local_license_is_none_of_a_service_and_a_services_none_of_the_client() {
    let license = issued_local(&CLIENT, local(&CLIENT, Rights::PLAY));
    assert!(matches!(verified(&license), Err(Error::Trust(TrustError::ContentType { .. }))));
    let service = issued(simple(1, Rights::PLAY));
    assert!(matches!(verified_local(&CLIENT, &service), Err(Error::Trust(TrustError::ContentType { .. }))));
    // Neither does a service sign with an origin, nor does a signature of the client make it a service.
    let (key, entropy) = (KeyMaterial::Content(&content_key()), &mut SeededEntropy::new(1));
    let recipient = CLIENT.encryption.public_key();
    let marked = issue(provider(), signer(), local(&CLIENT, Rights::PLAY), &key, recipient, entropy);
    assert_eq!(marked.unwrap_err(), Error::OtherOrigin);
    let by_client = issue(provider(), own_signer(&CLIENT), simple(1, Rights::PLAY), &key, recipient, entropy).unwrap();
    let wrong_role = TrustError::WrongRole { expected: Role::License, found: Some(Role::Client) };
    assert_eq!(verified(by_client.as_bytes()).unwrap_err(), Error::Trust(wrong_role));
    // The same with an origin in terms that a service signed.
    let terms = minicbor::to_vec(local(&CLIENT, Rights::PLAY)).unwrap();
    assert_eq!(verified(&signed(&payload(&terms))).unwrap_err(), Error::OtherOrigin);
}

#[test]
fn b10_a_local_license_never_stands_under_the_key_id_of_a_service() {
    let of_service = Terms { key_id: KEY_ID, ..local(&CLIENT, Rights::PLAY) };
    let (recipient, entropy) = (CLIENT.encryption.public_key(), &mut SeededEntropy::new(1));
    let made = issue_local(provider(), own_signer(&CLIENT), of_service.clone(), &content_key(), recipient, entropy);
    assert_eq!(made.unwrap_err(), Error::OtherOrigin);
    // Forged with the client's own key, for another key than the content's, and for another client's.
    let other = ContentKey::from_bytes([7; 16]);
    let elsewhere = REALM.client(3, 150);
    for key_id in [
        KEY_ID,
        local_key_id(provider(), recipient, &other),
        local_key_id(provider(), elsewhere.encryption.public_key(), &content_key()),
    ] {
        let terms = Terms { key_id, ..local(&CLIENT, Rights::PLAY) };
        assert_eq!(verified_local(&CLIENT, &forged(&terms)).unwrap_err(), Error::KeyMaterial, "{key_id}");
    }
    let id = *local_key_id(provider(), recipient, &content_key()).as_bytes();
    assert_eq!((id[6] >> 4, id[8] >> 6), (8, 2), "a UUID of version 8");
    assert_ne!(KeyId::from_bytes(id), KEY_ID);
}

/// A local license that the library would not make: its terms around a key that was wrapped under them.
fn forged(terms: &Terms) -> Vec<u8> {
    let recipient = CLIENT.encryption.public_key();
    let terms = minicbor::to_vec(terms).unwrap();
    let aad = (provider().sha256)(&[&terms]);
    let seed = admit_crypto::hpke::EphemeralSeed::generate(&mut SeededEntropy::new(5));
    let sealed = admit_crypto::hpke::seal(provider(), recipient, b"admit/1/simple", aad.as_bytes(), &CONTENT_KEY, seed);
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.array(2).unwrap().bytes(&terms).unwrap().encode(&sealed).unwrap();
    let content_type = admit_license::LOCAL_LICENSE_CONTENT_TYPE;
    admit_trust::sign(&CLIENT.signing, &CLIENT.chain, content_type, &encoder.into_writer())
}

#[test]
fn b10_an_edited_local_license_is_none() {
    let license = issued_local(&CLIENT, local(&CLIENT, Rights::PLAY));
    assert!(verified_local(&CLIENT, &forged(&local(&CLIENT, Rights::PLAY))).is_ok(), "the forger can make a right one");
    for at in 0..license.len() {
        let mut edited = license.clone();
        edited[at] ^= 1;
        assert!(verified_local(&CLIENT, &edited).is_err(), "byte {at}");
    }
}

#[test]
fn b11_a_portable_license_follows_the_five_rules_for_every_combination_of_rights() {
    let devices = [device(20, 150), device(21, 450)];
    for bits in 0..128 {
        let rights = Rights::from_bits(bits).unwrap();
        for device in &devices {
            let sdmi = of(device).is_sdmi();
            let may = bits & if sdmi { 16 } else { 2 } != 0 && (bits & 48 != 48 || sdmi);
            let made = transferred(&simple(1, rights), device, &environment());
            assert_eq!(made.is_ok(), may, "{bits}, {sdmi}");
            let Ok(license) = made else { continue };
            let read = verified_on(device, &license).unwrap();
            assert_eq!(read.terms().rights, portable_rights(rights, sdmi));
            assert_eq!(plays_on(device, read), Ok(()), "a device plays what it was given, {bits}");
        }
    }
}

#[test]
fn b11_a_portable_license_ends_when_the_original_does_and_counts_nothing_anew() {
    let clock = time(100);
    let environment = Environment { clock: &clock, ..environment() };
    let target = device(20, 150);
    let rights = Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI | Rights::ONE_TIME;
    let of = |terms: Terms| {
        let license = transferred(&terms, &target, &environment).unwrap();
        verified_on(&target, &license).unwrap().terms().clone()
    };
    let by_date = Terms { begin: Some(seconds_later(1)), expiry: Some(seconds_later(500)), ..simple(1, rights) };
    let made = of(by_date);
    assert_eq!((made.begin, made.expiry), (Some(seconds_later(1)), Some(seconds_later(500))));
    // What counts down began with this use, or when it was stored, and ends at the same moment on the device.
    let latest = clock.time().unwrap().latest();
    let after_use = of(Terms { expiry_after_first_use_secs: Some(300), ..simple(1, rights) });
    assert_eq!(after_use.expiry, Some(latest.saturating_add(core::time::Duration::from_secs(300))));
    let after_storing = of(Terms { expiry_after_storing_secs: Some(200), ..simple(1, rights) });
    assert_eq!(after_storing.expiry, Some(seconds_later(200)));
    for made in [after_use, after_storing] {
        assert_eq!((made.expiry_after_first_use_secs, made.expiry_after_storing_secs), (None, None));
    }
    let counted = of(Terms { transfer_count: Some(2), burn_count: Some(1), ..simple(1, rights) });
    assert_eq!((counted.transfer_count, counted.burn_count, counted.expiry), (None, None, None));
}

#[test]
fn b11_what_counts_plays_or_ends_with_the_session_goes_to_no_device() {
    let rights = Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI;
    let counted = Terms { play_count: Some(5), ..simple(1, rights) };
    let passing = Terms { persistent: Some(false), ..simple(1, rights) };
    for terms in [counted, passing] {
        let refused = transferred(&terms, &device(20, 150), &environment()).unwrap_err();
        assert_eq!((refused[0], refused[0].remedy()), (Reason::StaysHere, Remedy::Acquire));
    }
}

#[test]
fn b11_a_portable_license_is_good_on_its_device_alone() {
    let rights = Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI;
    let license = transferred(&simple(1, rights), &device(20, 150), &environment()).unwrap();
    assert_eq!(verified_on(&device(22, 150), &license).unwrap_err(), Error::OtherClient);
    assert!(matches!(verified(&license), Err(Error::Trust(TrustError::ContentType { .. }))));
    assert!(matches!(verified_local(&CLIENT, &license), Err(Error::Trust(TrustError::ContentType { .. }))));
    for at in (0..license.len()).step_by(3) {
        let mut edited = license.clone();
        edited[at] ^= 1;
        assert!(verified_on(&device(20, 150), &edited).is_err(), "byte {at}");
    }
}

#[test]
fn b11_terms_that_are_not_portable_do_not_read_as_such() {
    let portable = Terms { origin: Some(Origin::Portable), ..simple(1, Rights::PLAY | Rights::SDMI_VALIDATED) };
    assert_eq!(portable.check(), Ok(()));
    let broken = [
        Terms { rights: Rights::PLAY | Rights::BURN_TO_CD, ..portable.clone() },
        Terms { rights: Rights::PLAY | Rights::ONE_TIME, ..portable.clone() },
        Terms { rights: Rights::TRANSFER_TO_NON_SDMI | Rights::SDMI_VALIDATED, ..portable.clone() },
        Terms { rights: Rights::PLAY | Rights::BACKUP_RESTORE, ..portable.clone() },
        Terms { play_count: Some(1), ..portable.clone() },
        Terms { transfer_count: Some(1), ..portable.clone() },
        Terms { expiry_after_first_use_secs: Some(1), ..portable.clone() },
        Terms { expiry_after_storing_secs: Some(1), ..portable.clone() },
        Terms { persistent: Some(false), ..portable },
    ];
    for terms in broken {
        assert_eq!(terms.check(), Err(Error::Rule(Rule::PortableRights)), "{terms:?}");
    }
    let root = Terms { origin: Some(Origin::Local), ..root(1, Rights::PLAY) };
    assert_eq!(root.check(), Err(Error::Rule(Rule::ClientsMakeSimpleLicenses)));
}

#[test]
fn b13_what_an_application_of_version_1_issues_goes_to_no_sdmi_device() {
    let rights = Rights::PLAY | Rights::SDMI_VALIDATED | Rights::TRANSFER_TO_NON_SDMI;
    let of_version_1 = Application { certificate_version: CertificateVersion::V1, ..environment().application };
    let old = Environment { application: of_version_1, ..environment() };
    let refused = transferred(&simple(1, rights), &device(21, 450), &old).unwrap_err();
    assert_eq!(refused, [Reason::NotSdmiCompliant]);
    assert_eq!(refused[0].remedy(), Remedy::InstallUpdate);
    assert!(transferred(&simple(1, rights), &device(20, 150), &old).is_ok(), "other devices take it");
    // Once issued by one, a newer application changes nothing.
    for (origin, expected) in [(Origin::Local, None), (Origin::LocalOfVersion1, Some(Reason::NotSdmiCompliant))] {
        let held = [held(&Terms { origin: Some(origin), ..simple(1, rights) }, stored())];
        let denied = evaluate(Action::TransferToSdmi, KEY_ID, &held, &environment()).err();
        assert_eq!(denied.map(|denied| denied.nearest()), expected);
        assert!(evaluate(Action::TransferToNonSdmi, KEY_ID, &held, &environment()).is_ok());
    }
}

#[test]
fn b15_a_medium_that_is_sdmi_compliant_needs_a_serial_number() {
    for (kind, level, serial, lacks) in [
        (DeviceKind::Medium, 450, None, true),
        (DeviceKind::Medium, 450, Some("S"), false),
        (DeviceKind::Medium, 449, None, false),
        (DeviceKind::Device, 450, None, false),
    ] {
        let certified = REALM.device(30, kind, level, serial);
        assert_eq!(of(&certified).lacks_serial(), lacks, "{kind:?} {level} {serial:?}");
    }
    assert_eq!(Device::of(&CLIENT.certificate), None, "a PC is no device");
}

#[test]
fn b17_an_sdmi_device_takes_and_plays_sdmi_validated_content_only() {
    let sdmi = device(21, 450);
    let without = simple(1, Rights::PLAY | Rights::TRANSFER_TO_NON_SDMI);
    let refused = transferred(&without, &sdmi, &environment()).unwrap_err();
    assert_eq!(refused, [Reason::NoRight { action: Action::TransferToSdmi }]);
    // A client that would send it all the same: the device refuses it, when it comes and when it is to play.
    let marked = Terms { origin: Some(Origin::Portable), ..simple(1, Rights::PLAY) };
    let recipient = sdmi.encryption.public_key().thumbprint(provider());
    let terms = Terms { binding: admit_license::Binding { recipient, ..marked.binding }, ..marked };
    let payload = payload(&minicbor::to_vec(&terms).unwrap());
    let content_type = admit_license::PORTABLE_LICENSE_CONTENT_TYPE;
    let sent = admit_trust::sign(&CLIENT.signing, &CLIENT.chain, content_type, &payload);
    assert_eq!(verified_on(&sdmi, &sent).unwrap_err(), Error::NotSdmiValidated);
    assert_eq!(plays_on(&sdmi, held(&terms, stored()).license), Err(vec![Reason::NotSdmiValidated]));
    assert_eq!(Reason::NotSdmiValidated.remedy(), Remedy::Acquire);
    // Another device plays by the right of transfer to its kind, and not by the right to play on a PC.
    let other = device(20, 150);
    let expected = Err(vec![Reason::NoRight { action: Action::TransferToNonSdmi }]);
    assert_eq!(plays_on(&other, held(&terms, stored()).license), expected);
}
