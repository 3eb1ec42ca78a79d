//! One valid certificate, one change per case, signed again so that only the change can be the reason.

use core::time::Duration;

use admit_crypto::{Entropy, SecretScalar, SigningKey, rustcrypto::PROVIDER};
use der::asn1::{Any, Null};
use proptest::prelude::*;

use super::*;
use crate::{ClockKind, ComponentVersion, Features, Issuer, SdkGeneration, Subject, issue, issue_root};

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

fn root_key() -> SigningKey {
    (PROVIDER.load_signing_key)(&SecretScalar::from_slice(&[7; 32]).unwrap())
}

fn properties() -> Properties {
    Properties {
        encryption_key: Some(*root_key().public_key()),
        component_version: Some(ComponentVersion::new([2, 4, 0, 1])),
        security_level: Some(1000),
        clock: Some(ClockKind::AntiRollback),
        features: Some(Features::CHAINS),
        application_version: Some("1.0".into()),
        sdk_generation: Some(SdkGeneration::Newer),
        ..Properties::default()
    }
}

fn valid() -> Certificate {
    let now = Timestamp::from_unix_secs(1_767_225_600);
    let lifetime = Duration::from_secs(86_400);
    let key = root_key();
    let root = issue_root("Root", &key, now, lifetime, &mut Counting(0)).unwrap();
    let subject = Subject {
        common_name: "Client",
        public_key: key.public_key(),
        role: Role::Client,
        properties: properties(),
        not_before: now,
        lifetime,
    };
    issue(Issuer { certificate: &root, key: &key }, &subject, &mut Counting(9)).unwrap()
}

fn signed_again(tbs: TbsCertificate) -> SignedCertificate {
    let signature = root_key().sign(&tbs.to_der().unwrap()).to_der().unwrap();
    let signature_algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
    SignedCertificate { to_be_signed: tbs, signature_algorithm, signature: BitString::from_bytes(&signature).unwrap() }
}

/// The valid certificate with one change to what is signed.
fn changed(change: impl FnOnce(&mut TbsCertificate)) -> Result<Certificate, Error> {
    let mut tbs = SignedCertificate::from_der(valid().der()).unwrap().to_be_signed;
    change(&mut tbs);
    Certificate::from_der(&signed_again(tbs).to_der().unwrap())
}

/// The valid certificate with one change around what is signed.
fn changed_around(change: impl FnOnce(&mut SignedCertificate)) -> Result<Certificate, Error> {
    let mut signed = SignedCertificate::from_der(valid().der()).unwrap();
    change(&mut signed);
    Certificate::from_der(&signed.to_der().unwrap())
}

/// The valid certificate with another value in the extension of this identifier.
fn with_value(identifier: impl Into<Oid>, value: &[u8]) -> Result<Certificate, Error> {
    let identifier = identifier.into();
    changed(|tbs| {
        let found = tbs.extensions.iter_mut().find(|extension| extension.identifier == identifier);
        found.unwrap().value = OctetString::new(value).unwrap();
    })
}

fn property(number: u8) -> Oid {
    Oid::under_arc(&[oid::PROPERTIES, number])
}

fn added(identifier: Oid, critical: bool) -> Result<Certificate, Error> {
    let value = OctetString::new([0x05, 0x00].as_slice()).unwrap();
    changed(|tbs| tbs.extensions.push(Extension { identifier, critical, value }))
}

#[test]
fn a_certificate_longer_than_any_is_not_read_at_all() {
    let mut der = valid().der().to_vec();
    der.resize(LONGEST, 0);
    assert!(matches!(Certificate::from_der(&der), Err(Error::Der(_))));
    der.push(0);
    let refused = Error::CertificateTooLong { length: LONGEST + 1, limit: LONGEST };
    assert_eq!(Certificate::from_der(&der), Err(refused));
}

#[test]
fn a_valid_certificate_says_what_was_issued() {
    let certificate = valid();
    assert_eq!(certificate.subject(), "CN=Client");
    assert_eq!(certificate.issuer(), "CN=Root");
    assert_eq!(certificate.role(), Some(Role::Client));
    assert_eq!(certificate.properties(), &properties());
    assert!(!certificate.is_authority());
    assert_eq!(certificate.not_after().saturating_since(certificate.not_before()), Duration::from_secs(86_400));
    assert_eq!(changed(|_| ()).unwrap(), certificate, "signing is deterministic");
}

#[test]
fn a01_a_client_certificate_has_all_client_properties_or_names_the_missing_one() {
    assert_eq!(valid().properties().client().unwrap().component_version, ComponentVersion::new([2, 4, 0, 1]));
    for number in 1..=5 {
        let without = changed(|tbs| tbs.extensions.retain(|extension| extension.identifier != property(number)));
        let missing = without.unwrap().properties().client().unwrap_err();
        assert_eq!(missing, Error::Field(Field::Property(number)));
    }
}

#[test]
fn other_versions_are_refused() {
    for version in [Version::V1, Version::V2] {
        assert_eq!(changed(|tbs| tbs.version = version).unwrap_err(), Error::Field(Field::Version));
    }
}

#[test]
fn other_signature_algorithms_are_refused_in_both_places() {
    let refused = Error::Field(Field::SignatureAlgorithm);
    let sha384 =
        AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"), parameters: None };
    let with_null =
        AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: Some(Any::encode_from(&Null).unwrap()) };
    for algorithm in [sha384, with_null] {
        assert_eq!(changed(|tbs| tbs.signature = algorithm.clone()).unwrap_err(), refused);
        assert_eq!(changed_around(|signed| signed.signature_algorithm = algorithm).unwrap_err(), refused);
    }
}

#[test]
fn malformed_signatures_are_refused() {
    let refused = Error::Field(Field::Signature);
    let unused_bit = |signed: &mut SignedCertificate| {
        let mut bytes = signed.signature.as_bytes().unwrap().to_vec();
        *bytes.last_mut().unwrap() &= 0xfe;
        signed.signature = BitString::new(1, bytes).unwrap();
    };
    assert_eq!(changed_around(unused_bit).unwrap_err(), refused);
    for bytes in [&[][..], &[0x30, 0x00], &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]] {
        let replaced = changed_around(|signed| signed.signature = BitString::from_bytes(bytes).unwrap());
        assert_eq!(replaced.unwrap_err(), refused);
    }
}

#[test]
fn public_keys_are_uncompressed_points_of_p256() {
    let refused = Error::Field(Field::SubjectPublicKey);
    let other_oid = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    assert_eq!(changed(|tbs| tbs.subject_public_key_info.algorithm.oid = other_oid).unwrap_err(), refused);
    assert_eq!(changed(|tbs| tbs.subject_public_key_info.algorithm.parameters = None).unwrap_err(), refused);
    let p384 = Any::encode_from(&ObjectIdentifier::new_unwrap("1.3.132.0.34")).unwrap();
    assert_eq!(changed(|tbs| tbs.subject_public_key_info.algorithm.parameters = Some(p384)).unwrap_err(), refused);
    let point = *root_key().public_key().as_bytes();
    let compressed = [&[0x02 | point[64] & 1], &point[1..33]].concat();
    let mut off_curve = point;
    off_curve[64] ^= 1;
    for bytes in [&compressed[..], &off_curve, &[], &[0]] {
        let key = BitString::from_bytes(bytes).unwrap();
        assert_eq!(changed(|tbs| tbs.subject_public_key_info.subject_public_key = key).unwrap_err(), refused);
    }
}

#[test]
fn an_extension_stands_once() {
    let count = SignedCertificate::from_der(valid().der()).unwrap().to_be_signed.extensions.len();
    for index in 0..count {
        let repeated = changed(|tbs| tbs.extensions.push(tbs.extensions[index].clone()));
        assert_eq!(repeated.unwrap_err(), Error::Field(Field::RepeatedExtension));
    }
}

#[test]
fn unknown_critical_extensions_are_refused_and_others_skipped() {
    let strange: Oid = ObjectIdentifier::new_unwrap("2.5.29.54").into();
    for identifier in [strange, property(99), Oid::under_arc(&[oid::PROPERTIES, 3, 1]), Oid::under_arc(&[3, 1])] {
        assert_eq!(added(identifier.clone(), true).unwrap_err(), Error::UnknownCriticalExtension, "{identifier:?}");
        assert_eq!(added(identifier, false).unwrap().properties(), &properties());
    }
}

#[test]
fn basic_constraints_are_read_strictly() {
    // The last two: a path length above 255, and one on a certificate that is no authority.
    let too_long = [0x30, 0x07, 0x01, 0x01, 0xff, 0x02, 0x02, 0x01, 0x00];
    let without_authority = [0x30, 0x03, 0x02, 0x01, 0x00];
    let malformed = [&[][..], &[0x05, 0x00], &[0x30, 0x03, 0x01, 0x01, 0x01], &[0x30, 0x04, 0x02, 0x02, 0x01, 0x00]];
    for value in malformed.into_iter().chain([&too_long[..], &without_authority]) {
        assert_eq!(with_value(BASIC_CONSTRAINTS, value).unwrap_err(), Error::Field(Field::BasicConstraints));
    }
}

#[test]
fn a_certificate_has_one_role() {
    let refused = Error::Field(Field::ExtendedKeyUsage);
    let two = vec![Role::Client.oid(), Role::License.oid()].to_der().unwrap();
    let none = Vec::<Oid>::new().to_der().unwrap();
    let unknown = vec![Oid::under_arc(&[oid::ROLES, 99])].to_der().unwrap();
    let foreign = vec![Oid::from(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"))].to_der().unwrap();
    for value in [two, none, unknown, foreign] {
        assert_eq!(with_value(EXTENDED_KEY_USAGE, &value).unwrap_err(), refused);
    }
    assert!(matches!(with_value(EXTENDED_KEY_USAGE, &[0x05, 0x00]).unwrap_err(), Error::Der(_)));
    let without = changed(|tbs| tbs.extensions.retain(|extension| extension.identifier != EXTENDED_KEY_USAGE));
    assert_eq!(without.unwrap().role(), None);
}

#[test]
fn properties_with_undefined_values_are_refused_by_their_number() {
    let mut off_curve = *root_key().public_key().as_bytes();
    off_curve[64] ^= 1;
    let cases = [
        (1, OctetString::new(off_curve.as_slice()).unwrap().to_der().unwrap()),
        (2, "2.4.0".to_string().to_der().unwrap()),
        (2, "2.4.0.65536".to_string().to_der().unwrap()),
        (4, 3u8.to_der().unwrap()),
        (8, 0u8.to_der().unwrap()),
        (8, 3u8.to_der().unwrap()),
    ];
    for (number, value) in cases {
        assert_eq!(with_value(property(number), &value).unwrap_err(), Error::Field(Field::Property(number)));
    }
    let not_der = [0x02, 0x02, 0x00, 0x01];
    for number in [1, 2, 3, 4, 5, 7, 8] {
        assert!(matches!(with_value(property(number), &not_der).unwrap_err(), Error::Der(_)), "{number}");
    }
}

/// `Extension` and its two wrappers as BER allows them: a default value that is written out.
#[derive(Sequence)]
struct LooseExtension {
    identifier: Oid,
    critical: bool,
    value: OctetString,
}

#[derive(Sequence)]
struct LooseTbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: Version,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<LooseExtension>,
}

#[derive(Sequence)]
struct LooseCertificate {
    to_be_signed: LooseTbs,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

#[test]
fn a_default_that_is_written_out_is_not_canonical() {
    let signed = SignedCertificate::from_der(valid().der()).unwrap();
    let tbs = signed.to_be_signed;
    let loosen = |it: Extension| LooseExtension { identifier: it.identifier, critical: it.critical, value: it.value };
    let to_be_signed = LooseTbs {
        version: tbs.version,
        serial_number: tbs.serial_number,
        signature: tbs.signature,
        issuer: tbs.issuer,
        validity: tbs.validity,
        subject: tbs.subject,
        subject_public_key_info: tbs.subject_public_key_info,
        extensions: tbs.extensions.into_iter().map(loosen).collect(),
    };
    let loose =
        LooseCertificate { to_be_signed, signature_algorithm: signed.signature_algorithm, signature: signed.signature };
    assert_eq!(Certificate::from_der(&loose.to_der().unwrap()).unwrap_err(), Error::NotCanonical);
}

#[test]
fn ber_that_is_not_der_is_refused() {
    let der = valid().der().to_vec();
    assert_eq!(der[..2], [0x30, 0x82]);
    let longer_length = [&[0x30, 0x83, 0x00], &der[2..]].concat();
    let indefinite = [&[0x30, 0x80], &der[4..], &[0, 0]].concat();
    let trailing = [&der[..], &[0]].concat();
    for bytes in [longer_length, indefinite, trailing] {
        assert!(matches!(Certificate::from_der(&bytes).unwrap_err(), Error::Der(_)));
    }
}

#[test]
fn pem_is_der_between_the_right_lines() {
    let certificate = valid();
    let pem = certificate.to_pem();
    assert_eq!(Certificate::from_pem(pem.as_bytes()).unwrap(), certificate);
    let other_label = pem.replace("CERTIFICATE", "PUBLIC KEY");
    for text in [other_label.as_str(), "", &pem[1..], &pem[..pem.len() - 10], &pem.replace('M', "*")] {
        assert_eq!(Certificate::from_pem(text.as_bytes()).unwrap_err(), Error::Pem);
    }
}

#[test]
fn no_prefix_and_no_flipped_bit_gives_a_certificate_that_is_signed() {
    let der = valid().der().to_vec();
    let key = *root_key().public_key();
    assert!(valid().is_signed_by(&PROVIDER, &key));
    for at in 0..der.len() {
        assert!(matches!(Certificate::from_der(&der[..at]).unwrap_err(), Error::Der(_)), "{at}");
        for bit in [0, 3, 7] {
            let mut flipped = der.clone();
            flipped[at] ^= 1 << bit;
            let signed = Certificate::from_der(&flipped).is_ok_and(|it| it.is_signed_by(&PROVIDER, &key));
            assert!(!signed, "byte {at} bit {bit}");
        }
    }
}

/// RFC 5280 section 4.1.2.2: positive, and at most 20 bytes. Ours have 16, whatever is drawn.
#[test]
fn serial_numbers_are_positive_and_of_one_length() {
    struct Same(u8);

    impl Entropy for Same {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    let now = Timestamp::from_unix_secs(1_767_225_600);
    for (drawn, first) in [(0x00, 0x40), (0x3f, 0x7f), (0x40, 0x40), (0x80, 0x40), (0xff, 0x7f)] {
        let root = issue_root("Root", &root_key(), now, Duration::from_secs(60), &mut Same(drawn)).unwrap();
        assert_eq!(root.serial_number(), [&[first][..], &[drawn; 15]].concat(), "{drawn:02x}");
    }
}

#[test]
fn names_with_any_characters_are_issued_and_issue() {
    let now = Timestamp::from_unix_secs(1_767_225_600);
    let key = root_key();
    for name in ["a, b", "O=x+y", "\"quoted\" <a;b>", "back\\slash", "#1", "Müller & Søn 東京", "a = b", "x"] {
        let root = issue_root(name, &key, now, Duration::from_secs(60), &mut Counting(0)).unwrap();
        let subject = Subject {
            common_name: name,
            public_key: key.public_key(),
            role: Role::License,
            properties: Properties::default(),
            not_before: now,
            lifetime: Duration::from_secs(60),
        };
        let issued = issue(Issuer { certificate: &root, key: &key }, &subject, &mut Counting(0)).unwrap();
        assert!(issued.is_issued_by_name_of(&root), "{name}");
        assert_eq!(issued.subject(), root.subject(), "{name}");
    }
}

#[test]
fn dates_beyond_2049_round_trip() {
    let begin = Timestamp::from_unix_secs(2_524_607_999);
    let root = issue_root("Root", &root_key(), begin, Duration::from_secs(1), &mut Counting(0)).unwrap();
    assert_eq!((root.not_before(), root.not_after().unix_secs()), (begin, 2_524_608_000));
}

proptest! {
    #[test]
    fn reading_random_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }

    #[test]
    fn reading_altered_certificates_never_panics(at in any::<prop::sample::Index>(), with in any::<[u8; 4]>()) {
        let mut der = valid().der().to_vec();
        let at = at.index(der.len() - 4);
        der[at..at + 4].copy_from_slice(&with);
        if let Ok(read) = Certificate::from_der(&der) {
            prop_assert_eq!(read.der(), &der[..]);
        }
    }
}
