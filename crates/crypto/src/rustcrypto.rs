//! The portable provider on RustCrypto crates. It builds for WebAssembly, draws no randomness and signs
//! deterministically (RFC 6979).

use alloc::boxed::Box;
use alloc::vec::Vec;

use aes_gcm::aead::{AeadInOut, Buffer, Nonce, Payload, array::typenum::U12};
use aes_gcm::{AeadCore, KeyInit, aead::Aead as _};
use hmac::Mac;
use p256::ecdsa::signature::{Signer, Verifier};
use sha2::Digest as _;
use zeroize::Zeroizing;

use crate::sample::RustCryptoCounterMode;
use crate::{
    Aead, Agree, DecryptionKey, Digest, Ed25519Key, Error, Provider, PublicKey, SecretScalar, Sign, SignEd25519,
    Signature, SigningKey,
};

/// The portable provider.
pub static PROVIDER: Provider = Provider {
    name: "rustcrypto",
    sha256,
    sha512,
    hmac_sha256,
    load_signing_key,
    load_decryption_key,
    load_ed25519_key,
    verify,
    verify_ed25519,
    aes_128_gcm: Aead { seal: seal::<aes_gcm::Aes128Gcm, 16>, open: open::<aes_gcm::Aes128Gcm, 16> },
    aes_256_gcm_siv: Aead { seal: seal::<aes_gcm_siv::Aes256GcmSiv, 32>, open: open::<aes_gcm_siv::Aes256GcmSiv, 32> },
    aes_128_ctr: |key| Box::new(RustCryptoCounterMode::new(key)),
};

struct Signing(p256::ecdsa::SigningKey);

impl Sign for Signing {
    fn sign(&self, message: &[u8]) -> Signature {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        Signature::from_slice(&signature.to_bytes()).expect("a P-256 signature has 64 bytes")
    }
}

struct SigningEd25519(ed25519_dalek::SigningKey);

impl SignEd25519 for SigningEd25519 {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: ed25519_dalek::Signature = self.0.sign(message);
        signature.to_bytes()
    }
}

struct Agreement(p256::SecretKey);

impl Agree for Agreement {
    fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, Error> {
        let peer = p256::PublicKey::from_sec1_bytes(peer.as_bytes()).map_err(|_| Error::InvalidPublicKey)?;
        let shared = p256::ecdh::diffie_hellman(self.0.to_nonzero_scalar(), peer.as_affine());
        Ok(Zeroizing::new((*shared.raw_secret_bytes()).into()))
    }
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = sha2::Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Digest::from_bytes(hasher.finalize().into())
}

fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hasher = sha2::Sha512::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = <hmac::Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn load_signing_key(scalar: &SecretScalar) -> SigningKey {
    let key = p256::ecdsa::SigningKey::from_slice(scalar.expose()).expect("checked when the scalar was made");
    SigningKey::new(Box::new(Signing(key)), scalar.public_key())
}

fn load_decryption_key(scalar: &SecretScalar) -> DecryptionKey {
    let key = p256::SecretKey::from_slice(scalar.expose()).expect("checked when the scalar was made");
    DecryptionKey::new(Box::new(Agreement(key)), scalar.public_key())
}

fn load_ed25519_key(seed: &[u8; 32]) -> Ed25519Key {
    let key = ed25519_dalek::SigningKey::from_bytes(seed);
    let public = key.verifying_key().to_bytes();
    Ed25519Key::new(Box::new(SigningEd25519(key)), public)
}

fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), Error> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key.as_bytes()).map_err(|_| Error::InvalidPublicKey)?;
    let signature = p256::ecdsa::Signature::from_slice(signature.as_bytes()).map_err(|_| Error::BadSignature)?;
    key.verify(message, &signature).map_err(|_| Error::BadSignature)
}

fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| Error::BadSignature)?;
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(message, &signature).map_err(|_| Error::BadSignature)
}

fn seal<C, const KEY: usize>(key: &[u8; KEY], nonce: &[u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8>
where
    C: KeyInit + AeadInOut + AeadCore<NonceSize = U12>,
{
    let cipher = C::new_from_slice(key).expect("the key has the cipher's length");
    let nonce: &Nonce<C> = nonce.into();
    cipher.encrypt(nonce, Payload { msg, aad }).expect("messages are far below the cipher's limit of 2^36 bytes")
}

fn open<C, const KEY: usize>(
    key: &[u8; KEY],
    nonce: &[u8; 12],
    aad: &[u8],
    msg: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error>
where
    C: KeyInit + AeadInOut + AeadCore<NonceSize = U12>,
{
    let cipher = C::new_from_slice(key).expect("the key has the cipher's length");
    let nonce: &Nonce<C> = nonce.into();
    let mut buffer = Zeroizing::new(Vec::with_capacity(msg.len()));
    buffer.extend_from_slice(msg);
    cipher.decrypt_in_place(nonce, aad, &mut *buffer as &mut dyn Buffer).map_err(|_| Error::BadCiphertext)?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::rustcrypto_and_native;

    /// RFC 6979 appendix A.2.5: P-256 with SHA-256, message "sample".
    #[test]
    fn rfc_6979_a_2_5() {
        let scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
        let scalar = SecretScalar::from_slice(&hex::decode(scalar).unwrap()).unwrap();
        let signature = load_signing_key(&scalar).sign(b"sample");
        let expected = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                        f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        assert_eq!(hex::encode(signature.as_bytes()), expected);
    }

    #[test]
    fn every_provider_verifies_what_every_provider_signs() {
        let scalar = SecretScalar::from_slice(&[5; 32]).unwrap();
        for signer in rustcrypto_and_native() {
            let key = (signer.load_signing_key)(&scalar);
            let signature = key.sign(b"message");
            assert_eq!(Signature::from_der(&signature.to_der().unwrap()).unwrap(), signature);
            for verifier in rustcrypto_and_native() {
                assert_eq!((verifier.verify)(key.public_key(), b"message", &signature), Ok(()));
                assert_eq!((verifier.verify)(key.public_key(), b"massage", &signature), Err(Error::BadSignature));
                for at in 0..Signature::LENGTH {
                    let mut bytes = *signature.as_bytes();
                    bytes[at] ^= 0x40;
                    let altered = Signature::from_slice(&bytes).unwrap();
                    assert_eq!((verifier.verify)(key.public_key(), b"message", &altered), Err(Error::BadSignature));
                }
            }
        }
    }

    #[test]
    fn keys_outside_the_curve_are_refused() {
        assert_eq!(SecretScalar::from_slice(&[0; 32]).unwrap_err(), Error::InvalidPrivateKey);
        assert_eq!(SecretScalar::from_slice(&[0xff; 32]).unwrap_err(), Error::InvalidPrivateKey);
        assert_eq!(SecretScalar::from_slice(&[1; 31]).unwrap_err(), Error::InvalidPrivateKey);
        let mut point = *SecretScalar::from_slice(&[5; 32]).unwrap().public_key().as_bytes();
        point[64] ^= 1;
        assert_eq!(PublicKey::from_sec1(&point), Err(Error::InvalidPublicKey));
        assert_eq!(PublicKey::from_sec1(&point[..33]), Err(Error::InvalidPublicKey));
        assert_eq!(PublicKey::from_sec1(&[]), Err(Error::InvalidPublicKey));
    }

    #[test]
    fn digests_and_macs_agree() {
        for provider in rustcrypto_and_native() {
            let digest = (provider.sha256)(&[b"a", b"bc"]);
            assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
            // RFC 4231, test case 2.
            let mac = (provider.hmac_sha256)(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
            assert_eq!(hex::encode(*mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        }
    }
}
