//! Sealed records: nothing that was not sealed opens, what was sealed opens as it was, and not with a byte changed nor
//! in another place.
#![no_main]

use admit_crypto::{RecordKey, record};
use admit_fuzz::{provider, seeds};
use admit_testkit::SeededEntropy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let key = RecordKey::from_bytes([1; 32]);
    assert!(record::open(provider(), &key, &[b"never", b"sealed"], bytes).is_err());
    let Some((&mutation, plaintext)) = bytes.split_first() else { return };
    let place: &[&[u8]] = &[b"table", b"row"];
    let mut sealed = record::seal(provider(), &key, place, plaintext, &mut SeededEntropy::new(mutation.into()));
    let opened = record::open(provider(), &key, place, &sealed).expect("what was sealed opens");
    assert_eq!(opened.bytes(), plaintext);
    assert!(record::open(provider(), &key, &[b"tabler", b"ow"], &sealed).is_err());
    let at = usize::from(mutation) * sealed.len() / 256;
    sealed[at] ^= mutation | 1;
    assert!(record::open(provider(), &key, place, &sealed).is_err());
});

fn seeds() -> Vec<Vec<u8>> {
    let key = RecordKey::from_bytes([1; 32]);
    let sealed = record::seal(provider(), &key, &[b"another place"], b"secret", &mut SeededEntropy::new(1));
    vec![sealed, b"\x80secret".to_vec()]
}
