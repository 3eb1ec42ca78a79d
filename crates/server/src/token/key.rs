//! One key for tokens, with the one algorithm and the one issuer it is good for.

use admit_crypto::{Provider, PublicKey, SecretScalar, Signature, SigningKey};
use admit_time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Claims, TokenFault};

/// A key, loaded.
#[derive(Debug)]
pub(crate) struct TokenKey {
    info: TokenKeyInfo,
    material: Material,
}

/// What is said openly of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKeyInfo {
    /// Its name in tokens.
    pub kid: String,
    /// Whose tokens it signs.
    pub issuer: String,
    /// `ES256`, `EdDSA` or `HS256`.
    pub algorithm: &'static str,
    /// Whether this realm has the private key.
    pub is_own: bool,
    /// When it was made or imported.
    pub created_at: Timestamp,
    /// Until when it verifies, where it is retired.
    pub verifies_until: Option<Timestamp>,
}

/// What a key is made of.
pub(crate) enum Material {
    /// A P-256 key of this realm.
    Own(SigningKey),
    /// Somebody's public P-256 key.
    Es256(PublicKey),
    /// Somebody's public Ed25519 key.
    EdDsa([u8; 32]),
    /// A secret shared with somebody.
    Hs256(Zeroizing<Vec<u8>>),
}

impl Material {
    /// A key of this realm.
    pub(super) fn own(provider: &Provider, secret: &SecretScalar) -> Self {
        Self::Own((provider.load_signing_key)(secret))
    }

    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Own(_) | Self::Es256(_) => ES256,
            Self::EdDsa(_) => EDDSA,
            Self::Hs256(_) => HS256,
        }
    }
}

/// A secret does not print.
impl core::fmt::Debug for Material {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.algorithm())
    }
}

/// The protected header of RFC 7515 section 4.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) crit: Option<Value>,
}

impl TokenKey {
    pub(super) const fn new(info: TokenKeyInfo, material: Material) -> Self {
        Self { info, material }
    }

    pub(super) const fn info(&self) -> &TokenKeyInfo {
        &self.info
    }

    pub(super) fn kid(&self) -> &str {
        &self.info.kid
    }

    pub(super) fn issuer(&self) -> &str {
        &self.info.issuer
    }

    pub(super) const fn algorithm(&self) -> &'static str {
        self.material.algorithm()
    }

    pub(super) const fn is_retired(&self) -> bool {
        self.info.verifies_until.is_some()
    }

    pub(super) fn verifies_at(&self, now: Timestamp) -> bool {
        self.info.verifies_until.is_none_or(|until| now < until)
    }

    pub(super) const fn signing_key(&self) -> Option<&SigningKey> {
        match &self.material {
            Material::Own(key) => Some(key),
            Material::Es256(_) | Material::EdDsa(_) | Material::Hs256(_) => None,
        }
    }

    /// Signs claims, with a key of this realm.
    pub(super) fn sign(&self, claims: &Claims) -> Option<String> {
        let (alg, kid, typ) = (self.algorithm().to_owned(), self.info.kid.clone(), Some("JWT".to_owned()));
        let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
        let header = serde_json::to_vec(&Header { alg, kid, typ, crit: None }).expect("a header of texts serializes");
        let claims = serde_json::to_vec(claims).expect("claims of texts and numbers serialize");
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.signing_key()?.sign(signed.as_bytes());
        Some(format!("{signed}.{}", part(signature.as_bytes().to_vec())))
    }

    /// Whether a signature, or a code, over these bytes is this key's.
    pub(super) fn verify(&self, provider: &Provider, signed: &[u8], signature: &[u8]) -> Result<(), TokenFault> {
        let fault = TokenFault::Signature;
        match &self.material {
            Material::Own(key) => verify_es256(provider, key.public_key(), signed, signature),
            Material::Es256(key) => verify_es256(provider, key, signed, signature),
            Material::EdDsa(key) => {
                let signature = signature.try_into().map_err(|_| fault)?;
                (provider.verify_ed25519)(key, signed, signature).map_err(|_| fault)
            }
            Material::Hs256(secret) => {
                let code = (provider.hmac_sha256)(secret, &[signed]);
                if code.as_slice().ct_eq(signature).into() { Ok(()) } else { Err(fault) }
            }
        }
    }

    /// The public part as a JSON Web Key (RFC 7517), of a key of this realm.
    pub(super) fn jwk(&self) -> Option<Value> {
        let (x, y) = self.signing_key()?.public_key().as_bytes()[1..].split_at(32);
        let encode = |coordinate| URL_SAFE_NO_PAD.encode(coordinate);
        Some(json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "use": "sig", "alg": ES256,
            "kid": self.info.kid }))
    }
}

fn verify_es256(provider: &Provider, key: &PublicKey, signed: &[u8], signature: &[u8]) -> Result<(), TokenFault> {
    let signature = Signature::from_slice(signature).map_err(|_| TokenFault::Signature)?;
    (provider.verify)(key, signed, &signature).map_err(|_| TokenFault::Signature)
}

pub(super) const ES256: &str = "ES256";
pub(super) const EDDSA: &str = "EdDSA";
pub(super) const HS256: &str = "HS256";
