//! Decrypting any file with one key for every id: nothing is lost or added on the way, and what comes out is not
//! protected any more. The sound alone, as a decoder in the same process is given it, is part of the file too.
#![no_main]

use std::io::{self, Cursor};

use admit_crypto::{ContentKey, CounterMode};
use admit_fuzz::{mutate, provider, seeds};
use admit_media::{BLOCK, KeyId, Sample, Sink, decrypt, decrypt_track, sound};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::boxes(data, size, max_size, seed) });

fuzz_target!(init: seeds::offer(seeds::clips), |bytes: &[u8]| {
    let mut sink = Counting { bytes: 0, spare: vec![0; BLOCK] };
    let mut last = 0;
    let progress = &mut |done: u64, all: u64| {
        assert!(last <= done && done <= all && all == bytes.len() as u64);
        last = done;
    };
    match decrypt(Cursor::new(bytes), &mut sink, &mut cipher, progress) {
        Ok(decrypted) => assert_eq!((decrypted.bytes, sink.bytes), (bytes.len() as u64, bytes.len() as u64)),
        Err(error) => {
            assert!(sink.bytes <= bytes.len() as u64);
            let _ = error.to_string();
        }
    }
    if let Ok(Some(found)) = sound(Cursor::new(bytes)) {
        one_track(bytes, found.track);
    }
});

/// What a decoder in the same process is given of one track: no more bytes than the file has.
fn one_track(bytes: &[u8], track: u32) {
    let mut given = 0;
    let put = &mut |sample: &Sample, sample_bytes: &[u8]| {
        assert_eq!(u64::from(sample.size), sample_bytes.len() as u64);
        given += sample_bytes.len() as u64;
        Ok(())
    };
    if let Err(error) = decrypt_track(Cursor::new(bytes), track, &mut cipher, put, &mut |_, _| ()) {
        let _ = error.to_string();
    }
    assert!(given <= bytes.len() as u64);
}

fn cipher(_: &KeyId) -> Option<Box<dyn CounterMode>> {
    Some((provider().aes_128_ctr)(&ContentKey::from_bytes([3; 16])))
}

/// Counts what comes out and lends the one buffer again.
struct Counting {
    bytes: u64,
    spare: Vec<u8>,
}

impl Sink for Counting {
    fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        self.bytes += used as u64;
        self.spare = buffer;
        Ok(())
    }
}
