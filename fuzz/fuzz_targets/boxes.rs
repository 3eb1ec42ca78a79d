//! ISO-BMFF boxes (ISO/IEC 14496-12): a tree that is read is written as the bytes that were read, and whole files are
//! inspected and searched.
#![no_main]

use std::io::Cursor;

use admit_fuzz::{mutate, seeds};
use admit_media::{Node, inspect, protections};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::boxes(data, size, max_size, seed) });

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    if let Ok(node) = Node::parse(bytes, 0) {
        let mut written = Vec::new();
        node.write(&mut written);
        assert_eq!(written.len(), node.size());
        // A size of 0 is written out; everything else stays.
        assert!(written.iter().zip(bytes).all(|(written, read)| written == read || *read == 0));
        let mut again = Vec::new();
        Node::parse(&written, 0).expect("what is written is read").write(&mut again);
        assert_eq!(again, written);
    }
    if let Err(error) = inspect(Cursor::new(bytes)) {
        let _ = error.to_string();
    }
    let _ = protections(Cursor::new(bytes));
});

fn seeds() -> Vec<Vec<u8>> {
    seeds::clips().into_iter().flat_map(|clip| [seeds::boxes(&clip, seeds::TREES), vec![clip]].concat()).collect()
}
