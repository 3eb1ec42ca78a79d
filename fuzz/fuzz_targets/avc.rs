//! H.264 samples: the map of a sample covers it exactly, protected ranges are whole blocks, and encrypting twice with
//! it gives the sample back. The input is an `avcC`, behind its length, and a sample.
#![no_main]

use admit_crypto::ContentKey;
use admit_fuzz::{provider, seeds};
use admit_media::{AvcSubsamples, Cursor, Location, SubsampleMap, crypt_sample};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds::avc_samples), |bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first() else { return };
    let Some((avcc, sample)) = rest.split_at_checked((*length).into()) else { return };
    let at = Location::top(0);
    let Ok(mut maps) = AvcSubsamples::new(Cursor::new(avcc, at)) else { return };
    let mut map = SubsampleMap::default();
    if maps.map(sample, at, &mut map).is_err() {
        return;
    }
    let covered: usize = map.entries().iter().map(|(clear, protected)| usize::from(*clear) + *protected as usize).sum();
    assert_eq!(covered, sample.len());
    assert!(map.entries().iter().all(|(_, protected)| protected % 16 == 0));

    let cipher = (provider().aes_128_ctr)(&ContentKey::from_bytes([3; 16]));
    let mut crypted = sample.to_vec();
    crypt_sample(&*cipher, 1 << 64, map.entries(), &mut crypted);
    crypt_sample(&*cipher, 1 << 64, map.entries(), &mut crypted);
    assert_eq!(crypted, sample);
});
