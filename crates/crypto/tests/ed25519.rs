//! Ed25519 verification (RFC 8032) and SHA-512 (FIPS 180-4): known answers, and both providers held to one strict
//! behaviour where libraries differ (small-order points, unreduced scalars, encodings not of a point).

#![expect(clippy::unwrap_used, reason = "in a test, to unwrap is to check")]

use admit_crypto::{Error, Provider, rustcrypto};
use proptest::prelude::*;

/// Key, message and signature of RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc).
const RFC_8032: [(&str, &str, &str); 4] = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
];

/// The secret keys of those tests.
const SEEDS: [&str; 4] = [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
];

/// The order of the base point, little-endian (RFC 8032 section 5.1).
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn providers() -> Vec<&'static Provider> {
    vec![
        &rustcrypto::PROVIDER,
        #[cfg(feature = "aws-lc")]
        &admit_crypto::aws_lc::PROVIDER,
    ]
}

/// What every provider says, which must be one thing.
fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
    let mut verdicts = providers().into_iter().map(|provider| (provider.verify_ed25519)(key, message, signature));
    let verdict = verdicts.next().unwrap();
    assert!(verdicts.all(|other| other == verdict), "providers disagree");
    verdict
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn rfc_8032_section_7_1() {
    for (key, message, signature) in RFC_8032 {
        assert_eq!(verify(&bytes(key), &hex::decode(message).unwrap(), &bytes(signature)), Ok(()));
    }
}

/// Seeds of the same tests: every provider makes the signatures that stand there.
#[test]
fn rfc_8032_section_7_1_signed() {
    for (seed, (key, message, signature)) in SEEDS.into_iter().zip(RFC_8032) {
        for provider in providers() {
            let loaded = (provider.load_ed25519_key)(&bytes(seed));
            assert_eq!(*loaded.public_key(), bytes::<32>(key), "{provider:?}");
            assert_eq!(loaded.sign(&hex::decode(message).unwrap()), bytes::<64>(signature), "{provider:?}");
            assert!(!format!("{loaded:?}").contains(&seed[..16]));
        }
    }
}

#[test]
fn every_flipped_bit_of_a_signature_and_its_key_is_noticed() {
    let (key, message, signature) = RFC_8032[1];
    let (key, message, signature) = (bytes::<32>(key), hex::decode(message).unwrap(), bytes::<64>(signature));
    for bit in 0..512 {
        let mut altered = signature;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(verify(&key, &message, &altered), Err(Error::BadSignature), "signature bit {bit}");
    }
    for bit in 0..256 {
        let mut altered = key;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(verify(&altered, &message, &signature), Err(Error::BadSignature), "key bit {bit}");
    }
    assert_eq!(verify(&key, b"s", &signature), Err(Error::BadSignature));
}

/// s + L satisfies the curve equation like s, and RFC 8032 section 5.1.7 demands s below L.
#[test]
fn an_unreduced_scalar_is_refused() {
    let (key, message, signature) = RFC_8032[1];
    let mut signature = bytes::<64>(signature);
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(bytes::<32>(ORDER)) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(verify(&bytes(key), &hex::decode(message).unwrap(), &signature), Err(Error::BadSignature));
}

/// With the neutral point as the key, R = sB and any s is a signature of every message, unless small order is refused.
#[test]
fn small_order_points_are_refused() {
    let base_point = "5866666666666666666666666666666666666666666666666666666666666666";
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&bytes::<32>(base_point));
    signature[32] = 1;
    assert_eq!(verify(&neutral, b"any message", &signature), Err(Error::BadSignature));
    // R and s of nothing: 0B = R + k·0.
    let mut nothing = [0; 64];
    nothing[0] = 1;
    assert_eq!(verify(&neutral, b"any message", &nothing), Err(Error::BadSignature));
    // The same points in encodings whose y is not below the field's prime.
    let unreduced = bytes("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    assert_eq!(verify(&unreduced, b"any message", &signature), Err(Error::BadSignature));
}

#[test]
fn a_key_that_is_no_point_is_refused() {
    let (_, message, signature) = RFC_8032[1];
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert_eq!(verify(&no_point, &hex::decode(message).unwrap(), &bytes(signature)), Err(Error::BadSignature));
}

#[test]
fn sha_512_known_answers() {
    let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
               2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    let nothing = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                   47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    for provider in providers() {
        assert_eq!(hex::encode((provider.sha512)(&[b"abc"])), abc);
        assert_eq!(hex::encode((provider.sha512)(&[b"a", b"", b"bc"])), abc);
        assert_eq!(hex::encode((provider.sha512)(&[])), nothing);
    }
}

proptest! {
    /// Whatever the bytes are, no provider panics, none accepts, and all agree.
    #[test]
    fn random_signatures_are_refused(key: [u8; 32], message: Vec<u8>, r: [u8; 32], s: [u8; 32]) {
        let signature = [r, s].concat().try_into().unwrap();
        prop_assert_eq!(verify(&key, &message, &signature), Err(Error::BadSignature));
    }
}
