//! The trust root's private key in a file outside the database: PKCS#8 (RFC 5958) under a passphrase, PBES2 with
//! scrypt and AES-256-CBC (RFC 8018, RFC 7914), in PEM. `openssl pkey -in root-key.pem` reads it.

use admit_crypto::{Entropy, SecretScalar};
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use crate::Error;

/// Encrypts a key under a passphrase. It takes about a second: guessing shall be expensive.
pub fn export(scalar: &SecretScalar, passphrase: &str, entropy: &mut dyn Entropy) -> Result<Zeroizing<String>, Error> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    entropy.fill(&mut salt);
    entropy.fill(&mut iv);
    let cost = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|_| Error::RootKey)?;
    let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(|_| Error::RootKey)?;
    let plain = private_key_info(scalar);
    let encrypted = parameters.encrypt(passphrase, &plain).map_err(|_| Error::RootKey)?;
    let encrypted_data = OctetStringRef::new(&encrypted).map_err(|_| Error::RootKey)?;
    let info = EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data };
    let document = SecretDocument::try_from(info).map_err(|_| Error::RootKey)?;
    document.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF).map_err(|_| Error::RootKey)
}

/// Decrypts what [`export`] wrote, or another tool in the same format.
pub fn import(pem: &str, passphrase: &str) -> Result<SecretScalar, Error> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| Error::RootKey)?;
    EncryptedPrivateKeyInfoRef::validate_pem_label(label).map_err(|_| Error::RootKey)?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| Error::RootKey)?;
    let plain = info.decrypt(passphrase).map_err(|_| Error::RootKey)?;
    let key = plain.as_bytes().strip_prefix(PREFIX).and_then(|rest| rest.get(..SecretScalar::LENGTH));
    SecretScalar::from_slice(key.ok_or(Error::RootKey)?).map_err(|_| Error::RootKey)
}

/// `PrivateKeyInfo` of a P-256 key with its public key (RFC 5958 section 2, RFC 5915 section 3): all lengths are
/// fixed, so it is what stands around the two keys.
fn private_key_info(scalar: &SecretScalar) -> Zeroizing<Vec<u8>> {
    let mut der = Zeroizing::new(Vec::with_capacity(256));
    der.extend_from_slice(PREFIX);
    der.extend_from_slice(scalar.expose());
    der.extend_from_slice(PUBLIC_KEY_PREFIX);
    der.extend_from_slice(scalar.public_key().as_bytes());
    der
}

/// SEQUENCE { 0, { id-ecPublicKey, prime256v1 }, OCTET STRING { SEQUENCE { 1, OCTET STRING (32 bytes) …
const PREFIX: &[u8] = &[
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
];
/// … `[1] { BIT STRING (65 bytes) }`.
const PUBLIC_KEY_PREFIX: &[u8] = &[0xa1, 0x44, 0x03, 0x42, 0x00];

/// 32 MiB, the most that OpenSSL accepts without being asked.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 5;
