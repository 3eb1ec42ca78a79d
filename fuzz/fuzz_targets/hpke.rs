//! HPKE (RFC 9180): nothing that was not sealed opens, what was sealed opens as it was, and neither a changed
//! ciphertext nor another context does.
#![no_main]

use admit_crypto::hpke::{EphemeralSeed, Sealed, open, seal};
use admit_fuzz::{CLIENT, provider, round_trip, seeds};
use admit_testkit::SeededEntropy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let recipient = &CLIENT.encryption;
    if let Some(sealed) = round_trip::<Sealed>(bytes) {
        assert!(open(provider(), recipient, b"never", b"sealed", &sealed).is_err());
    }
    let Some((&mutation, plaintext)) = bytes.split_first() else { return };
    let ephemeral = EphemeralSeed::generate(&mut SeededEntropy::new(mutation.into()));
    let mut sealed = seal(provider(), recipient.public_key(), b"info", b"aad", plaintext, ephemeral);
    assert_eq!(**open(provider(), recipient, b"info", b"aad", &sealed).as_ref().expect("what was sealed opens"), plaintext);
    assert!(open(provider(), recipient, b"infoa", b"ad", &sealed).is_err());
    let at = usize::from(mutation) * sealed.ciphertext.len() / 256;
    sealed.ciphertext[at] ^= mutation | 1;
    assert!(open(provider(), recipient, b"info", b"aad", &sealed).is_err());
});

fn seeds() -> Vec<Vec<u8>> {
    let ephemeral = EphemeralSeed::generate(&mut SeededEntropy::new(1));
    let sealed = seal(provider(), CLIENT.encryption.public_key(), b"info", b"aad", b"secret", ephemeral);
    vec![admit_fuzz::messages::encode(&sealed), b"\x80secret".to_vec()]
}
