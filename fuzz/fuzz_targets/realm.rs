//! Realm documents: signed ones from outside, and what the root signed.
#![no_main]

use std::sync::LazyLock;

use admit_protocol::realm::{Realm, RealmDocument, claimed_fingerprint};
use admit_testkit::FixtureRealm;
use libfuzzer_sys::fuzz_target;

static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));

fuzz_target!(|bytes: &[u8]| {
    let _ = claimed_fingerprint(REALM.provider, bytes);
    let _ = Realm::verify(REALM.provider, bytes, REALM.realm());
    if let Ok(document) = minicbor::decode::<RealmDocument>(bytes) {
        let written = minicbor::to_vec(&document).expect("writing to memory succeeds");
        assert_eq!(minicbor::decode::<RealmDocument>(&written).expect("what is written is read"), document);
    }
});
