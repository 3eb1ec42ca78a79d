//! Operator tokens: 32 random bytes by which an operator's programs use this server over HTTP. The database keeps
//! their hashes only, so that a copy of it opens nothing.

use std::time::Duration;

use admit_crypto::{Digest, Entropy, Provider};
use admit_time::Timestamp;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::home::Home;
use crate::http::Peer;
use crate::refusal::Refusal;
use crate::store::operator_token;
use crate::{Error, Server, audit, http};

/// What is known of an operator token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorToken {
    /// Whose it is.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is valid.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Whoever showed an operator token that holds. Nothing but reading a request makes one.
#[derive(Debug)]
pub(crate) struct Operator {
    name: String,
}

impl Operator {
    /// Whose token it was, for the audit log.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl FromRequestParts<Server> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        server.limits.take_address(Peer::of(parts).0, server.clock.now())?;
        let token = http::bearer_token(&parts.headers).map_err(|_| OperatorTokenFault::Malformed)?;
        let token = token.ok_or(OperatorTokenFault::Missing)?;
        let hash = hash(server.home.provider(), token);
        let known = operator_token::find(&mut *server.home.store().read().await?, &hash).await?;
        let known = known.ok_or(OperatorTokenFault::Unknown)?;
        if known.revoked_at.is_some() {
            return Err(OperatorTokenFault::Revoked.into());
        }
        if known.expires_at <= server.clock.now() {
            return Err(OperatorTokenFault::Expired { at: known.expires_at }.into());
        }
        Ok(Self { name: known.name })
    }
}

/// Why an operator token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OperatorTokenFault {
    #[error("this address is for operators, and the request carries no operator token")]
    Missing,
    #[error("the Authorization header is not one bearer token")]
    Malformed,
    #[error("this server did not make the operator token")]
    Unknown,
    #[error("the operator token was revoked")]
    Revoked,
    #[error("the operator token expired at {at}")]
    Expired { at: Timestamp },
}

impl Home {
    /// Makes an operator token. It is shown this once.
    pub async fn make_operator_token(
        &self,
        name: &str,
        lifetime: Duration,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<String, Error> {
        let well_formed = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        if !well_formed {
            return Err(Error::OperatorTokenName { limit: MAX_NAME });
        }
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let expires_at = now.saturating_add(lifetime);
        let row = OperatorToken { name: name.to_owned(), created_at: now, expires_at, revoked_at: None };
        let mut transaction = self.store().write().await?;
        if !operator_token::insert(&mut transaction, &row, &hash(self.provider(), &token)).await? {
            return Err(Error::OperatorTokenExists { name: name.to_owned() });
        }
        let detail = json!({ "expires": expires_at.unix_secs() });
        self.append_audit(&mut transaction, now, audit::Event::OperatorTokenMade, name, &detail).await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// Every operator token, by name.
    pub async fn operator_tokens(&self) -> Result<Vec<OperatorToken>, Error> {
        operator_token::all(&mut *self.store().read().await?).await
    }

    /// Revokes an operator token, for good. Says whether it was valid until now.
    pub async fn revoke_operator_token(&self, name: &str, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.store().write().await?;
        let revoked = operator_token::revoke(&mut transaction, name, now).await?;
        if revoked {
            self.append_audit(&mut transaction, now, audit::Event::OperatorTokenRevoked, name, &json!({})).await?;
            transaction.commit().await?;
        }
        Ok(revoked)
    }
}

fn hash(provider: &Provider, token: &str) -> Digest {
    (provider.sha256)(&[token.as_bytes()])
}

/// Says in a configuration file or a leak what the text is.
const PREFIX: &str = "admit_operator_";
const MAX_NAME: usize = 80;
