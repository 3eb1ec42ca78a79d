//! What a token is held to, and why one is refused. The algorithm is a property of the key, not of the token: a header
//! must name a known key and exactly that key's algorithm.

use std::sync::Arc;
use std::time::Duration;

use admit_crypto::{Digest, Provider};
use admit_time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Claims;
use super::key::{Header, TokenKey};
use crate::memory::Tokens;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// Not three parts of base64url with JSON in the first two.
    #[error("the token is not a compact JWS with JSON claims")]
    Malformed,
    /// The header asks for something this server does not do, such as a critical extension.
    #[error("the token's header has another algorithm than its key, or critical extensions")]
    Header,
    /// No such key.
    #[error("the token names no key of this realm")]
    UnknownKey,
    /// The key's time is over.
    #[error("the token's key was retired and verifies no more")]
    Retired,
    /// The signature does not hold.
    #[error("the token's signature does not hold")]
    Signature,
    /// It was made by somebody else than the key's owner.
    #[error("the token's issuer is not the owner of its key")]
    Issuer,
    /// It is for another realm.
    #[error("the token is for another realm")]
    Audience,
    /// Its time is over.
    #[error("the token expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Its time has not begun.
    #[error("the token is valid from {at} on")]
    NotYet {
        /// When.
        at: Timestamp,
    },
    /// Its lifetime is longer than the operator allows.
    #[error("the token is valid for longer than this realm allows")]
    LifetimeTooLong,
}

/// A token whose signature holds, and the key it holds under.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) kid: String,
    pub(crate) claims: Claims,
}

/// What tokens are held to.
#[derive(Debug)]
pub(crate) struct TokenRules<'a> {
    pub(crate) provider: &'static Provider,
    pub(crate) realm: Digest,
    pub(crate) keys: Arc<[TokenKey]>,
    pub(crate) verified: &'a Tokens,
    pub(crate) maximum_lifetime: Duration,
}

impl TokenRules<'_> {
    /// Verifies a token; whether it fits client and content is the caller's next question. A token whose signature
    /// was found to hold is remembered, and its key and dates are looked at again.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Verified>, TokenFault> {
        let hash = (self.provider.sha256)(&[token.as_bytes()]);
        let verified = match self.verified.get(&hash) {
            Some(verified) => verified,
            None => {
                let verified = Arc::new(self.verify_signed(token)?);
                self.verified.keep(hash, token.len(), Arc::clone(&verified));
                verified
            }
        };
        self.check_now(&verified, now)?;
        Ok(verified)
    }

    /// The same, and nothing is remembered of it.
    pub(crate) fn look_at(&self, token: &str, now: Timestamp) -> Result<Verified, TokenFault> {
        let verified = self.verify_signed(token)?;
        self.check_now(&verified, now)?;
        Ok(verified)
    }

    fn check_now(&self, verified: &Verified, now: Timestamp) -> Result<(), TokenFault> {
        if !self.key(&verified.kid)?.verifies_at(now) {
            return Err(TokenFault::Retired);
        }
        self.check_dates(&verified.claims, now)
    }

    /// Everything about a token that does not change.
    fn verify_signed(&self, token: &str) -> Result<Verified, TokenFault> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header: Header = json(header)?;
        let key = self.key(&header.kid)?;
        if header.alg != key.algorithm() || header.crit.is_some() {
            return Err(TokenFault::Header);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenFault::Malformed)?;
        key.verify(self.provider, signed.as_bytes(), &signature)?;
        let claims: Claims = json(payload)?;
        if claims.iss != key.issuer() {
            return Err(TokenFault::Issuer);
        }
        if claims.aud != self.realm.to_string() {
            return Err(TokenFault::Audience);
        }
        if !claims.is_recordable() {
            return Err(TokenFault::Malformed);
        }
        Ok(Verified { kid: header.kid, claims })
    }

    /// The key of this name. A retired one is still there.
    fn key(&self, kid: &str) -> Result<&TokenKey, TokenFault> {
        self.keys.iter().find(|key| key.kid() == kid).ok_or(TokenFault::UnknownKey)
    }

    fn check_dates(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenFault> {
        let expires = Timestamp::from_unix_secs(claims.exp);
        if expires <= now {
            return Err(TokenFault::Expired { at: expires });
        }
        let begins = claims.nbf.map(Timestamp::from_unix_secs);
        if let Some(at) = begins.filter(|&begins| begins > now) {
            return Err(TokenFault::NotYet { at });
        }
        // From when it was made, where it says so; a time to come makes no token longer.
        let made = claims.iat.map_or(now, |iat| Timestamp::from_unix_secs(iat).min(now));
        if expires > made.saturating_add(self.maximum_lifetime) {
            return Err(TokenFault::LifetimeTooLong);
        }
        Ok(())
    }
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenFault::Malformed)
}
