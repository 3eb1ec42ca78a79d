//! Licenses and their terms: terms that are read are written as the bytes that were read. The input is taken twice, as
//! a signed license and as terms that a license service signed.
#![no_main]

use std::sync::LazyLock;

use admit_crypto::hpke::Sealed;
use admit_license::{LICENSE_CONTENT_TYPE, inspect};
use admit_testkit::FixtureRealm;
use libfuzzer_sys::fuzz_target;
use minicbor::{Decoder, Encoder};

static REALM: LazyLock<FixtureRealm> = LazyLock::new(|| FixtureRealm::new(1));

fuzz_target!(|bytes: &[u8]| {
    let _ = inspect(bytes);
    let service = &REALM.license;
    let sealed = Sealed { encapsulated_key: *service.signing.public_key(), ciphertext: vec![0; 32] };
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(2).and_then(|e| e.bytes(bytes)).and_then(|e| e.encode(&sealed)).expect("writing to memory succeeds");
    let chain = std::slice::from_ref(&service.certificate);
    let signed = admit_trust::sign(&service.signing, chain, LICENSE_CONTENT_TYPE, &encoder.into_writer());
    let Ok((terms, _)) = inspect(&signed) else { return };
    terms.check().expect("terms that are read keep the rules");
    if !has_optional_fields(bytes) {
        assert_eq!(minicbor::to_vec(&terms).expect("writing to memory succeeds"), bytes);
    }
});

/// Fields from 1024 on are skipped by the reader and so are not written again.
fn has_optional_fields(terms: &[u8]) -> bool {
    let mut decoder = Decoder::new(terms);
    let fields = decoder.map().ok().flatten().expect("the terms were read");
    (0..fields).any(|_| {
        let field = decoder.u64().expect("the terms were read");
        decoder.skip().expect("the terms were read");
        field >= 1024
    })
}
