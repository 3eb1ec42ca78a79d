//! Decrypting any file with one key for every id: nothing is lost or added on the way, and what comes out is not
//! protected any more. The sound alone, as a decoder in the same process is given it, is part of the file too; and whoever
//! reads it from its end to its beginning is given the same bytes.
#![no_main]

use std::io::{self, Cursor};

use admit_crypto::{ContentKey, CounterMode};
use admit_fuzz::{mutate, provider, seeds};
use admit_media::{BLOCK, KeyId, Reader, Sample, Sink, Wanted, decrypt, decrypt_ranges, decrypt_track, sound};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::boxes(data, size, max_size, seed) });

fuzz_target!(init: seeds::offer(seeds::clips), |bytes: &[u8]| {
    let mut sink = Collecting { clear: Vec::new(), spare: vec![0; BLOCK] };
    let mut last = 0;
    let progress = &mut |done: u64, all: u64| {
        assert!(last <= done && done <= all && all == bytes.len() as u64);
        last = done;
    };
    match decrypt(Cursor::new(bytes), &mut sink, &mut cipher, progress) {
        Ok(decrypted) => {
            assert_eq!((decrypted.bytes, sink.clear.len()), (bytes.len() as u64, bytes.len()));
            backwards(bytes);
        }
        Err(error) => {
            assert!(sink.clear.len() <= bytes.len());
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

/// A player that seeks, in 16 steps from the end to the beginning. Without indexes, whose word it takes where they lie.
fn backwards(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes.windows(4).position(|kind| kind == b"sidx") {
        bytes[at..at + 4].copy_from_slice(b"free");
    }
    let mut sink = Collecting { clear: Vec::new(), spare: vec![0; BLOCK] };
    if decrypt(Cursor::new(&bytes), &mut sink, &mut cipher, &mut |_, _| ()).is_err() {
        return;
    }
    let step = bytes.len().div_ceil(16).max(1);
    let starts = (0..bytes.len()).step_by(step).collect();
    let mut reader = Backwards { clear: &sink.clear, starts, step, at: 0 };
    if let Err(error) = decrypt_ranges(Cursor::new(&bytes), &mut cipher, &mut reader) {
        panic!("what is whole when it passes is whole for whoever seeks: {error}");
    }
}

struct Backwards<'c> {
    clear: &'c [u8],
    starts: Vec<usize>,
    step: usize,
    at: usize,
}

impl Reader for Backwards<'_> {
    fn next(&mut self) -> io::Result<Option<Wanted>> {
        let Some(start) = self.starts.pop() else { return Ok(None) };
        self.at = start;
        Ok(Some(Wanted { offset: start as u64, length: self.step }))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert!(!bytes.is_empty() && self.clear[self.at..].starts_with(bytes));
        Ok(())
    }
}

fn cipher(_: &KeyId) -> Option<Box<dyn CounterMode>> {
    Some((provider().aes_128_ctr)(&ContentKey::from_bytes([3; 16])))
}

/// Keeps what comes out and lends the one buffer again.
struct Collecting {
    clear: Vec<u8>,
    spare: Vec<u8>,
}

impl Sink for Collecting {
    fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        self.clear.extend_from_slice(&buffer[..used]);
        self.spare = buffer;
        Ok(())
    }
}
