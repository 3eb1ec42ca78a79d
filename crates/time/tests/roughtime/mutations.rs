//! What no single case says: every field missing or cut, every bit flipped, random bytes, and requests of our own that
//! are no requests.

use proptest::prelude::*;

use admit_time::Error;
use admit_time::roughtime::{FormatError, Message, Tag, encode, frame, unframe};

use crate::cases::{MIDPOINT, request, server, valid};
use crate::verdict;

/// Every mandatory field of a response: its tags from the outside in, where its message begins, where its value begins.
const FIELDS: [(&[Tag], usize, usize); 17] = [
    (&[Tag::SIG], 12, 68),
    (&[Tag::NONC], 12, 132),
    (&[Tag::TYPE], 12, 164),
    (&[Tag::PATH], 12, 168),
    (&[Tag::SREP], 12, 168),
    (&[Tag::CERT], 12, 260),
    (&[Tag::INDX], 12, 412),
    (&[Tag::SREP, Tag::VER], 168, 208),
    (&[Tag::SREP, Tag::RADI], 168, 212),
    (&[Tag::SREP, Tag::MIDP], 168, 216),
    (&[Tag::SREP, Tag::VERS], 168, 224),
    (&[Tag::SREP, Tag::ROOT], 168, 228),
    (&[Tag::CERT, Tag::SIG], 260, 276),
    (&[Tag::CERT, Tag::DELE], 260, 340),
    (&[Tag::CERT, Tag::DELE, Tag::PUBK], 340, 364),
    (&[Tag::CERT, Tag::DELE, Tag::MINT], 340, 396),
    (&[Tag::CERT, Tag::DELE, Tag::MAXT], 340, 404),
];

#[test]
fn every_missing_field_is_named() {
    for (path, at, _) in FIELDS {
        let tag = *path.last().unwrap();
        let response = frame(&edit(unframe(&valid().seal()).unwrap(), path, &|_| None));
        let missing = Error::MalformedResponse(FormatError::MissingTag { tag, at });
        assert_eq!(verdict(&server().public_key(), &request(7), &response), Err(missing), "{path:?}");
    }
}

#[test]
fn every_field_of_another_length_is_named() {
    let nested = [Tag::SREP, Tag::CERT, Tag::DELE];
    for (path, _, at) in FIELDS {
        let tag = *path.last().unwrap();
        let grow = |value: &[u8]| Some([value, b"more"].concat());
        let response = frame(&edit(unframe(&valid().seal()).unwrap(), path, &grow));
        let found = verdict(&server().public_key(), &request(7), &response).unwrap_err();
        match found {
            // One entry more is a longer list, and four bytes more are in the last value of a nested message.
            Error::BadResponseSignature if tag == Tag::VERS => {}
            Error::MalformedResponse(FormatError::WrongValueLength { tag: last, .. }) if nested.contains(&tag) => {
                assert!(matches!(last, Tag::ROOT | Tag::MAXT), "{path:?}: {found}");
            }
            Error::MalformedResponse(FormatError::WrongValueLength { tag: wrong, at: place, .. }) => {
                assert_eq!((wrong, place), (tag, at), "{path:?}");
            }
            _ => panic!("{path:?}: {found}"),
        }
    }
}

/// No bit of an answer is without meaning: padding does not exist, and unknown tags cannot be put in unnoticed where
/// they would be signed.
#[test]
fn every_flipped_bit_is_noticed() {
    let (key, request, response) = (server().public_key(), request(7), valid().seal());
    for bit in 0..response.len() * 8 {
        let mut response = response.clone();
        response[bit / 8] ^= 1 << (bit % 8);
        assert!(admit_time::roughtime::verify(crate::PROVIDERS[1], &key, &request, &response).is_err(), "bit {bit}");
    }
}

/// Every byte of the request counts, its padding and its frame included.
#[test]
fn an_answer_to_an_altered_request_is_refused() {
    let (key, response) = (server().public_key(), valid().seal());
    for (at, error) in [(1035, Error::RequestNotInTree), (60, Error::RequestNotInTree), (90, Error::WrongNonce)] {
        let mut request = request(7);
        request[at] ^= 1;
        assert_eq!(verdict(&key, &request, &response), Err(error), "byte {at}");
    }
}

#[test]
fn a_path_of_33_hashes_is_refused_and_one_of_32_is_not() {
    let fields: [(Tag, &[u8]); 4] =
        [(Tag::VER, &[1, 0, 0, 0]), (Tag::NONC, &[7; 32]), (Tag::TYPE, &[0; 4]), (Tag::ZZZZ, &[0; 2000])];
    let request = frame(&encode(&fields));
    let mut draft = server().draft(&[&request], 0, MIDPOINT);
    draft.path = vec![0; 33 * 32];
    let too_long = Error::PathTooLong { hashes: 33 };
    assert_eq!(verdict(&server().public_key(), &request, &draft.seal()), Err(too_long));

    draft.path = vec![0; 32 * 32];
    draft.index = 0x8000_0001;
    let node = |left: &[u8; 32], right: &[u8; 32]| admit_time::roughtime::node_hash(crate::PROVIDERS[0], left, right);
    draft.root = (0..32).fold(admit_time::roughtime::leaf_hash(crate::PROVIDERS[0], &request), |hash, height| {
        if height == 0 || height == 31 { node(&[0; 32], &hash) } else { node(&hash, &[0; 32]) }
    });
    assert!(verdict(&server().public_key(), &request, &draft.seal()).is_ok());
}

#[test]
fn requests_of_our_own_that_are_none() {
    let (key, response) = (server().public_key(), valid().seal());
    let with = |fields: &[(Tag, &[u8])]| verdict(&key, &frame(&encode(fields)), &response);
    let malformed = |error| Err(Error::MalformedRequest(error));
    assert_eq!(verdict(&key, &[], &response), malformed(FormatError::TruncatedPacket { found: 0 }));
    let no_nonce = FormatError::MissingTag { tag: Tag::NONC, at: 12 };
    assert_eq!(with(&[(Tag::VER, &[1, 0, 0, 0])]), malformed(no_nonce));
    assert_eq!(with(&[(Tag::VER, &[2, 0, 0, 0]), (Tag::NONC, &[7; 32])]), Err(Error::VersionNotOffered));
}

proptest! {
    #[test]
    fn random_packets_never_panic(message: Vec<u8>) {
        let key = server().public_key();
        prop_assert!(verdict(&key, &request(7), &message).is_err());
        prop_assert!(verdict(&key, &request(7), &frame(&message)).is_err());
        prop_assert!(verdict(&key, &message, &valid().seal()).is_err());
    }

    /// Random numbers where the parser reads numbers.
    #[test]
    fn random_words_in_a_valid_answer_never_panic(at in 3..104_usize, number: u32) {
        let mut response = valid().seal();
        response[4 * at..][..4].copy_from_slice(&number.to_le_bytes());
        let unchanged = response == valid().seal();
        prop_assert_eq!(verdict(&server().public_key(), &request(7), &response).is_ok(), unchanged);
    }
}

/// Writes a message again, with the value at the end of a path of tags replaced or left out.
fn edit(message: Message<'_>, path: &[Tag], change: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let fields: Vec<_> = message
        .values()
        .filter_map(|value| match path {
            [tag] if *tag == value.tag() => change(value.bytes()).map(|bytes| (*tag, bytes)),
            [tag, rest @ ..] if *tag == value.tag() => Some((*tag, edit(value.message().unwrap(), rest, change))),
            _ => Some((value.tag(), value.bytes().to_vec())),
        })
        .collect();
    encode(&fields.iter().map(|(tag, bytes)| (*tag, &bytes[..])).collect::<Vec<_>>())
}
