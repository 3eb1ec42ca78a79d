//! Vouching for devices' hardware: a certificate under the trust root for a key that does not leave a device, which says what
//! clock is protected beside it (row E03). A client that enrols on such a device shows it, and gets a certificate for that clock.

use admit_crypto::{Entropy, PublicKey, SecretScalar};
use admit_time::Timestamp;
use admit_trust::{Certificate, ClockKind, Issuer, Properties, Role, Subject};
use serde_json::json;

use super::{Home, term};
use crate::{Error, audit};

impl Home {
    /// Vouches for hardware of this name, whose key is `key` and which protects a clock from change, with the trust root's
    /// key. The audit record says it.
    pub async fn vouch_for_hardware(
        &self,
        root_key: &SecretScalar,
        name: &str,
        key: &PublicKey,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Certificate, Error> {
        if !audit::is_recordable(name) || name.is_empty() || name.len() > LONGEST_NAME {
            return Err(Error::Unrecordable { what: "the name of hardware", limit: LONGEST_NAME });
        }
        let signer = self.root_signer(root_key, now)?;
        let subject = Subject {
            common_name: name,
            public_key: key,
            role: Role::Hardware,
            properties: Properties { clock: Some(ClockKind::Secure), ..Properties::default() },
            not_before: now,
            lifetime: term::lifetime(Role::Hardware),
        };
        let issuer = Issuer { certificate: self.root().certificate(), key: &signer };
        let certificate = admit_trust::issue(issuer, &subject, entropy)?;
        let mut transaction = self.store().write().await?;
        let (event, fingerprint) =
            (audit::Event::HardwareVouched, certificate.fingerprint(self.provider()).to_string());
        self.append_audit(&mut transaction, now, event, &fingerprint, &json!({ "name": name })).await?;
        transaction.commit().await?;
        Ok(certificate)
    }
}

/// Characters in a common name (RFC 5280, upper bounds).
const LONGEST_NAME: usize = 64;
