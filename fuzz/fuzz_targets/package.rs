//! Packaging any file: what is packaged is decrypted again with the same key.
#![no_main]

use std::io::Cursor;

use admit_crypto::ContentKey;
use admit_fuzz::{mutate, provider, seeds};
use admit_media::{KeyId, Metadata, WriteSink, decrypt, inspect};
use admit_packager::{Protection, package};
use admit_testkit::SeededEntropy;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::boxes(data, size, max_size, seed) });

fuzz_target!(init: seeds::offer(seeds::clips), |bytes: &[u8]| {
    let key = ContentKey::from_bytes([3; 16]);
    let title = Some("Title".to_owned());
    let metadata = Metadata { title, ..Metadata::default() };
    let protection = Protection { key_id: KeyId::from_bytes([1; 16]), key: &key, pssh_data: Some(b"header"), metadata };
    let mut out = Cursor::new(Vec::new());
    let entropy = &mut SeededEntropy::new(1);
    let report = match package(Cursor::new(bytes), &mut out, &protection, entropy, provider(), &mut |_, _| ()) {
        Ok(report) => report,
        Err(error) => return drop(error.to_string()),
    };
    let out = out.into_inner();
    assert_eq!((report.input_bytes, report.output_bytes), (bytes.len() as u64, out.len() as u64));
    let summary = inspect(Cursor::new(&out)).expect("what is packaged can be inspected");
    assert_eq!((summary.fragments, summary.indexed), (report.fragments as u64, true));

    let mut clear = WriteSink::new(Vec::new());
    let keys = &mut |_: &KeyId| Some((provider().aes_128_ctr)(&key));
    let decrypted = decrypt(Cursor::new(&out), &mut clear, keys, &mut |_, _| ()).expect("what is packaged decrypts");
    assert!(decrypted.samples <= report.encrypted_samples, "samples of no bytes have nothing to decrypt");
});
