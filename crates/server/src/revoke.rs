//! Revoking a client: from the next request on, wherever it is served, it gets no more licenses, and no certificate for
//! the same signing key.

use admit_crypto::Digest;
use admit_time::Timestamp;
use serde_json::json;

use crate::home::Home;
use crate::store::client;
use crate::{Error, audit};

/// What a revocation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Since when the client is revoked.
    pub at: Timestamp,
    /// Whether it was not revoked before.
    pub is_new: bool,
}

impl Home {
    /// Revokes a client by its certificate's fingerprint, for good, with every certificate of the same signing key. The
    /// reason goes into the audit record. A client that is revoked already stays as it is.
    pub async fn revoke_client(
        &self,
        fingerprint: &Digest,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Revocation, Error> {
        if !reason.is_none_or(audit::is_recordable) {
            return Err(Error::Unrecordable { what: "the reason of a revocation", limit: audit::LONGEST_TEXT });
        }
        let mut transaction = self.store().write().await?;
        let known = client::find(&mut transaction, fingerprint).await?;
        let known = known.ok_or(Error::UnknownClient { fingerprint: *fingerprint })?;
        let is_new = client::revoke(&mut transaction, fingerprint, now).await?;
        if is_new {
            let (event, subject) = (audit::Event::ClientRevoked, fingerprint.to_string());
            self.append_audit(&mut transaction, now, event, &subject, &json!({ "reason": reason })).await?;
        }
        transaction.commit().await?;
        Ok(Revocation { at: known.revoked_at.unwrap_or(now), is_new })
    }
}
