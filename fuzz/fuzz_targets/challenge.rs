//! License challenges, from outside and from inside: what a service opens, and what is read once it is open.
#![no_main]

use std::sync::LazyLock;

use admit_protocol::acquire::{LicenseChallenge, OpenedChallenge};
use admit_testkit::FixtureRealm;
use admit_trust::DateCheck;
use libfuzzer_sys::fuzz_target;

static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));

fuzz_target!(|bytes: &[u8]| {
    let key = &REALM.license.encryption;
    let _ = OpenedChallenge::open(REALM.provider, &REALM.root, key, DateCheck::At(REALM.now), bytes);
    if let Ok(challenge) = minicbor::decode::<LicenseChallenge>(bytes) {
        let written = minicbor::to_vec(&challenge).expect("writing to memory succeeds");
        assert_eq!(minicbor::decode::<LicenseChallenge>(&written).expect("what is written is read"), challenge);
    }
});
