//! Key types: what they accept, that secrets do not print, and that drawn keys are what the entropy was.

#![expect(clippy::unwrap_used, reason = "in a test, to unwrap is to check")]

use admit_crypto::hpke::{EphemeralSeed, Sealed};
use admit_crypto::{
    ContentKey, Digest, Entropy, Error, Provider, PublicKey, RecordKey, SecretScalar, Signature, hpke, record,
    rustcrypto,
};
use proptest::prelude::*;

/// The order of P-256, big-endian (SEC 2 section 2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn providers() -> Vec<&'static Provider> {
    vec![
        &rustcrypto::PROVIDER,
        #[cfg(feature = "aws-lc")]
        &admit_crypto::aws_lc::PROVIDER,
    ]
}

/// Entropy that gives out what it was told to, 32 bytes at a time, and then panics.
struct Scripted(Vec<[u8; 32]>);

impl Entropy for Scripted {
    fn fill(&mut self, bytes: &mut [u8]) {
        let next = self.0.remove(0);
        bytes.copy_from_slice(&next[..bytes.len()]);
    }
}

fn order() -> [u8; 32] {
    hex::decode(ORDER).unwrap().try_into().unwrap()
}

#[test]
fn a_scalar_is_in_one_to_the_order() {
    let mut below = order();
    below[31] -= 1;
    let mut one = [0; 32];
    one[31] = 1;
    for scalar in [one, below] {
        assert_eq!(SecretScalar::from_slice(&scalar).unwrap().expose(), &scalar);
    }
    for refused in [&[0; 32][..], &order(), &[0xff; 32], &one[1..], &[&one[..], &[0]].concat(), &[]] {
        assert_eq!(SecretScalar::from_slice(refused).unwrap_err(), Error::InvalidPrivateKey, "{refused:02x?}");
    }
}

#[test]
fn a_draw_outside_the_order_is_drawn_again() {
    let mut entropy = Scripted(vec![[0; 32], order(), [0xff; 32], [5; 32], [6; 32]]);
    assert_eq!(SecretScalar::generate(&mut entropy).expose(), &[5; 32]);
    assert_eq!(entropy.0, [[6; 32]]);
}

#[test]
fn drawn_keys_are_the_entropy() {
    let mut entropy = Scripted(vec![[1; 32], [2; 32]]);
    assert_eq!(ContentKey::generate(&mut entropy).expose(), &[1; 16]);
    assert_eq!(RecordKey::generate(&mut entropy).expose(), &[2; 32]);
}

#[test]
fn secrets_are_taken_at_their_length_only() {
    assert_eq!(ContentKey::from_slice(&[3; 16]).unwrap().expose(), &[3; 16]);
    assert_eq!(RecordKey::from_slice(&[3; 32]).unwrap().expose(), &[3; 32]);
    for length in [0, 15, 17, 31, 33] {
        assert!(ContentKey::from_slice(&vec![3; length]).is_none(), "{length}");
        assert!(RecordKey::from_slice(&vec![3; length]).is_none(), "{length}");
        assert!(Digest::from_slice(&vec![3; length]).is_none(), "{length}");
    }
}

#[test]
fn secrets_do_not_print() {
    let scalar = SecretScalar::from_slice(&[0x5a; 32]).unwrap();
    let key = RecordKey::from_bytes([0x5a; 32]);
    let record = record::seal(providers()[0], &key, &[], &[0x5a; 32], &mut Scripted(vec![[1; 32]]));
    let opened = record::open(providers()[0], &key, &[], &record).unwrap();
    let seed = EphemeralSeed::generate(&mut Scripted(vec![[0x5a; 32]]));
    let signing = (providers()[0].load_signing_key)(&scalar);
    let decryption = (providers()[0].load_decryption_key)(&scalar);
    let public = format!("public: {:?}", scalar.public_key());
    let printed = [
        (format!("{:?}", ContentKey::from_bytes([0x5a; 16])), "ContentKey(secret)".to_owned()),
        (format!("{key:?}"), "RecordKey(secret)".to_owned()),
        (format!("{scalar:?}"), "SecretScalar(secret)".to_owned()),
        (format!("{seed:?}"), "EphemeralSeed(secret)".to_owned()),
        (format!("{opened:?}"), "Opened(32 bytes)".to_owned()),
        (format!("{signing:?}"), format!("SigningKey {{ {public}, .. }}")),
        (format!("{decryption:?}"), format!("DecryptionKey {{ {public}, .. }}")),
        (format!("{:?}", signing.sign(b"message")), "Signature(64 bytes)".to_owned()),
    ];
    for (found, expected) in printed {
        assert_eq!(found, expected);
        assert!(!found.contains("5a5a5a5a") && !found.contains("90, 90"), "{found}");
    }
}

#[test]
fn a_point_is_uncompressed_and_on_the_curve() {
    let key = SecretScalar::from_slice(&[5; 32]).unwrap().public_key();
    assert_eq!(PublicKey::from_sec1(key.as_bytes()), Ok(key));
    for at in [1, 33, 64] {
        let mut altered = *key.as_bytes();
        altered[at] ^= 1;
        assert_eq!(PublicKey::from_sec1(&altered), Err(Error::InvalidPublicKey), "byte {at}");
    }
    for length in [0, 1, 33, 64] {
        assert_eq!(PublicKey::from_sec1(&key.as_bytes()[..length]), Err(Error::InvalidPublicKey), "{length} bytes");
    }
    let longer = [&key.as_bytes()[..], &[0]].concat();
    assert_eq!(PublicKey::from_sec1(&longer), Err(Error::InvalidPublicKey));
}

/// r and s of one byte, and with a top bit that needs a zero in front (X.690 section 8.3).
#[test]
fn signatures_have_one_der_form() {
    let small = [&[0; 31][..], &[1], &[0; 31], &[2]].concat();
    let signature = Signature::from_slice(&small).unwrap();
    assert_eq!(signature.to_der().unwrap(), [0x30, 6, 2, 1, 1, 2, 1, 2]);
    let high = [&[0; 31][..], &[0x80], &[0; 31], &[2]].concat();
    let high = Signature::from_slice(&high).unwrap().to_der().unwrap();
    assert_eq!(high, [0x30, 7, 2, 2, 0, 0x80, 2, 1, 2]);
    let refused: [&[u8]; 7] = [
        &[],
        &[0x30, 0],
        &[0x30, 6, 2, 1, 0, 2, 1, 2],
        &[0x30, 6, 2, 1, 1, 2, 1, 0],
        &[0x30, 7, 2, 2, 0, 1, 2, 1, 2],
        &[0x30, 6, 2, 1, 0x81, 2, 1, 2],
        &[0x30, 6, 2, 1, 1, 2, 1, 2, 0],
    ];
    for der in refused {
        assert_eq!(Signature::from_der(der).unwrap_err(), Error::BadSignature, "{der:02x?}");
    }
    // Zero and the order are no values of r and s.
    for r in [[0; 32], order()] {
        let signature = Signature::from_slice(&[r, [1; 32]].concat()).unwrap();
        assert_eq!(signature.to_der().unwrap_err(), Error::BadSignature);
    }
    for length in [0, 63, 65] {
        assert_eq!(Signature::from_slice(&vec![1; length]).unwrap_err(), Error::BadSignature);
    }
}

#[test]
fn a_signature_of_values_outside_the_order_does_not_hold() {
    let key = SecretScalar::from_slice(&[5; 32]).unwrap();
    for provider in providers() {
        let good = *(provider.load_signing_key)(&key).sign(b"message").as_bytes();
        for (at, value) in [(0, [0; 32]), (32, [0; 32]), (0, order()), (32, order())] {
            let mut altered = good;
            altered[at..at + 32].copy_from_slice(&value);
            let altered = Signature::from_slice(&altered).unwrap();
            assert_eq!((provider.verify)(&key.public_key(), b"message", &altered), Err(Error::BadSignature));
        }
    }
}

#[test]
fn a_sealed_message_opens_with_its_own_key_and_whole() {
    let [ours, theirs] = [5, 6].map(|byte| SecretScalar::from_slice(&[byte; 32]).unwrap());
    for provider in providers() {
        let seed = EphemeralSeed::generate(&mut Scripted(vec![[9; 32]]));
        let sealed = hpke::seal(provider, &ours.public_key(), b"info", b"aad", b"message", seed);
        let open = |scalar: &SecretScalar, sealed: &Sealed| {
            let key = (provider.load_decryption_key)(scalar);
            hpke::open(provider, &key, b"info", b"aad", sealed).map(|message| message.to_vec())
        };
        assert_eq!(open(&ours, &sealed), Ok(b"message".to_vec()));
        assert_eq!(open(&theirs, &sealed), Err(Error::BadCiphertext));
        let other = Sealed { encapsulated_key: theirs.public_key(), ..sealed.clone() };
        assert_eq!(open(&ours, &other), Err(Error::BadCiphertext));
        for length in 0..sealed.ciphertext.len() {
            let cut = Sealed { ciphertext: sealed.ciphertext[..length].to_vec(), ..sealed.clone() };
            assert_eq!(open(&ours, &cut), Err(Error::BadCiphertext), "cut at {length}");
        }
    }
}

#[test]
fn every_provider_seals_the_same_and_opens_what_another_sealed() {
    let scalar = SecretScalar::from_slice(&[5; 32]).unwrap();
    let seal = |provider: &Provider| {
        let seed = EphemeralSeed::generate(&mut Scripted(vec![[9; 32]]));
        hpke::seal(provider, &scalar.public_key(), b"info", b"aad", b"", seed)
    };
    let expected = seal(&rustcrypto::PROVIDER);
    assert_eq!(expected.ciphertext.len(), 16, "an empty message is its tag");
    for provider in providers() {
        assert_eq!(seal(provider), expected);
        let key = (provider.load_decryption_key)(&scalar);
        assert!(hpke::open(provider, &key, b"info", b"aad", &expected).unwrap().is_empty());
    }
}

proptest! {
    #[test]
    fn signatures_survive_der(scalar in 1..=0xfe_u8, message: Vec<u8>) {
        let scalar = SecretScalar::from_slice(&[scalar; 32]).unwrap();
        let signature = (rustcrypto::PROVIDER.load_signing_key)(&scalar).sign(&message);
        let der = signature.to_der().unwrap();
        prop_assert_eq!(Signature::from_der(&der), Ok(signature));
        for at in 0..der.len() {
            prop_assert!(Signature::from_der(&der[..at]).is_err());
        }
        for provider in providers() {
            prop_assert_eq!((provider.verify)(&scalar.public_key(), &message, &signature), Ok(()));
        }
    }

    #[test]
    fn digests_print_as_they_read(bytes: [u8; 32], colon_every in 1..40_usize) {
        let digest = Digest::from_bytes(bytes);
        let text = digest.to_string();
        prop_assert_eq!(&text, &hex::encode(bytes));
        let colons: String = text.chars().enumerate()
            .flat_map(|(at, c)| (at > 0 && at % colon_every == 0).then_some(':').into_iter().chain([c])).collect();
        prop_assert_eq!(Digest::from_hex(&colons), Some(digest));
        prop_assert_eq!(Digest::from_hex(&text.replacen(|_: char| true, "g", 1)), None);
        prop_assert_eq!(Digest::from_hex(&text[1..]), None);
    }

    #[test]
    fn digests_are_ordered_and_equal_as_their_bytes(a: [u8; 32], b: [u8; 32]) {
        let (x, y) = (Digest::from_bytes(a), Digest::from_bytes(b));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x == y, a == b);
        prop_assert_eq!(x, Digest::from_bytes(a));
    }
}
