//! HPKE (RFC 9180) in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM, on a provider's
//! primitives: how content keys are wrapped and challenges are encrypted.
//!
//! Each context seals one message, so the sequence number is always zero. The ephemeral key is derived from the
//! caller's entropy by the RFC's own `DeriveKeyPair`, which lets the RFC's vectors run through this very code.

use alloc::vec::Vec;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{DecryptionKey, Entropy, Error, Provider, PublicKey, SecretScalar};

/// A sealed message: what the recipient needs beside `info` and associated data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The ephemeral public key (`enc` in the RFC).
    pub encapsulated_key: PublicKey,
    /// Ciphertext and 16-byte tag.
    pub ciphertext: Vec<u8>,
}

/// Input keying material for one ephemeral key (`ikmE` in the RFC). Used once.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct EphemeralSeed([u8; 32]);

impl EphemeralSeed {
    /// Draws a seed.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        Self(seed)
    }
}

impl core::fmt::Debug for EphemeralSeed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EphemeralSeed(secret)")
    }
}

/// Seals `plaintext` to `recipient` (`SealBase`, RFC 9180 section 6.1).
///
/// The ephemeral key depends on the message as well as on the seed, so that a source of entropy that repeats itself
/// repeats no key: two different messages never share a key and nonce.
#[must_use]
pub fn seal(
    provider: &Provider,
    recipient: &PublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    ephemeral: EphemeralSeed,
) -> Sealed {
    let lengths = [info.len(), aad.len(), plaintext.len()].map(|length| (length as u64).to_be_bytes());
    let message: [&[u8]; 5] = [recipient.as_bytes(), lengths.as_flattened(), info, aad, plaintext];
    let ikm = (provider.hmac_sha256)(&ephemeral.0, &message);
    seal_with_ikm(provider, recipient, info, aad, plaintext, &ikm)
}

fn seal_with_ikm(
    provider: &Provider,
    recipient: &PublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    ikm: &[u8; 32],
) -> Sealed {
    let scalar = derive_key_pair(provider, ikm);
    let ephemeral = (provider.load_decryption_key)(&scalar);
    let shared = ephemeral.agree(recipient).expect("a PublicKey is a point, and agreement with a point succeeds");
    let encapsulated_key = *ephemeral.public_key();
    let (key, nonce) = key_schedule(provider, &shared, &encapsulated_key, recipient, info);
    let ciphertext = (provider.aes_128_gcm.seal)(&key, &nonce, aad, plaintext);
    Sealed { encapsulated_key, ciphertext }
}

/// Opens a message sealed to `recipient` (`OpenBase`).
pub fn open(
    provider: &Provider,
    recipient: &DecryptionKey,
    info: &[u8],
    aad: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let shared = recipient.agree(&sealed.encapsulated_key)?;
    let (key, nonce) = key_schedule(provider, &shared, &sealed.encapsulated_key, recipient.public_key(), info);
    (provider.aes_128_gcm.open)(&key, &nonce, aad, &sealed.ciphertext)
}

/// `DeriveKeyPair` for P-256 (section 7.1.3).
fn derive_key_pair(provider: &Provider, ikm: &[u8]) -> SecretScalar {
    let prk = labeled_extract(provider, KEM_SUITE, &[], b"dkp_prk", &[ikm]);
    for counter in 0..=u8::MAX {
        let candidate = labeled_expand::<32>(provider, &prk, KEM_SUITE, b"candidate", &[&[counter]]);
        if let Ok(scalar) = SecretScalar::from_slice(&*candidate) {
            return scalar;
        }
    }
    unreachable!("256 candidates in a row outside 1..n have a probability below 2^-8000")
}

type KeyAndNonce = (Zeroizing<[u8; 16]>, [u8; 12]);

/// The KEM's `ExtractAndExpand` (section 4.1) and `KeySchedule` for mode base (section 5.1).
fn key_schedule(
    provider: &Provider,
    shared: &[u8; 32],
    encapsulated_key: &PublicKey,
    recipient: &PublicKey,
    info: &[u8],
) -> KeyAndNonce {
    let kem_context: [&[u8]; 2] = [encapsulated_key.as_bytes(), recipient.as_bytes()];
    let eae_prk = labeled_extract(provider, KEM_SUITE, &[], b"eae_prk", &[shared]);
    let shared_secret = labeled_expand::<32>(provider, &eae_prk, KEM_SUITE, b"shared_secret", &kem_context);

    let psk_id_hash = labeled_extract(provider, HPKE_SUITE, &[], b"psk_id_hash", &[]);
    let info_hash = labeled_extract(provider, HPKE_SUITE, &[], b"info_hash", &[info]);
    let context: [&[u8]; 3] = [&[MODE_BASE], &*psk_id_hash, &*info_hash];
    let secret = labeled_extract(provider, HPKE_SUITE, &*shared_secret, b"secret", &[]);
    let key = labeled_expand::<16>(provider, &secret, HPKE_SUITE, b"key", &context);
    let nonce = labeled_expand::<12>(provider, &secret, HPKE_SUITE, b"base_nonce", &context);
    (key, *nonce)
}

/// `LabeledExtract` (section 4).
fn labeled_extract(provider: &Provider, suite: &[u8], salt: &[u8], label: &[u8], ikm: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut parts = Vec::from([VERSION_LABEL, suite, label]);
    parts.extend_from_slice(ikm);
    (provider.hmac_sha256)(salt, &parts)
}

/// `LabeledExpand` (section 4) for at most one HMAC output, which is all this suite needs.
fn labeled_expand<const LENGTH: usize>(
    provider: &Provider,
    prk: &[u8; 32],
    suite: &[u8],
    label: &[u8],
    info: &[&[u8]],
) -> Zeroizing<[u8; LENGTH]> {
    let length = u16::try_from(LENGTH).expect("at most 32").to_be_bytes();
    let mut parts: Vec<&[u8]> = Vec::from([&length[..], VERSION_LABEL, suite, label]);
    parts.extend_from_slice(info);
    parts.push(&[1]);
    let block = (provider.hmac_sha256)(prk, &parts);
    let mut output = Zeroizing::new([0; LENGTH]);
    output.copy_from_slice(&block[..LENGTH]);
    output
}

const MODE_BASE: u8 = 0x00;
const VERSION_LABEL: &[u8] = b"HPKE-v1";
/// "KEM" and DHKEM(P-256, HKDF-SHA256), 0x0010.
const KEM_SUITE: &[u8] = b"KEM\x00\x10";
/// "HPKE", the KEM, HKDF-SHA256 (0x0001) and AES-128-GCM (0x0001).
const HPKE_SUITE: &[u8] = b"HPKE\x00\x10\x00\x01\x00\x01";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rustcrypto_and_native;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 9180 appendix A.3.1, base mode, sequence number 0.
    #[test]
    fn rfc_9180_a_3_1() {
        let info = hex::decode("4f6465206f6e2061204772656369616e2055726e").unwrap();
        let plaintext = hex::decode("4265617574792069732074727574682c20747275746820626561757479").unwrap();
        for provider in rustcrypto_and_native() {
            let recipient = derive_key_pair(provider, &bytes::<32>(IKM_R));
            assert_eq!(hex::encode(recipient.expose()), SK_R);
            let ikm = bytes(IKM_E);
            let sealed = seal_with_ikm(provider, &recipient.public_key(), &info, b"Count-0", &plaintext, &ikm);
            assert_eq!(hex::encode(sealed.encapsulated_key.as_bytes()), PK_E);
            assert_eq!(hex::encode(&sealed.ciphertext), CIPHERTEXT);
            let key = (provider.load_decryption_key)(&recipient);
            assert_eq!(*open(provider, &key, &info, b"Count-0", &sealed).unwrap(), plaintext);
            assert_eq!(open(provider, &key, &info, b"Count-1", &sealed), Err(Error::BadCiphertext));
            assert_eq!(open(provider, &key, b"", b"Count-0", &sealed), Err(Error::BadCiphertext));
        }
    }

    #[test]
    fn repeated_entropy_repeats_no_key_for_another_message() {
        let recipient = SecretScalar::from_slice(&[5; 32]).unwrap().public_key();
        for provider in rustcrypto_and_native() {
            let seal = |info, aad, plaintext| seal(provider, &recipient, info, aad, plaintext, EphemeralSeed([9; 32]));
            let first = seal(b"info", b"aad", b"one");
            assert_eq!(first, seal(b"info", b"aad", b"one"));
            for other in [seal(b"info", b"aad", b"two"), seal(b"infoa", b"ad", b"one"), seal(b"info", b"", b"aadone")] {
                assert_ne!(first.encapsulated_key, other.encapsulated_key);
            }
        }
    }

    #[test]
    fn the_hpke_crate_opens_what_we_seal_and_we_open_what_it_seals() {
        use ::hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
        type Kem = ::hpke::kem::DhP256HkdfSha256;
        type Kdf = ::hpke::kdf::HkdfSha256;
        type Aes = ::hpke::aead::AesGcm128;
        let (secret, public) = Kem::derive_keypair(&[7; 32]);
        let scalar = SecretScalar::from_slice(&secret.to_bytes()).unwrap();
        for provider in rustcrypto_and_native() {
            let recipient = (provider.load_decryption_key)(&scalar);
            assert_eq!(recipient.public_key().as_bytes()[..], public.to_bytes()[..]);
            let sealed = seal(provider, recipient.public_key(), b"info", b"aad", b"key", EphemeralSeed([9; 32]));
            let enc = <Kem as ::hpke::Kem>::EncappedKey::from_bytes(sealed.encapsulated_key.as_bytes()).unwrap();
            let theirs = ::hpke::single_shot_open::<Aes, Kdf, Kem>(
                &OpModeR::Base,
                &secret,
                &enc,
                b"info",
                &sealed.ciphertext,
                b"aad",
            );
            assert_eq!(theirs.unwrap(), b"key");
            let (enc, ciphertext) = ::hpke::single_shot_seal_with_rng::<Aes, Kdf, Kem>(
                &OpModeS::Base,
                &public,
                b"info",
                b"key",
                b"aad",
                &mut CountingRng(1),
            )
            .unwrap();
            let encapsulated_key = PublicKey::from_sec1(&enc.to_bytes()).unwrap();
            let ours = open(provider, &recipient, b"info", b"aad", &Sealed { encapsulated_key, ciphertext });
            assert_eq!(*ours.unwrap(), b"key");
        }
    }

    /// Not random at all, which is what a test wants.
    struct CountingRng(u64);

    impl ::hpke::rand_core::TryRng for CountingRng {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.try_next_u64().map(|word| u32::try_from(word >> 32).unwrap())
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Ok(self.0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.iter_mut().try_for_each(|byte| self.try_next_u64().map(|word| *byte = word.to_be_bytes()[0]))
        }
    }

    impl ::hpke::rand_core::TryCryptoRng for CountingRng {}

    const IKM_E: &str = "4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e";
    const IKM_R: &str = "668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550";
    const SK_R: &str = "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2";
    const PK_E: &str = "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4";
    const CIPHERTEXT: &str =
        "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434";
}
