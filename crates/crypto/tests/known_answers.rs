//! Published vectors of every primitive behind the provider struct, against each provider: SHA-256 (FIPS 180-4),
//! HMAC-SHA256 (RFC 4231), AES-128-GCM (NIST SP 800-38D), AES-256-GCM-SIV (RFC 8452) and P-256 agreement (RFC 5903).

#![expect(clippy::unwrap_used, reason = "in a test, to unwrap is to check")]

use admit_crypto::{ContentKey, Error, Provider, SecretScalar, apply_counter_mode, rustcrypto};

fn providers() -> Vec<&'static Provider> {
    vec![
        &rustcrypto::PROVIDER,
        #[cfg(feature = "aws-lc")]
        &admit_crypto::aws_lc::PROVIDER,
    ]
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}

/// Key, nonce, associated data, plaintext, and ciphertext with its tag.
type AeadVector = [&'static str; 5];

/// Test cases 1, 2 and 4 of the GCM submission to NIST.
const AES_128_GCM: [AeadVector; 3] = [
    ["00000000000000000000000000000000", "000000000000000000000000", "", "", "58e2fccefa7e3061367f1d57a4e7455a"],
    [
        "00000000000000000000000000000000",
        "000000000000000000000000",
        "",
        "00000000000000000000000000000000",
        "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
    ],
    [
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
    ],
];

/// The first vectors of RFC 8452 appendix C.2.
const AES_256_GCM_SIV: [AeadVector; 2] = [
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "030000000000000000000000",
        "",
        "",
        "07f5f4169bbf55a8400cd47ea6fd400f",
    ],
    [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "030000000000000000000000",
        "",
        "0100000000000000",
        "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28",
    ],
];

#[test]
fn sha_256_known_answers() {
    let cases = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ];
    for provider in providers() {
        for (message, expected) in cases {
            assert_eq!((provider.sha256)(&[message.as_bytes()]).to_string(), expected);
            // However a message is cut into parts, it is the same message.
            for at in 0..message.len() {
                let (head, tail) = message.as_bytes().split_at(at);
                assert_eq!((provider.sha256)(&[head, &[], tail]).to_string(), expected);
            }
        }
    }
}

#[test]
fn hmac_sha_256_known_answers() {
    // RFC 4231, test cases 1, 3 and 6: the last one's key is longer than a block.
    let cases = [
        (vec![0x0b; 20], b"Hi There".to_vec(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (vec![0xaa; 20], vec![0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for provider in providers() {
        for (key, message, expected) in &cases {
            assert_eq!(hex::encode(*(provider.hmac_sha256)(key, &[message])), *expected);
            let (head, tail) = message.split_at(7);
            assert_eq!(hex::encode(*(provider.hmac_sha256)(key, &[head, tail])), *expected);
        }
    }
}

#[test]
fn aes_128_gcm_known_answers() {
    for provider in providers() {
        for [key, nonce, aad, plaintext, expected] in AES_128_GCM {
            let (key, nonce, aad) = (array(key), array(nonce), unhex(aad));
            let sealed = (provider.aes_128_gcm.seal)(&key, &nonce, &aad, &unhex(plaintext));
            assert_eq!(hex::encode(&sealed), expected);
            assert_eq!(*(provider.aes_128_gcm.open)(&key, &nonce, &aad, &sealed).unwrap(), unhex(plaintext));
            refuses(&sealed, |bytes| (provider.aes_128_gcm.open)(&key, &nonce, &aad, bytes).map(drop));
            let refused = (provider.aes_128_gcm.open)(&key, &nonce, b"other", &sealed);
            assert_eq!(refused.unwrap_err(), Error::BadCiphertext);
            let refused = (provider.aes_128_gcm.open)(&key, &[9; 12], &aad, &sealed);
            assert_eq!(refused.unwrap_err(), Error::BadCiphertext);
        }
    }
}

#[test]
fn aes_256_gcm_siv_known_answers() {
    for provider in providers() {
        for [key, nonce, aad, plaintext, expected] in AES_256_GCM_SIV {
            let (key, nonce, aad) = (array(key), array(nonce), unhex(aad));
            let sealed = (provider.aes_256_gcm_siv.seal)(&key, &nonce, &aad, &unhex(plaintext));
            assert_eq!(hex::encode(&sealed), expected);
            assert_eq!(*(provider.aes_256_gcm_siv.open)(&key, &nonce, &aad, &sealed).unwrap(), unhex(plaintext));
            refuses(&sealed, |bytes| (provider.aes_256_gcm_siv.open)(&key, &nonce, &aad, bytes).map(drop));
            let refused = (provider.aes_256_gcm_siv.open)(&key, &nonce, b"other", &sealed);
            assert_eq!(refused.unwrap_err(), Error::BadCiphertext);
        }
    }
}

/// No prefix, no longer ciphertext and none with one bit changed is opened.
fn refuses(sealed: &[u8], open: impl Fn(&[u8]) -> Result<(), Error>) {
    for at in 0..sealed.len() {
        assert_eq!(open(&sealed[..at]), Err(Error::BadCiphertext), "cut at {at}");
        let mut altered = sealed.to_vec();
        altered[at] ^= 1;
        assert_eq!(open(&altered), Err(Error::BadCiphertext), "byte {at}");
    }
    assert_eq!(open(&[sealed, &[0]].concat()), Err(Error::BadCiphertext));
}

/// NIST SP 800-38A appendix F.5.1, all four blocks, and from the middle of one.
#[test]
fn aes_128_ctr_known_answers() {
    let key = ContentKey::from_bytes(array("2b7e151628aed2a6abf7158809cf4f3c"));
    let counter = 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff;
    let plaintext = unhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    let expected = "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee";
    for provider in providers() {
        let cipher = (provider.aes_128_ctr)(&key);
        for at in 0..=plaintext.len() {
            let mut data = plaintext.clone();
            let (head, tail) = data.split_at_mut(at);
            apply_counter_mode(&*cipher, counter, 0, head);
            apply_counter_mode(&*cipher, counter, at as u64, tail);
            assert_eq!(hex::encode(&data), expected, "cut at {at}");
        }
    }
}

/// The public keys of RFC 5903 section 8.1.
#[test]
fn p_256_public_keys_are_those_of_their_scalars() {
    let cases = [
        (
            "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
            "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        ),
        (
            "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
            "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
        ),
    ];
    for (scalar, public) in cases {
        let scalar = SecretScalar::from_slice(&unhex(scalar)).unwrap();
        assert_eq!(hex::encode(scalar.public_key().as_bytes()), public);
        for provider in providers() {
            assert_eq!((provider.load_signing_key)(&scalar).public_key(), &scalar.public_key());
            assert_eq!((provider.load_decryption_key)(&scalar).public_key(), &scalar.public_key());
            let thumbprint = scalar.public_key().thumbprint(provider);
            assert_eq!(thumbprint, (provider.sha256)(&[&unhex(public)]));
        }
    }
}
