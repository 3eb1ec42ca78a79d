//! Entitlement tokens: JSON Web Tokens (RFC 7519) in compact JWS (RFC 7515), signed with ES256 or HS256 (RFC 7518) or EdDSA
//! over Ed25519 (RFC 8037). This realm signs with ES256; a shop of the operator's may sign with any of them.
//!
//! A key is bound to its algorithm and its issuer. `cnf` (RFC 7800) holds the thumbprint of a client's signing key as `kid`.

mod claims;
mod import;
pub(crate) mod jwks;
mod key;
mod keys;
mod verify;

use core::num::NonZeroU32;
use std::time::Duration;

use admit_crypto::{Digest, Entropy};
use admit_time::Timestamp;

use crate::home::Home;
use crate::{Error, audit};

pub use claims::{Claims, Confirmation, OneOrMany};
pub use import::{Imported, TokenKeyFault};
pub(crate) use key::TokenKey;
pub use key::TokenKeyInfo;
pub(crate) use keys::{TokenKeys, load, own_row};
pub use verify::TokenFault;
pub(crate) use verify::Verified;

/// What a token is asked to say.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRequest {
    /// The buyer, as the operator names them (`sub`).
    pub subject: String,
    /// Content ids, or `*` for everything.
    pub content: Vec<String>,
    /// How long it is valid.
    pub lifetime: Duration,
    /// How often it may be used, where that is limited.
    pub uses: Option<NonZeroU32>,
    /// The thumbprint of the one client signing key that may use it.
    pub bound_to: Option<Digest>,
    /// Parameters for the acquisition policy.
    pub policy: serde_json::Map<String, serde_json::Value>,
}

impl Home {
    /// Makes an entitlement token with the newest key of this realm that is not retired.
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
        if !audit::is_recordable(&request.subject) {
            return Err(Error::Unrecordable { what: "a token's subject", limit: audit::LONGEST_TEXT });
        }
        let mut id = [0; 16];
        entropy.fill(&mut id);
        let keys = self.token_keys(now).await?;
        let signs = |key: &&TokenKey| key.signing_key().is_some() && !key.is_retired();
        let key = keys.iter().find(signs).ok_or(TokenKeyFault::NoneSigns)?;
        let claims = Claims {
            iss: key.issuer().to_owned(),
            aud: self.realm().to_string(),
            sub: request.subject.clone(),
            iat: Some(now.unix_secs()),
            nbf: None,
            exp: now.saturating_add(request.lifetime).unix_secs(),
            jti: hex::encode(id),
            content: OneOrMany::Many(request.content.clone()),
            uses: request.uses,
            cnf: request.bound_to.map(|thumbprint| Confirmation { kid: thumbprint.to_string() }),
            policy: request.policy.clone(),
        };
        let mut transaction = self.store().write().await?;
        let detail = serde_json::json!({ "id": claims.jti, "content": claims.content, "expires": claims.exp });
        self.append_audit(&mut transaction, now, audit::Event::TokenMade, &claims.sub, &detail).await?;
        transaction.commit().await?;
        key.sign(&claims).ok_or(TokenKeyFault::NoneSigns.into())
    }
}

#[cfg(test)]
mod tests;
