//! The object around a header: one valid object, one change for each test, and what travels beside a header.

use super::*;

fn header() -> ContentHeader {
    let id = "a2c786d0-f9ef-4cb3-b333-cd323a4284a5";
    ContentHeader::new(HeaderFields { keys: vec![key(id, Some(Algorithm::AesCtr))], ..HeaderFields::default() })
        .unwrap()
}

fn valid() -> Vec<u8> {
    HeaderObject::new(&header()).with_signature(vec![1, 2, 3]).to_bytes().unwrap()
}

/// An object of raw records.
fn object(records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend(u16::try_from(records.len()).unwrap().to_le_bytes());
    for (kind, value) in records {
        out.extend(kind.to_le_bytes());
        out.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        out.extend(*value);
    }
    let length = u32::try_from(out.len()).unwrap();
    out[..4].copy_from_slice(&length.to_le_bytes());
    out
}

fn fault(bytes: &[u8]) -> (usize, ObjectFault) {
    match ContentHeader::from_object_bytes(bytes) {
        Err(HeaderError::Object { offset, fault }) => (offset, fault),
        other => panic!("expected a fault of the object, got {other:?}"),
    }
}

#[test]
fn header_signature_and_license_store_travel_together() {
    let object = HeaderObject::new(&header());
    assert_eq!((object.signature(), object.embedded_license_store()), (None, None));
    let object = object.with_embedded_license_store(vec![0; 10 * 1024]).with_signature(b"old".to_vec());
    let object = object.with_signature(b"new".to_vec());
    let read = HeaderObject::from_bytes(&object.to_bytes().unwrap()).unwrap();
    assert_eq!(read, object);
    assert_eq!(read.header(), Ok(header()));
    assert_eq!(read.signature(), Some(&b"new"[..]));
    assert_eq!(read.embedded_license_store().map(<[u8]>::len), Some(10 * 1024));
    let kinds: Vec<u16> = read.records().iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [RECORD_HEADER, RECORD_LICENSE_STORE, RECORD_SIGNATURE]);
}

#[test]
fn unknown_records_are_kept_where_they_stand() {
    let header = header();
    let bytes = object(&[(0x0002, b"reserved"), (0x0001, header.record_bytes()), (0x0002, b""), (0xBEEF, b"later")]);
    let read = HeaderObject::from_bytes(&bytes).unwrap();
    assert_eq!(read.header(), Ok(header));
    assert_eq!(read.to_bytes().unwrap(), bytes);
}

#[test]
fn length_must_be_the_number_of_bytes() {
    let mut bytes = valid();
    let found = bytes.len();
    bytes[0] ^= 1;
    let stated = u64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    assert_eq!(fault(&bytes), (0, ObjectFault::LengthMismatch { stated, found }));
    let (stated, found) = (u64::try_from(found).unwrap(), found - 1);
    assert_eq!(fault(&valid()[..found]), (0, ObjectFault::LengthMismatch { stated, found }));
}

#[test]
fn every_cut_is_refused() {
    let bytes = valid();
    for cut in 0..bytes.len() {
        let mut short = bytes[..cut].to_vec();
        if let Some(length) = short.get_mut(..4) {
            length.copy_from_slice(&u32::try_from(cut).unwrap().to_le_bytes());
        }
        let (offset, fault) = fault(&short);
        assert!(matches!(fault, ObjectFault::Truncated { .. }), "cut at {cut}: {fault:?} at {offset}");
    }
    assert_eq!(fault(&[]), (0, ObjectFault::Truncated { needed: 4 }));
}

#[test]
fn bytes_after_the_last_record_are_refused() {
    let mut bytes = valid();
    let end = bytes.len();
    bytes.push(0);
    bytes[..4].copy_from_slice(&u32::try_from(end + 1).unwrap().to_le_bytes());
    assert_eq!(fault(&bytes), (end, ObjectFault::TrailingBytes { count: 1 }));
}

#[test]
fn a_record_more_than_there_is_is_refused() {
    let mut bytes = valid();
    bytes[4] += 1;
    assert_eq!(fault(&bytes), (bytes.len(), ObjectFault::Truncated { needed: 2 }));
}

#[test]
fn known_records_stand_once() {
    let header = header();
    for kind in [RECORD_HEADER, RECORD_LICENSE_STORE, RECORD_SIGNATURE] {
        let bytes = object(&[(kind, b""), (kind, header.record_bytes())]);
        assert_eq!(fault(&bytes), (10, ObjectFault::DuplicateRecord { kind }));
    }
}

#[test]
fn an_object_without_a_header_says_so() {
    assert_eq!(fault(&object(&[(RECORD_LICENSE_STORE, b"")])), (4, ObjectFault::NoHeader));
    assert_eq!(fault(&object(&[])), (4, ObjectFault::NoHeader));
}

#[test]
fn limits_hold_in_both_directions() {
    let records: Vec<(u16, &[u8])> = vec![(2, b""); 65];
    assert_eq!(fault(&object(&records)), (4, ObjectFault::TooManyRecords { count: 65 }));
    assert_eq!(fault(&object(&records[..64])), (4, ObjectFault::NoHeader));
    let room = MAX_LENGTH - 10;
    let length = MAX_LENGTH + 1;
    assert_eq!(fault(&object(&[(2, &vec![0; room + 1])])), (0, ObjectFault::TooLong { length }));
    assert_eq!(fault(&object(&[(2, &vec![0; room])])), (4, ObjectFault::NoHeader));
    let taken = 6 + 4 + header().record_bytes().len() + 4;
    let just_full = HeaderObject::new(&header()).with_embedded_license_store(vec![0; MAX_LENGTH - taken]);
    assert_eq!(just_full.to_bytes().map(|bytes| bytes.len()), Ok(MAX_LENGTH));
    let full = HeaderObject::new(&header()).with_embedded_license_store(vec![0; 15 * 1024]);
    let length = taken + 15 * 1024;
    assert_eq!(full.to_bytes(), Err(HeaderError::Object { offset: 0, fault: ObjectFault::TooLong { length } }));
}
