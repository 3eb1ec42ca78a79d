//! Licenses: the input is read as a signed license and as terms that a license service signed. Terms that are read
//! keep the rules and are written as the bytes that were read.
#![no_main]

use admit_crypto::hpke::Sealed;
use admit_fuzz::{CLIENT, REALM, dates, provider, seeds};
use admit_license::{LICENSE_CONTENT_TYPE, VerifiedLicense, inspect};
use libfuzzer_sys::fuzz_target;
use minicbor::{Decoder, Encoder};

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let _ = inspect(bytes);
    let service = &REALM.license;
    let sealed = Sealed { encapsulated_key: *service.signing.public_key(), ciphertext: vec![0; 32] };
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(2).and_then(|e| e.bytes(bytes)).and_then(|e| e.encode(&sealed)).expect("writing to memory succeeds");
    let payload = encoder.into_writer();
    // A signature costs far more than reading terms: only terms that are read get one.
    let Some(terms) = seeds::envelope_around(&payload, LICENSE_CONTENT_TYPE).and_then(|it| inspect(&it).ok()) else {
        return;
    };
    let terms = terms.0;
    terms.check().expect("terms that are read keep the rules");
    if !has_optional_fields(bytes) {
        assert_eq!(minicbor::to_vec(&terms).expect("writing to memory succeeds"), bytes);
    }
    let chain = std::slice::from_ref(&service.certificate);
    let signed = admit_trust::sign(&service.signing, chain, LICENSE_CONTENT_TYPE, &payload);
    let client = CLIENT.encryption.public_key().thumbprint(provider());
    if let Ok(license) = VerifiedLicense::verify(provider(), &REALM.root, &signed, dates(), &client) {
        assert_eq!((license.record(), license.terms()), (&payload[..], &terms));
        assert_eq!(terms.realm, REALM.realm());
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

/// Signed licenses, and the terms in them.
fn seeds() -> Vec<Vec<u8>> {
    let licenses = seeds::vectors("licenses", &[]);
    let terms = seeds::payloads(&licenses).into_iter().filter_map(|payload| {
        let mut decoder = Decoder::new(&payload);
        decoder.array().ok()?;
        decoder.bytes().ok().map(<[u8]>::to_vec)
    });
    terms.chain(licenses.iter().cloned()).collect()
}
