//! Content headers: a header that is read keeps its bytes and is read from them as the same.
#![no_main]

use admit_license::header::ContentHeader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = ContentHeader::from_object_bytes(bytes) {
        assert_eq!(ContentHeader::from_record_bytes(header.record_bytes()), Ok(header));
    }
    if let Ok(header) = ContentHeader::from_record_bytes(bytes) {
        assert_eq!(header.record_bytes(), bytes);
    }
});
