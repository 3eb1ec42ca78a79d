//! Signed objects (RFC 9052): random bytes read or do not, and never verify under a root that signed nothing.
#![no_main]

use std::sync::LazyLock;

use admit_license::LICENSE_CONTENT_TYPE;
use admit_testkit::FixtureRealm;
use admit_trust::Envelope;
use libfuzzer_sys::fuzz_target;

static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(0x00f0_22ed));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::decode(bytes, LICENSE_CONTENT_TYPE) {
        assert!(envelope.verify_by_root(REALM.provider, &REALM.root).is_err());
    }
});
