//! The native provider on aws-lc-rs. ECDSA nonces are the library's own randomness; everything else is a pure
//! function of its arguments.

use alloc::boxed::Box;
use alloc::vec::Vec;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::{agreement, digest, hmac, rand, signature};
use zeroize::Zeroizing;

use crate::{
    Aead, Agree, ContentKey, CounterMode, DecryptionKey, Digest, Ed25519Key, Error, Provider, PublicKey, SecretScalar,
    Sign, SignEd25519, Signature, SigningKey,
};

/// The native provider.
pub static PROVIDER: Provider = Provider {
    name: "aws-lc",
    sha256,
    sha512,
    hmac_sha256,
    load_signing_key,
    load_decryption_key,
    load_ed25519_key,
    verify,
    verify_ed25519,
    aes_128_gcm: Aead { seal: seal_aes_128_gcm, open: open_aes_128_gcm },
    aes_256_gcm_siv: Aead { seal: seal_aes_256_gcm_siv, open: open_aes_256_gcm_siv },
    aes_128_ctr: |key| Box::new(AwsLcCounterMode::new(key)),
};

struct Signing(signature::EcdsaKeyPair);

impl Sign for Signing {
    fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.0.sign(&rand::SystemRandom::new(), message).expect("signing with a loaded key succeeds");
        Signature::from_slice(signature.as_ref()).expect("a fixed-length P-256 signature has 64 bytes")
    }
}

struct SigningEd25519(signature::Ed25519KeyPair);

impl SignEd25519 for SigningEd25519 {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }
}

struct Agreement(agreement::PrivateKey);

impl Agree for Agreement {
    fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, Error> {
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, peer.as_bytes());
        agreement::agree(&self.0, peer, Error::InvalidPublicKey, |shared| {
            shared.try_into().map(Zeroizing::new).map_err(|_| Error::InvalidPublicKey)
        })
    }
}

struct AwsLcCounterMode(DecryptingKey);

impl AwsLcCounterMode {
    fn new(key: &ContentKey) -> Self {
        let key = UnboundCipherKey::new(&AES_128, key.expose()).expect("the key has 16 bytes");
        Self(DecryptingKey::ctr(key).expect("AES-128 has a counter mode"))
    }
}

impl CounterMode for AwsLcCounterMode {
    fn apply(&self, counter: u128, data: &mut [u8]) {
        let context = DecryptionContext::Iv128(FixedLength::from(counter.to_be_bytes()));
        self.0.decrypt(data, context).expect("counter mode takes data of any length");
    }
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    Digest::from_slice(context.finish().as_ref()).expect("SHA-256 gives 32 bytes")
}

fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut context = digest::Context::new(&digest::SHA512);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().expect("SHA-512 gives 64 bytes")
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    Zeroizing::new(context.sign().as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes"))
}

fn load_signing_key(scalar: &SecretScalar) -> SigningKey {
    let public = scalar.public_key();
    let key = signature::EcdsaKeyPair::from_private_key_and_public_key(
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        scalar.expose(),
        public.as_bytes(),
    )
    .expect("the scalar was checked when it was made and the point belongs to it");
    SigningKey::new(Box::new(Signing(key)), public)
}

fn load_decryption_key(scalar: &SecretScalar) -> DecryptionKey {
    let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar.expose())
        .expect("the scalar was checked when it was made");
    let public = key.compute_public_key().expect("a loaded private key has a public key");
    let public = PublicKey::from_sec1(public.as_ref()).expect("the library computed a point of the curve");
    DecryptionKey::new(Box::new(Agreement(key)), public)
}

fn load_ed25519_key(seed: &[u8; 32]) -> Ed25519Key {
    let key = signature::Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed");
    let public = key.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes");
    Ed25519Key::new(Box::new(SigningEd25519(key)), public)
}

fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), Error> {
    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key.as_bytes())
        .verify(message, signature.as_bytes())
        .map_err(|_| Error::BadSignature)
}

fn verify_ed25519(key: &[u8; 32], message: &[u8], sig: &[u8; 64]) -> Result<(), Error> {
    // The library follows RFC 8032, which admits small-order points; the portable provider does not.
    let (r, _) = sig.split_first_chunk::<32>().expect("64 bytes begin with 32");
    if is_small_order(key) || is_small_order(r) {
        return Err(Error::BadSignature);
    }
    signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(message, sig).map_err(|_| Error::BadSignature)
}

fn is_small_order(point: &[u8; 32]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(point).is_ok_and(|point| point.is_weak())
}

fn seal_aes_128_gcm(key: &[u8; 16], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    seal(&aead::AES_128_GCM, key, nonce, aad, plaintext)
}

fn open_aes_128_gcm(
    key: &[u8; 16],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    open(&aead::AES_128_GCM, key, nonce, aad, ciphertext)
}

fn seal_aes_256_gcm_siv(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    seal(&aead::AES_256_GCM_SIV, key, nonce, aad, plaintext)
}

fn open_aes_256_gcm_siv(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    open(&aead::AES_256_GCM_SIV, key, nonce, aad, ciphertext)
}

fn seal(algorithm: &'static aead::Algorithm, key: &[u8], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut in_out = Vec::with_capacity(plaintext.len() + algorithm.tag_len());
    in_out.extend_from_slice(plaintext);
    load(algorithm, key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut in_out)
        .expect("messages are far below the cipher's limit of 2^36 bytes");
    in_out
}

fn open(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut in_out = Zeroizing::new(ciphertext.to_vec());
    let length = load(algorithm, key)
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut in_out)
        .map_err(|_| Error::BadCiphertext)?
        .len();
    in_out.truncate(length);
    Ok(in_out)
}

fn load(algorithm: &'static aead::Algorithm, key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(algorithm, key).expect("the key has the cipher's length"))
}
