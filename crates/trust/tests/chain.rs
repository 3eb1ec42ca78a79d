//! Chains: one valid chain, one change per test, a specific error (RFC 5280 section 6; rows A01 and A26).

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

use core::time::Duration;
use std::sync::{Arc, Mutex};

use admit_crypto::{Digest, Provider};
use admit_testkit::{FixtureClient, FixtureRealm, SeededEntropy};
use admit_trust::{
    Certificate, CertificateMemory, ClockKind, DateCheck, Error, Field, Issuer, Properties, Role, Subject, TimeKey,
    TimeSubject, TrustRoot, issue, issue_root, issue_time, role, verify_chain,
};

fn fixtures() -> (FixtureRealm, FixtureClient) {
    let realm = FixtureRealm::new(1);
    let client = realm.client(2, 150);
    (realm, client)
}

fn verify(realm: &FixtureRealm, chain: &[Certificate], role: Role) -> Result<Certificate, Error> {
    verify_at(realm, chain, role, DateCheck::At(realm.now))
}

fn verify_at(realm: &FixtureRealm, chain: &[Certificate], role: Role, dates: DateCheck) -> Result<Certificate, Error> {
    verify_under(realm, &realm.root, chain, role, dates)
}

/// Verifies for the type that stands for `role`.
fn verify_under(
    realm: &FixtureRealm,
    root: &TrustRoot,
    chain: &[Certificate],
    role: Role,
    dates: DateCheck,
) -> Result<Certificate, Error> {
    macro_rules! verify_as {
        ($($role:ident)*) => {
            match role {
                $(Role::$role => {
                    let verified = verify_chain::<role::$role>(realm.provider, root, chain, dates);
                    verified.map(|verified| verified.into_inner())
                })*
                _ => unreachable!("a role without a type"),
            }
        };
    }
    verify_as!(License Time Individualization Revocation Metering Backup Packaging Enrolment Application Client Hardware)
}

/// A certificate that some service of the realm signs.
fn issued_by(realm: &FixtureRealm, issuer: Issuer<'_>, role: Role) -> Certificate {
    let common_name = "made for a test";
    let (not_before, lifetime) = (realm.now, Duration::from_secs(3600));
    if role == Role::Time {
        let key = TimeKey { public_key: [7; 32], epoch: 1 };
        let subject = TimeSubject { common_name, key, not_before, lifetime };
        return issue_time(issuer, &subject, &mut SeededEntropy::new(77)).unwrap();
    }
    let subject = Subject {
        common_name,
        public_key: realm.license.signing.public_key(),
        role,
        properties: Properties::default(),
        not_before,
        lifetime,
    };
    issue(issuer, &subject, &mut SeededEntropy::new(77)).unwrap()
}

#[test]
fn a_chain_verifies_for_its_own_role_only() {
    let (realm, client) = fixtures();
    let single = [
        (&realm.license.certificate, Role::License),
        (&realm.enrolment.certificate, Role::Enrolment),
        (&realm.packaging.certificate, Role::Packaging),
        (&realm.application.certificate, Role::Application),
        (&realm.time[0].certificate, Role::Time),
    ];
    let chains = single.map(|(certificate, role)| (vec![certificate.clone()], role));
    let hardware = vec![realm.hardware(3, ClockKind::Secure).certificate];
    for (chain, role) in chains.into_iter().chain([(client.chain.clone(), Role::Client), (hardware, Role::Hardware)]) {
        assert_eq!(verify(&realm, &chain, role).unwrap(), chain[0]);
        for other in Role::ALL.into_iter().filter(|&other| other != role) {
            let wrong = Error::WrongRole { expected: other, found: Some(role) };
            assert_eq!(verify(&realm, &chain, other).unwrap_err(), wrong);
        }
    }
}

#[test]
fn an_empty_chain_and_one_of_three_are_refused() {
    let (realm, client) = fixtures();
    assert_eq!(verify(&realm, &[], Role::Client).unwrap_err(), Error::EmptyChain);
    let with_root = [&client.chain[..], &[realm.root.certificate().clone()]].concat();
    assert_eq!(verify(&realm, &with_root, Role::Client).unwrap_err(), Error::ChainTooLong { limit: 2 });
}

#[test]
fn a_root_certificate_is_no_leaf() {
    let (realm, _) = fixtures();
    let root = [realm.root.certificate().clone()];
    let wrong = Error::WrongRole { expected: Role::License, found: None };
    assert_eq!(verify(&realm, &root, Role::License).unwrap_err(), wrong);
}

#[test]
fn the_path_must_be_complete_and_in_order() {
    let (realm, client) = fixtures();
    let without = &client.chain[..1];
    assert_eq!(verify(&realm, without, Role::Client).unwrap_err(), Error::IssuerMismatch { depth: 0 });
    let reversed: Vec<_> = client.chain.iter().rev().cloned().collect();
    let wrong = Error::WrongRole { expected: Role::Client, found: Some(Role::Enrolment) };
    assert_eq!(verify(&realm, &reversed, Role::Client).unwrap_err(), wrong);
}

#[test]
fn an_authority_of_another_realm_with_the_same_name_is_refused() {
    let (realm, _) = fixtures();
    let stranger = FixtureRealm::new(3).client(4, 150);
    let refused = Error::CertificateSignature { depth: 1 };
    assert_eq!(verify(&realm, &stranger.chain, Role::Client).unwrap_err(), refused);
}

#[test]
fn a_leaf_under_another_key_of_its_authoritys_name_is_refused() {
    let (realm, client) = fixtures();
    let other = FixtureRealm::new(3);
    let chain = [client.chain[0].clone(), other.enrolment.certificate.clone()];
    assert_eq!(verify(&other, &chain, Role::Client).unwrap_err(), Error::CertificateSignature { depth: 0 });
    let chain = [other.client(4, 150).chain[0].clone(), realm.enrolment.certificate.clone()];
    assert_eq!(verify(&realm, &chain, Role::Client).unwrap_err(), Error::CertificateSignature { depth: 0 });
}

#[test]
fn only_enrolment_and_individualization_issue_clients() {
    let (realm, _) = fixtures();
    for service in [&realm.license, &realm.packaging, &realm.application] {
        let issuer = Issuer { certificate: &service.certificate, key: &service.signing };
        let chain = [issued_by(&realm, issuer, Role::Client), service.certificate.clone()];
        assert_eq!(verify(&realm, &chain, Role::Client).unwrap_err(), Error::NotAnAuthority { depth: 1 });
    }
    let root = Issuer { certificate: realm.root.certificate(), key: &realm.root_key };
    let individualization = issued_by(&realm, root, Role::Individualization);
    let issuer = Issuer { certificate: &individualization, key: &realm.license.signing };
    let chain = [issued_by(&realm, issuer, Role::Client), individualization.clone()];
    assert_eq!(verify(&realm, &chain, Role::Client).unwrap(), chain[0]);
}

#[test]
fn an_enrolment_authority_issues_nothing_but_clients() {
    let (realm, _) = fixtures();
    let issuer = Issuer { certificate: &realm.enrolment.certificate, key: &realm.enrolment.signing };
    for role in Role::ALL.into_iter().filter(|&role| role != Role::Client) {
        let chain = [issued_by(&realm, issuer, role), realm.enrolment.certificate.clone()];
        assert_eq!(verify(&realm, &chain, role).unwrap_err(), Error::NotAnAuthority { depth: 1 }, "{role}");
    }
}

#[test]
fn a_client_under_a_client_is_refused() {
    let (realm, client) = fixtures();
    let issuer = Issuer { certificate: &client.certificate, key: &client.signing };
    let chain = [issued_by(&realm, issuer, Role::Client), client.chain[0].clone()];
    assert_eq!(verify(&realm, &chain, Role::Client).unwrap_err(), Error::NotAnAuthority { depth: 1 });
}

#[test]
fn a_root_of_another_name_is_refused() {
    let (realm, _) = fixtures();
    let entropy = &mut SeededEntropy::new(5);
    let renamed = issue_root("Another root", &realm.root_key, realm.now, Duration::from_secs(3600), entropy).unwrap();
    let root = TrustRoot::pin(realm.provider, renamed.clone(), renamed.fingerprint(realm.provider)).unwrap();
    let chain = [realm.license.certificate.clone()];
    let dates = DateCheck::At(realm.now);
    let refused = verify_under(&realm, &root, &chain, Role::License, dates).unwrap_err();
    assert_eq!(refused, Error::IssuerMismatch { depth: 0 });
}

/// What a stranger's own authority issued to a stranger is not remembered, whatever holds between the two.
#[test]
fn only_what_was_issued_below_the_root_is_remembered() {
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<Certificate>>>);
    impl CertificateMemory for Memory {
        fn contains(&self, _: &Digest, _: &Certificate) -> bool {
            false
        }
        fn keep(&self, _: Digest, certificate: &Certificate) {
            self.0.lock().unwrap().push(certificate.clone());
        }
        fn find(&self, _: &[u8]) -> Option<Certificate> {
            None
        }
    }
    let (realm, client) = fixtures();
    let memory = Memory::default();
    let root = realm.root.clone().with_memory(memory.clone());
    let dates = DateCheck::At(realm.now);
    assert!(verify_under(&realm, &root, &client.chain, Role::Client, dates).is_ok());
    assert_eq!(memory.0.lock().unwrap().len(), 2);
    memory.0.lock().unwrap().clear();
    let stranger = FixtureRealm::new(9).client(2, 150);
    assert!(verify_under(&realm, &root, &stranger.chain, Role::Client, dates).is_err());
    assert_eq!(*memory.0.lock().unwrap(), []);
}

#[test]
fn dates_hold_to_the_second_when_the_time_is_known() {
    let (realm, client) = fixtures();
    let second = Duration::from_secs(1);
    let chain = [realm.license.certificate.clone()];
    let (begin, end) = (chain[0].not_before(), chain[0].not_after());
    let at = |time| verify_at(&realm, &chain, Role::License, DateCheck::At(time));
    assert!(at(begin).is_ok() && at(end).is_ok());
    assert_eq!(at(begin.saturating_sub(second)).unwrap_err(), Error::NotYetValid { depth: 0, not_before: begin });
    assert_eq!(at(end.saturating_add(second)).unwrap_err(), Error::Expired { depth: 0, not_after: end });
    // The authority ends before its client.
    let authority_end = realm.enrolment.certificate.not_after();
    let late = DateCheck::At(authority_end.saturating_add(second));
    let refused = verify_at(&realm, &client.chain, Role::Client, late).unwrap_err();
    assert_eq!(refused, Error::Expired { depth: 1, not_after: authority_end });
}

#[test]
fn without_a_clock_only_what_had_certainly_ended_is_refused() {
    let (realm, _) = fixtures();
    let chain = [realm.license.certificate.clone()];
    let end = chain[0].not_after();
    let floor = |time| verify_at(&realm, &chain, Role::License, DateCheck::NotExpiredBefore(time));
    assert!(floor(chain[0].not_before().saturating_sub(Duration::from_secs(1_000_000))).is_ok());
    assert!(floor(end).is_ok());
    let late = end.saturating_add(Duration::from_secs(1));
    assert_eq!(floor(late).unwrap_err(), Error::Expired { depth: 0, not_after: end });
}

#[test]
fn a_root_that_ended_verifies_nothing() {
    let realm = FixtureRealm::new(1);
    let entropy = &mut SeededEntropy::new(5);
    let name = "Fixture trust root";
    let short = issue_root(name, &realm.root_key, realm.now, Duration::from_secs(60), entropy).unwrap();
    let not_after = short.not_after();
    let root = TrustRoot::pin(realm.provider, short.clone(), short.fingerprint(realm.provider)).unwrap();
    let dates = DateCheck::At(not_after.saturating_add(Duration::from_secs(1)));
    let chain = [realm.license.certificate.clone()];
    let refused = verify_under(&realm, &root, &chain, Role::License, dates).unwrap_err();
    assert_eq!(refused, Error::Expired { depth: 1, not_after });
}

#[test]
fn a_root_is_pinned_by_its_own_fingerprint_only() {
    let (realm, client) = fixtures();
    let pin = |provider: &Provider, certificate: &Certificate, expected: Digest| {
        TrustRoot::pin(provider, certificate.clone(), expected)
    };
    let (expected, found) = (Digest::from_bytes([0; 32]), realm.realm());
    let refused = pin(realm.provider, realm.root.certificate(), expected).unwrap_err();
    assert_eq!(refused, Error::RootMismatch { expected, found });
    for certificate in [&realm.license.certificate, &realm.enrolment.certificate, &client.chain[0]] {
        let refused = pin(realm.provider, certificate, certificate.fingerprint(realm.provider)).unwrap_err();
        assert_eq!(refused, Error::Field(Field::BasicConstraints));
    }
}

#[test]
fn no_flipped_byte_of_a_chain_verifies() {
    let (realm, client) = fixtures();
    for (index, certificate) in client.chain.iter().enumerate() {
        for at in 0..certificate.der().len() {
            let mut der = certificate.der().to_vec();
            der[at] ^= 0x10;
            let Ok(altered) = Certificate::from_der(&der) else { continue };
            let mut chain = client.chain.clone();
            chain[index] = altered;
            assert!(verify(&realm, &chain, Role::Client).is_err(), "certificate {index}, byte {at}");
        }
    }
}
