//! Entitlement tokens: JSON Web Tokens (RFC 7519) in compact JWS (RFC 7515), signed with ES256 (RFC 7518 section 3.4).
//!
//! The algorithm is a property of the key, not of the token: a header must name a known key and exactly that key's
//! algorithm. `cnf` (RFC 7800) holds the thumbprint of a client's signing key as `kid`.

use std::sync::Arc;
use std::time::Duration;

use admit_crypto::{Digest, Entropy, Provider, PublicKey, SecretScalar, Signature, SigningKey};
use admit_time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::memory::Tokens;
use crate::{Error, audit};

/// What a token is asked to say.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRequest {
    /// The buyer, as the operator names them (`sub`).
    pub subject: String,
    /// Content ids, or `*` for everything.
    pub content: Vec<String>,
    /// How long it is valid.
    pub lifetime: Duration,
    /// The thumbprint of the one client signing key that may use it.
    pub bound_to: Option<Digest>,
    /// Parameters for the acquisition policy.
    pub policy: serde_json::Map<String, serde_json::Value>,
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it; bound to the key that signed it.
    pub iss: String,
    /// The realm it is for, in hexadecimal.
    pub aud: String,
    /// The buyer.
    pub sub: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// From when on it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Until when it is valid.
    pub exp: u64,
    /// Its own id.
    pub jti: String,
    /// Content ids, or `*`.
    pub content: OneOrMany,
    /// The client key it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Parameters for the acquisition policy.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub policy: serde_json::Map<String, serde_json::Value>,
}

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// The claim `cnf`. A member this program does not know would be a binding it cannot check, so it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// SHA-256 of the client's uncompressed public signing key, in hexadecimal.
    pub kid: String,
}

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

impl Claims {
    /// Whether the token is for this content.
    #[must_use]
    pub fn covers(&self, content_id: &str) -> bool {
        let covers = |claimed: &str| claimed == "*" || claimed == content_id;
        match &self.content {
            OneOrMany::One(claimed) => covers(claimed),
            OneOrMany::Many(claimed) => claimed.iter().any(|claimed| covers(claimed)),
        }
    }

    /// Whether the token may be used by the client with this signing key.
    #[must_use]
    pub fn may_be_used_by(&self, provider: &Provider, key: &PublicKey) -> bool {
        self.cnf.as_ref().is_none_or(|cnf| Digest::from_hex(&cnf.kid) == Some(key.thumbprint(provider)))
    }
}

/// A key that signs tokens, loaded.
#[derive(Debug)]
pub(crate) struct TokenKey {
    kid: String,
    issuer: String,
    key: SigningKey,
}

/// The name of the one algorithm there is.
pub(crate) const ALGORITHM: &str = "ES256";

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

impl TokenKey {
    pub(crate) fn load(provider: &Provider, kid: String, issuer: String, secret: &SecretScalar) -> Self {
        Self { kid, issuer, key: (provider.load_signing_key)(secret) }
    }

    fn sign(&self, claims: &Claims) -> String {
        let (alg, kid, typ) = (ALGORITHM.to_owned(), self.kid.clone(), Some("JWT".to_owned()));
        let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
        let header = serde_json::to_vec(&Header { alg, kid, typ, crit: None }).expect("a header of texts serializes");
        let claims = serde_json::to_vec(claims).expect("claims of texts and numbers serialize");
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", part(signature.as_bytes().to_vec()))
    }
}

/// What tokens are held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRules<'a> {
    pub(crate) provider: &'static Provider,
    pub(crate) realm: Digest,
    pub(crate) keys: &'a [TokenKey],
    pub(crate) verified: &'a Tokens,
    pub(crate) maximum_lifetime: Duration,
}

impl TokenRules<'_> {
    /// Verifies a token; whether it fits client and content is the caller's next question. A token whose signature
    /// was found to hold is remembered, and its dates are looked at again.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, TokenFault> {
        let hash = (self.provider.sha256)(&[token.as_bytes()]);
        let claims = match self.verified.get(&hash) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.verify_signed(token)?);
                self.verified.keep(hash, Arc::clone(&claims));
                claims
            }
        };
        self.check_dates(&claims, now)?;
        Ok(claims)
    }

    /// Everything about a token that does not change.
    fn verify_signed(&self, token: &str) -> Result<Claims, TokenFault> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header: Header = json(header)?;
        let key = self.keys.iter().find(|key| key.kid == header.kid).ok_or(TokenFault::UnknownKey)?;
        if header.alg != ALGORITHM || header.crit.is_some() {
            return Err(TokenFault::Header);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenFault::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| TokenFault::Signature)?;
        (self.provider.verify)(key.key.public_key(), signed.as_bytes(), &signature)
            .map_err(|_| TokenFault::Signature)?;
        let claims: Claims = json(payload)?;
        if claims.iss != key.issuer {
            return Err(TokenFault::Issuer);
        }
        if claims.aud != self.realm.to_string() {
            return Err(TokenFault::Audience);
        }
        Ok(claims)
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
        if expires > now.saturating_add(self.maximum_lifetime) {
            return Err(TokenFault::LifetimeTooLong);
        }
        Ok(())
    }
}

impl Home {
    /// Makes an entitlement token with the newest key.
    pub async fn mint_token(
        &self,
        request: &TokenRequest,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<String, Error> {
        let limit = self.config().token_maximum_lifetime;
        if request.lifetime > limit {
            let days = |duration: Duration| duration.as_secs().div_ceil(86_400);
            return Err(Error::TokenLifetime { asked_days: days(request.lifetime), limit_days: days(limit) });
        }
        let mut id = [0; 16];
        entropy.fill(&mut id);
        let key = self.token_keys().first().ok_or(Error::Damaged {
            table: crate::store::token_key::TABLE,
            row: "first".into(),
            column: "kid",
        })?;
        let claims = Claims {
            iss: key.issuer.clone(),
            aud: self.realm().to_string(),
            sub: request.subject.clone(),
            iat: Some(now.unix_secs()),
            nbf: None,
            exp: now.saturating_add(request.lifetime).unix_secs(),
            jti: hex::encode(id),
            content: OneOrMany::Many(request.content.clone()),
            cnf: request.bound_to.map(|thumbprint| Confirmation { kid: thumbprint.to_string() }),
            policy: request.policy.clone(),
        };
        let mut transaction = self.store().write().await?;
        let detail = serde_json::json!({ "id": claims.jti, "content": claims.content, "expires": claims.exp });
        self.append_audit(&mut transaction, now, audit::Event::TokenMade, &claims.sub, &detail).await?;
        transaction.commit().await?;
        Ok(key.sign(&claims))
    }
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenFault::Malformed)
}

#[cfg(test)]
mod tests {
    use admit_crypto::rustcrypto::PROVIDER;
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::CacheCounts;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_767_225_600);
    const DAY: Duration = Duration::from_secs(86_400);

    fn key() -> TokenKey {
        let secret = SecretScalar::from_slice(&[7; 32]).unwrap();
        TokenKey::load(&PROVIDER, "key-1".into(), "issuer".into(), &secret)
    }

    fn verify(token: &str) -> Result<Claims, TokenFault> {
        let keys = &[key()];
        let realm = Digest::from_bytes([5; 32]);
        let rules = TokenRules { provider: &PROVIDER, realm, keys, verified: &Tokens::new(CacheCounts::default()), maximum_lifetime: DAY };
        rules.verify(token, NOW).map(Arc::unwrap_or_clone)
    }

    fn claims() -> Claims {
        Claims {
            iss: "issuer".into(),
            aud: Digest::from_bytes([5; 32]).to_string(),
            sub: "buyer".into(),
            iat: None,
            nbf: None,
            exp: NOW.saturating_add(DAY).unix_secs(),
            jti: "1".into(),
            content: OneOrMany::One("*".into()),
            cnf: None,
            policy: serde_json::Map::new(),
        }
    }

    /// A token with this header and these claims under a true signature.
    fn signed(header: &serde_json::Value, claims: &serde_json::Value) -> String {
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = key().key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_bytes()))
    }

    #[test]
    fn no_token_with_a_character_changed_added_or_taken_away_is_accepted() {
        let token = key().sign(&claims());
        assert_eq!(verify(&token), Ok(claims()));
        for at in 0..=token.len() {
            let (before, after) = token.split_at(at);
            let mut altered: Vec<_> =
                ["A", ".", "=", "-", "\u{e9}"].map(|added| [before, added, after].concat()).into();
            if let Some(character) = after.chars().next() {
                let rest = &after[1..];
                altered.push([before, rest].concat());
                let flips = (0..8).map(|bit| char::from(u8::try_from(character).unwrap() ^ (1 << bit)));
                altered.extend(flips.map(|flipped| format!("{before}{flipped}{rest}")));
            }
            for altered in altered {
                assert!(verify(&altered).is_err(), "{altered}");
            }
        }
    }

    #[test]
    fn no_claim_and_no_member_of_the_header_can_be_left_out_or_be_of_another_kind() {
        let header = serde_json::json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" });
        let whole = serde_json::to_value(claims()).unwrap();
        assert_eq!(verify(&signed(&header, &whole)), Ok(claims()));
        for (is_header, name) in [(true, "alg"), (true, "kid")]
            .into_iter()
            .chain(["iss", "aud", "sub", "exp", "jti", "content"].map(|name| (false, name)))
        {
            for value in [None, Some(serde_json::Value::Null), Some((-1).into()), Some(serde_json::json!({}))] {
                let (mut header, mut claims) = (header.clone(), whole.clone());
                let object = if is_header { &mut header } else { &mut claims };
                match &value {
                    None => drop(object.as_object_mut().unwrap().remove(name)),
                    Some(value) => object[name] = value.clone(),
                }
                assert_eq!(verify(&signed(&header, &claims)), Err(TokenFault::Malformed), "{name} {value:?}");
            }
        }
        let bound = serde_json::json!({ "kid": "00", "jkt": "a binding that is not checked here" });
        let mut claims = whole;
        claims["cnf"] = bound;
        assert_eq!(verify(&signed(&header, &claims)), Err(TokenFault::Malformed));
    }

    proptest! {
        /// Behind the signature: whatever an issuer signs is read or refused, and is never accepted past its dates.
        #[test]
        fn what_an_issuer_signs_does_not_panic(payload: Vec<u8>, exp: u64, kid in "[ -~]{0,8}") {
            let header = serde_json::json!({ "alg": "ES256", "kid": kid });
            prop_assert!(verify(&signed(&header, &serde_json::json!(String::from_utf8_lossy(&payload)))).is_err());
            let claims = serde_json::to_value(Claims { exp, ..claims() }).unwrap();
            let header = serde_json::json!({ "alg": "ES256", "kid": "key-1" });
            let dates = NOW.unix_secs() + 1..=NOW.saturating_add(DAY).unix_secs();
            prop_assert_eq!(verify(&signed(&header, &claims)).is_ok(), dates.contains(&exp));
        }

        #[test]
        fn random_texts_are_refused(token in "[a-zA-Z0-9_.=-]{0,200}", other: String) {
            prop_assert!(verify(&token).is_err() && verify(&other).is_err());
        }
    }
}
