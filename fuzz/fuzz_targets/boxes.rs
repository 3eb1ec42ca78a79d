//! ISO-BMFF boxes (ISO/IEC 14496-12): a tree that is read is written as what is read the same, and whole files are
//! inspected and searched.
#![no_main]

use std::io::Cursor;

use admit_media::{Node, inspect, protections};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(node) = Node::parse(bytes, 0) {
        let mut written = Vec::new();
        node.write(&mut written);
        let mut again = Vec::new();
        Node::parse(&written, 0).expect("what is written is read").write(&mut again);
        assert_eq!(written, again);
    }
    let _ = inspect(Cursor::new(bytes));
    let _ = protections(Cursor::new(bytes));
});
