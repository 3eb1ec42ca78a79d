//! Keys that come from outside: a public key in PEM (RFC 7468, SubjectPublicKeyInfo) or as a JSON Web Key (RFC 7517, 8037),
//! or a shared secret.

use admit_crypto::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs8::der::Decode as _;
use pkcs8::der::asn1::ObjectIdentifier;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::key::{EDDSA, ES256, Material};

/// A key that was read, with the name that it brings.
#[derive(Debug)]
pub struct Imported {
    pub(super) material: Material,
    pub(super) kid: Option<String>,
}

/// Why a key for tokens is not taken, or not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenKeyFault {
    /// Neither PEM nor JWK.
    #[error("the file is neither a public key in PEM nor a JSON Web Key")]
    NotAKey,
    /// It has the private part.
    #[error("the file holds a private key; only the public one is taken")]
    Private,
    /// An algorithm that is not one of the three.
    #[error("the key is neither P-256 (ES256) nor Ed25519 (EdDSA)")]
    Algorithm,
    /// Its bytes are no point of its curve.
    #[error("the key's bytes are no public key of its kind")]
    Point,
    /// A secret that can be guessed.
    #[error("the secret has {found} bytes, and the least for HS256 is 32")]
    ShortSecret {
        /// Its bytes.
        found: usize,
    },
    /// A secret brings no name.
    #[error("the key needs a kid, 1 to 128 printable characters without spaces")]
    Kid,
    /// A name that is no issuer's.
    #[error("an issuer has 1 to 200 characters and no control characters, and is not this realm")]
    Issuer,
    /// There is a key of this name.
    #[error("there is a token key {kid:?} already")]
    Exists {
        /// The name.
        kid: String,
    },
    /// There is no key of this name.
    #[error("there is no token key {kid:?} that is not retired")]
    Unknown {
        /// The name.
        kid: String,
    },
    /// All keys of this realm are retired.
    #[error("every token key of this realm is retired")]
    NoneSigns,
}

impl Imported {
    /// A public key from the text of a file.
    pub fn public_key(text: &str) -> Result<Self, TokenKeyFault> {
        if text.trim_start().starts_with('{') { from_jwk(text) } else { from_pem(text) }
    }

    /// The key, where it is one of P-256.
    #[must_use]
    pub const fn p256(&self) -> Option<PublicKey> {
        match self.material {
            Material::Es256(key) => Some(key),
            _ => None,
        }
    }

    /// A shared secret: the bytes of a file without one line feed at their end.
    pub fn secret(bytes: &[u8]) -> Result<Self, TokenKeyFault> {
        let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if secret.len() < LEAST_SECRET {
            return Err(TokenKeyFault::ShortSecret { found: secret.len() });
        }
        Ok(Self { material: Material::Hs256(Zeroizing::new(secret.to_vec())), kid: None })
    }
}

fn from_pem(text: &str) -> Result<Imported, TokenKeyFault> {
    if text.contains("PRIVATE KEY") {
        return Err(TokenKeyFault::Private);
    }
    let (label, document) = pkcs8::Document::from_pem(text.trim()).map_err(|_| TokenKeyFault::NotAKey)?;
    let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).map_err(|_| TokenKeyFault::NotAKey)?;
    let bytes = info.subject_public_key.as_bytes().filter(|_| label == "PUBLIC KEY").ok_or(TokenKeyFault::NotAKey)?;
    let curve = info.algorithm.parameters.and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    let material = match (info.algorithm.oid, curve) {
        (EC_PUBLIC_KEY, Some(P_256)) => es256(bytes)?,
        (ED25519, None) => ed25519(bytes)?,
        _ => return Err(TokenKeyFault::Algorithm),
    };
    Ok(Imported { material, kid: None })
}

/// The members of a JWK that matter here.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

fn from_jwk(text: &str) -> Result<Imported, TokenKeyFault> {
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| TokenKeyFault::NotAKey)?;
    if jwk.d.is_some() || jwk.k.is_some() {
        return Err(TokenKeyFault::Private);
    }
    let coordinate = |text: Option<&String>| {
        let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).filter(|bytes| bytes.len() == 32);
        bytes.ok_or(TokenKeyFault::Point)
    };
    let (material, algorithm) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("EC", Some("P-256")) => {
            let point = [vec![4], coordinate(jwk.x.as_ref())?, coordinate(jwk.y.as_ref())?].concat();
            (es256(&point)?, ES256)
        }
        ("OKP", Some("Ed25519")) => (ed25519(&coordinate(jwk.x.as_ref())?)?, EDDSA),
        _ => return Err(TokenKeyFault::Algorithm),
    };
    // RFC 9864 has a name of its own for EdDSA over Ed25519.
    if jwk.alg.is_some_and(|alg| alg != algorithm && !(alg == "Ed25519" && algorithm == EDDSA)) {
        return Err(TokenKeyFault::Algorithm);
    }
    Ok(Imported { material, kid: jwk.kid })
}

fn es256(bytes: &[u8]) -> Result<Material, TokenKeyFault> {
    PublicKey::from_sec1(bytes).map(Material::Es256).map_err(|_| TokenKeyFault::Point)
}

fn ed25519(bytes: &[u8]) -> Result<Material, TokenKeyFault> {
    bytes.try_into().map(Material::EdDsa).map_err(|_| TokenKeyFault::Point)
}

/// RFC 7518 section 3.2: a key as long as the hash.
const LEAST_SECRET: usize = 32;
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
