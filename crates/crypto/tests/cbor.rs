//! The CBOR of digests, public keys and sealed messages: byte strings of one length, and a position for what is wrong.

#![expect(clippy::unwrap_used, reason = "in a test, to unwrap is to check")]

use core::fmt::Debug;

use admit_crypto::hpke::Sealed;
use admit_crypto::{Digest, PublicKey, SecretScalar};
use minicbor::{Decode, Encode, Encoder};
use proptest::prelude::*;

fn public_key(scalar: u8) -> PublicKey {
    SecretScalar::from_slice(&[scalar; 32]).unwrap().public_key()
}

/// Reads back as it was, and no prefix reads.
fn round_trips<T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let bytes = minicbor::to_vec(value).unwrap();
    assert_eq!(&minicbor::decode::<T>(&bytes).unwrap(), value);
    for at in 0..bytes.len() {
        assert!(minicbor::decode::<T>(&bytes[..at]).is_err(), "cut at {at}");
    }
    bytes
}

/// Where reading fails, behind one byte that is not part of the value.
fn fails_at<T: for<'b> Decode<'b, ()> + Debug>(value: &[u8]) -> usize {
    let bytes = [&[0x00], value].concat();
    let mut decoder = minicbor::Decoder::new(&bytes);
    decoder.u8().unwrap();
    decoder.decode::<T>().unwrap_err().position().unwrap()
}

fn byte_string(bytes: &[u8]) -> Vec<u8> {
    minicbor::to_vec(minicbor::bytes::ByteVec::from(bytes.to_vec())).unwrap()
}

#[test]
fn a_digest_is_a_byte_string_of_32() {
    let bytes = round_trips(&Digest::from_bytes([7; 32]));
    assert_eq!(bytes, [&[0x58, 32][..], &[7; 32]].concat());
    for length in [0, 31, 33, 64] {
        assert_eq!(fails_at::<Digest>(&byte_string(&vec![7; length])), 1, "{length} bytes");
    }
}

#[test]
fn a_public_key_is_an_uncompressed_point() {
    let key = public_key(5);
    let bytes = round_trips(&key);
    assert_eq!(bytes, [&[0x58, 65][..], key.as_bytes()].concat());
    let mut off_curve = *key.as_bytes();
    off_curve[64] ^= 1;
    let compressed = [&[0x02 | key.as_bytes()[64] & 1], &key.as_bytes()[1..33]].concat();
    let mut hybrid = *key.as_bytes();
    hybrid[0] = 0x06 | key.as_bytes()[64] & 1;
    for point in [&off_curve[..], &compressed, &hybrid, &[0], &[], &key.as_bytes()[..64]] {
        assert_eq!(fails_at::<PublicKey>(&byte_string(point)), 1, "{point:02x?}");
    }
}

#[test]
fn a_sealed_message_is_an_array_of_two() {
    let sealed = Sealed { encapsulated_key: public_key(5), ciphertext: vec![1, 2, 3] };
    let bytes = round_trips(&sealed);
    assert_eq!(bytes[..3], [0x82, 0x58, 65]);
    assert_eq!(bytes[68..], [0x43, 1, 2, 3]);
    for head in [0x81, 0x83, 0x9f] {
        assert_eq!(fails_at::<Sealed>(&[&[head], &bytes[1..]].concat()), 1, "{head:02x}");
    }
    // A key that is no point fails where it stands, and not where the array begins.
    let mut no_point = bytes;
    no_point[67] ^= 1;
    assert_eq!(fails_at::<Sealed>(&no_point), 2);
}

#[test]
fn nothing_but_byte_strings_is_read() {
    let text = minicbor::to_vec("0".repeat(32)).unwrap();
    let mut encoder = Encoder::new(Vec::new());
    encoder.begin_bytes().unwrap().bytes(&[7; 32]).unwrap().end().unwrap();
    for bytes in [text, encoder.into_writer(), vec![0xf6], vec![0x18, 32]] {
        assert!(minicbor::decode::<Digest>(&bytes).is_err(), "{bytes:02x?}");
        assert!(minicbor::decode::<PublicKey>(&bytes).is_err(), "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn any_digest_and_any_sealed_message_round_trip(
        digest: [u8; 32], scalar in 1..=0xfe_u8, ciphertext in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        round_trips(&Digest::from_bytes(digest));
        round_trips(&Sealed { encapsulated_key: public_key(scalar), ciphertext });
    }

    #[test]
    fn random_bytes_are_no_keys_and_hold_the_digest_that_is_read(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(digest) = minicbor::decode::<Digest>(&bytes) {
            prop_assert!(bytes.windows(32).any(|window| window == digest.as_bytes()));
        }
        prop_assert!(minicbor::decode::<PublicKey>(&bytes).is_err());
        prop_assert!(minicbor::decode::<Sealed>(&bytes).is_err());
    }
}
