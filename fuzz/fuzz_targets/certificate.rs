//! Certificates (RFC 5280): what is read has one encoding, PEM of it is read as the same, and a chain of it verifies
//! only if it is one that was issued.
#![no_main]

use admit_fuzz::{CLIENT, REALM, dates, provider, seeds};
use admit_trust::{Certificate, Role, role, verify_chain};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let Ok(certificate) = Certificate::from_der(bytes) else { return };
    assert_eq!(certificate.der(), bytes);
    assert_eq!(Certificate::from_pem(certificate.to_pem().as_bytes()).as_ref(), Ok(&certificate));
    assert_eq!(certificate.time_key().is_some(), certificate.role() == Some(Role::Time));
    assert_ne!(certificate.time_key().is_some(), certificate.public_key().is_some());
    let _ = (certificate.subject(), certificate.issuer(), certificate.properties().client());
    let issued = issued();
    for chain in [vec![certificate.clone()], vec![certificate.clone(), REALM.enrolment.certificate.clone()]] {
        if verifies(&chain) {
            assert!(issued.contains(&certificate), "nobody issued {}", certificate.subject());
        }
    }
});

/// Whether a chain holds for the role that its leaf says, of those that the fixture realm has.
fn verifies(chain: &[Certificate]) -> bool {
    let root = &REALM.root;
    match chain[0].role() {
        Some(Role::License) => verify_chain::<role::License>(provider(), root, chain, dates()).is_ok(),
        Some(Role::Packaging) => verify_chain::<role::Packaging>(provider(), root, chain, dates()).is_ok(),
        Some(Role::Enrolment) => verify_chain::<role::Enrolment>(provider(), root, chain, dates()).is_ok(),
        Some(Role::Application) => verify_chain::<role::Application>(provider(), root, chain, dates()).is_ok(),
        Some(Role::Time) => verify_chain::<role::Time>(provider(), root, chain, dates()).is_ok(),
        _ => verify_chain::<role::Client>(provider(), root, chain, dates()).is_ok(),
    }
}

fn issued() -> Vec<Certificate> {
    let services = [&REALM.license, &REALM.enrolment, &REALM.packaging, &REALM.application];
    let certificates = services.map(|service| service.certificate.clone());
    let time = REALM.time.each_ref().map(|service| service.certificate.clone());
    certificates.into_iter().chain(time).chain([CLIENT.chain[0].clone(), REALM.root.certificate().clone()]).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    issued().iter().map(|certificate| certificate.der().to_vec()).collect()
}
