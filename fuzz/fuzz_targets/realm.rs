//! Realm documents: from outside, and as the root signs them, whatever they say.
#![no_main]

use admit_fuzz::{REALM, dates, provider, round_trip, seeds};
use admit_protocol::realm::{Realm, RealmDocument, claimed_fingerprint, sign};
use admit_trust::{Role, role};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let _ = claimed_fingerprint(provider(), bytes);
    let _ = Realm::verify(provider(), bytes, REALM.realm());
    let Some(document) = round_trip::<RealmDocument>(bytes) else { return };
    let Ok(realm) = Realm::verify(provider(), &sign(&document, &REALM.root_key), REALM.realm()) else { return };
    assert_eq!(*realm.document(), document);
    assert_eq!(realm.root(), &REALM.root);
    if let Ok(certificate) = realm.certificate::<role::License>(provider(), dates()) {
        assert_eq!(certificate.role(), Some(Role::License));
    }
    if let Ok(certificate) = realm.certificate::<role::Enrolment>(provider(), dates()) {
        assert_eq!(certificate.role(), Some(Role::Enrolment));
    }
    let _ = (realm.address(Role::License), realm.address(Role::Enrolment));
    let _ = realm.application(provider(), "admit", dates());
});

fn seeds() -> Vec<Vec<u8>> {
    let documents = seeds::vectors("messages", &["signed-realm-document"]);
    [seeds::payloads(&documents), documents].concat()
}
