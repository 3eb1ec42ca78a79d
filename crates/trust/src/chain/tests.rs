//! Basic constraints (RFC 5280 section 4.2.1.9), which no certificate that this crate issues breaks: a root, an
//! authority and a client made with any.

use core::time::Duration;

use admit_crypto::{Entropy, SecretScalar, SigningKey, rustcrypto::PROVIDER};
use der::asn1::{BitString, OctetString};
use der::{Decode, Encode};

use super::*;
use crate::certificate::{BASIC_CONSTRAINTS, BasicConstraints, KEY_USAGE, SignedCertificate, key_usage};
use crate::{Issuer, Properties, Subject, issue, issue_root, role};

const NOW: Timestamp = Timestamp::from_unix_secs(1_767_225_600);
const DAY: Duration = Duration::from_secs(86_400);

struct Sevens;

impl Entropy for Sevens {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn key() -> SigningKey {
    (PROVIDER.load_signing_key)(&SecretScalar::from_slice(&[7; 32]).unwrap())
}

fn root() -> Certificate {
    issue_root("Root", &key(), NOW, DAY, &mut Sevens).unwrap()
}

fn issued(issuer: &Certificate, common_name: &str, role: Role) -> Certificate {
    let key = key();
    let (public_key, properties) = (key.public_key(), Properties::default());
    let subject = Subject { common_name, public_key, role, properties, not_before: NOW, lifetime: DAY };
    issue(Issuer { certificate: issuer, key: &key }, &subject, &mut Sevens).unwrap()
}

/// The authority with another limit, signed again.
fn limited(certificate: &Certificate, path_length: Option<u8>) -> Certificate {
    constrained(certificate, BasicConstraints { is_authority: true, path_length })
}

/// The certificate with other basic constraints and the key usage that goes with them, signed again.
fn constrained(certificate: &Certificate, constraints: BasicConstraints) -> Certificate {
    let mut signed = SignedCertificate::from_der(certificate.der()).unwrap();
    let usage = key_usage(constraints.is_authority).unwrap().to_der().unwrap();
    for (identifier, value) in [(BASIC_CONSTRAINTS, constraints.to_der().unwrap()), (KEY_USAGE, usage)] {
        let extensions = &mut signed.to_be_signed.extensions;
        let found = extensions.iter_mut().find(|extension| extension.identifier == identifier);
        found.unwrap().value = OctetString::new(value).unwrap();
    }
    let signature = key().sign(&signed.to_be_signed.to_der().unwrap()).to_der().unwrap();
    signed.signature = BitString::from_bytes(&signature).unwrap();
    Certificate::from_der(&signed.to_der().unwrap()).unwrap()
}

fn verify<R: Marker>(root: &Certificate, chain: &[Certificate]) -> Result<(), Error> {
    let root = TrustRoot::pin(&PROVIDER, root.clone(), root.fingerprint(&PROVIDER)).unwrap();
    verify_chain::<R>(&PROVIDER, &root, chain, DateCheck::At(NOW)).map(drop)
}

#[test]
fn a_root_allows_as_many_authorities_as_it_says() {
    let authority = issued(&root(), "Authority", Role::Enrolment);
    let chain = [issued(&authority, "Client", Role::Client), authority];
    let refused = Error::PathLength { depth: 2, limit: 0 };
    let cases = [(Some(0), Err(refused)), (Some(1), Ok(())), (Some(255), Ok(())), (None, Ok(()))];
    for (path_length, expected) in cases {
        let root = limited(&root(), path_length);
        assert_eq!(root.path_length(), path_length);
        assert_eq!(verify::<role::Client>(&root, &chain), expected, "{path_length:?}");
    }
}

#[test]
fn an_issuer_of_clients_has_both_the_role_and_the_constraint() {
    let plain = BasicConstraints { is_authority: false, path_length: None };
    let without_constraint = constrained(&issued(&root(), "Authority", Role::Enrolment), plain);
    let without_role = limited(&issued(&root(), "Service", Role::License), Some(0));
    assert!(!without_constraint.is_authority() && without_role.is_authority());
    for authority in [without_constraint, without_role] {
        let chain = [issued(&authority, "Client", Role::Client), authority];
        assert_eq!(verify::<role::Client>(&root(), &chain), Err(Error::NotAnAuthority { depth: 1 }));
    }
}

#[test]
fn the_leaf_does_not_count() {
    let root = limited(&root(), Some(0));
    assert_eq!(verify::<role::License>(&root, &[issued(&root, "Service", Role::License)]), Ok(()));
    // Not even where the leaf is an authority itself.
    assert_eq!(verify::<role::Enrolment>(&root, &[issued(&root, "Authority", Role::Enrolment)]), Ok(()));
}

#[test]
fn an_authority_needs_no_more_than_a_limit_of_zero() {
    for path_length in [Some(0), Some(1), None] {
        let authority = limited(&issued(&root(), "Authority", Role::Enrolment), path_length);
        let chain = [issued(&authority, "Client", Role::Client), authority];
        assert_eq!(verify::<role::Client>(&root(), &chain), Ok(()), "{path_length:?}");
    }
}

#[test]
fn an_authority_with_its_issuers_name_does_not_count() {
    let root = limited(&root(), Some(0));
    let authority = issued(&root, "Root", Role::Enrolment);
    let chain = [issued(&authority, "Client", Role::Client), authority];
    assert_eq!(verify::<role::Client>(&root, &chain), Ok(()));
}
