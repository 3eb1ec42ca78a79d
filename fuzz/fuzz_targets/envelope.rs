//! Signed objects (RFC 9052): what is read has the bytes that its writer makes of it, and never verifies under a root
//! that signed nothing.
#![no_main]

use std::sync::LazyLock;

use admit_fuzz::seeds;
use admit_license::LICENSE_CONTENT_TYPE;
use admit_testkit::FixtureRealm;
use admit_trust::{Envelope, sign, sign_detached};
use libfuzzer_sys::fuzz_target;

/// Another realm than the one whose objects are the seeds.
static OTHER: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(0x00f0_22ed));

fuzz_target!(init: seeds::offer(|| seeds::vectors("licenses", &[])), |bytes: &[u8]| {
    let Ok(envelope) = Envelope::decode(bytes, LICENSE_CONTENT_TYPE) else { return };
    let key = &OTHER.root_key;
    let written = match envelope.unverified_payload() {
        Some(payload) => sign(key, envelope.chain(), LICENSE_CONTENT_TYPE, payload),
        None => sign_detached(key, envelope.chain(), LICENSE_CONTENT_TYPE, &[]),
    };
    let signature = bytes.len() - 64;
    assert_eq!(bytes[..signature], written[..signature]);
    assert!(envelope.verify_by_root(OTHER.provider, &OTHER.root).is_err());
});
